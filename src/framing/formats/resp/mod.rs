//! RESP, the protocol of Redis: requests, values in both versions, and what writes them.

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

/// The longest string, unless told otherwise: what Redis allows.
const MAX_BULK: usize = 512 * 1024 * 1024;

/// How deep values nest at most, whatever is asked for: what reads them calls itself as often.
const DEEPEST: usize = 128;
