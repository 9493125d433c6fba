//! The socket: a handle to one connection, with Node's methods.

use std::any::TypeId;
use std::fmt;
use std::io;
use std::time::Duration;

use super::attachments::Attachments;
use super::cell::{SocketCell, SocketHost};
use super::connect::ConnectOptions;
use super::options::SocketOptions;
use super::{BoundSocket, Data, ListenerChange, emitting};
use crate::StaysOnItsThread;
use crate::error::{Error, Result, node};
use crate::event;
use crate::events::outcome::{Verdict, dropped};
use crate::events::{Event, EventEmitter, Outcome};
use crate::kernel::{Stream, ledger};
use crate::machine::data::Repr;
use crate::machine::read_half::Amount;
use crate::machine::write_queue::Callback;
use crate::machine::{AfterConnect, Host, Life};
use crate::reactor::{self, Key, Origin};

/// One end of a connection. Node's `net.Socket`.
///
/// A `Socket` is a handle, as small as a number: copies name the same socket, so a listener captures
/// one by copying it. After [`event::Close`] all of them are stale. A stale handle counts as destroyed
/// and never reaches the next socket: what it is told does nothing, and what it is asked it answers with
/// `destroyed`, `pending`, [`ReadyState::Closed`](super::ReadyState::Closed), and otherwise 0, false or
/// `None`. The listeners of `Close` are the last that can ask it.
///
/// ```
/// use soquete::{event, net};
///
/// # fn main() -> soquete::Result<()> {
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.on(event::Data, move |chunk| {
///         socket.write(chunk);
///     });
/// });
/// server.listen(0).on(event::Listening, move |()| {
///     let client = net::connect(server.address().unwrap().port());
///     client.write("hello");
///     client.on(event::Data, move |chunk| {
///         assert_eq!(chunk, b"hello");
///         client.end();
///         server.close();
///     });
/// });
/// soquete::run()
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Socket {
    key: Key,
    _not_send: StaysOnItsThread,
}

/// Making and connecting.
impl Socket {
    /// A socket that is not connected. It is there until it is connected and closes, or is
    /// destroyed. Options go to [`new_with`](Socket::new_with).
    #[track_caller]
    pub fn new() -> Socket {
        Socket::new_with(SocketOptions::default())
    }

    /// As [`new`](Socket::new), with options.
    #[track_caller]
    pub fn new_with(options: SocketOptions) -> Socket {
        let origin = Origin::here();
        let key = reactor::with(|event_loop| {
            let cell = SocketCell::insert(event_loop, Stream::None, origin);
            SocketHost {
                event_loop,
                cell: &cell,
            }
            .configure(&options);
            cell.key
        });
        Socket::from_key(key.unwrap_or(Key::RESERVED))
    }

    /// A socket that connects from an address that was taken before. It adopts `bound`: nobody else
    /// can. Connecting to an IP address begins in the call of `connect` then.
    ///
    /// # Errors
    ///
    /// `ERR_SOCKET_HANDLE_ADOPTED`.
    #[track_caller]
    pub fn from_bound(bound: &BoundSocket) -> Result<Socket> {
        Socket::from_bound_with(bound, SocketOptions::default())
    }

    /// As [`from_bound`](Socket::from_bound), with options.
    ///
    /// # Errors
    ///
    /// As [`from_bound`](Socket::from_bound).
    #[track_caller]
    pub fn from_bound_with(bound: &BoundSocket, options: SocketOptions) -> Result<Socket> {
        let bound = bound.descriptor().adopt()?;
        let socket = Socket::new_with(options);
        socket.with(|host| host.cell.with_rare(|rare| rare.bound = Some(bound)));
        Ok(socket)
    }

    /// Connects. A socket that has closed can be connected again in its `Close` listener; its
    /// listeners are still there then. Later it is stale, and a new one is needed.
    ///
    /// Of `options`, only what is about connecting counts; what a socket is made with (`no_delay`, marks,
    /// `timeout`, `signal`, a block list …) counts for [`net::connect`](super::connect). While the socket
    /// connects, another call destroys it with EALREADY (EINVAL for a path), when it is connected with
    /// EISCONN; after `destroy` it connects once `Close` was emitted.
    pub fn connect(&self, options: impl Into<ConnectOptions>) -> Socket {
        let options = options.into();
        if self.with(|host| host.connect(options)).is_none() {
            log::warn!(
                target: "soquete::net",
                "connect of a socket that has closed does nothing: make a new one"
            );
        }
        *self
    }

    /// As [`connect`](Socket::connect), and calls `listener` with the socket at the next
    /// [`event::Connect`].
    #[doc(alias = "connect")]
    pub fn connect_then<R: Outcome>(
        &self,
        options: impl Into<ConnectOptions>,
        listener: impl FnOnce(Socket) -> R + 'static,
    ) -> Socket {
        let socket = *self;
        self.once(event::Connect, move |()| listener(socket));
        self.connect(options)
    }
}

/// Writing and ending.
impl Socket {
    /// Sends bytes, after those that were written before. False when so much is queued that it would
    /// be better to wait for [`event::Drain`]; nothing is refused for that, unless
    /// [`max_write_queue`](super::SocketOptions::max_write_queue) is set.
    ///
    /// After `end` it destroys the socket with `ERR_STREAM_WRITE_AFTER_END` (EPIPE if this end followed the
    /// peer's), on a socket that is not even connecting with `ERR_SOCKET_CLOSED`.
    ///
    /// Small writes of one callback go out together, by one system call, when the callback returns.
    pub fn write<'a>(&self, data: impl Into<Data<'a>>) -> bool {
        let written = match data.into() {
            Data(Repr::Borrowed(bytes)) => {
                self.with(|host| host.cell.duplex.write_bytes(host, [bytes]))
            }
            data => self.with(|host| host.cell.duplex.write(host, [data], None)),
        };
        self.written(written)
    }

    /// As [`write`](Socket::write), and calls `callback` when the bytes have been handed to the
    /// operating system, or with the error that prevented it. Callbacks are called in the order of
    /// the writes, each exactly once, never inside this call.
    #[doc(alias = "write")]
    pub fn write_then<'a, R: Outcome>(
        &self,
        data: impl Into<Data<'a>>,
        callback: impl FnOnce(Result<()>) -> R + 'static,
    ) -> bool {
        let (data, mut callback) = (data.into(), Some(callback));
        let written = self.with(|host| {
            let callback = callback.take().map(|callback| guarded(*self, callback));
            host.cell.duplex.write(host, [data], callback)
        });
        if let Some(callback) = callback {
            self.call_later(move || callback(Err(node::destroyed("write"))));
        }
        self.written(written)
    }

    /// What a write answers.
    #[inline]
    pub(super) fn written(&self, has_room: Option<bool>) -> bool {
        let has_room = has_room.unwrap_or(false);
        if !has_room {
            ledger::refused(self.key());
        }
        has_room
    }

    /// Ends this half; to send something first, use [`end_with`](Socket::end_with).
    ///
    /// The end is sent when everything that was written has been: [`event::Finish`] follows. The peer's half
    /// goes on until it ends, too.
    pub fn end(&self) -> Socket {
        self.with(|host| host.cell.duplex.end(host, None, None));
        *self
    }

    /// Sends `data`, then ends.
    #[doc(alias = "end")]
    pub fn end_with<'a>(&self, data: impl Into<Data<'a>>) -> Socket {
        let data = data.into();
        self.with(|host| host.cell.duplex.end(host, Some(data), None));
        *self
    }

    /// As [`end`](Socket::end), and calls `callback` right before [`event::Finish`], or with the error
    /// that prevented it.
    #[doc(alias = "end")]
    pub fn end_then<R: Outcome>(&self, callback: impl FnOnce(Result<()>) -> R + 'static) -> Socket {
        self.end_and_call(None, callback)
    }

    /// As [`end_with`](Socket::end_with), and calls `callback` as [`end_then`](Socket::end_then) does.
    #[doc(alias = "end")]
    pub fn end_with_then<'a, R: Outcome>(
        &self,
        data: impl Into<Data<'a>>,
        callback: impl FnOnce(Result<()>) -> R + 'static,
    ) -> Socket {
        self.end_and_call(Some(data.into()), callback)
    }

    fn end_and_call<R: Outcome>(
        &self,
        data: Option<Data<'_>>,
        callback: impl FnOnce(Result<()>) -> R + 'static,
    ) -> Socket {
        let mut callback = Some(callback);
        self.with(|host| {
            let callback = callback.take().map(|callback| guarded(*self, callback));
            host.cell.duplex.end(host, data, callback);
        });
        if let Some(callback) = callback {
            self.call_later(move || callback(Err(node::destroyed("end"))));
        }
        *self
    }

    /// Holds writes back until [`uncork`](Socket::uncork) was called as often as this.
    pub fn cork(&self) -> Socket {
        self.with(|host| host.cell.duplex.cork(host));
        *self
    }

    /// Sends what was held back since [`cork`](Socket::cork), at once.
    pub fn uncork(&self) -> Socket {
        self.with(|host| host.cell.duplex.uncork(host));
        *self
    }

    /// Closes at once. What the operating system has taken is still sent, what is queued is not.
    /// [`event::Close`] follows.
    pub fn destroy(&self) -> Socket {
        self.with(|host| host.cell.duplex.destroy(host, None));
        *self
    }

    /// As [`destroy`](Socket::destroy), and emits `error` first.
    #[doc(alias = "destroy")]
    pub fn destroy_with(&self, error: Error) -> Socket {
        self.with(|host| host.cell.duplex.destroy(host, Some(error)));
        *self
    }

    /// Ends, and destroys as soon as that is done, without waiting for the peer to end.
    #[doc(alias = "destroySoon")]
    pub fn destroy_soon(&self) -> Socket {
        let socket = *self;
        let finished = self.with(|host| host.cell.duplex.end_soon(host));
        match finished {
            Some(true) => {
                self.destroy();
            }
            Some(false) => {
                self.once(event::Finish, move |()| socket.destroy());
            }
            None => {}
        }
        socket
    }

    /// Closes by a reset: the peer gets ECONNRESET, and nothing that is on its way. While connecting
    /// that waits for the connection; a socket that is not even connecting is destroyed with
    /// `ERR_SOCKET_CLOSED`.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_HANDLE_TYPE` on an IPC socket, which is left as it is.
    #[doc(alias = "resetAndDestroy")]
    pub fn reset_and_destroy(&self) -> Result<Socket> {
        let reset = self.with(|host| {
            let duplex = &host.cell.duplex;
            match duplex.life() {
                Life::Open | Life::Connecting if host.cell.transport.borrow().is_ipc() => {
                    return Err(node::invalid_handle_type());
                }
                Life::Open => duplex.reset(host),
                Life::Connecting => host.on_connect(AfterConnect::Reset),
                _ => duplex.destroy(host, Some(node::socket_closed())),
            }
            Ok(())
        });
        reset.unwrap_or(Ok(())).map(|()| *self)
    }
}

/// Reading.
impl Socket {
    /// Stops `Data`. The descriptor is still read until the high-water mark is reached, and the
    /// peer's end is told of if nothing is kept; a socket that is paused before it is connected is
    /// not read at all.
    pub fn pause(&self) -> Socket {
        self.with(|host| host.cell.duplex.pause(host));
        *self
    }

    /// Lets `Data` flow, from the next tick on.
    pub fn resume(&self) -> Socket {
        self.with(|host| host.cell.duplex.resume(host));
        *self
    }

    /// Whether the socket was told to pause.
    #[doc(alias = "isPaused")]
    pub fn is_paused(&self) -> bool {
        self.ask(|host| host.cell.duplex.is_paused())
    }

    /// Takes the first chunk of what is kept; `None` if there is none. What is read is also emitted
    /// as `Data`.
    pub fn read(&self) -> Option<Vec<u8>> {
        ledger::read_otherwise(self.key());
        self.with(|host| host.cell.duplex.read(host, Amount::Chunk))
            .and_then(Result::ok)
            .flatten()
    }

    /// Takes exactly `size` bytes of what is kept; `None` if there are fewer, or all there are if
    /// the peer has ended.
    ///
    /// # Errors
    ///
    /// `ERR_OUT_OF_RANGE` for more than 1 GiB.
    #[doc(alias = "read")]
    pub fn read_exactly(&self, size: usize) -> Result<Option<Vec<u8>>> {
        ledger::read_otherwise(self.key());
        self.with(|host| host.cell.duplex.read(host, Amount::Exactly(size)))
            .unwrap_or(Ok(None))
    }

    /// Puts bytes back in front of what is kept, as if they had not been read.
    pub fn unshift(&self, bytes: impl AsRef<[u8]>) -> bool {
        ledger::read_otherwise(self.key());
        self.ask(|host| host.cell.duplex.unshift(host, bytes.as_ref()))
    }

    /// Decodes what comes in as UTF-8 from now on, and emits [`event::Text`]. A character that is
    /// split over chunks is put together; what is not UTF-8 becomes U+FFFD. [`event::Data`] follows each
    /// `Text` with its bytes, which `read` returns, too.
    #[doc(alias = "setEncoding")]
    pub fn set_encoding(&self) -> Socket {
        ledger::read_otherwise(self.key());
        self.with(|host| host.cell.duplex.decode_utf8());
        *self
    }
}

/// Settings.
impl Socket {
    /// Emits [`event::Timeout`] when nothing was received or sent for so long; never, for zero (the
    /// default). The socket is not closed by that. Node's largest timeout, 2³¹ − 1 ms, is the
    /// largest here.
    #[doc(alias = "setTimeout")]
    pub fn set_timeout(&self, timeout: Duration) -> Socket {
        self.with(|host| {
            if !host.cell.duplex.is_destroyed() {
                host.cell
                    .idle_or_new()
                    .set(host.event_loop, host.cell.key, timeout);
            }
        });
        *self
    }

    /// As [`set_timeout`](Socket::set_timeout), and calls `callback` with the socket at the next
    /// [`event::Timeout`]; with zero, it is not called.
    #[doc(alias = "setTimeout")]
    pub fn set_timeout_then<R: Outcome>(
        &self,
        timeout: Duration,
        callback: impl FnOnce(Socket) -> R + 'static,
    ) -> Socket {
        let socket = *self;
        if !timeout.is_zero() && !self.destroyed() {
            self.once(event::Timeout, move |()| callback(socket));
        }
        self.set_timeout(timeout)
    }

    /// Makes the socket keep the loop alive while it reads, as it does by default.
    #[doc(alias = "ref")]
    pub fn ref_(&self) -> Socket {
        self.with(|host| host.cell.referenced.set(true));
        *self
    }

    /// Lets the loop end though the socket is open. A connection, a write or an end that is under
    /// way keeps it alive all the same.
    pub fn unref(&self) -> Socket {
        self.with(|host| host.cell.referenced.set(false));
        *self
    }

    /// See [`SocketOptions::allow_half_open`]; counts from the peer's end on.
    pub fn set_allow_half_open(&self, allow: bool) -> Socket {
        self.with(|host| host.cell.duplex.set_allow_half_open(allow));
        *self
    }
}

/// The handle, for the rest of the crate.
impl Socket {
    pub(crate) fn from_key(key: Key) -> Socket {
        Socket {
            key,
            _not_send: StaysOnItsThread::HERE,
        }
    }

    pub(super) fn key(self) -> Key {
        self.key
    }

    /// Emits an event that tells of a socket, held back while one of its listeners is running.
    pub(super) fn emit_later_if_running<E>(self, event: E, socket: Socket)
    where
        E: for<'p> Event<Payload<'p> = Socket> + Copy,
        Socket: event::Emits<E>,
    {
        self.with(|host| host.emit_value(event, socket));
    }

    pub(super) fn with<R>(self, f: impl FnOnce(&SocketHost<'_>) -> R) -> Option<R> {
        SocketHost::with(self.key, f)
    }

    pub(super) fn ask<R: Default>(self, f: impl FnOnce(&SocketHost<'_>) -> R) -> R {
        self.with(f).unwrap_or_default()
    }

    /// What becomes of an error that a listener of `E` has returned.
    fn failed<E: Event>(self, _: E::Payload<'_>, error: Error) {
        self.listener_failed(error);
    }

    /// What becomes of an error that a listener or a callback has returned.
    pub(super) fn listener_failed(self, error: Error) {
        if self
            .with(|host| host.listener_failed(error.clone()))
            .is_none()
        {
            super::told_too_late(&error);
        }
    }

    /// What becomes of what a callback has returned.
    pub(super) fn heed(self, outcome: impl Outcome) {
        self.heed_verdict(outcome.verdict());
    }

    pub(crate) fn heed_verdict(self, verdict: Verdict) {
        if let Verdict::Failed(error) = verdict {
            self.listener_failed(error);
        }
    }

    fn call_later<R: Outcome>(self, callback: impl FnOnce() -> R + 'static) {
        crate::timers::next_tick(move || self.heed(callback()));
    }

    fn with_attachments<R>(self, f: impl FnOnce(&Attachments) -> R) -> Option<R> {
        self.with(|host| f(&host.cell.attachments))
    }

    fn with_emitter<R>(self, f: impl FnOnce(&EventEmitter<event::Data>) -> R) -> Option<R> {
        self.with(|host| f(&host.cell.emitter))
    }

    /// Some listeners decide how a socket is read.
    fn listeners_changed(self, change: ListenerChange) {
        let readable = TypeId::of::<event::Readable>();
        match change {
            ListenerChange::Added(event) if event == TypeId::of::<event::Text>() => {
                self.with(|host| {
                    host.begin_text();
                    host.cell.duplex.data_listener_added(host);
                });
            }
            ListenerChange::Prepended(event) if event == TypeId::of::<event::Text>() => {
                self.with(|host| host.begin_text());
            }
            ListenerChange::Added(event) if event == TypeId::of::<event::Data>() => {
                self.with(|host| host.cell.duplex.data_listener_added(host));
            }
            ListenerChange::Added(event) if event == readable => {
                self.with(|host| host.cell.duplex.readable_listener_added(host));
            }
            ListenerChange::Added(_) | ListenerChange::Prepended(_) => {}
            ListenerChange::Removed(event) if event != readable => {}
            ListenerChange::Removed(_) | ListenerChange::AllRemoved => {
                self.with(|host| host.cell.duplex.readable_listener_removed(host));
            }
        }
    }
}

impl SocketHost<'_> {
    /// Decodes from now on, if that has not begun.
    fn begin_text(&self) {
        if !self.cell.duplex.is_text() {
            self.cell.duplex.decode_utf8();
        }
    }
}

emitting!(Socket, EventEmitter<event::Data>);
dropped!(Socket);

impl Default for Socket {
    fn default() -> Socket {
        Socket::new()
    }
}

/// A callback of the user's as the state machine calls it: its panic does not come back there.
fn guarded<R: Outcome>(
    socket: Socket,
    callback: impl FnOnce(Result<()>) -> R + 'static,
) -> Callback {
    let promise = ledger::promised(socket.key());
    Box::new(move |outcome| {
        ledger::called_back(socket.key(), promise, outcome.is_ok());
        reactor::with(|event_loop| event_loop.call(move || socket.heed(callback(outcome))));
    })
}

impl io::Write for Socket {
    /// Queues all of `bytes`; never less. See [`Socket::write`]; `BrokenPipe` where that destroys the
    /// socket.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let writable = self.ask(|host| host.cell.duplex.is_writable());
        Socket::write(self, bytes);
        if writable {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Offers what is queued to the operating system now.
    fn flush(&mut self) -> io::Result<()> {
        self.with(|host| host.cell.duplex.flush(host));
        Ok(())
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("key", &self.key)
            .field("ready_state", &self.ready_state())
            .field("local", &self.local_socket_addr())
            .field("remote", &self.remote_socket_addr())
            .field("readable_length", &self.readable_length())
            .finish()
    }
}
