//! The bodies of the fuzz targets, one function each: it takes any bytes, and panics if a promise is
//! broken. They lie beside what they exercise; this is the list.

mod input;

pub(crate) use input::Input;

pub use crate::events::fuzz::emitter;
pub use crate::machine::fuzz::{stream_machine, utf8, write_queue};
pub use crate::reactor::fuzz::timers;
