//! The targets' bodies for formats of whole protocols.

use super::super::{
    ContentLength, DotStuffed, Flow, FrameReader, Hdlc, Mqtt, Resp, RespItems, RespRequest,
    RespRequests, RespValue, RespVersion, RespWriter, Slip,
};
use super::check::Setup;
use super::naive_protocols as naive;
use super::naive_resp::{self, Requests, Values};
use super::{Naive, Trial};

/// Requests of RESP, with limits near enough to be met.
pub fn fuzz_resp_requests(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let model = Requests {
        max_line: if setup.variant & 1 == 0 {
            64 * 1024
        } else {
            12
        },
        max_bulk: if setup.variant & 2 == 0 {
            512 * 1024 * 1024
        } else {
            6
        },
        max_arguments: if setup.variant & 4 == 0 {
            i32::MAX.into()
        } else {
            3
        },
        strict: setup.variant & 8 != 0,
        unauthenticated: setup.variant & 16 != 0,
    };
    let mut format = RespRequests::new()
        .max_line(model.max_line)
        .max_bulk(model.max_bulk as usize)
        .max_arguments(model.max_arguments as u32);
    if model.strict {
        format = format.strict();
    }
    format.expect_authentication(model.unauthenticated);
    Trial::new(format).run(&setup, stream, |rest| naive_resp::requests(rest, &model));
    arguments_are_read_back(stream);
    // Any bytes may be said to be a request.
    if let Some(request) = RespRequest::parse(stream) {
        assert!(request.arguments().count() <= request.len());
    }
}

/// What is written as a request is read as one.
fn arguments_are_read_back(stream: &[u8]) {
    let arguments = stream.split(|byte| *byte == b' ').collect::<Vec<_>>();
    let mut out = Vec::new();
    RespWriter::new(&mut out, RespVersion::V2).request(&arguments);
    let mut frames = 0;
    let read = FrameReader::new(RespRequests::new().strict(), usize::MAX).push(&out, |item| {
        let request = item.frame().and_then(RespRequest::parse);
        let read = request.map(|request| request.arguments().eq(arguments.iter().copied()));
        assert_eq!(read, Some(true));
        frames += 1;
        Flow::Continue
    });
    assert_eq!((read, frames), (Ok(Flow::Continue), 1));
}

/// Values of RESP in both versions.
pub fn fuzz_resp(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let model = Values {
        max_depth: usize::from(setup.variant >> 2 & 7),
        max_bulk: if setup.variant & 1 == 0 {
            512 * 1024 * 1024
        } else {
            6
        },
        version_3: setup.variant & 2 == 0,
    };
    let format = if model.version_3 {
        Resp::new()
    } else {
        Resp::version_2()
    };
    let format = format
        .max_depth(model.max_depth)
        .max_bulk(model.max_bulk as usize);
    Trial::new(format.clone())
        .in_pieces()
        .lends()
        .run(&setup, stream, |rest| naive_resp::values(rest, &model));
    // What the format hands out can be read to its end, and any other bytes do no harm.
    let mut reader = FrameReader::new(format, usize::MAX);
    let read = reader.push(stream, |item| {
        let value = item.frame().and_then(RespValue::parse);
        assert!(value.is_some_and(reads_to_its_end));
        Flow::Continue
    });
    let _ = (read, RespValue::parse(stream).map(reads_to_its_end));
    RespValue::attributes(stream).for_each(drop);
}

fn reads_to_its_end(value: RespValue<'_>) -> bool {
    let all = |items: RespItems<'_>| {
        let mut count = 0;
        let fine = items.inspect(|_| count += 1).all(reads_to_its_end);
        fine && items.size_hint().1.is_none_or(|most| count <= most)
    };
    match value {
        RespValue::Array(items) | RespValue::Set(items) | RespValue::Push(items) => all(items),
        RespValue::Map(items) => all(items) && items.count().is_multiple_of(2),
        RespValue::Streamed(chunks) => chunks.into_iter().all(|chunk| !chunk.is_empty()),
        _ => true,
    }
}

/// MQTT packets; what follows the set-up's variant is written as packets of its type as well.
pub fn fuzz_mqtt(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let version_3 = setup.variant & 1 != 0;
    let format = if version_3 {
        Mqtt::version_3_1_1()
    } else {
        Mqtt::new()
    };
    Trial::new(format)
        .in_pieces()
        .lends()
        .run(&setup, stream, |rest| naive::mqtt(rest, version_3));
    if let Ok(format) = format.writes(setup.variant) {
        Trial::new(format).writes(stream);
    }
}

/// Heads with a Content-Length.
pub fn fuzz_content_length(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let other_fields = setup.variant & 1 != 0;
    let format = if other_fields {
        ContentLength::new().other_fields()
    } else {
        ContentLength::new()
    };
    let trial = Trial::new(format).lends().never_longer();
    trial.run(&setup, stream, |rest| {
        naive::content_length(rest, other_fields)
    });
    trial.writes(stream);
}

/// Text that ends with a dot.
pub fn fuzz_dot_stuffed(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let bare = setup.variant & 1 != 0;
    let format = if bare {
        DotStuffed::new().bare_line_ends()
    } else {
        DotStuffed::new()
    };
    let trial = Trial::new(format).in_pieces();
    trial.run(&setup, stream, |rest| naive::dots(rest, bare));
    trial.writes(stream);
}

/// SLIP.
pub fn fuzz_slip(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let trial = Trial::new(Slip::new()).in_pieces();
    trial.run(&setup, stream, naive::slip);
    trial.writes(stream);
    Trial::new(Slip::new().begins_with_end()).writes(stream);
}

/// HDLC-like framing, with and without check sequences and control characters.
pub fn fuzz_hdlc(data: &[u8]) {
    let Some((setup, stream)) = Setup::split(data) else {
        return;
    };
    let plain = Hdlc::new();
    let (format, naive): (_, fn(&[u8]) -> Naive<'_>) = match setup.variant & 3 {
        0 => (plain, naive::hdlc::<false, 0>),
        1 => (plain.check_sequence(), naive::hdlc::<true, 0>),
        2 => (plain.control_characters(MAP), naive::hdlc::<false, MAP>),
        _ => (
            plain.check_sequence().control_characters(MAP),
            naive::hdlc::<true, MAP>,
        ),
    };
    let trial = Trial::new(format).in_pieces();
    trial.run(&setup, stream, naive);
    trial.writes(stream);
}

/// XON and XOFF, and zero.
const MAP: u32 = 1 << 0x11 | 1 << 0x13 | 1;
