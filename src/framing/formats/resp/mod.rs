//! RESP, the protocol of Redis: requests, values in both versions, and what writes them.

mod complaints;
mod line;
mod number;
mod request;
mod requests;
mod value;
mod values;
mod words;
mod write;

pub use request::{RespArguments, RespRequest};
pub use requests::RespRequests;
pub use value::{RespChunks, RespItems, RespPairs, RespValue};
pub use values::Resp;
pub use write::{RespVersion, RespWriter};

/// The longest string by default: what Redis allows.
const MAX_BULK: usize = 512 * 1024 * 1024;

/// How deep values nest at most, whatever the options say: their reader is recursive.
const DEEPEST: usize = 128;
