//! Frames on sockets: [`Socket::frames`] delivers them, [`Socket::write_frame`] sends one.
//!
//! The frames of a chunk are delivered while its `Data` is emitted, as slices of it. Where that has
//! to stop in between, because the socket is paused or has had its share of the turn, the rest is
//! kept and the descriptor is not read until it has been delivered: what is kept stays bounded, and
//! the peer's end cannot overtake a frame.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::cell::SocketHost;
use super::{Data, Socket};
use crate::error::{Error, Result};
use crate::event;
use crate::events::ListenerId;
use crate::events::Outcome;
use crate::events::outcome::{Verdict, dropped};
use crate::framing::{Encode, Flow, Format, FrameError, FrameReader, FrameWriter, Item, Wrap};
use crate::machine::Host;
use crate::machine::data::Repr;
use crate::timers::{self, Timeout};

/// How many frames of one socket are delivered before others get their turn.
const FRAMES_PER_TURN: usize = 1024;

/// The frames of one socket, while they are delivered. Dropping it changes nothing.
#[derive(Clone)]
pub struct Frames {
    socket: Socket,
    clock: Rc<Clock>,
    on_error: ErrorHandler,
}

dropped!(Frames);

/// Who answers for bytes that are no frames; otherwise they destroy the socket.
type ErrorHandler = Rc<Cell<Option<Box<dyn FnOnce(FrameError) -> Verdict>>>>;

/// How long the frame that is open has been.
#[derive(Default)]
struct Clock {
    deadline: Cell<Option<Duration>>,
    /// Where in the stream it begins, and when that was noticed.
    open: Cell<Option<(u64, Duration)>>,
    timer: Cell<Option<Timeout>>,
}

/// One per socket that is framed. It is taken out while frames are delivered.
struct Source<F: Format, L> {
    reader: FrameReader<F>,
    listener: L,
}

struct Framing<F: Format, L> {
    socket: Socket,
    source: Cell<Option<Box<Source<F, L>>>>,
    clock: Rc<Clock>,
    listeners: RefCell<Vec<ListenerId>>,
    /// The descriptor is not read because of this framing.
    holds: Cell<bool>,
    /// What came from inside of the listener, by `unshift`.
    came_inside: RefCell<Vec<u8>>,
    on_error: ErrorHandler,
}

/// Whoever removes all of its listeners ends a framing as well, and gives up what it holds.
impl<F: Format, L> Drop for Framing<F, L> {
    fn drop(&mut self) {
        if self.source.take().is_some() {
            SocketHost::with(self.socket.key(), |host| {
                host.cell.in_frame.set(false);
                if self.holds.get() {
                    host.cell.duplex.hold(host, false);
                }
            });
        }
    }
}

/// Why delivering stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopped {
    No,
    ByListener,
    Paused,
    OutOfTurn,
}

impl Socket {
    /// Calls `listener` with each frame that comes in. The slice is the loop's own buffer: copy what
    /// is to be kept.
    ///
    /// Bytes that are no frames destroy the socket with an error that says what was wrong and where
    /// in the stream (`ERR_INVALID_FRAME`), unless there is a handler for them
    /// ([`Frames::on_error`]); so does the peer's end inside a frame. `pause` and `resume` work between
    /// frames.
    ///
    /// A listener that returns [`Flow::Stop`] ends the framing: what comes after the frame is put back,
    /// and goes to whoever listens to `Data` next, or to the next `frames`. That is how a protocol is
    /// changed in mid-stream. One that returns an `Err` destroys the socket with it.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, FrameWriter, LengthPrefix};
    /// use soquete::{event, net};
    ///
    /// let writer = FrameWriter::new(LengthPrefix::u32_be(), 1 << 20).unwrap();
    /// let server = net::create_server(move |socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     let writer = writer.clone();
    ///     socket.frames(FrameReader::new(LengthPrefix::u32_be(), 1 << 20), move |frame| {
    ///         socket.write_frame(&writer, frame).unwrap();
    ///     });
    /// });
    /// ```
    pub fn frames<F, R>(
        &self,
        reader: FrameReader<F>,
        mut listener: impl FnMut(&[u8]) -> R + 'static,
    ) -> Frames
    where
        F: Format + 'static,
        R: Outcome,
    {
        self.frame_items(reader, move |item| match item.frame() {
            Some(frame) => listener(frame).verdict(),
            None => Verdict::Fine,
        })
    }

    /// As [`frames`](Socket::frames), for a reader that streams big frames in pieces or skips bad
    /// ones: the listener gets the pieces, and hears of what was skipped.
    pub fn frame_items<F, R>(
        &self,
        reader: FrameReader<F>,
        listener: impl FnMut(Item<'_>) -> R + 'static,
    ) -> Frames
    where
        F: Format + 'static,
        R: Outcome,
    {
        let clock = Rc::new(Clock::default());
        let on_error = ErrorHandler::default();
        let framing = Rc::new(Framing {
            socket: *self,
            source: Cell::new(Some(Box::new(Source { reader, listener }))),
            clock: Rc::clone(&clock),
            listeners: RefCell::new(Vec::new()),
            holds: Cell::new(false),
            came_inside: RefCell::new(Vec::new()),
            on_error: Rc::clone(&on_error),
        });
        framing.listen();
        Frames {
            socket: *self,
            clock,
            on_error,
        }
    }

    /// Sends `payload` as one frame. A small one goes out with its neighbours, as any small write. A
    /// big one is not copied where nothing is in its way, and goes out at once, with its head and tail
    /// by one system call.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_FRAME` for a payload that the format or the writer's limit does not allow;
    /// nothing is sent then. Otherwise what [`write`](Socket::write) returns.
    pub fn write_frame<'a, F: Wrap + Encode>(
        &self,
        writer: &FrameWriter<F>,
        payload: impl Into<Data<'a>>,
    ) -> Result<bool> {
        let payload = payload.into();
        // Looked at where it lies: to move it costs more than to make it.
        let wrapped = writer.wrap(payload.as_bytes());
        let wrapping = match &wrapped {
            Ok(wrapping) => wrapping,
            Err(error) => return Err((*error).into()),
        };
        let (head, tail) = (wrapping.head(), wrapping.tail());
        let written = match payload {
            Data(Repr::Borrowed(bytes)) => SocketHost::with(self.key(), |host| {
                host.cell.duplex.write_bytes(host, [head, bytes, tail])
            }),
            payload => SocketHost::with(self.key(), |host| {
                let parts = [head.into(), payload, tail.into()];
                host.cell.duplex.write(host, parts, None)
            }),
        };
        Ok(written.unwrap_or(false))
    }

    /// As [`write_frame`](Socket::write_frame), for a format that changes the payload, such as
    /// [`Cobs`](crate::framing::Cobs).
    ///
    /// # Errors
    ///
    /// As [`write_frame`](Socket::write_frame).
    pub fn write_encoded<F: Encode>(
        &self,
        writer: &FrameWriter<F>,
        payload: &[u8],
    ) -> Result<bool> {
        let mut frame = Vec::new();
        writer.encode(payload, &mut frame).map_err(Error::from)?;
        Ok(self.write(frame))
    }
}

impl Frames {
    /// Destroys the socket with `ERR_FRAME_TIMEOUT` when a frame has been open for so long, however
    /// busily the peer drips its bytes. Without it a peer can hold a place for ever.
    pub fn deadline(self, deadline: Duration) -> Frames {
        self.clock.deadline.set(Some(deadline));
        self
    }

    /// Calls `handler` with what was wrong when bytes come in that are no frames, in place of destroying
    /// the socket: to answer, and to end. The framing is over then, and what else comes in is dropped, so
    /// that the answer arrives.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, Lines};
    /// use soquete::{event, net};
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     let lines = FrameReader::new(Lines::new(), 512);
    ///     socket
    ///         .frames(lines, move |line| socket.write(format!("250 {} bytes\r\n", line.len())))
    ///         .on_error(move |error| socket.end_with(format!("500 {error}\r\n")))
    /// });
    /// ```
    pub fn on_error<R: Outcome>(self, handler: impl FnOnce(FrameError) -> R + 'static) -> Frames {
        let handler = move |error| handler(error).verdict();
        self.on_error.set(Some(Box::new(handler)));
        self
    }

    /// How long ago the first bytes came in of a frame that has not ended.
    pub fn age(&self) -> Option<Duration> {
        self.clock
            .open
            .get()
            .map(|(_, since)| crate::now().saturating_sub(since))
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("socket", &self.socket)
            .field("age", &self.age())
            .finish()
    }
}

impl<F, L, R> Framing<F, L>
where
    F: Format + 'static,
    L: FnMut(Item<'_>) -> R + 'static,
    R: Outcome,
{
    fn listen(self: Rc<Self>) {
        let socket = self.socket;
        let (data, end, resumed, closed) = (
            Rc::clone(&self),
            Rc::clone(&self),
            Rc::clone(&self),
            Rc::clone(&self),
        );
        let listeners = vec![
            socket.add_listener(event::Data, move |chunk| Rc::clone(&data).deliver(chunk)),
            socket.add_listener(event::Resume, move |()| Rc::clone(&resumed).deliver(&[])),
            socket.add_listener(event::End, move |()| end.finish()),
            socket.add_listener(event::Close, move |_| closed.close()),
        ];
        self.listeners.replace(listeners);
    }

    fn deliver(self: Rc<Self>, chunk: &[u8]) {
        // A socket that is gone has no frames: what was kept of them goes with the framing.
        SocketHost::with(self.socket.key(), |host| {
            let Some(mut source) = self.source.take() else {
                self.came_inside.borrow_mut().extend_from_slice(chunk);
                return;
            };
            if host.cell.duplex.is_told_to_pause() || host.cell.duplex.is_destroyed() {
                // What a feed has not read is kept.
                drop(source.reader.feed(chunk));
                if source.reader.unread() == 0 {
                    return self.source.set(Some(source));
                }
                return self.go_on(host, source, Stopped::Paused);
            }
            host.cell.in_frame.set(true);
            let mut out = Out {
                framing: &self,
                source: Some(source),
            };
            let mut stopped = Stopped::No;
            let mut failed = None;
            let mut left = FRAMES_PER_TURN;
            let Some(source) = &mut out.source else {
                return;
            };
            let Source { reader, listener } = &mut **source;
            let delivered = reader.push(chunk, |item| {
                left -= 1;
                let verdict = listener(item).verdict();
                stopped = if let Verdict::Stop = verdict {
                    Stopped::ByListener
                } else if let Verdict::Failed(error) = verdict {
                    failed = Some(error);
                    Stopped::Paused
                } else if host.cell.duplex.is_told_to_pause() || host.cell.duplex.is_destroyed() {
                    Stopped::Paused
                } else if left == 0 {
                    Stopped::OutOfTurn
                } else {
                    return Flow::Continue;
                };
                Flow::Stop
            });
            let Some(source) = out.source.take() else {
                return;
            };
            if let Some(error) = failed {
                host.listener_failed(error);
            }
            match delivered {
                Err(error) => self.fail(error),
                Ok(_) => self.go_on(host, source, stopped),
            }
        });
    }

    fn deliver_later(self: &Rc<Self>) {
        let framing = Rc::downgrade(self);
        timers::set_immediate(move || {
            if let Some(framing) = framing.upgrade() {
                framing.deliver(&[]);
            }
        });
    }

    /// Decides what becomes of the rest of a chunk.
    fn go_on(
        self: &Rc<Self>,
        host: &SocketHost<'_>,
        mut source: Box<Source<F, L>>,
        mut why: Stopped,
    ) {
        let duplex = &host.cell.duplex;
        let came_inside = self.came_inside.take();
        if why == Stopped::ByListener {
            self.holds.set(false);
            duplex.hold(host, false);
            return self.leave(host, came_inside, source.reader.into_rest());
        }
        if !came_inside.is_empty() {
            drop(source.reader.feed(&came_inside));
            if why == Stopped::No {
                why = Stopped::OutOfTurn;
            }
        }
        self.holds.set(why != Stopped::No);
        duplex.hold(host, self.holds.get());
        let open_at = source.reader.partial().map(|partial| partial.at);
        host.cell.in_frame.set(open_at.is_some());
        self.clock.look(self.socket, open_at, why);
        self.source.set(Some(source));
        if why == Stopped::OutOfTurn {
            self.deliver_later();
        }
    }

    /// Hands the stream over to whoever listens next, now or later.
    fn leave(&self, host: &SocketHost<'_>, mut put_back: Vec<u8>, rest: Vec<u8>) {
        self.close();
        if host.has_data_listeners() {
            // They have had it.
            put_back.clear();
        } else if !host.cell.duplex.is_paused() {
            host.cell.duplex.wait_for_listeners();
        }
        put_back.extend(rest);
        host.cell.duplex.unshift(host, &put_back);
    }

    /// Ends with the socket's life: its next one is framed anew, or not at all.
    fn close(&self) {
        self.clock.stop();
        let _source = self.source.take();
        self.nothing_is_left();
        for id in self.listeners.take() {
            self.socket.remove_listener(id);
        }
    }

    /// Of what was read, this framing holds nothing any more.
    fn nothing_is_left(&self) {
        SocketHost::with(self.socket.key(), |host| host.cell.in_frame.set(false));
    }

    fn finish(&self) {
        self.clock.stop();
        let Some(mut source) = self.source.take() else {
            return;
        };
        let Source { reader, listener } = &mut *source;
        let mut failed = None;
        let finished = reader.finish(|item| match listener(item).verdict() {
            Verdict::Fine => Flow::Continue,
            Verdict::Stop => Flow::Stop,
            Verdict::Failed(error) => {
                failed = Some(error);
                Flow::Stop
            }
        });
        if let Some(error) = failed {
            self.socket.listener_failed(error);
        }
        match finished {
            Ok(_) => self.nothing_is_left(),
            Err(error) => self.fail(error),
        }
    }

    /// The stream is none of frames, or not any more. What else comes in goes to nobody, unless
    /// somebody else listens.
    fn fail(&self, error: FrameError) {
        match self.on_error.take() {
            None => {
                self.socket.destroy_with(error.into());
            }
            Some(handler) => {
                self.close();
                if self.holds.replace(false) {
                    SocketHost::with(self.socket.key(), |host| host.cell.duplex.hold(host, false));
                }
                self.socket.heed_verdict(handler(error));
            }
        }
    }
}

/// The source while it is out. A listener that panics leaves the frames behind its own where they
/// are, and they are delivered in the next turn.
struct Out<'a, F, L, R>
where
    F: Format + 'static,
    L: FnMut(Item<'_>) -> R + 'static,
    R: Outcome,
{
    framing: &'a Rc<Framing<F, L>>,
    source: Option<Box<Source<F, L>>>,
}

impl<F, L, R> Drop for Out<'_, F, L, R>
where
    F: Format + 'static,
    L: FnMut(Item<'_>) -> R + 'static,
    R: Outcome,
{
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            self.framing.source.set(Some(source));
            self.framing.deliver_later();
        }
    }
}

impl Clock {
    /// Notes which frame is open, and arms the timer if it is another one than before. What waits
    /// for a paused socket is not the peer's fault.
    fn look(&self, socket: Socket, open_at: Option<u64>, stopped: Stopped) {
        let open_at = open_at.filter(|_| stopped == Stopped::No);
        if open_at == self.open.get().map(|(at, _)| at) {
            return;
        }
        self.open.set(open_at.map(|at| (at, crate::now())));
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
        if let (Some(at), Some(deadline)) = (open_at, self.deadline.get()) {
            let expired = move || {
                let message = format!("the frame at offset {at} did not end within {deadline:?}");
                socket.destroy_with(Error::new("ERR_FRAME_TIMEOUT", message));
            };
            self.timer
                .set(Some(timers::set_timeout(deadline, expired).unref()));
        }
    }

    fn stop(&self) {
        self.open.set(None);
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }
}

/// `ERR_INVALID_FRAME`, with what was wrong as its message.
impl From<FrameError> for Error {
    fn from(error: FrameError) -> Error {
        Error::new("ERR_INVALID_FRAME", error.to_string())
    }
}
