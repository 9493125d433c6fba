#![forbid(unsafe_code)]
mod error;
pub mod events;
mod reactor;
pub use error::{Error, Result};
pub use reactor::{Metrics, Remote};
