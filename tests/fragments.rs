//! `examples/fragments`, as the program that it is, on servers in several languages: one that is right passes, and one
//! that is wrong is named with the offset.
//!
//! Node is `SOQUETE_NODE`, or the `node` of the PATH. Where there is none the servers in it are left out, which is
//! said; with `CI` set that is a failure.

#[path = "support/programs.rs"]
mod programs;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use programs::{Running, examples, free_port};

fn path(file: &str) -> String {
    format!("{}/tests/conversations/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program; its exit code, and what it prints.
fn fragments(arguments: &[&str]) -> (i32, String) {
    let program = examples().join("fragments");
    let output: Output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().expect("it ends by itself"), text)
}

/// A server in JavaScript that prints its port. `None`, after saying so, if there is no Node.
fn node(script: &str) -> Option<(Running, u16)> {
    let node = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
    let spawned = Command::new(&node)
        .arg(path(script))
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no node: install Node, or name one by SOQUETE_NODE"
        );
        eprintln!("LEFT OUT: fragments with a server in Node, which there is not");
        return None;
    };
    let output = child.stdout.take().expect("it is piped");
    let server = Running(child);
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .expect("it prints its port");
    Some((server, line.trim().parse().expect("a port")))
}

#[test]
fn nodes_http_server_passes() {
    let Some((_server, port)) = node("http_server.mjs") else {
        return;
    };
    let address = format!("127.0.0.1:{port}");
    let (code, text) = fragments(&[&address, &path("http.talk")]);
    assert_eq!(code, 0, "{text}");
    let summary = text.lines().last().expect("a summary");
    assert!(summary.starts_with(&format!("{address}: ")), "{summary}");
    assert!(summary.ends_with(" s, 0 wrong"), "{summary}");
    let count: u32 = summary
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number");
    assert!(count > 500, "{summary}");
}

#[test]
fn a_server_that_is_wrong_on_purpose_is_named_with_the_offset() {
    let Some((_server, port)) = node("wrong_http_server.mjs") else {
        return;
    };
    let address = format!("127.0.0.1:{port}");
    let (code, text) = fragments(&["--places", "64", &address, &path("http.talk")]);
    assert_eq!(code, 1, "{text}");
    let expected = "\"http\", cut@1 (at byte 1 of 115: byte 1 of 44 in request 1 of 2): answer 1 differs from its byte 10 on";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.contains("    received \"HTTP/1.1 400 Bad Request"),
        "{text}"
    );
    let again = format!("    again    fragments --only cut@1 {address} ");
    assert!(text.contains(&again), "{text}");

    // That alone, and a cut that it takes.
    let (code, text) = fragments(&["--only", "cut@1", &address, &path("http.talk")]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("1 connections in "), "{text}");
    let (code, text) = fragments(&["--only", "whole", &address, &path("http.talk")]);
    assert_eq!(code, 0, "{text}");
}

/// A server of the examples, once it says that it listens.
fn example(name: &str) -> (Running, String) {
    let port = free_port();
    let server = Command::new(examples().join(name))
        .arg(port.to_string())
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Running(server.expect("it runs"));
    let output = server.0.stdout.take().expect("it is piped");
    let mut output = BufReader::new(output);
    let mut line = String::new();
    output
        .read_line(&mut line)
        .expect("it says that it listens");
    // What else it says has to be read.
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    (server, format!("127.0.0.1:{port}"))
}

#[test]
fn the_resp_example_passes() {
    let (_server, address) = example("resp_server");
    let (code, text) = fragments(&[&address, &path("resp.talk")]);
    assert_eq!(code, 0, "{text}");
}

/// As in Node's lesson, which takes each chunk for a message.
#[test]
fn the_server_of_the_first_lesson_answers_each_chunk_and_is_named() {
    let (_server, address) = example("server");
    let (code, text) = fragments(&[&address, &path("lesson.talk")]);
    assert_eq!(code, 1, "{text}");
    let expected = "\"lesson\", cut@1 (at byte 1 of 15): more has come than the answers";
    assert!(text.starts_with(expected), "{text}");
    // Whole, half-closed, or reset anywhere, it does as it should.
    for right in ["whole", "half-closed", "reset"] {
        assert!(!text.contains(&format!("\"lesson\", {right}")), "{text}");
    }
}

#[test]
fn what_cannot_be_tried_is_said_with_another_code() {
    let talk = path("http.talk");
    let nobody = format!("127.0.0.1:{}", free_port());
    for (arguments, expected) in [
        (&["127.0.0.1:80"][..], "no conversation is given"),
        (&[], "which server?"),
        (
            &["--often", "127.0.0.1:80", &talk],
            "\"--often\" is unknown",
        ),
        (
            &["--only", "bite@3", "127.0.0.1:80", &talk],
            "--only \"bite@3\": a cut is whole, cut@N",
        ),
        (
            &["--at-once", "0", "127.0.0.1:80", &talk],
            "--at-once takes a number from 1 to 500, not \"0\"",
        ),
        (
            &["203.0.113.1:80", &talk],
            "203.0.113.1:80 is not of this machine's loopback; --elsewhere allows that",
        ),
        (&["localhost", &talk], "\"localhost\" is no HOST:PORT"),
        (
            &["127.0.0.1:80", "no such file"],
            "no such file: no such file: ",
        ),
        (
            &["127.0.0.1:80", &path("http_server.mjs")],
            "http_server.mjs: line 1: begins with `/`",
        ),
    ] {
        let (code, text) = fragments(arguments);
        assert_eq!(code, 2, "{text}");
        assert!(
            text.starts_with("fragments: ") && text.contains(expected),
            "{text}"
        );
    }
    let (code, text) = fragments(&[&nobody, &talk]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("the connection has failed with ECONNREFUSED"),
        "{text}"
    );
    let (code, text) = fragments(&["--help"]);
    assert!(
        code == 0 && text.contains("fragments [OPTIONS] HOST:PORT CONVERSATION..."),
        "{text}"
    );
}

#[test]
fn the_conversations_of_the_tests_are_well_formed() {
    for entry in std::fs::read_dir(Path::new(&path(""))).expect("a folder") {
        let file = entry.expect("a file").path();
        if file
            .extension()
            .is_some_and(|extension| extension == "talk")
        {
            soquete::fuzzing::Conversation::read(&file).expect("a conversation");
        }
    }
}
