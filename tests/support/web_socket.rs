//! A WebSocket client that blocks, on the standard library's stream and the crate's format: for tests that drive
//! programs from outside.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use soquete::framing::websocket::{self, Close, Outgoing};
use soquete::framing::{Encode, Flow, FrameReader, WebSocket};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Client {
    stream: TcpStream,
    reader: FrameReader<WebSocket>,
    arrived: VecDeque<(u8, Vec<u8>)>,
}

impl Client {
    /// Shakes hands over `stream`.
    pub fn over(mut stream: TcpStream, host: &str, path: &str) -> io::Result<Client> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let key = websocket::client_key(*b"not very random.");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let fields = head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        websocket::check_answer(status.unwrap_or(0), fields, &key, &[])
            .map_err(io::Error::other)?;
        let reader = FrameReader::new(WebSocket::client(), 64 << 20);
        Ok(Client {
            stream,
            reader,
            arrived: VecDeque::new(),
        })
    }

    pub fn connect(port: u16, path: &str) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        Client::over(stream, "127.0.0.1", path).expect("it speaks WebSocket")
    }

    pub fn send(&mut self, outgoing: Outgoing, payload: &[u8]) {
        let key = || (RandomState::new().hash_one(()) as u32).to_ne_bytes();
        let mut frame = Vec::new();
        outgoing
            .masked(key)
            .encode(payload, &mut frame)
            .expect("a frame");
        self.send_raw(&frame);
    }

    pub fn say(&mut self, text: &str) {
        self.send(Outgoing::text(), text.as_bytes());
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        // Who has been closed on finds out by reading.
        let _closed = self.stream.write_all(bytes);
    }

    /// The next message or control frame. Pings are answered, and left out.
    pub fn next(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            while let Some((kind, payload)) = self.arrived.pop_front() {
                if kind != websocket::PING {
                    return Ok((kind, payload));
                }
                self.send(Outgoing::pong(), &payload);
            }
            let mut chunk = [0; 16 << 10];
            let n = self.stream.read(&mut chunk)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let arrived = &mut self.arrived;
            let read = self.reader.push_with(&chunk[..n], |item, reading| {
                arrived.extend(
                    item.frame()
                        .map(|payload| (reading.kind(), payload.to_vec())),
                );
                Flow::Continue
            });
            read.map_err(io::Error::other)?;
        }
    }

    /// The next message, which is text.
    pub fn text(&mut self) -> String {
        let (kind, payload) = self.next().expect("a message");
        assert_eq!(kind, websocket::TEXT, "{}", payload.escape_ascii());
        String::from_utf8(payload).expect("text")
    }

    /// The code with which the other side closes; what comes before is left out.
    pub fn closed(&mut self) -> u16 {
        loop {
            if let (websocket::CLOSE, payload) = self.next().expect("a close") {
                return Close::parse(&payload)
                    .expect("a good close")
                    .map_or(1005, |close| close.code);
            }
        }
    }
}
