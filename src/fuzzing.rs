//! The bodies of the fuzz targets, one function each: it takes any bytes, and panics if a promise is
//! broken. They lie beside what they exercise; this is the list.

mod input;
#[cfg(test)]
mod replay;

pub(crate) use input::Input;

pub use crate::events::fuzz::emitter;
pub use crate::machine::fuzz::{stream_machine, utf8, write_queue};
pub use crate::reactor::fuzz::timers;

pub use crate::address::fuzz::{fuzz_address as address, fuzz_block_list as block_list};
pub use crate::framing::fuzz::{
    fuzz_cobs as framing_cobs, fuzz_delimiters as framing_delimiters, fuzz_fixed as framing_fixed,
    fuzz_json as framing_json, fuzz_length as framing_length, fuzz_lines as framing_lines,
    fuzz_netstring as framing_netstring, fuzz_proxy as framing_proxy,
    fuzz_record as framing_record, fuzz_round_trip as framing_round_trip,
    fuzz_search as framing_search, fuzz_varint as framing_varint,
};
