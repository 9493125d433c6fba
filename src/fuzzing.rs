//! Fuzzing, for servers and formats of your own.
//!
//! A [`ServerTrial`] puts a whole server on trial: in a simulated world with the feature `sim`, over loopback with
//! `fuzzing` alone. The same conversations, however their bytes are cut, have to lead to the same answers and leave
//! nothing open. `examples/fragments/main.rs` does it to servers in any language.
//!
//! The rest is there when the compiler is given `--cfg fuzzing`, as `cargo fuzz` does, or with the feature
//! `fuzzing`, for tests.
//!
//! A fuzz target for a [format](crate::framing::Format) is one line, in a crate that
//! `cargo fuzz init -t my_format` makes beside yours, and that depends on the same `soquete`:
//!
//! ```
//! # #[cfg(feature = "fuzzing")]
//! # {
//! # use soquete::framing::Lines as YourFormat;
//! use soquete::fuzzing::Trial;
//!
//! // libfuzzer_sys::fuzz_target!(|data: &[u8]| …);
//! let target = |data: &[u8]| Trial::new(YourFormat::new()).in_pieces().reads(data);
//! # target(b"\0\0\x10one\r\ntwo");
//! # }
//! ```
//!
//! and with a [naive decoder](Naive), written for clarity and with all of the stream in front of it, it
//! is held to what you mean as well:
//!
//! ```
//! # #[cfg(feature = "fuzzing")]
//! # {
//! # use soquete::framing::LengthPrefix as YourFormat;
//! use soquete::fuzzing::{Naive, Trial};
//!
//! fn naive(rest: &[u8]) -> Naive<'_> {
//!     Naive::announced(rest, 1, rest[0].into())
//! }
//!
//! let target = |data: &[u8]| Trial::new(YourFormat::u8()).in_pieces().reads_as(data, naive);
//! # target(b"\0\0\x10\x03one\x03two");
//! # }
//! ```

mod input;
#[cfg(test)]
pub(crate) mod replay;
mod servers;

pub(crate) use input::Input;
pub use servers::{
    Conversation, ConversationError, Cut, Finding, Progress, Seen, ServerTrial, TrialReport,
    UnknownCut,
};

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub use crate::framing::fuzz::{End, Naive, Part, Payload, Trial};

// The bodies of this crate's own targets, one function each: it takes any bytes, and panics if a
// promise is broken. They lie beside what they exercise; this is the list.

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::events::fuzz::emitter;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::machine::fuzz::{utf8, write_queue};
#[cfg(all(feature = "sim", any(test, fuzzing, feature = "fuzzing")))]
#[doc(hidden)]
pub use crate::net::script::stream_machine;
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::reactor::fuzz::timers;

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::address::fuzz::{fuzz_address as address, fuzz_block_list as block_list};
#[cfg(any(test, fuzzing, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::framing::fuzz::{
    fuzz_cobs as framing_cobs, fuzz_content_length as framing_content_length,
    fuzz_delimiters as framing_delimiters, fuzz_dot_stuffed as framing_dot_stuffed,
    fuzz_fixed as framing_fixed, fuzz_hdlc as framing_hdlc, fuzz_heads as framing_heads,
    fuzz_http as framing_http, fuzz_json as framing_json, fuzz_length as framing_length,
    fuzz_lines as framing_lines, fuzz_messages as framing_messages, fuzz_mqtt as framing_mqtt,
    fuzz_netstring as framing_netstring, fuzz_packets as framing_packets,
    fuzz_proxy as framing_proxy, fuzz_record as framing_record, fuzz_resp as framing_resp,
    fuzz_resp_requests as framing_resp_requests, fuzz_round_trip as framing_round_trip,
    fuzz_search as framing_search, fuzz_slip as framing_slip, fuzz_varint as framing_varint,
    fuzz_websocket as framing_websocket, fuzz_writers as framing_writers,
};
