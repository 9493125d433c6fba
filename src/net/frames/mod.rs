//! Frames on sockets: [`Socket::frames`] delivers them, [`Socket::write_frame`] sends one.
//!
//! The frames of a chunk are delivered while its `Data` is emitted, as slices of it. Where that has
//! to stop in between, the rest of the chunk waits, and the peer's end cannot overtake it:
//!
//! | stopped by | the rest |
//! |---|---|
//! | a listener that ends the framing | is put back, for the next framing or whoever listens to `Data` |
//! | a pause | is put back |
//! | a panic, or when the socket has had its share of the turn | is kept by the framing, and the descriptor is not read until it has been delivered |
//!
//! A framing is a listener of `Data` that is more than a closure. The socket informs it of the rest
//! by name: of `Resume` behind its listeners, of `End` and `Close` before them.

mod clock;
mod control;
mod delivery;

use std::fmt;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::event;
use crate::events::outcome::{Verdict, dropped};
use crate::events::{ListenerId, Outcome};
use crate::framing::{Encode, Format, FrameError, FrameReader, FrameWriter, Item, Reading, Wrap};
use crate::machine::data::{Data, Repr};
use crate::net::driver::socket::SocketDriver;
use crate::net::state::framing_memory::FramingMemory;
use crate::net::values::handle::Socket;
use control::{Control, not_now};
use delivery::begin;

/// The frames of one socket, while they are delivered. Dropping it changes nothing.
#[derive(Clone)]
pub struct Frames {
    socket: Socket,
    id: ListenerId,
}

dropped!(Frames);

impl Socket {
    /// Calls `listener` with each frame that comes in. The slice is the loop's own buffer: copy what
    /// is to be kept.
    ///
    /// Bytes that are no frames destroy the socket with an error that says what was wrong and where
    /// in the stream (`ERR_INVALID_FRAME`), unless there is a handler for them
    /// ([`Frames::on_error`]); so does the peer's end inside a frame. Such an error ends [`run`](crate::run) where nobody
    /// listens to [`Error`](crate::event::Error), as any does. `pause` and `resume` work between
    /// frames.
    ///
    /// A listener that returns [`Flow::Stop`](crate::Flow::Stop) ends the framing: what comes after the frame is
    /// put back, and goes to whoever listens to `Data` next, or to the next `frames`. That is how a protocol is
    /// changed in mid-stream. One that returns an `Err` destroys the socket with it.
    ///
    /// The frames that the end completes come before the listeners of [`End`](crate::event::End) are called.
    ///
    /// For the idle timeout ([`set_timeout`](Socket::set_timeout)) bytes of a frame are an activity, and
    /// bytes that are skipped between frames are not, as they are no progress. See also
    /// [`Frames::deadline`].
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
    ///
    /// ```
    /// use soquete::framing::{FrameReader, Item, LengthPrefix};
    /// use soquete::{event, net};
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     // Frames of up to a GiB, which nobody keeps: above 64 KiB they come in pieces.
    ///     let reader = FrameReader::new(LengthPrefix::u32_be(), 1 << 30).stream_above(1 << 16);
    ///     socket.frame_items(reader, move |item| match item {
    ///         Item::Frame(frame) => println!("{} bytes", frame.len()),
    ///         Item::Piece { bytes, .. } => println!("{} bytes of more", bytes.len()),
    ///         _ => {}
    ///     });
    /// });
    /// # server.close();
    /// ```
    pub fn frame_items<F, R>(
        &self,
        reader: FrameReader<F>,
        listener: impl FnMut(Item<'_>) -> R + 'static,
    ) -> Frames
    where
        F: Format + 'static,
        R: Outcome,
    {
        let mut listener = listener;
        self.frame_items_with(reader, move |item, _| listener(item))
    }

    /// As [`frame_items`](Socket::frame_items), for a listener that wants to know more of each item, or to change how
    /// the stream is read from there on: see [`Reading`].
    ///
    /// A head of text that says how long the body is, and that is in its place before the body has come:
    ///
    /// ```
    /// use soquete::framing::{Either, FixedLength, FrameError, FrameReader, Item, Lines};
    /// use soquete::{event, net};
    ///
    /// const LONGEST: usize = 1 << 20;
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     let reader = FrameReader::new(Either::A(Lines::crlf()), 80);
    ///     socket.frame_items_with(reader, move |item, mut reading| {
    ///         let Item::Frame(frame) = item else { return };
    ///         let switched = match reading.format() {
    ///             Either::A(_) => match std::str::from_utf8(frame).unwrap_or("").parse() {
    ///                 Ok(length @ 1..=LONGEST) => {
    ///                     let body = FixedLength::new(length).expect("not 0");
    ///                     reading.switch(Either::B(body), LONGEST)
    ///                 }
    ///                 _ => {
    ///                     socket.end_with("413\r\n");
    ///                     Ok(())
    ///                 }
    ///             },
    ///             Either::B(_) => {
    ///                 socket.write("200\r\n");
    ///                 reading.switch(Either::A(Lines::crlf()), 80)
    ///             }
    ///         };
    ///         switched.expect("frames come whole");
    ///     });
    /// });
    /// ```
    pub fn frame_items_with<F, R>(
        &self,
        reader: FrameReader<F>,
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    ) -> Frames
    where
        F: Format + 'static,
        R: Outcome,
    {
        Frames::begin(*self, reader, listener)
    }

    /// Sends `payload` as one frame. A small one goes out with its neighbours, as any small write. A
    /// big one is not copied where nothing is in its way, and goes out at once, with its head and tail
    /// by one system call.
    ///
    /// ```
    /// use soquete::framing::{FrameWriter, Netstring};
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let writer = FrameWriter::new(Netstring::new(), 1024)?;
    /// let server = net::create_server(move |socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     socket.write_frame(&writer, "hello").map(|_| socket.end())
    /// });
    /// server.listen_then(0, |server| {
    ///     let client = net::connect(server.address().unwrap());
    ///     client.on(event::Data, move |chunk| {
    ///         assert_eq!(chunk, b"5:hello,");
    ///         server.close();
    ///     });
    /// });
    /// soquete::run()
    /// # }
    /// ```
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
            Data(Repr::Borrowed(bytes)) => SocketDriver::with(self.key(), |driver| {
                driver.state.duplex.write_bytes(driver, [head, bytes, tail])
            }),
            payload => SocketDriver::with(self.key(), |driver| {
                let parts = [head.into(), payload, tail.into()];
                driver.state.duplex.write(driver, parts, None)
            }),
        };
        Ok(self.written(written))
    }

    /// As [`write_frame`](Socket::write_frame), for a format that changes the payload, such as
    /// [`Cobs`](crate::framing::Cobs).
    ///
    /// ```
    /// use soquete::framing::{Cobs, FrameWriter};
    /// use soquete::{event, net};
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let writer = FrameWriter::new(Cobs::new(), 1024)?;
    /// let server = net::create_server(move |socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     socket.write_encoded(&writer, b"a\0b").map(|_| socket.end())
    /// });
    /// server.listen_then(0, |server| {
    ///     let client = net::connect(server.address().unwrap());
    ///     client.on(event::Data, move |chunk| {
    ///         assert_eq!(chunk, [2, b'a', 2, b'b', 0]);
    ///         server.close();
    ///     });
    /// });
    /// soquete::run()
    /// # }
    /// ```
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
    /// Destroys the socket with `ERR_FRAME_TIMEOUT` when bytes have come for `deadline` without completing a frame.
    /// Without it a peer can hold a place for ever.
    ///
    /// Either one frame has stayed open that long, however busily the peer drips its bytes; or only bytes have come
    /// that are [skipped](crate::framing::Cut::Skip) between frames. A silence as long as the deadline restarts the
    /// second count; [`set_timeout`](Socket::set_timeout) limits silence.
    pub fn deadline(self, deadline: Duration) -> Frames {
        self.remember(|memory| memory.deadline = Some(deadline));
        self
    }

    /// How long ago the first bytes came in of a frame that has not ended.
    pub fn age(&self) -> Option<Duration> {
        let age = |driver: &SocketDriver<'_>| {
            driver
                .state
                .framing_memories
                .of(self.id, |memory| memory.age())
        };
        SocketDriver::with(self.socket.key(), age)??
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
    ///
    /// To answer and to go on with the next frame, see
    /// [`tell_bad_frames`](FrameReader::tell_bad_frames).
    pub fn on_error<R: Outcome>(self, handler: impl FnOnce(FrameError) -> R + 'static) -> Frames {
        let handler = move |error| handler(error).verdict();
        let _before = self.remember(|memory| memory.on_error.replace(Box::new(handler)));
        self
    }

    /// Calls `with` with the format, to tell it what the bytes do not say: that the next answer is to a HEAD
    /// request, say. Its cursor has to stay where it is.
    ///
    /// Returns what `with` does; `None` if the format is not an `F`, if the framing is over, or while its listener is
    /// running, which has a [`Reading`] for this.
    pub fn with_format<F: Format + 'static, R>(&self, with: impl FnOnce(&mut F) -> R) -> Option<R> {
        let (mut with, mut result) = (Some(with), None);
        self.control(|_, framing| {
            if let (Some(format), Some(with)) = (framing.format().downcast_mut(), with.take()) {
                result = Some(with(format));
            }
        });
        result
    }

    /// From outside of the listener, between two frames: from here on `reader` reads the stream, and `listener` gets
    /// what it makes of it. What has arrived goes along without being copied, and offsets go on counting.
    ///
    /// The listener itself changes the format by its [`Reading`], or returns [`Flow::Stop`](crate::Flow::Stop) and has
    /// [`frames`](Socket::frames) called anew.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, Lines, Netstring};
    /// use soquete::{event, net, timers};
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     let lines = FrameReader::new(Lines::new(), 80);
    ///     let lines = socket.frames(lines, |line| println!("{line:?}"));
    ///     // Later, and for a reason of the program's own:
    ///     timers::next_tick(move || {
    ///         let netstrings = FrameReader::new(Netstring::new(), 80);
    ///         let switched = lines.switch(netstrings, |item, _| println!("{:?}", item.frame()));
    ///         if let Err(error) = switched {
    ///             socket.destroy_with(error);
    ///         }
    ///     });
    /// });
    /// # server.close();
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_FRAME` if a part of a frame was handed out whose end has not come; `ERR_INVALID_STATE` if the
    /// framing is over, or its listener is running. Nothing is changed then.
    pub fn switch<F, R>(
        &self,
        reader: FrameReader<F>,
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    ) -> Result<Frames>
    where
        F: Format + 'static,
        R: Outcome,
    {
        let given_up = self.control(|driver, framing| framing.give_up(driver, self.id));
        let rest = given_up.unwrap_or_else(|| Err(not_now()))?;
        let next = Frames::begin(self.socket, reader, listener);
        next.control(|driver, framing| framing.take_over(driver, next.id, rest));
        Ok(next)
    }

    /// As [`switch`](Frames::switch), but refuses if a single byte has arrived that was not read: for STARTTLS and its
    /// kin, where what was pipelined must not be taken for what comes after the handshake.
    ///
    /// ```
    /// use soquete::framing::{FrameReader, Lines, Netstring};
    /// use soquete::{event, net, timers};
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     let lines = FrameReader::new(Lines::new(), 80);
    ///     let lines = socket.frames(lines, |line| println!("{line:?}"));
    ///     timers::next_tick(move || {
    ///         let netstrings = FrameReader::new(Netstring::new(), 80);
    ///         let switched = lines.switch_clean(netstrings, |item, _| {
    ///             println!("{:?}", item.frame());
    ///         });
    ///         // The peer has sent something ahead.
    ///         if let Err(error) = switched {
    ///             socket.destroy_with(error);
    ///         }
    ///     });
    /// });
    /// # server.close();
    /// ```
    ///
    /// # Errors
    ///
    /// As `switch`, and `ERR_INVALID_FRAME` if bytes have arrived.
    pub fn switch_clean<F, R>(
        &self,
        reader: FrameReader<F>,
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    ) -> Result<Frames>
    where
        F: Format + 'static,
        R: Outcome,
    {
        self.control(|driver, framing| framing.clean(driver))
            .unwrap_or_else(|| Err(not_now()))?;
        self.switch(reader, listener)
    }

    fn begin<F, R>(
        socket: Socket,
        reader: FrameReader<F>,
        listener: impl FnMut(Item<'_>, Reading<'_, F>) -> R + 'static,
    ) -> Frames
    where
        F: Format + 'static,
        R: Outcome,
    {
        let mut listener = listener;
        let id = begin(socket, reader, move |item, reading| {
            listener(item, reading).verdict()
        });
        Frames { socket, id }
    }

    /// Does something with the framing, unless it is over or its listener is running.
    fn control<R>(&self, f: impl FnOnce(&SocketDriver<'_>, &mut dyn Control) -> R) -> Option<R> {
        SocketDriver::with(self.socket.key(), |driver| {
            driver.with_framing(self.id, |framing| f(driver, framing))
        })
        .flatten()
    }

    /// Changes what is remembered for the framing, unless it is over.
    fn remember<R>(&self, f: impl FnOnce(&mut FramingMemory) -> R) -> Option<R> {
        SocketDriver::with(self.socket.key(), |driver| {
            let framings = driver.state.emitter.listeners(event::Data);
            let goes_on = framings.contains(&self.id);
            goes_on.then(|| driver.state.framing_memories.with(self.id, f))
        })
        .flatten()
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

/// `ERR_INVALID_FRAME`, with what was wrong as its message.
impl From<FrameError> for Error {
    fn from(error: FrameError) -> Error {
        Error::new("ERR_INVALID_FRAME", error.to_string())
    }
}
