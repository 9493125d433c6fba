//! What a listener or a callback may return, and what follows from it.

use crate::Flow;
use crate::error::Error;

/// What a listener or a callback may return.
///
/// | returned | what follows |
/// |---|---|
/// | `()`, `bool`, a number, a handle, an `Option` | nothing: it is dropped |
/// | [`Flow::Stop`] | the listener is removed, the interval cleared, the framing ended, the channel closed |
/// | an `Err` with a [`soquete::Error`](crate::Error) | it has failed: see below |
///
/// An `Err` is what a rejected `async` listener is in Node (`captureRejections`): a socket is
/// destroyed with it, as by [`destroy_with`](crate::net::Socket::destroy_with); so is the socket
/// that a listener of `Connection` was called with; of any other listener of a server it is an
/// `Error` event. An `Err` of a timer, a tick, an immediate, a post or a channel's listener is an uncaught
/// exception: see [`on_unhandled_error`](crate::on_unhandled_error). So is that of a server's own `Error`
/// listener. On a socket that is destroyed already it is logged.
///
/// `bool` is among what is dropped, so that a listener may end with `socket.write(…)`: the false of a full
/// queue stops nothing, and is for the program to look at. Only the callback of
/// [`on_read`](crate::net::ConnectOptions::on_read) stops by `false`, as in Node.
///
/// ```
/// use soquete::{event, net};
///
/// let server = net::create_server(|socket| {
///     socket.on(event::Error, |error| eprintln!("{error}"));
///     socket.on(event::Text, move |line| {
///         let number: u32 = line.trim().parse()?;
///         socket.write(format!("{}\n", number + 1));
///         Ok(())
///     })
/// });
/// server.on(event::Connection, |socket| socket.write("a number, please\n"));
/// ```
#[diagnostic::on_unimplemented(
    message = "a listener cannot return `{Self}`: end its body with `;` to drop it, or use `?` and end with `Ok(())`",
    label = "this closure returns `{Self}`",
    note = "listeners and callbacks may return nothing, `bool`, a number, a handle, an `Option` (which are dropped), a `Flow`, or a `Result` whose error is `soquete::Error`",
    note = "an `async` block would not be polled: listeners are plain closures"
)]
pub trait Outcome: sealed::Sealed {}

pub(crate) mod sealed {
    use super::Verdict;

    pub trait Sealed: Sized {
        fn verdict(self) -> Verdict;

        /// Of the callback of `on_read`, whose `false` stops the reading, as Node's does.
        #[inline(always)]
        fn verdict_on_read(self) -> Verdict {
            self.verdict()
        }
    }
}
pub(crate) use sealed::Sealed;

/// An [`Outcome`], whatever its type.
#[derive(Debug)]
pub enum Verdict {
    Fine,
    Stop,
    Failed(Error),
}

/// Types that are dropped.
macro_rules! dropped {
    ($($(#[$attribute:meta])* $type:ty),* $(,)?) => {
        $(
            impl $crate::events::outcome::Sealed for $type {
                #[inline(always)]
                fn verdict(self) -> $crate::events::outcome::Verdict {
                    $crate::events::outcome::Verdict::Fine
                }
            }

            $(#[$attribute])*
            impl $crate::events::Outcome for $type {}
        )*
    };
}
pub(crate) use dropped;

/// What a function returns; of one that never does, that has no name of its own in stable Rust.
pub trait Function {
    type Output;
}

impl<T> Function for fn() -> T {
    type Output = T;
}

/// Of closures such as `|_| panic!()`.
type Never = <fn() -> ! as Function>::Output;

impl Sealed for bool {
    #[inline(always)]
    fn verdict(self) -> Verdict {
        Verdict::Fine
    }

    fn verdict_on_read(self) -> Verdict {
        if self { Verdict::Fine } else { Verdict::Stop }
    }
}

impl Outcome for bool {}

dropped! {
    (), u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, super::ListenerId,
    #[diagnostic::do_not_recommend]
    Never,
}

impl<T> Sealed for Option<T> {
    #[inline(always)]
    fn verdict(self) -> Verdict {
        Verdict::Fine
    }
}

impl<T> Outcome for Option<T> {}

impl Sealed for Flow {
    #[inline(always)]
    fn verdict(self) -> Verdict {
        match self {
            Flow::Continue => Verdict::Fine,
            Flow::Stop => Verdict::Stop,
        }
    }
}

impl Outcome for Flow {}

/// With no other error type: it is what tells `?` in a closure which error to make.
impl<T: Outcome> Sealed for Result<T, Error> {
    #[inline(always)]
    fn verdict(self) -> Verdict {
        match self {
            Ok(value) => value.verdict(),
            Err(error) => Verdict::Failed(error),
        }
    }
}

impl<T: Outcome> Outcome for Result<T, Error> {}

impl Sealed for Verdict {
    #[inline(always)]
    fn verdict(self) -> Verdict {
        self
    }
}

#[diagnostic::do_not_recommend]
impl Outcome for Verdict {}
