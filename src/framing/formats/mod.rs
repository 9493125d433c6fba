//! The formats, one to a file.

mod cobs;
mod content_length;
mod delimiters;
mod dot_stuffed;
mod either;
mod fixed;
mod hdlc;
pub mod http;
mod json;
mod length;
mod lines;
mod mqtt;
mod needles;
mod netstring;
mod proxy;
mod record;
mod resp;
mod slip;
mod stuffing;
#[cfg(test)]
mod tests;
mod varint;
pub mod websocket;

pub use cobs::Cobs;
pub use content_length::ContentLength;
pub use delimiters::Delimiters;
pub use dot_stuffed::DotStuffed;
pub use either::Either;
pub use fixed::FixedLength;
pub use hdlc::Hdlc;
pub use http::Http;
pub use json::Json;
pub use length::{ByteOrder, LengthPrefix};
pub use lines::Lines;
pub use mqtt::Mqtt;
pub use netstring::Netstring;
pub use proxy::{Proxied, Proxy, ProxyHeader, Tlvs, Transport};
pub use record::RecordMark;
pub use resp::{
    Resp, RespArguments, RespChunks, RespItems, RespPairs, RespRequest, RespRequests, RespValue,
    RespVersion, RespWriter,
};
pub use slip::Slip;
pub use varint::VarintPrefix;
pub use websocket::WebSocket;
