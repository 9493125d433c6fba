//! Protocols that are a length and what it counts: one line each, tried on bytes that such programs send.

use std::sync::Arc;

use soquete::framing::{ByteOrder, Encode, Flow, FrameError, FrameReader, LengthPrefix, Wrap};

/// The sample, twice and with every cut, is these frames; and each of them is written as it stood.
fn holds(format: LengthPrefix, sample: &[u8], frames: &[&[u8]]) {
    let stream = [sample, sample].concat();
    for cut in 0..=stream.len() {
        let mut reader = FrameReader::new(format, 1 << 16);
        let mut seen = Vec::new();
        for chunk in [&stream[..cut], &stream[cut..]] {
            let read = reader.push(chunk, |item| {
                seen.push(item.frame().unwrap().to_vec());
                Flow::Continue
            });
            read.unwrap();
        }
        reader.finish(|_| Flow::Continue).unwrap();
        assert_eq!(seen, [frames, frames].concat(), "cut at {cut}");
    }
    let mut written = Vec::new();
    for frame in frames {
        format.encode(frame, &mut written).unwrap();
    }
    assert_eq!(written, sample);
}

#[test]
fn dns_over_tcp() {
    let query =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";
    let sample = [&[0, query.len() as u8][..], query].concat();
    holds(LengthPrefix::u16_be(), &sample, &[query]);
}

#[test]
fn tpkt() -> Result<(), FrameError> {
    // A connection request, and its confirmation.
    let request = b"\x03\x00\x00\x0b\x06\xe0\x00\x00\x12\x34\x00";
    let confirmation =
        b"\x03\x00\x00\x13\x0e\xd0\x12\x34\x56\x78\x00\x02\x00\x08\x00\x00\x00\x00\x00";
    let format = LengthPrefix::u16_be().offset(2)?.inclusive();
    holds(
        format,
        &[&request[..], confirmation].concat(),
        &[request, confirmation],
    );
    assert!(
        format
            .wrap(b"\x03\x00\x00\x0a\x06\xe0\x00\x00\x12\x34\x00")
            .is_err()
    );
    Ok(())
}

#[test]
fn modbus_tcp() -> Result<(), FrameError> {
    // Three registers, asked for and answered.
    let request = b"\x00\x01\x00\x00\x00\x06\x11\x03\x00\x6b\x00\x03";
    let answer = b"\x00\x01\x00\x00\x00\x09\x11\x03\x06\x02\x2b\x00\x00\x00\x64";
    let format = LengthPrefix::u16_be().offset(4)?;
    holds(format, &[&request[..], answer].concat(), &[request, answer]);
    Ok(())
}

#[test]
fn bgp() -> Result<(), FrameError> {
    let open = [
        &[0xff; 16][..],
        b"\x00\x1d\x01\x04\xfd\xe8\x00\xb4\xc0\x00\x02\x01\x00",
    ]
    .concat();
    let keepalive = [&[0xff; 16][..], b"\x00\x13\x04"].concat();
    let format = LengthPrefix::u16_be().offset(16)?.inclusive();
    holds(
        format,
        &[&open[..], &keepalive].concat(),
        &[&open, &keepalive],
    );
    Ok(())
}

#[test]
fn kafka() {
    // ApiVersions, version 0, of a client `rdkafka`.
    let request = b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x07rdkafka";
    let sample = [&[0, 0, 0, request.len() as u8][..], request].concat();
    holds(LengthPrefix::u32_be(), &sample, &[request]);
    // A negative length is a number above any limit.
    let mut reader = FrameReader::new(LengthPrefix::u32_be(), 100 << 20);
    assert!(reader.push(&[0xff; 4], |_| Flow::Continue).is_err());
}

#[test]
fn postgresql() -> Result<(), FrameError> {
    let startup = b"\x00\x03\x00\x00user\x00postgres\x00\x00";
    let sample = [&[0, 0, 0, 4 + startup.len() as u8][..], startup].concat();
    holds(LengthPrefix::u32_be().inclusive(), &sample, &[startup]);
    // Authentication is fine, and: ready for a query.
    let authenticated = b"R\x00\x00\x00\x08\x00\x00\x00\x00";
    let ready = b"Z\x00\x00\x00\x05I";
    let format = LengthPrefix::u32_be().offset(1)?.adjustment(-4);
    holds(
        format,
        &[&authenticated[..], ready].concat(),
        &[authenticated, ready],
    );
    let mut reader = FrameReader::new(format, 1000);
    let error = reader
        .push(b"Z\x00\x00\x00\x03", |_| Flow::Continue)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "length smaller than the header it counts at offset 1"
    );
    Ok(())
}

#[test]
fn tls_records() -> Result<(), Box<dyn std::error::Error>> {
    let format = LengthPrefix::u16_be().offset(3)?;
    let alert = b"\x15\x03\x03\x00\x02\x02\x28";
    // What a real client begins with.
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut client = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    assert!(hello.len() > 100 && hello[0] == 22);
    holds(format, &[&hello[..], alert].concat(), &[&hello, alert]);
    Ok(())
}

#[test]
fn grpc() -> Result<(), FrameError> {
    // A message with the text "abc" in its first field, and one without anything.
    let (message, nothing) = (b"\x00\x00\x00\x00\x05\x0a\x03abc", b"\x00\x00\x00\x00\x00");
    let format = LengthPrefix::u32_be().offset(1)?;
    holds(
        format,
        &[&message[..], nothing].concat(),
        &[message, nothing],
    );
    Ok(())
}

#[test]
fn http_2_frames() -> Result<(), FrameError> {
    let settings = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64";
    let ack = b"\x00\x00\x00\x04\x01\x00\x00\x00\x00";
    let format = LengthPrefix::new(3, ByteOrder::Big)?
        .keep_header()
        .adjustment(6);
    holds(format, &[&settings[..], ack].concat(), &[settings, ack]);
    Ok(())
}

#[test]
fn mysql_packets() -> Result<(), FrameError> {
    // A query, and: goodbye. The number of the packet stands behind the length.
    let (query, quit) = (b"\x09\x00\x00\x00\x03SELECT 1", b"\x01\x00\x00\x00\x01");
    let format = LengthPrefix::new(3, ByteOrder::Little)?
        .keep_header()
        .adjustment(1);
    holds(format, &[&query[..], quit].concat(), &[query, quit]);
    Ok(())
}

#[test]
fn mongodb_messages() -> Result<(), FrameError> {
    // OP_MSG with { ping: 1 }.
    let document = b"\x0f\x00\x00\x00\x10ping\x00\x01\x00\x00\x00\x00";
    let head =
        b"\x24\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00";
    let message = [&head[..], document].concat();
    let format = LengthPrefix::u32_le().keep_header().inclusive();
    holds(format, &message, &[&message]);
    Ok(())
}
