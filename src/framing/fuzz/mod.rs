//! What the fuzz targets run, one function to a format; plain tests run them as well.
//!
//! Each takes the fuzzer's bytes as a set-up (format, limit, policies) and a stream, has the stream
//! read in many ways, and holds the outcome against a naive decoder that sees the stream whole:
//!
//! | property | where |
//! |---|---|
//! | the outcome does not depend on how the stream was cut, or on stops in between | [`check`] |
//! | it is that of the naive decoder, with the same errors at the same offsets | [`expect`] |
//! | kinds, heads and offsets do not, either; nor does it matter whether bad frames are reported at once, or a format is switched in place | [`check`] |
//! | memory and work are bounded; frames in the chunk are borrowed; failure is sticky | [`check`] |
//! | what is written is read back, up to the limit and not beyond | [`round_trip`] |
//!
//! [`Trial`] puts them together, for the formats here, for those of users, and for [`samples`] of what formats
//! can be that none here is.

mod bodies;
mod check;
mod expect;
mod heads;
mod naive;
mod naive_http;
mod naive_protocols;
mod naive_resp;
mod naive_samples;
mod naive_search;
mod naive_websocket;
mod protocols;
#[cfg(test)]
mod replay;
mod round_trip;
mod samples;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod seeds_of_protocols;
mod seen;
mod trial;
mod ways;
mod writers;

pub use bodies::*;
pub use heads::fuzz_heads;
pub use protocols::*;
pub use round_trip::fuzz_round_trip;
pub use seen::{End, Naive, Part, Payload};
pub use trial::Trial;
pub use writers::fuzz_writers;

/// A fuzz target's body.
#[cfg(test)]
pub(super) type Body = fn(&[u8]);

/// Every target by its name.
#[cfg(test)]
pub(super) const TARGETS: &[(&str, Body)] = &[
    ("framing_cobs", fuzz_cobs),
    ("framing_content_length", fuzz_content_length),
    ("framing_delimiters", fuzz_delimiters),
    ("framing_dot_stuffed", fuzz_dot_stuffed),
    ("framing_fixed", fuzz_fixed),
    ("framing_hdlc", fuzz_hdlc),
    ("framing_heads", fuzz_heads),
    ("framing_http", fuzz_http),
    ("framing_json", fuzz_json),
    ("framing_length", fuzz_length),
    ("framing_lines", fuzz_lines),
    ("framing_messages", fuzz_messages),
    ("framing_mqtt", fuzz_mqtt),
    ("framing_netstring", fuzz_netstring),
    ("framing_packets", fuzz_packets),
    ("framing_proxy", fuzz_proxy),
    ("framing_record", fuzz_record),
    ("framing_resp", fuzz_resp),
    ("framing_resp_requests", fuzz_resp_requests),
    ("framing_round_trip", fuzz_round_trip),
    ("framing_search", fuzz_search),
    ("framing_slip", fuzz_slip),
    ("framing_varint", fuzz_varint),
    ("framing_websocket", fuzz_websocket),
    ("framing_writers", fuzz_writers),
];
