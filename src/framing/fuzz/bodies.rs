//! The targets' bodies for reading: a format from the set-up, and the naive decoder for it.

use super::super::formats::http::Http;
use super::super::rules::LONGEST;
use super::super::websocket::Outgoing;
use super::super::{
    ByteOrder, Cobs, Delimiters, FixedLength, Json, LengthPrefix, Lines, Netstring, Proxy,
    RecordMark, VarintPrefix, WebSocket, search,
};
use super::Trial;
use super::check::Setup;
use super::naive::{self, LengthModel};
use super::naive_http::{self, HttpModel};
use super::naive_samples;
use super::naive_search::{self, LineEnd};
use super::naive_websocket::{self, WebSocketModel, Written};
use super::samples::{Messages, Packets};

/// Length prefixes of every width, in all their variants.
pub fn fuzz_length(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let Some((&[kind, adjustment], stream)) = stream.split_first_chunk() else {
        return;
    };
    let model = LengthModel {
        offset: usize::from(kind & 3),
        width: 1 + usize::from(setup.variant & 7),
        order: if setup.variant & 8 == 0 {
            ByteOrder::Big
        } else {
            ByteOrder::Little
        },
        inclusive: setup.variant & 16 != 0,
        adjustment: i64::from(adjustment as i8),
        whole: setup.variant & 32 != 0 || kind & 3 != 0,
    };
    let format = LengthPrefix::new(model.width, model.order);
    let Ok(mut format) = format.and_then(|format| format.offset(model.offset)) else {
        return;
    };
    format = format.adjustment(model.adjustment);
    if model.inclusive {
        format = format.inclusive();
    }
    if model.whole {
        format = format.keep_header();
    }
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, |rest| naive::length(rest, &model));
}

/// Varint prefixes, tolerant and canonical, at the start and behind other bytes.
pub fn fuzz_varint(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let canonical = setup.variant & 1 != 0;
    let (offset, whole) = (usize::from(setup.variant >> 1 & 3), setup.variant & 8 != 0);
    let Ok(mut format) = VarintPrefix::new().offset(offset) else {
        return;
    };
    if canonical {
        format = format.canonical();
    }
    if whole {
        format = format.keep_header();
    }
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, |rest| {
            naive::varint(rest, canonical, offset, whole)
        });
}

/// Lines of all three kinds, with and without a remainder and blank lines.
pub fn fuzz_lines(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let (mut format, end) = match setup.variant % 3 {
        0 => (Lines::new(), LineEnd::LfOrCrlf),
        1 => (Lines::lf(), LineEnd::Lf),
        _ => (Lines::crlf(), LineEnd::Crlf),
    };
    let (remainder, skip_blank) = (setup.variant & 32 != 0, setup.variant & 64 != 0);
    if remainder {
        format = format.remainder_at_end();
    }
    if skip_blank {
        format = format.skip_blank();
    }
    let naive = move |rest| naive_search::lines(rest, end, remainder, skip_blank);
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, naive);
}

/// Delimiters: sets that are hard to tell apart.
pub fn fuzz_delimiters(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let sets: [&[&[u8]]; 8] = [
        &[b"\n"],
        &[b"\r", b"\n", b"\r\n"],
        &[b"ab", b"abab", b"b"],
        &[b"aab"],
        &[b"aaaaaaab", b"a"],
        &[b"abcd", b"bc", b"c"],
        &[b"\r\n.\r\n", b"\n.\n", b"\n"],
        &[b"a", b"b", b"cc", b"dd", b"d"],
    ];
    let set = sets[usize::from(setup.variant & 7)];
    let Ok(mut format) = Delimiters::new(set) else {
        return;
    };
    let remainder = setup.variant & 8 != 0;
    if remainder {
        format = format.remainder_at_end();
    }
    let naive = move |rest| naive_search::delimiters(rest, set, remainder);
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, naive);
}

/// Frames of a fixed length.
pub fn fuzz_fixed(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let len = usize::from(setup.variant);
    let Ok(format) = FixedLength::new(len) else {
        return;
    };
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, |rest| naive::fixed(rest, len));
}

/// Netstrings.
pub fn fuzz_netstring(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    Trial::new(Netstring::new())
        .in_pieces()
        .lends()
        .run(&setup, stream, naive::netstring);
}

/// COBS.
pub fn fuzz_cobs(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    Trial::new(Cobs::new())
        .never_longer()
        .run(&setup, stream, naive_search::cobs);
}

/// JSON values.
pub fn fuzz_json(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let depth = u32::from(setup.variant);
    let format = Json::new().max_depth(depth);
    let deepest = setup.variant.min(128).into();
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, move |rest| {
            naive_search::json(rest, deepest)
        });
}

/// Records in fragments.
pub fn fuzz_record(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    Trial::new(RecordMark)
        .in_pieces()
        .run(&setup, stream, naive::record);
}

/// PROXY headers.
pub fn fuzz_proxy(data: &[u8]) {
    let Some((mut setup, stream)) = Setup::split(data) else {
        return;
    };
    setup.limit = setup
        .limit
        .saturating_mul(setup.variant.into())
        .min(LONGEST);
    Trial::new(Proxy::new())
        .lends()
        .never_longer()
        .run(&setup, stream, naive::proxy);
}

/// HTTP messages: requests and responses, with the usual limits and with low ones.
pub fn fuzz_http(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let requests = setup.variant & 1 != 0;
    let low = setup.variant & 2 != 0;
    let most = |high: usize, low_one: usize| if low { low_one } else { high };
    let model = HttpModel {
        requests,
        answers: ["GET", "HEAD", "CONNECT", "GET"][usize::from(setup.variant >> 2 & 3)],
        head: most(1000, 60),
        target: most(500, 10),
        fields: most(50, 3),
        extension: most(100, 6),
        trailers: most(500, 20),
    };
    let mut format = if requests {
        Http::requests()
    } else {
        Http::responses()
    };
    format.answers(model.answers);
    let format = format
        .max_head(model.head)
        .max_target(model.target)
        .max_fields(model.fields)
        .max_extension(model.extension)
        .max_trailers(model.trailers);
    Trial::new(format)
        .in_pieces()
        .run(&setup, stream, naive_http::http(model));
}

/// Messages of several parts with notices between them, unpacked in pieces.
pub fn fuzz_packets(data: &[u8]) {
    Trial::new(Packets::default())
        .in_pieces()
        .reads_as(data, naive_samples::packets);
}

/// Heads that say how long their bodies are.
pub fn fuzz_messages(data: &[u8]) {
    Trial::new(Messages::default())
        .in_pieces()
        .lends()
        .reads_as(data, naive_samples::messages());
}

/// WebSocket, of both sides, messages and frames, with and without limits of its own.
pub fn fuzz_websocket(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    if setup.variant & 0x80 != 0 {
        return written_websocket(setup.variant, stream);
    }
    let model = WebSocketModel {
        masked: setup.variant & 1 == 0,
        each_frame: setup.variant & 2 != 0,
        max_frame: [u64::MAX, 6][usize::from(setup.variant >> 2 & 1)],
        max_fragments: [u32::MAX, 3][usize::from(setup.variant >> 3 & 1)],
        limit: setup.limit as u64,
    };
    let mut format = match model.masked {
        true => WebSocket::server(),
        false => WebSocket::client(),
    };
    format = format
        .max_frame(model.max_frame)
        .max_fragments(model.max_fragments);
    if model.each_frame {
        format = format.each_frame();
    }
    Trial::new(format)
        .in_pieces()
        .run(&setup, stream, naive_websocket::websocket(model));
}

/// Messages that are written as one side does, and read as the other.
fn written_websocket(variant: u8, data: &[u8]) {
    let outgoing = match variant & 3 {
        0 => Outgoing::ping(),
        1 => Outgoing::text(),
        _ => Outgoing::binary(),
    };
    let (server, client) = (WebSocket::server(), WebSocket::client());
    if variant & 4 == 0 {
        Trial::new(Written(client, outgoing)).writes(data);
    } else {
        let key = [variant, data.len() as u8, 0, 0xa5];
        Trial::new(Written(server, outgoing.masked(move || key))).writes(data);
    }
}

/// The search for bytes, against a loop over them.
pub fn fuzz_search(data: &[u8]) {
    let Some((&[a, b, from], hay)) = data.split_first_chunk() else {
        return;
    };
    let hay = hay.get(from.into()..).unwrap_or_default();
    assert_eq!(search::find(hay, a), hay.iter().position(|byte| *byte == a));
    let either = hay.iter().position(|byte| *byte == a || *byte == b);
    assert_eq!(search::find_any(hay, [a, b]), either);
    let three = hay.iter().position(|byte| [a, b, from].contains(byte));
    assert_eq!(search::find_any(hay, [a, b, from]), three);
    let pair = hay.windows(2).position(|two| two == [a, b]);
    let found = search::find_pair(hay, |first, second| (first == a) & (second == b));
    assert_eq!(found, pair);
}
