//! What no other target writes, and what stands around a reader: wrapping of whole messages, values of RESP, boxes and
//! alternatives, policies.

use super::super::http::{self, Http};
use super::super::websocket::{self, Close, Outgoing, WebSocket};
use super::super::{
    Cobs, Cut, Either, Encode, FixedLength, Flow, Format, FrameError, FrameReader, FrameWriter,
    Item, Json, LengthPrefix, Lines, Malformed, Netstring, Output, Proxy, Resp, RespRequest,
    RespRequests, RespValue, RespVersion, RespWriter, Slip, VarintPrefix, Window, Wrap, Wrapping,
};

/// The first byte chooses what is done with the others.
pub fn fuzz_writers(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    match choice & 7 {
        0 => values(data),
        1 => requests(data),
        2 => lengths(data),
        3 => boxes(data),
        4 => outputs(data),
        5 => errors(data),
        6 => fragments(data),
        _ => policies(data),
    }
}

/// The frames of a stream, and how it ends.
fn read<F: Format>(format: F, stream: &[u8]) -> (Vec<Vec<u8>>, Result<(), FrameError>) {
    let mut reader = FrameReader::new(format, 1000);
    let mut frames = Vec::new();
    let mut listener = |item: Item<'_>| {
        frames.extend(item.frame().map(<[u8]>::to_vec));
        Flow::Continue
    };
    for chunk in stream.chunks(7) {
        if let Err(error) = reader.push(chunk, &mut listener) {
            return (frames, Err(error));
        }
    }
    let end = reader.finish(listener).map(drop);
    (frames, end)
}

fn is_not_one_frame(wrapped: Result<Wrapping, FrameError>) -> bool {
    let error = wrapped.err();
    error.is_some_and(|error| {
        !error.to_string().is_empty() && matches!(error, FrameError::NotOneFrame { .. })
    })
}

/// Each value that is written is read as one, in either version, and goes as a whole message, which nothing else does.
fn values(data: &[u8]) {
    for version in [RespVersion::V2, RespVersion::V3] {
        let format = match version {
            RespVersion::V2 => Resp::version_2(),
            RespVersion::V3 => Resp::new(),
        };
        let mut all = Vec::new();
        let mut written = Vec::new();
        for part in data.split_inclusive(|byte| *byte == b' ') {
            let from = all.len();
            write_value(&mut RespWriter::new(&mut all, version), part);
            written.push(all[from..].to_vec());
        }
        let (frames, end) = read(format.clone(), &all);
        assert_eq!((&frames, end), (&written, Ok(())));
        for frame in &frames {
            let value = RespValue::parse(frame).expect("what the format hands out can be read");
            let _text = value.text();
            // Nothing equals a number that is none.
            assert!(
                value == RespValue::parse(frame).expect("as before") || frame.starts_with(b",nan")
            );
            let wrapping = format.wrap(frame).expect("a value is a message");
            assert!(wrapping.is_empty());
            assert!(is_not_one_frame(format.wrap(&frame[..frame.len() - 1])));
            assert!(is_not_one_frame(format.wrap(&[&frame[..], b"x"].concat())));
        }
    }
}

fn write_value(writer: &mut RespWriter<'_>, part: &[u8]) {
    let text = std::str::from_utf8(part).unwrap_or("text");
    let number = part.iter().fold(0i64, |number, byte| {
        number.wrapping_mul(31).wrapping_add((*byte).into())
    });
    match part[0] & 15 {
        0 => writer.simple(text),
        1 => writer.error(part),
        2 => writer.integer(number),
        3 => writer.bulk(part),
        4 => writer.null(),
        5 => writer.null_array(),
        6 => writer.set(0),
        7 => writer.push(0),
        8 => {
            writer.map(2);
            (0..4).for_each(|i| writer.integer(i));
        }
        9 => writer.double(f64::from_bits(number as u64)),
        10 => writer.double([f64::NAN, f64::INFINITY, f64::NEG_INFINITY][part.len() % 3]),
        11 => writer.boolean(part.len().is_multiple_of(2)),
        12 => writer.verbatim(b"txt", part),
        13 => {
            writer.array(2);
            writer.set(1);
            writer.boolean(true);
            writer.map(1);
            writer.double(1.5);
            writer.null();
        }
        _ => writer.double(number as f64 / 8.0),
    }
}

/// A request goes as a whole message, and what is none does not.
fn requests(data: &[u8]) {
    let arguments = data.split(|byte| *byte == b' ').collect::<Vec<_>>();
    let mut message = Vec::new();
    RespWriter::new(&mut message, RespVersion::V3).request(&arguments);
    let format = RespRequests::new();
    assert!(
        format
            .wrap(&message)
            .is_ok_and(|wrapping| wrapping.is_empty())
    );
    assert!(is_not_one_frame(format.wrap(&message[..message.len() - 1])));
    assert!(is_not_one_frame(
        format.wrap(&[&message[..], b"*"].concat())
    ));
    assert!(is_not_one_frame(format.wrap(&[b"PING ", data].concat())));
    let request = RespRequest::parse(&message).expect("a request");
    assert_eq!(request.name(), arguments[0]);
    let (least, most) = request.arguments().size_hint();
    assert!(least <= arguments.len() && most == Some(arguments.len()));
    let ranges = request.arguments().ranges();
    assert!(ranges.map(|range| &message[range]).eq(arguments));
}

/// Messages with a length in front, or inside, written by both ways that there are.
fn lengths(data: &[u8]) {
    let Some((&[kind, offset], body)) = data.split_first_chunk() else {
        return;
    };
    let format = match kind & 7 {
        0 => LengthPrefix::u8(),
        1 => LengthPrefix::u16_be(),
        2 => LengthPrefix::u16_le(),
        3 => LengthPrefix::u32_be(),
        4 => LengthPrefix::u32_le(),
        5 => LengthPrefix::u64_be(),
        _ => LengthPrefix::u64_le(),
    };
    let body = &body[..body.len().min(200)];
    let writer = FrameWriter::new(format, 200).expect("any of them has room for it");
    let wrapping = writer.wrap(body).expect("within the limit");
    assert_eq!(
        read(format, &wrapping.around(body).concat()),
        (vec![body.to_vec()], Ok(()))
    );
    // The message with its header, the length somewhere in it.
    let format = format
        .offset(offset.into())
        .expect("near enough")
        .keep_header();
    let header = usize::from(offset) + wrapping.len();
    let mut message = vec![b'h'; header];
    assert!(format.seal(&mut message[..header - 1]).is_err());
    message.extend_from_slice(body);
    format
        .seal(&mut message)
        .expect("there is room for the length");
    assert!(
        format
            .wrap(&message)
            .is_ok_and(|wrapping| wrapping.is_empty())
    );
    assert!(format.wrap(&message[..header - 1]).is_err());
    let last = header - 1;
    message[last] ^= 1;
    assert!(is_not_one_frame(format.wrap(&message)));
    message[last] ^= 1;
    assert_eq!(read(format, &message), (vec![message], Ok(())));
    varints(body);
}

fn varints(body: &[u8]) {
    let (plain, whole) = (VarintPrefix::new(), VarintPrefix::new().keep_header());
    let body = body.repeat(if body.len() > 100 { 2 } else { 1 });
    let mut message = Vec::new();
    assert_eq!(plain.encode(&body, &mut message), Ok(()));
    assert!(
        whole
            .wrap(&message)
            .is_ok_and(|wrapping| wrapping.is_empty())
    );
    assert!(is_not_one_frame(whole.wrap(&message[..message.len() - 1])));
    assert_eq!(read(whole, &message), (vec![message], Ok(())));
}

/// In a box, or as one of two, a format reads as it does alone.
fn boxes(data: &[u8]) {
    same(Slip::new(), data);
    same(Cobs::new(), data);
    same(Lines::ndjson(), data);
    same(Netstring::new(), data);
    same(Proxy::new(), data);
    same(Http::responses(), data);
    same(Plain, data);
    stubborn_ones(data);
    long_runs(data);
    let lines: Either<Lines, LengthPrefix> = Either::A(Lines::new());
    let mut message = Vec::new();
    if lines.encode(data, &mut message).is_ok() {
        assert_eq!(message, [data, b"\n"].concat());
    }
    let lengths: Either<Lines, LengthPrefix> = Either::B(LengthPrefix::u32_be());
    assert!(lengths.wrap(data).is_ok_and(|wrapping| wrapping.len() == 4));
}

fn same<F: Format + Clone + 'static>(format: F, stream: &[u8]) {
    let boxed = || -> Box<dyn Format> { Box::new(format.clone()) };
    let skipped = skipping(format.clone(), stream);
    assert_eq!(skipping(boxed(), stream), skipped);
    assert_eq!(
        skipping(Either::<F, Lines>::A(format.clone()), stream),
        skipped
    );
    assert_eq!(
        skipping(Either::<Lines, F>::B(format.clone()), stream),
        skipped
    );
    let alone = read(format.clone(), stream);
    assert_eq!(read(boxed(), stream), alone);
    assert_eq!(read(Either::<F, Lines>::A(format.clone()), stream), alone);
    assert_eq!(read(Either::<Lines, F>::B(format), stream), alone);
}

/// The kinds of the frames that are short enough, and of what is reported of the others.
fn skipping<F: Format>(format: F, stream: &[u8]) -> (Vec<u8>, Result<(), FrameError>) {
    let mut reader = FrameReader::new(format, 5).skip_bad_frames();
    let mut kinds = Vec::new();
    for chunk in stream.chunks(3) {
        let read = reader.push_with(chunk, |_, reading| {
            kinds.push(reading.kind());
            Flow::Continue
        });
        if let Err(error) = read {
            return (kinds, Err(error));
        }
    }
    (kinds, Ok(()))
}

/// A format that says the same whatever the bytes are, and three bytes beside the payload at most.
#[derive(Clone)]
struct Stubborn(Cut);

impl Format for Stubborn {
    fn cut(&mut self, _: Window<'_>) -> Result<Cut, Malformed> {
        Ok(self.0)
    }

    fn at_end(&mut self, _: Window<'_>) -> Result<Cut, Malformed> {
        Err(Malformed::new(0, "an end"))
    }

    fn overhead(&self) -> usize {
        3
    }
}

/// A format that breaks a rule is found out at the first byte that shows it, and one that keeps to the rules is not.
fn stubborn_ones(stream: &[u8]) {
    let malformed = |at, what| Err(FrameError::Malformed { at, what });
    let frame = |head, payload, tail| Cut::Frame {
        head,
        payload,
        tail,
    };
    let endless = Cut::Declared {
        head: usize::MAX,
        payload: u64::MAX,
        tail: usize::MAX,
    };
    let nothing = "the format made a frame of no bytes";
    let long = "head and tail longer than the format allows";
    for (cut, what) in [
        (Cut::Skip(0), nothing),
        (frame(0, 0, 0), nothing),
        (frame(4, 0, 0), long),
        (frame(0, 1, 4), long),
        (frame(2, 1, 2), long),
        (endless, long),
    ] {
        let end = match stream {
            [] => Ok(()),
            _ => malformed(0, what),
        };
        assert_eq!(read(Stubborn(cut), stream), (vec![], end), "{cut:?}");
    }
    let end = match stream.len() {
        0 => Ok(()),
        1..=3 => malformed(0, "an end"),
        _ => malformed(0, "head longer than the format allows"),
    };
    assert_eq!(read(Stubborn(Cut::MORE), stream), (vec![], end));
    let (fours, rest) = stream.as_chunks::<4>();
    let end = match rest.len() {
        0 => Ok(()),
        have => Err(FrameError::Truncated {
            at: 4 * fours.len() as u64,
            have: have as u64,
        }),
    };
    for (cut, at) in [
        (frame(0, 1, 3), 0),
        (frame(1, 1, 2), 1),
        (frame(3, 1, 0), 3),
    ] {
        let frames = fours.iter().map(|four| vec![four[at]]).collect();
        assert_eq!(read(Stubborn(cut), stream), (frames, end), "{cut:?}");
    }
    let part = Cut::Part {
        head: 1,
        payload: 0,
        tail: 0,
    };
    let mut reader = FrameReader::new(Stubborn(part), 10).max_empty_parts(2);
    let read = reader.push(stream, |item| panic!("{item:?} of parts alone"));
    let read = read.and_then(|_| reader.finish(|item| panic!("{item:?} of parts alone")));
    let end = match stream.len() {
        0 => Ok(()),
        len @ 1..=2 => malformed(len as u64, "an end"),
        _ => malformed(2, "frame of too many parts without payload"),
    };
    assert_eq!(read.map(drop), end);
}

/// Runs without a zero as long as a block of COBS, and around it.
fn long_runs(data: &[u8]) {
    let mut run = data.to_vec();
    run.retain(|byte| *byte != 0);
    let Some(&first) = run.first() else {
        return;
    };
    let (blocks, more) = (1 + usize::from(first) % 3, usize::from(first) / 3 % 3);
    let len = 254 * blocks + more - 1;
    let run = run.into_iter().cycle().take(len).collect::<Vec<_>>();
    let with_zero = [&run[..], &[0], data.get(..100).unwrap_or(data)].concat();
    for payload in [run, with_zero] {
        let mut frame = Vec::new();
        assert_eq!(Cobs::new().encode(&payload, &mut frame), Ok(()));
        assert_eq!(read(Cobs::new(), &frame), (vec![payload], Ok(())));
    }
}

/// Pairs of bytes: the shortest format that there is.
#[derive(Clone)]
struct Plain;

impl Format for Plain {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match window.slices(0).concat().get(..2) {
            Some(_) => Ok(Cut::Frame {
                head: 0,
                payload: 2,
                tail: 0,
            }),
            None => Ok(Cut::MORE),
        }
    }
}

/// What is appended to an output, in whatever way, is there up to its end.
fn outputs(data: &[u8]) {
    let Some((&room, data)) = data.split_first() else {
        return;
    };
    let room = usize::from(room) * 8;
    let mut buffer = b"before".to_vec();
    let mut output = Output::new(&mut buffer, room);
    output.extend_changed(data, |done, piece| {
        for (at, byte) in piece.iter_mut().enumerate() {
            *byte ^= (done + at) as u8;
        }
    });
    output.extend_made(data, |word| !word);
    output.extend_from_slice(data);
    let (left, overflowed) = (output.room(), output.overflowed());
    let changed = data.iter().enumerate().map(|(at, byte)| byte ^ at as u8);
    let all = changed.chain(data.iter().map(|byte| !byte));
    let mut all = all.chain(data.iter().copied()).collect::<Vec<_>>();
    assert_eq!(overflowed, all.len() > room);
    all.truncate(room);
    assert_eq!(left, room - all.len());
    assert_eq!(buffer[6..], all);
}

/// Every error says something, and how it is answered.
fn errors(data: &[u8]) {
    let limits = Http::requests().max_head(100).max_target(50).max_fields(3);
    let mut errors = Vec::new();
    for end in [
        read(limits.max_trailers(30), data).1,
        read(Http::responses(), data).1,
        read(WebSocket::server().max_frame(200).max_fragments(3), data).1,
        read(WebSocket::client(), data).1,
    ] {
        errors.extend(end.err());
    }
    let mut reader = FrameReader::new(Lines::new(), 10).stream_above(3);
    let _read = reader.push(data, |_| Flow::Continue);
    errors.extend(reader.why_not_switch());
    errors.extend(reader.switch(Lines::new(), 10).err());
    let mut reader = FrameReader::new(FixedLength::new(3).expect("three"), 10);
    let _read = reader.push(data, |_| Flow::Stop);
    errors.extend(reader.switch_clean(Json::new(), 10).err());
    errors.extend(Json::new().wrap(data).err());
    errors.extend(Wrapping::new(data, b"").err());
    for error in errors {
        assert!(!error.to_string().is_empty());
        assert!((400..600).contains(&http::status_of(&error)));
        assert!(Close::may_be_sent(websocket::close_code(error)));
    }
}

/// A message in fragments, with a pong in between, is read as it was.
fn fragments(data: &[u8]) {
    let middle = data.len() / 2;
    let (begins, ends) = data.split_at(middle);
    let long = if data.len() > 500 { 200 } else { 1 };
    let ends = ends.repeat(long);
    let mut stream = Vec::new();
    let mut write = |outgoing: Outgoing, payload: &[u8]| outgoing.encode(payload, &mut stream);
    assert_eq!(write(Outgoing::binary().unfinished(), begins), Ok(()));
    let pong = &data[..data.len().min(125)];
    assert_eq!(write(Outgoing::pong().unfinished(), pong), Ok(()));
    assert_eq!(write(Outgoing::continuation(), &ends), Ok(()));
    let mut reader = FrameReader::new(WebSocket::client(), usize::MAX).keep(100);
    let mut seen = Vec::new();
    let read = reader.push_with(&stream, |item, mut reading| {
        let inside = reading.format_mut().inside_message();
        seen.push((
            reading.kind(),
            inside,
            item.frame().unwrap_or_default().to_vec(),
        ));
        Flow::Continue
    });
    assert_eq!(read, Ok(Flow::Continue));
    let message = [begins, &ends].concat();
    let expected = [
        (websocket::PONG, true, pong.to_vec()),
        (websocket::BINARY, false, message),
    ];
    assert_eq!(seen, expected);
    assert!(reader.capacity() <= 100 + stream.len() * 2 + 64);
}

/// What a listener may do with the stream behind a frame.
fn policies(data: &[u8]) {
    let reader = FrameReader::new(Lines::default(), 100);
    let mut reader = reader.tell_bad_frames().keep(10);
    let mut behind = 0;
    let read = reader.push_with(data, |item, mut reading| {
        let unread = reading.unread();
        let cleaned = reading.clean();
        assert_eq!(cleaned.is_ok(), unread == 0);
        let switched = reading.switch_clean(Lines::new(), 100);
        if matches!(item, Item::Frame(_)) {
            assert_eq!(switched, cleaned);
        }
        behind = unread;
        Flow::Stop
    });
    if read == Ok(Flow::Stop) {
        assert_eq!(reader.unread(), behind);
    }
    let Ok(kept) = reader.switch(Resp::default(), 100) else {
        return;
    };
    let at = kept.offset();
    let again = kept
        .switch(RespRequests::default(), 100)
        .map(|reader| reader.offset());
    assert_eq!(again, Ok(at));
}
