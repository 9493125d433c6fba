//! The events of sockets and servers: what they carry, and when they are emitted.
//!
//! A listener takes one payload. On a [`Socket`]:
//!
//! | event | payload | emitted |
//! |---|---|---|
//! | [`Lookup`] | `&`[`LookupResult`] | after a name was resolved, once per address, or could not be; not for an IP address |
//! | [`ConnectionAttempt`] | `&`[`Attempt`] | before each attempt to connect |
//! | [`ConnectionAttemptFailed`] | `&`[`FailedAttempt`] | an attempt failed; before `Error` |
//! | [`ConnectionAttemptTimeout`] | `&`[`Attempt`] | an attempt was given up for the next address |
//! | [`Connect`], [`Ready`] | `()` | the connection is up; not on accepted sockets |
//! | [`Data`] | `&[u8]` | bytes came in |
//! | [`Text`] | `&str` | likewise, decoded; see [`Socket::set_encoding`] |
//! | [`Readable`] | `()` | there is something to [`read`](Socket::read), or the end |
//! | [`End`] | `()` | the peer has ended and everything was read |
//! | [`Drain`] | `()` | after a `write` that returned false: everything has been handed over |
//! | [`Prefinish`], [`Finish`] | `()` | `end` is done: everything is handed over, and the end is sent |
//! | [`Timeout`] | `()` | nothing happened for as long as `set_timeout` said; the socket stays open |
//! | [`Pause`], [`Resume`] | `()` | by `pause` and `resume` |
//! | [`Pipe`], [`Unpipe`] | [`Socket`] | another socket began, or ceased, to pipe into this one |
//! | [`Error`] | `&`[`soquete::Error`](crate::Error) | before `Close`; once, but for a type of service that could not be set |
//! | [`ErrorMonitor`] | `&`[`soquete::Error`](crate::Error) | before `Error`, whoever listens to that |
//! | [`Close`] | `bool` | last of all and always; true if there was an error |
//!
//! On a [`Server`]: [`Listening`], [`Connection`], [`Drop`], [`ErrorMonitor`], [`Error`] and [`Close`] (whose payload
//! is false there).

use crate::events::Event;
use crate::net::{Attempt, DropInfo, FailedAttempt, LookupResult, Server, Socket};

/// Says that an emitter has an event: `socket.on(event::Data, …)` compiles because
/// `Socket: Emits<event::Data>`.
///
/// To emit an event of your own on sockets, implement it for them:
///
/// ```
/// use soquete::event::Emits;
/// use soquete::events::Event;
///
/// struct LoggedIn;
/// impl Event for LoggedIn {
///     type Payload<'a> = &'a str;
/// }
/// impl Emits<LoggedIn> for soquete::net::Socket {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no event `{E}`",
    note = "the events of sockets and servers are listed in `soquete::event`"
)]
pub trait Emits<E: Event> {
    /// What an emitter has to know of an event of its own.
    #[doc(hidden)]
    fn concerns(_: E::Payload<'_>) -> Concern<'_> {
        Concern::Nothing
    }
}

/// What some events are about.
#[doc(hidden)]
#[derive(Debug)]
pub enum Concern<'a> {
    Nothing,
    /// A listener of this event that fails has failed this socket.
    Connection(Socket),
    /// Monitors hear of the error first.
    Error(&'a crate::Error),
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident($payload:ty) on $($emitter:ident),+ $(=> $concern:ident)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Event for $name {
                type Payload<'a> = $payload;
            }

            events!(@ $name, [$($emitter),+], $($concern)?);
        )*
    };
    (@ $name:ident, [$($emitter:ident),+],) => {
        $(impl Emits<$name> for $emitter {})+
    };
    (@ $name:ident, [$($emitter:ident),+], $concern:ident) => {
        $(impl Emits<$name> for $emitter {
            fn concerns(payload: <$name as Event>::Payload<'_>) -> Concern<'_> {
                Concern::$concern(payload)
            }
        })+
    };
}

events! {
    /// Bytes came in. The slice is the loop's own buffer: copy what is to be kept. Listening makes
    /// a socket that was not paused flow.
    Data(&'a [u8]) on Socket;
    /// Bytes came in and were decoded as UTF-8. Listening does what
    /// [`set_encoding`](Socket::set_encoding) does, if that has not been called.
    Text(&'a str) on Socket;
    /// There is something to [`read`](Socket::read), or the end was reached. Listening takes the
    /// socket out of flowing mode.
    Readable(()) on Socket;
    /// The peer has ended, and everything that it sent was read. The socket can still be written to
    /// in the listener; unless half-open is allowed it then ends too.
    End(()) on Socket;
    /// Everything queued has been handed over, after a `write` that returned false.
    Drain(()) on Socket;
    /// `end` is about to be done.
    Prefinish(()) on Socket;
    /// Everything that was written has been handed over to the operating system, and the end after
    /// it.
    Finish(()) on Socket;
    /// The socket was paused.
    Pause(()) on Socket;
    /// The socket is about to flow again.
    Resume(()) on Socket;
    /// Another socket pipes into this one from now on.
    Pipe(Socket) on Socket;
    /// Another socket does not pipe into this one any more.
    Unpipe(Socket) on Socket;
    /// Nothing was received or sent for as long as [`set_timeout`](Socket::set_timeout) said. It is
    /// emitted once, and not again before something happens. Nothing else follows from it.
    Timeout(()) on Socket;
    /// A name was resolved, or could not be.
    Lookup(&'a LookupResult) on Socket;
    /// A connection to an address is attempted now.
    ConnectionAttempt(&'a Attempt) on Socket;
    /// An attempt failed. If there are further addresses, the next is tried.
    ConnectionAttemptFailed(&'a FailedAttempt) on Socket;
    /// An attempt took too long and was given up, and the next address is tried.
    ConnectionAttemptTimeout(&'a Attempt) on Socket;
    /// The connection is up.
    Connect(()) on Socket;
    /// Right after [`Connect`]: the socket can be used.
    Ready(()) on Socket;
    /// What went wrong. If nobody listens, [`run`](crate::run) ends with the error.
    Error(&'a crate::Error) on Socket, Server => Error;
    /// What went wrong, before [`Error`]. Listening to it does not count as handling the error. Node's
    /// `events.errorMonitor`.
    ErrorMonitor(&'a crate::Error) on Socket, Server;
    /// The last event. The payload tells whether the socket was destroyed with an error; on a server
    /// it is false.
    Close(bool) on Socket, Server;
    /// The server has its address and takes connections.
    Listening(()) on Server;
    /// Somebody connected.
    Connection(Socket) on Server => Connection;
    /// Somebody connected and was turned away, for there are
    /// [`max_connections`](Server::set_max_connections) already, or for want of the
    /// [PROXY header](crate::net::ServerOptions::proxy_protocol) that the server expects: see
    /// [`DropInfo::reason`].
    Drop(&'a DropInfo) on Server;
}
