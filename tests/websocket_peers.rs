//! WebSocket against others: the Autobahn cases as PyPI's `kosoku` 0.1 has them, both ways, and npm's `ws` 8.
//!
//! `kosoku` is SOQUETE_KOSOKU, or the one of the PATH; `ws` is looked for in the folder that SOQUETE_NPM names
//! (`npm install ws@8` makes its `node_modules`), with the Node of SOQUETE_NODE or of the PATH. What there is not is
//! left out, which is said.

use std::cell::RefCell;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use soquete::event;
use soquete::framing::websocket::{self, Close, Masked, Outgoing, Upgrade};
use soquete::framing::{
    Delimiters, Either, Encode, Flow, FrameError, FrameReader, Item, WebSocket,
};
use soquete::net::{self, Socket};

/// The Autobahn cases go up to 16 MiB.
const LIMIT: usize = 32 << 20;

const LONGEST_HEAD: usize = 8 << 10;

type Connection = Either<Delimiters, WebSocket>;

/// A reader of HTTP heads, for a connection that is to be WebSocket afterwards.
fn heads() -> FrameReader<Connection> {
    let head = Delimiters::new(&[b"\r\n\r\n"]).expect("a delimiter");
    FrameReader::new(Either::A(head), LONGEST_HEAD)
}

type Fields<'a> = Vec<(&'a [u8], &'a [u8])>;

/// The first line of a head, and its fields.
fn head(head: &[u8]) -> (&str, Fields<'_>) {
    let mut lines = std::str::from_utf8(head)
        .expect("a head in ASCII")
        .split("\r\n");
    let first = lines.next().unwrap_or("");
    let fields = lines.filter_map(|line| line.split_once(':'));
    (
        first,
        fields
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect(),
    )
}

/// What closes a connection whose bytes were wrong.
fn close_for(error: FrameError) -> Vec<u8> {
    let code = websocket::close_code(error);
    Close { code, reason: "" }
        .to_payload()
        .expect("a code that may be sent")
}

/// What is to be sent back for what has come.
fn echo(kind: u8) -> Option<Outgoing> {
    Some(match kind {
        websocket::TEXT => Outgoing::text(),
        websocket::BINARY => Outgoing::binary(),
        websocket::PING => Outgoing::pong(),
        websocket::CLOSE => Outgoing::close(),
        _ => return None,
    })
}

fn encoded(by: &impl Encode, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    by.encode(payload, &mut frame)
        .expect("a payload that was read");
    frame
}

/// An echo server on a thread of its own, and its port.
fn echo_server() -> u16 {
    let (told, port) = mpsc::channel();
    thread::spawn(move || {
        let server = net::create_server(serve);
        server.listen_then(
            net::ListenOptions::new(0).host("127.0.0.1"),
            move |server| {
                let _heard = told.send(server.address().expect("it listens").port());
            },
        );
        soquete::run()
    });
    port.recv().expect("the server listens")
}

fn serve(socket: Socket) {
    socket.on(event::Error, |_| {});
    let framing = socket.frame_items_with(heads(), move |item, mut reading| {
        let Item::Frame(payload) = item else {
            return Flow::Continue;
        };
        if let Either::A(_) = reading.format() {
            let (line, fields) = head(payload);
            let method = line.split(' ').next().unwrap_or("");
            match Upgrade::check(method, (1, 1), fields) {
                Ok(upgrade) => {
                    let protocol = upgrade.protocols().find(|protocol| *protocol == "soquete");
                    socket.write(upgrade.answer(protocol));
                    reading
                        .switch(Either::B(WebSocket::server()), LIMIT)
                        .expect("the head has ended");
                }
                Err(refusal) => drop(socket.end_with(refusal.answer())),
            }
            return Flow::Continue;
        }
        let Some(outgoing) = echo(reading.kind()) else {
            return Flow::Continue;
        };
        socket.write(encoded(&outgoing, payload));
        if reading.kind() == websocket::CLOSE {
            socket.end();
            return Flow::Stop;
        }
        Flow::Continue
    });
    framing.on_error(move |error| socket.end_with(encoded(&Outgoing::close(), &close_for(error))));
}

fn random_key() -> [u8; 4] {
    (RandomState::new().hash_one(()) as u32).to_ne_bytes()
}

fn client_frame(outgoing: Outgoing, payload: &[u8]) -> Vec<u8> {
    let masked: Masked<_> = outgoing.masked(random_key);
    encoded(&masked, payload)
}

/// What a client is told: kinds and payloads, what it returns is sent.
type Listener = Box<dyn FnMut(u8, &[u8]) -> Option<Vec<u8>>>;

/// Connects, shakes hands, calls `listener` for each message, and is done when the connection is.
fn connect(port: u16, path: &str, mut listener: Listener) {
    let key = websocket::client_key([7; 16]);
    let socket = net::connect((port, "127.0.0.1"));
    socket.write(format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ));
    socket.on(event::Error, |_| {});
    let framing = socket.frame_items_with(heads(), move |item, mut reading| {
        let Item::Frame(payload) = item else {
            return Flow::Continue;
        };
        if let Either::A(_) = reading.format() {
            let (line, fields) = head(payload);
            let status = line
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok());
            let granted = websocket::check_answer(status.unwrap_or(0), fields, &key, &[]);
            assert_eq!(granted, Ok(None));
            reading
                .switch(Either::B(WebSocket::client()), LIMIT)
                .expect("the head has ended");
            return Flow::Continue;
        }
        let kind = reading.kind();
        if let Some(answer) = listener(kind, payload) {
            socket.write(answer);
        }
        if kind == websocket::CLOSE {
            socket.end();
            return Flow::Stop;
        }
        Flow::Continue
    });
    framing
        .on_error(move |error| socket.end_with(client_frame(Outgoing::close(), &close_for(error))));
}

fn echo_client(port: u16, path: &str) {
    connect(
        port,
        path,
        Box::new(|kind, payload| echo(kind).map(|outgoing| client_frame(outgoing, payload))),
    );
    soquete::run().expect("nothing is unheard");
}

/// Past the test harness, which would keep it to itself.
fn left_out(what: &str) {
    let _unheard = writeln!(std::io::stderr(), "LEFT OUT: {what}");
}

/// `kosoku`, if it is there. Its cases 12 and 13 are of compression, which is an extension that is not spoken.
fn kosoku() -> Option<Command> {
    let program = env::var_os("SOQUETE_KOSOKU").unwrap_or_else(|| "kosoku".into());
    let found = Command::new(&program)
        .arg("--help")
        .stdout(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Some(Command::new(program));
    }
    left_out("the Autobahn cases, because there is no kosoku here (pip install kosoku==0.1.0)");
    None
}

/// Where kosoku writes what it has found.
fn reports(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

/// How many cases went how, by what kosoku has written: `"behavior": "OK"`, and so on. Those that went not strictly as
/// they should, or worse, are named.
fn check_report(folder: &PathBuf) {
    let report = fs::read_to_string(folder.join("index.json")).expect("a report");
    let mut case = "";
    let (mut all, mut named) = (0, vec![]);
    for line in report.lines() {
        let (what, behavior) = match line.split('"').collect::<Vec<_>>()[..] {
            [_, id, ": {"] if id.contains('.') => {
                case = id;
                continue;
            }
            [_, what @ ("behavior" | "behaviorClose"), _, behavior, ..] => (what, behavior),
            _ => continue,
        };
        all += usize::from(what == "behavior");
        if !["OK", "INFORMATIONAL"].contains(&behavior) {
            named.push(format!("{case} {what} {behavior}"));
        }
    }
    let _ = fs::remove_dir_all(folder);
    assert!(all >= 240, "{all} cases, in {report}");
    assert_eq!(named, Vec::<String>::new(), "of {all} cases");
}

#[test]
fn the_autobahn_cases_find_nothing_in_a_server() {
    let Some(mut kosoku) = kosoku() else { return };
    let (port, folder) = (echo_server(), reports("server"));
    kosoku
        .args(["-m", "fuzzingclient", "-x", "12.*", "-x", "13.*", "-o"])
        .arg(&folder)
        .arg(format!("127.0.0.1:{port}"));
    let run = kosoku.output().expect("kosoku runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    check_report(&folder);
}

#[test]
fn the_autobahn_cases_find_nothing_in_a_client() {
    let Some(mut kosoku) = kosoku() else { return };
    let folder = reports("client");
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = port.expect("a free port").port();
    kosoku
        .args(["-m", "fuzzingserver", "-x", "12.*", "-x", "13.*", "-o"])
        .arg(&folder)
        .arg(format!("127.0.0.1:{port}"));
    let mut kosoku = Stopped(
        kosoku
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("kosoku runs"),
    );
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            kosoku.0.try_wait().expect("a child").is_none(),
            "kosoku has ended"
        );
        thread::yield_now();
    }
    let count = Rc::new(RefCell::new(String::new()));
    let counting = Rc::clone(&count);
    connect(
        port,
        "/getCaseCount",
        Box::new(move |kind, payload| {
            if kind == websocket::TEXT {
                counting
                    .borrow_mut()
                    .push_str(&String::from_utf8_lossy(payload));
            }
            (kind == websocket::CLOSE).then(|| client_frame(Outgoing::close(), payload))
        }),
    );
    soquete::run().expect("nothing is unheard");
    let cases: usize = count.borrow().parse().expect("a number of cases");
    for case in 1..=cases {
        echo_client(port, &format!("/runCase?case={case}&agent=soquete"));
    }
    echo_client(port, "/updateReports?agent=soquete");
    assert!(kosoku.0.wait().expect("a child").success());
    check_report(&folder);
}

/// Stopped when the test is over.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// The program that speaks by npm's `ws`, if it is there.
fn ws() -> Option<Command> {
    let node = env::var_os("SOQUETE_NODE").unwrap_or_else(|| OsString::from("node"));
    let folder = env::var_os("SOQUETE_NPM").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut look = Command::new(&node);
    look.current_dir(&folder).args([
        "-e",
        "process.exit(+!require('ws/package.json').version.startsWith('8.'))",
    ]);
    if !look
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        left_out(
            "npm's ws, because there is none here (npm install ws@8 in a folder that SOQUETE_NPM names)",
        );
        return None;
    }
    let mut ws = Command::new(node);
    ws.current_dir(folder).arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/websocket/peers.mjs"
    ));
    Some(ws)
}

#[test]
fn the_client_of_ws_understands_the_server() {
    let Some(mut ws) = ws() else { return };
    let run = ws
        .args(["client", &echo_server().to_string()])
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert_eq!(said, "closed 4000 enough\nclosed 1009\n");
}

#[test]
fn the_server_of_ws_understands_the_client() {
    let Some(mut ws) = ws() else { return };
    ws.arg("server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut server = Stopped(ws.spawn().expect("node runs"));
    let mut said = BufReader::new(server.0.stdout.take().expect("it is piped"));
    let mut line = || {
        let mut line = String::new();
        said.read_line(&mut line).expect("it is text");
        line.trim_end().to_owned()
    };
    let port: u16 = line().parse().expect("a port");

    let heard = Rc::new(RefCell::new(vec![]));
    let hearing = Rc::clone(&heard);
    connect(
        port,
        "/fragments",
        Box::new(move |kind, payload| {
            hearing.borrow_mut().push((kind, payload.to_vec()));
            match (kind, payload) {
                (websocket::PING, payload) => Some(client_frame(Outgoing::pong(), payload)),
                (websocket::TEXT, b"fragments") => Some(
                    [
                        client_frame(Outgoing::text().unfinished(), b"by "),
                        client_frame(Outgoing::continuation().unfinished(), b""),
                        client_frame(Outgoing::continuation(), "pedaços".as_bytes()),
                    ]
                    .concat(),
                ),
                (websocket::TEXT, _) => Some(client_frame(Outgoing::binary(), &[9; 300_000])),
                (websocket::BINARY, _) => {
                    let close = Close {
                        code: Close::NORMAL,
                        reason: "so long",
                    };
                    Some(client_frame(
                        Outgoing::close(),
                        &close.to_payload().expect("short"),
                    ))
                }
                _ => None,
            }
        }),
    );
    soquete::run().expect("nothing is unheard");
    let heard: Vec<_> = heard.take();
    let expected: [(u8, &[u8]); 5] = [
        (websocket::PING, b"between"),
        (websocket::TEXT, b"fragments"),
        (websocket::TEXT, "by pedaços".as_bytes()),
        (websocket::BINARY, &[9; 300_000]),
        (websocket::CLOSE, b"\x03\xe8so long"),
    ];
    assert!(
        heard
            .iter()
            .map(|(kind, payload)| (*kind, &payload[..]))
            .eq(expected)
    );
    assert_eq!(line(), "closed 1000 so long");

    echo_client(port, "/bye");
    assert_eq!(line(), "closed 4001 as you like it");
}
