//! Fuzz bodies of the machine's write queue and its decoder.

mod utf8;
mod write_queue;

pub use utf8::utf8;
pub use write_queue::write_queue;
