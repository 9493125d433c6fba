//! What holds for several formats.

use super::super::{Encode, FrameError, FrameWriter, Wrap};
use super::*;

#[test]
fn a_format_by_default_is_a_new_one() {
    assert_eq!(Cobs::default(), Cobs::new());
    assert_eq!(ContentLength::default(), ContentLength::new());
    assert_eq!(DotStuffed::default(), DotStuffed::new());
    assert_eq!(Hdlc::default(), Hdlc::new());
    assert_eq!(Json::default(), Json::new());
    assert_eq!(Lines::default(), Lines::new());
    assert_eq!(Mqtt::default(), Mqtt::new());
    assert_eq!(Netstring::default(), Netstring::new());
    assert_eq!(Proxy::default(), Proxy::new());
    assert_eq!(RespRequests::default(), RespRequests::new());
    assert_eq!(Slip::default(), Slip::new());
    assert_eq!(VarintPrefix::default(), VarintPrefix::new());
}

#[test]
fn either_writes_as_long_payloads_as_the_one_it_is() {
    let lines: Either<Lines, LengthPrefix> = Either::A(Lines::new());
    let lengths: Either<Lines, LengthPrefix> = Either::B(LengthPrefix::u32_be());
    assert_eq!(Encode::max_payload(&lines), u64::MAX);
    assert_eq!(Encode::max_payload(&lengths), u32::MAX.into());
}

#[test]
fn formats_that_cannot_be_are_refused_with_the_reason() {
    let refused = [
        FixedLength::new(0).map(drop),
        LengthPrefix::new(9, ByteOrder::Big).map(drop),
        LengthPrefix::u8().offset(4097).map(drop),
        VarintPrefix::new().offset(4097).map(drop),
        Delimiters::new(&[]).map(drop),
        FrameWriter::new(LengthPrefix::u8(), 256).map(drop),
    ];
    let reasons = refused.map(|refused| refused.unwrap_err().to_string());
    let expected = [
        "impossible format: frames of a fixed length of 0 bytes",
        "impossible format: a length has one to eight bytes",
        "impossible format: a length so far behind the start",
        "impossible format: a length so far behind the start",
        "impossible format: no delimiter",
        "256 bytes do not fit into a frame, at most 255 do",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn limits_that_no_message_reaches_do_not_overflow() {
    let requests = RespRequests::new()
        .max_bulk(usize::MAX)
        .max_line(usize::MAX);
    let message = b"*1\r\n$1\r\nx\r\n";
    assert!(requests.wrap(message).is_ok());
    let values = Resp::new().max_bulk(usize::MAX).max_depth(usize::MAX);
    assert!(values.wrap(message).is_ok());
    let refused = values.wrap(b"?");
    assert!(matches!(
        refused,
        Err(FrameError::NotOneFrame { at: 0, .. })
    ));
}
