//! Fuzz bodies of the machine, its write queue and its decoder.

mod script;
mod utf8;
mod write_queue;

pub use script::stream_machine;
#[cfg(test)]
pub(super) use script::{Plan, plan};
pub use utf8::utf8;
pub use write_queue::write_queue;
