//! Signals as callbacks of the loop: Node's `process.on('SIGTERM', …)`. Of the feature `signals`.
//!
//! ```
//! use soquete::{net, signals};
//!
//! # fn main() -> soquete::Result<()> {
//! let server = net::create_server(|socket| {
//!     socket.on(soquete::event::Error, |error| eprintln!("{error}"));
//! });
//! server.listen(0);
//! signals::on(signals::SIGTERM, move || {
//!     println!("terminating");
//!     server.close();
//! })?;
//! # signal_hook::low_level::raise(signals::SIGTERM)?;
//! soquete::run()
//! # }
//! ```
//!
//! A handler writes a byte to a socket that the loop [watches](crate::watch()): the callback runs between others, on
//! the thread that has asked for it, where it may do whatever it likes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::SigId;
pub use signal_hook::consts::signal::{
    SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGQUIT, SIGSYS, SIGTERM,
    SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU,
    SIGXFSZ,
};
use signal_hook::low_level;

use crate::error::{Error, Result, node};
use crate::events::Outcome;
use crate::events::outcome::{Verdict, dropped};
use crate::{Interest, Watch};

dropped!(Signal);

/// Names a callback of a signal. Copies name the same one; once it is [off](Signal::off), they name nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal(Watch<Heard>);

/// Calls `callback` on this thread's loop whenever the process gets `signal`, until it returns
/// [`Flow::Stop`](crate::Flow::Stop) or is [off](Signal::off). While the process has
/// a callback for the signal, the system's default action does not happen.
///
/// As in Node, it does not keep the loop alive, unless [`ref_`](Signal::ref_) is called. Each signal that the process
/// gets is one call; those that come while the same one is pending already are one for the system. An `Err` of the
/// callback is an uncaught exception, as a timer's is.
///
/// ```
/// use soquete::{Flow, signals};
///
/// # fn main() -> soquete::Result<()> {
/// let signal = signals::on(signals::SIGHUP, || {
///     println!("the configuration is read again");
///     # Flow::Stop
/// })?;
/// signal.ref_();
/// # signal_hook::low_level::raise(signals::SIGHUP)?;
/// soquete::run()
/// # }
/// ```
///
/// # Errors
///
/// `EINVAL` for a number that is no signal's and for signals that cannot be handled, or not by what runs later (SIGKILL,
/// SIGSTOP, SIGSEGV, SIGILL, SIGFPE); the system's, where there is no descriptor left.
#[doc(alias = "process.on")]
#[track_caller]
pub fn on<R: Outcome>(signal: i32, mut callback: impl FnMut() -> R + 'static) -> Result<Signal> {
    if low_level::signal_name(signal).is_none() || signal_hook::consts::FORBIDDEN.contains(&signal)
    {
        return Err(node::bad_signal(signal));
    }
    let (heard, told) = UnixStream::pair().map_err(|error| Error::os("socketpair", &error))?;
    let os = |error: std::io::Error| Error::os("signal", &error);
    // Before the handler that takes the place of the default.
    let wanted = Wanted::one_more(signal).map_err(os)?;
    let id = low_level::pipe::register(signal, told).map_err(os)?;
    let heard = Heard {
        stream: heard,
        id,
        _wanted: wanted,
    };
    // One at a time, so that the loop settles after each.
    let listener = move |heard: &mut Heard, _| {
        let mut one = [0];
        match heard.stream.read(&mut one) {
            Ok(0) => Ok(crate::Flow::Stop),
            Ok(_) => match callback().verdict() {
                Verdict::Fine => Ok(crate::Flow::Continue),
                Verdict::Stop => Ok(crate::Flow::Stop),
                Verdict::Failed(error) => Err(error),
            },
            Err(error) => Err(Error::os("read", &error)),
        }
    };
    let watch = crate::watch(heard, Interest::READABLE, listener)?;
    Ok(Signal(watch.unref()))
}

impl Signal {
    /// Ends the calls. With the last callback of a signal, what the system does by default comes back.
    pub fn off(&self) {
        drop(self.0.close());
    }

    /// Makes it keep the loop alive.
    pub fn ref_(&self) -> Signal {
        self.0.ref_();
        *self
    }

    /// Lets the loop end though signals are waited for, as it does by default.
    pub fn unref(&self) -> Signal {
        self.0.unref();
        *self
    }

    /// Whether it keeps the loop alive.
    #[doc(alias = "hasRef")]
    pub fn has_ref(&self) -> bool {
        self.0.has_ref()
    }
}

/// The end of the pair that hears. When it goes, so does the handler.
struct Heard {
    stream: UnixStream,
    id: SigId,
    _wanted: Wanted,
}

impl AsFd for Heard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        low_level::unregister(self.id);
    }
}

/// Signals by how many callbacks the process has for each, and whether the default is to be done.
type Counts = HashMap<i32, (usize, Arc<AtomicBool>)>;

static COUNTS: Mutex<Option<Counts>> = Mutex::new(None);

/// One callback of a signal. A handler stays once it is there, so it does what the default is while none is left.
struct Wanted(i32);

impl Wanted {
    fn one_more(signal: i32) -> std::io::Result<Wanted> {
        let mut counts = Wanted::counts();
        let (count, unwanted) = match counts.get_or_insert_default().entry(signal) {
            Entry::Occupied(counted) => counted.into_mut(),
            Entry::Vacant(first) => {
                let unwanted = Arc::new(AtomicBool::new(true));
                signal_hook::flag::register_conditional_default(signal, Arc::clone(&unwanted))?;
                first.insert((0, unwanted))
            }
        };
        *count += 1;
        unwanted.store(false, Ordering::SeqCst);
        Ok(Wanted(signal))
    }

    fn counts() -> MutexGuard<'static, Option<Counts>> {
        COUNTS.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        if let Some((count, unwanted)) = Wanted::counts()
            .as_mut()
            .and_then(|counts| counts.get_mut(&self.0))
        {
            *count -= 1;
            unwanted.store(*count == 0, Ordering::SeqCst);
        }
    }
}
