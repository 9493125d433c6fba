//! Writing and ending.

use std::io;

use crate::error::{Error, Result, node};
use crate::event;
use crate::events::Outcome;
use crate::kernel::ledger;
use crate::machine::data::{Data, Repr};
use crate::machine::write_queue::{COPY_BELOW, Callback};
use crate::machine::{AfterConnect, Driver, Life};
use crate::net::values::handle::Socket;
use crate::reactor;

/// Writing and ending.
impl Socket {
    /// Sends bytes, after those that were written before. False when so much is queued that it would
    /// be better to wait for [`event::Drain`]; nothing is refused for that, unless
    /// [`max_write_queue`](crate::net::SocketOptions::max_write_queue) is set.
    ///
    /// After `end` it destroys the socket with `ERR_STREAM_WRITE_AFTER_END` (EPIPE if this end followed the
    /// peer's), on a socket that is not even connecting with `ERR_SOCKET_CLOSED`.
    ///
    /// Small writes of one callback go out together, by one system call, when the callback returns.
    pub fn write<'a>(&self, data: impl Into<Data<'a>>) -> bool {
        let written = match data.into() {
            Data(Repr::Borrowed(bytes)) => {
                self.with(|driver| driver.state.duplex.write_bytes(driver, [bytes]))
            }
            // It would be copied in any case.
            data if data.len() < COPY_BELOW => self.with(|driver| {
                let bytes = data.as_bytes();
                driver.state.duplex.write_bytes(driver, [bytes])
            }),
            data => self.with(|driver| driver.state.duplex.write(driver, [data], None)),
        };
        self.written(written)
    }

    /// As [`write`](Socket::write), and calls `callback` when the bytes have been handed to the
    /// operating system, or with the error that prevented it. Callbacks are called in the order of
    /// the writes, each exactly once, never inside this call.
    ///
    /// ```
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// # let server = net::create_server(|socket| {
    /// #     socket.on(event::Error, |error| eprintln!("{error}"));
    /// #     socket.on(event::Data, |_| ());
    /// # });
    /// # server.listen(0);
    /// # let port = server.address().unwrap().port();
    /// let client = net::connect(port);
    /// client.on(event::Error, |error| eprintln!("{error}"));
    /// client.write_then("hello", move |sent| {
    ///     sent?;
    ///     println!("the system has it");
    ///     # server.close();
    ///     client.end();
    ///     Ok(())
    /// });
    /// # soquete::run()
    /// # }
    /// ```
    #[doc(alias = "write")]
    pub fn write_then<'a, R: Outcome>(
        &self,
        data: impl Into<Data<'a>>,
        callback: impl FnOnce(Result<()>) -> R + 'static,
    ) -> bool {
        let (data, mut callback) = (data.into(), Some(callback));
        let written = self.with(|driver| {
            let callback = callback.take().map(|callback| guarded(*self, callback));
            driver.state.duplex.write(driver, [data], callback)
        });
        if let Some(callback) = callback {
            self.call_later(move || callback(Err(node::destroyed("write"))));
        }
        self.written(written)
    }

    /// What a write answers.
    #[inline]
    pub(in crate::net) fn written(&self, has_room: Option<bool>) -> bool {
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
        self.with(|driver| driver.state.duplex.end(driver, None, None));
        *self
    }

    /// Sends `data`, then ends.
    #[doc(alias = "end")]
    pub fn end_with<'a>(&self, data: impl Into<Data<'a>>) -> Socket {
        let data = data.into();
        self.with(|driver| driver.state.duplex.end(driver, Some(data), None));
        *self
    }

    /// As [`end`](Socket::end), and calls `callback` right before [`event::Finish`], or with the error
    /// that prevented it.
    #[doc(alias = "end")]
    pub fn end_then<R: Outcome>(&self, callback: impl FnOnce(Result<()>) -> R + 'static) -> Socket {
        self.end_and_call(None, callback)
    }

    /// As [`end_with`](Socket::end_with), and calls `callback` as [`end_then`](Socket::end_then) does.
    ///
    /// ```
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// # let server = net::create_server(|socket| {
    /// #     socket.on(event::Error, |error| eprintln!("{error}"));
    /// #     socket.on(event::Data, |_| ());
    /// # });
    /// # server.listen(0);
    /// # let port = server.address().unwrap().port();
    /// let client = net::connect(port);
    /// client.on(event::Error, |error| eprintln!("{error}"));
    /// client.end_with_then("goodbye", move |sent| {
    ///     sent?;
    ///     println!("the system has all of it, and the end");
    ///     # server.close();
    ///     Ok(())
    /// });
    /// # soquete::run()
    /// # }
    /// ```
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
        self.with(|driver| {
            let callback = callback.take().map(|callback| guarded(*self, callback));
            driver.state.duplex.end(driver, data, callback);
        });
        if let Some(callback) = callback {
            self.call_later(move || callback(Err(node::destroyed("end"))));
        }
        *self
    }

    /// Holds writes back until [`uncork`](Socket::uncork) has been called once for each `cork`.
    pub fn cork(&self) -> Socket {
        self.with(|driver| driver.state.duplex.cork(driver));
        *self
    }

    /// Sends what was held back since [`cork`](Socket::cork), at once.
    pub fn uncork(&self) -> Socket {
        self.with(|driver| driver.state.duplex.uncork(driver));
        *self
    }

    /// Closes at once. Small writes of the running callback are offered to the operating system first. Bytes that it
    /// has taken are still sent; the others are dropped. [`event::Close`] follows.
    pub fn destroy(&self) -> Socket {
        self.with(|driver| driver.state.duplex.destroy(driver, None));
        *self
    }

    /// As [`destroy`](Socket::destroy), and emits `error` first.
    #[doc(alias = "destroy")]
    pub fn destroy_with(&self, error: Error) -> Socket {
        self.with(|driver| driver.state.duplex.destroy(driver, Some(error)));
        *self
    }

    /// Ends, and destroys as soon as that is done, without waiting for the peer to end.
    #[doc(alias = "destroySoon")]
    pub fn destroy_soon(&self) -> Socket {
        let socket = *self;
        let finished = self.with(|driver| driver.state.duplex.end_soon(driver));
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
        let reset = self.with(|driver| {
            let duplex = &driver.state.duplex;
            match duplex.life() {
                Life::Open | Life::Connecting if driver.state.transport.borrow().is_ipc() => {
                    return Err(node::invalid_handle_type());
                }
                Life::Open => duplex.reset(driver),
                Life::Connecting => driver.on_connect(AfterConnect::Reset),
                _ => duplex.destroy(driver, Some(node::socket_closed())),
            }
            Ok(())
        });
        reset.unwrap_or(Ok(())).map(|()| *self)
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
        let writable = self.ask(|driver| driver.state.duplex.is_writable());
        Socket::write(self, bytes);
        if writable {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    /// Offers what is queued to the operating system now.
    fn flush(&mut self) -> io::Result<()> {
        self.with(|driver| driver.state.duplex.flush(driver));
        Ok(())
    }
}
