//! The base protocol of language servers against `vscode-jsonrpc`; and what such readers have got wrong elsewhere.
//!
//! The comparison needs Node with `vscode-jsonrpc`; without it, it is left out, which is said.

#[path = "support/counting.rs"]
mod counting;
#[path = "support/flowing.rs"]
mod flowing;
#[path = "support/npm.rs"]
mod npm;

use std::io::{Read, Write};
use std::process::Stdio;

use soquete::framing::{ContentLength, Flow, FrameError, FrameReader, FrameWriter, Item};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

fn read(format: ContentLength, chunks: &[&[u8]]) -> Vec<String> {
    let mut reader = FrameReader::new(format, 1000);
    let mut seen = Vec::new();
    for chunk in chunks {
        let outcome = reader.push(chunk, |item| {
            let frame = item.frame().unwrap();
            seen.push(String::from_utf8(frame.to_vec()).unwrap());
            Flow::Continue
        });
        if let Err(error) = outcome {
            seen.push(error.to_string());
            return seen;
        }
    }
    let end = reader.finish(|_| Flow::Continue);
    seen.extend(end.err().map(|error| error.to_string()));
    seen
}

#[test]
fn vscode_jsonrpc_reads_what_is_written_and_is_read() {
    let Some(mut command) = npm::script("jsonrpc.js", "vscode-jsonrpc") else {
        return;
    };
    let mut server = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let writer = FrameWriter::new(ContentLength::new(), 1 << 24).unwrap();
    let mut stream = Vec::new();
    let values = [
        "\"text\"",
        "\"\u{e9}\u{20ac}\u{1f600}\"",
        "\"two\\r\\n\\r\\nlines\"",
        "[]",
    ];
    for (id, value) in values.iter().enumerate() {
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"echo","params":[{value}]}}"#);
        writer.encode(request.as_bytes(), &mut stream).unwrap();
    }
    let say = r#"{"jsonrpc":"2.0","method":"say","params":[300000]}"#;
    writer.encode(say.as_bytes(), &mut stream).unwrap();
    let mut input = server.stdin.take().unwrap();
    for chunk in stream.chunks(61) {
        input.write_all(chunk).unwrap();
        input.flush().unwrap();
    }
    let mut output = server.stdout.take().unwrap();
    let mut reader = FrameReader::new(ContentLength::new(), 1 << 24);
    let mut answers = Vec::new();
    let mut chunk = [0; 4099];
    while answers.len() < values.len() + 1 {
        let len = output.read(&mut chunk).unwrap();
        assert!(len > 0, "{answers:?}");
        let read = reader.push(&chunk[..len], |item| {
            answers.push(String::from_utf8(item.frame().unwrap().to_vec()).unwrap());
            Flow::Continue
        });
        read.unwrap();
    }
    drop(input);
    assert!(server.wait().unwrap().success());
    for (id, value) in values.iter().enumerate() {
        let expected = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{value}}}"#);
        assert!(answers.contains(&expected), "{expected} in {answers:?}");
    }
    assert!(
        answers
            .iter()
            .any(|answer| answer.contains(&"\u{e9}".repeat(300_000)))
    );
}

// What others have got wrong.

/// The length is in bytes; readers have counted characters, and lost their place at the first that is no ASCII.
#[test]
fn the_length_counts_bytes() {
    let stream = "Content-Length: 4\r\n\r\n\"\u{e9}\"Content-Length: 2\r\n\r\n{}";
    assert_eq!(
        read(ContentLength::new(), &[stream.as_bytes()]),
        ["\"\u{e9}\"", "{}"]
    );
}

/// A chunk that ended between CR and LF, or in the midst of a character, was taken for something else.
#[test]
fn a_message_may_be_cut_anywhere() {
    let stream = "Content-Type: a; charset=utf-8\r\nContent-Length: 5\r\n\r\n\"\u{20ac}\"Content-Length: 0\r\n\r\n";
    let stream = stream.as_bytes();
    let expected = ["\"\u{20ac}\"", ""];
    for cut in 0..=stream.len() {
        assert_eq!(
            read(ContentLength::new(), &[&stream[..cut], &stream[cut..]]),
            expected,
            "cut at {cut}"
        );
    }
    let bytes = stream.chunks(1).collect::<Vec<_>>();
    assert_eq!(read(ContentLength::new(), &bytes), expected);
}

/// Two lengths are two opinions, and readers have taken the first, the last, or the longer one.
#[test]
fn a_second_length_is_refused_though_it_is_the_same() {
    let stream = b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(
        read(ContentLength::new(), &[stream]),
        ["second Content-Length at offset 19"]
    );
}

/// `parseInt` and `atoi` make a number of nearly anything.
#[test]
fn a_length_is_nothing_but_digits() {
    for value in ["", "-1", "+2", "2x", "0x2", "2e1", "2,2", "2 2", "\u{662}"] {
        let stream = format!("Content-Length: {value}\r\n\r\n{{}}");
        let seen = read(ContentLength::new(), &[stream.as_bytes()]);
        assert!(
            seen[0].starts_with("Content-Length that is no number at offset 1"),
            "{value}: {seen:?}"
        );
    }
}

/// Lines of a log on the same output were searched for the next head, and what they said was lost.
#[test]
fn what_is_no_head_is_told_where_it_is() {
    let stream = b"Content-Length: 2\r\n\r\n{}starting up\n";
    assert_eq!(
        read(ContentLength::new(), &[stream])[1],
        "line feed without a carriage return at offset 34"
    );
    let stream = b"starting up\r\n";
    assert_eq!(
        read(ContentLength::new(), &[stream]),
        ["space in front of the colon at offset 8"]
    );
}

/// A head without an end was collected for ever.
#[test]
fn a_head_without_an_end_is_refused() {
    let mut reader = FrameReader::new(ContentLength::new(), usize::MAX);
    let mut fed = 0;
    let error = loop {
        if let Err(error) = reader.push(&[b'a'; 100], |_| Flow::Continue) {
            break error;
        }
        fed += 100;
        assert!(fed < 2000 && reader.capacity() <= 2 * fed + 64);
    };
    assert_eq!(
        error.to_string(),
        "head of more than 1,024 bytes at offset 1024"
    );
}

/// The body was reserved before a byte of it had come.
#[test]
fn a_promise_takes_no_memory_and_is_refused_above_the_limit() {
    let mut reader = FrameReader::new(ContentLength::new(), 1 << 40);
    reader
        .push(b"Content-Length: 1000000000000\r\n\r\n{", |_| {
            Flow::Continue
        })
        .unwrap();
    assert!(reader.capacity() <= 256);
    let seen = read(ContentLength::new(), &[b"Content-Length: 1001\r\n\r\n"]);
    assert_eq!(
        seen,
        ["frame at offset 0 announces 1001 bytes, the limit is 1000"]
    );
}

#[test]
fn a_body_that_is_no_text_can_be_skipped() {
    let mut reader = FrameReader::new(ContentLength::new(), 100).skip_bad_frames();
    let mut seen = Vec::new();
    let stream = b"Content-Length: 3\r\n\r\n\"\xe9\"Content-Length: 2\r\n\r\n{}";
    let read = reader.push(stream, |item| {
        seen.push(match item {
            Item::Skipped { error, .. } => error.to_string(),
            item => String::from_utf8(item.frame().unwrap().to_vec()).unwrap(),
        });
        Flow::Continue
    });
    assert_eq!(read, Ok(Flow::Continue));
    assert_eq!(seen, ["body that is no UTF-8 at offset 22", "{}"]);
    let (at, what) = (0, "what is no UTF-8");
    let written = FrameWriter::new(ContentLength::new(), 10)
        .unwrap()
        .encode(b"\xff", &mut vec![]);
    assert_eq!(written, Err(FrameError::NotOneFrame { at, what }));
}

#[test]
fn messages_allocate_nothing_once_they_flow() {
    let messages = b"Content-Length: 8\r\n\r\n{\"id\":1}".repeat(200);
    let reader = FrameReader::new(ContentLength::new(), 1000);
    flowing::without_allocating(reader, &messages, 200);
}
