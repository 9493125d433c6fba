//! The chat, driven by its clients: lines as `nc` sends them, our own WebSocket, the Autobahn cases, and two pages in a
//! browser.

#[allow(dead_code, reason = "one test looks at the door alone")]
#[path = "../examples/chat/door.rs"]
mod door;
#[path = "support/programs.rs"]
mod programs;
#[path = "support/web_socket.rs"]
mod web_socket;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use door::Door;
use programs::{Running, example};
use socket2::{Domain, SockAddr, Socket, Type};
use soquete::framing::http::Http;
use soquete::framing::websocket::{self, Outgoing};
use soquete::framing::{Flow, Format, FrameError, FrameReader};
use web_socket::Client;

const PATIENCE: Duration = Duration::from_secs(30);

struct Chat {
    program: Running,
    port: u16,
}

impl Chat {
    fn start(options: &[&str]) -> Chat {
        let mut command = Command::new(example("chat"));
        let mut program = Running(
            command
                .arg("0")
                .args(options)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut said = String::new();
        BufReader::new(program.0.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let port = said.trim().strip_prefix("listening on port ").expect(&said);
        Chat {
            port: port.parse().unwrap(),
            program,
        }
    }

    /// As somebody who types.
    fn typing(&self, name: &str) -> Lines {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        Lines::over(stream, name)
    }

    /// A connection whose buffer is small, so that little goes to it before it is read.
    fn slow(&self) -> TcpStream {
        let stream = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        stream.set_recv_buffer_size(64 << 10).unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], self.port));
        stream.connect(&SockAddr::from(address)).unwrap();
        stream.into()
    }

    fn browsing(&self, name: &str) -> Client {
        let mut client = Client::connect(self.port, "/chat");
        client.say(name);
        assert_eq!(fields(&client.text()), format!("welcome {name}"));
        client
    }

    /// What is answered to these bytes over HTTP, up to the end.
    fn answer(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

struct Lines {
    reader: BufReader<TcpStream>,
}

impl Lines {
    fn over(stream: TcpStream, name: &str) -> Lines {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = Lines {
            reader: BufReader::new(stream),
        };
        lines.say(name);
        lines
    }

    fn say(&mut self, line: &str) {
        self.reader
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    /// The next line; empty at the end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads until a line comes that has this in it.
    fn until(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            assert_ne!(line, "", "the end, and no {part}");
            if line.contains(part) {
                return line;
            }
        }
    }
}

/// The fields of a notice that do not change from run to run.
fn fields(notice: &str) -> String {
    let fields: Vec<_> = notice.split('\t').collect();
    [fields[0], fields[3], fields[4]]
        .join(" ")
        .trim()
        .to_owned()
}

#[test]
fn both_doors_lead_into_one_room() {
    let chat = Chat::start(&[]);
    let mut ana = chat.typing("ana");
    assert_eq!(ana.line(), "* ana is here");
    let mut bia = chat.browsing("bia");
    assert_eq!(fields(&bia.text()), "came ana", "what has been");
    assert_eq!(fields(&bia.text()), "came bia");
    assert_eq!(ana.line(), "* bia is here");
    bia.say("olá, 世界");
    assert_eq!(ana.line(), "bia: olá, 世界");
    assert_eq!(fields(&bia.text()), "said bia olá, 世界");
    ana.say("oi\tthere\x1b[2J");
    assert_eq!(
        fields(&bia.text()),
        "said ana oithere[2J",
        "without what terminals obey"
    );
    ana.until("oithere");
    ana.say("/who");
    assert_eq!(ana.line(), "* here are ana bia");
    ana.say("/quit");
    assert_eq!(
        (ana.line(), ana.line()),
        ("* bye".to_owned(), String::new())
    );
    assert_eq!(fields(&bia.text()), "went ana");
}

#[test]
fn a_name_is_somebodys() {
    let chat = Chat::start(&[]);
    let mut ana = chat.typing("ana");
    ana.line();
    let mut other = Client::connect(chat.port, "/chat");
    other.say("ana");
    assert_eq!(fields(&other.text()), "note  ana is somebody else's name");
    other.say("two words");
    assert!(
        other
            .text()
            .ends_with("a name is one word of up to 24 letters")
    );
    other.say("bia");
    assert_eq!(fields(&other.text()), "welcome bia");
    assert_eq!(fields(&other.text()), "came ana");
    assert_eq!(fields(&other.text()), "came bia");
}

#[test]
fn the_first_bytes_decide_however_they_come() {
    let chat = Chat::start(&[]);
    for name in ["GET", "G", "HEADS", "get", "GET/"] {
        let mut guest = chat.typing(name);
        guest.until(&format!("* {name} is here"));
    }
    let mut stream = TcpStream::connect(("127.0.0.1", chat.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nfine\n"),
        "{answer}"
    );
}

#[test]
fn what_is_wrong_is_answered_in_the_words_of_its_door() {
    let chat = Chat::start(&[]);
    let status = |request: &str| {
        chat.answer(request.as_bytes())
            .split(' ')
            .nth(1)
            .map(str::to_owned)
    };
    let is = |status: &str| Some(status.to_owned());
    assert_eq!(status("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), is("200"));
    assert_eq!(status("GET /none HTTP/1.1\r\nHost: x\r\n\r\n"), is("404"));
    assert_eq!(status("PUT / HTTP/1.1\r\nHost: x\r\n\r\n"), is("405"));
    assert_eq!(
        status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
        is("413")
    );
    assert_eq!(
        status("GET / HTTP/9\r\n\r\n"),
        is("400"),
        "no version of HTTP"
    );
    assert_eq!(status("GET /chat HTTP/1.1\r\nHost: x\r\n\r\n"), is("426"));
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n",
        "x".repeat(9000)
    );
    assert_eq!(status(&long), is("431"));

    let closed = |frame: &[u8]| {
        let mut client = Client::connect(chat.port, "/chat");
        client.send_raw(frame);
        client.closed()
    };
    assert_eq!(closed(b"\x81\x03ana"), 1002, "not masked");
    assert_eq!(closed(b"\x81\x81\0\0\0\0\xff"), 1007);
    assert_eq!(closed(b"\x82\x81\0\0\0\0a"), 1003, "no words");
    assert_eq!(closed(b"\x81\xfe\x07\xd1\0\0\0\0"), 1009);
    let mut loud = chat.typing(&"x".repeat(9000));
    assert!(loud.line().contains("longer than the limit"));
    assert_eq!(loud.line(), "");
}

#[test]
fn who_comes_is_told_what_was_said_before() {
    let chat = Chat::start(&[]);
    let mut ana = chat.typing("ana");
    for n in 0..300 {
        ana.say(&n.to_string());
    }
    ana.until("ana: 299");
    let mut bia = chat.browsing("bia");
    let mut said: Vec<_> =
        std::iter::from_fn(|| Some(fields(&bia.text())).filter(|text| text != "came bia"))
            .collect();
    assert_eq!(said.len(), 200);
    assert_eq!(said.pop(), Some("said ana 299".to_owned()));
}

#[test]
fn who_does_not_read_is_cut_off_and_the_others_lose_nothing() {
    let chat = Chat::start(&[]);
    // A small buffer, so that it is full soon.
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    deaf.set_recv_buffer_size(4096).unwrap();
    deaf.connect(&SockAddr::from(std::net::SocketAddr::from((
        [127, 0, 0, 1],
        chat.port,
    ))))
    .unwrap();
    let mut ana = chat.typing("ana");
    ana.line();
    let _deaf = Lines::over(deaf.into(), "deaf");
    ana.until("deaf is here");
    let words = "blah ".repeat(300);
    let start = Instant::now();
    let mut heard = 0;
    let gone = loop {
        ana.say(&words);
        let line = ana.line();
        if line.starts_with("* deaf has gone") {
            break line;
        }
        assert!(line.starts_with("ana: blah"), "{line}");
        heard += 1;
        assert!(start.elapsed() < PATIENCE, "after {heard} lines");
    };
    assert_eq!(gone, "* deaf has gone, who did not listen");
    assert!(heard > 100, "it had {heard} lines of 1.5 kB");
    assert!(ana.line().starts_with("ana: blah"));
}

#[test]
fn who_is_silent_for_too_long_is_sent_home_and_browsers_answer_pings() {
    let chat = Chat::start(&["--idle", "1", "--ping", "0.2"]);
    let mut bia = chat.browsing("bia");
    let mut ana = chat.typing("ana");
    // Meanwhile bia answers some pings, as her client does while it waits.
    while fields(&bia.text()) != "went ana" {}
    assert_eq!(ana.until("silent"), "* you have been silent for too long");
    bia.say("still here");
    while fields(&bia.text()) != "said bia still here" {}
    // One that answers no pings.
    let mut stream = TcpStream::connect(("127.0.0.1", chat.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(
            b"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x83\0\0\0\0mia",
        )
        .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let close = b"\x03\xf0you have been silent for too long";
    assert!(
        all.windows(close.len()).any(|part| part == close),
        "{}",
        all.escape_ascii()
    );
}

#[test]
fn a_server_that_is_told_to_end_says_goodbye_in_both_tongues() {
    let mut chat = Chat::start(&[]);
    let mut ana = chat.typing("ana");
    ana.line();
    let mut bia = chat.browsing("bia");
    ana.until("bia is here");
    let pid = chat.program.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(ana.until("goes down"), "* the server goes down");
    assert_eq!(bia.closed(), 1001);
    assert!(chat.program.0.wait().unwrap().success());
}

/// Past the test harness, which would keep it to itself.
fn left_out(what: &str) {
    let _unheard = writeln!(std::io::stderr(), "LEFT OUT: {what}");
}

#[test]
fn the_autobahn_cases_find_nothing_at_its_door() {
    let kosoku = std::env::var_os("SOQUETE_KOSOKU").unwrap_or_else(|| "kosoku".into());
    if !Command::new(&kosoku)
        .arg("--help")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        return left_out(
            "the Autobahn cases, because there is no kosoku here (pip install kosoku==0.1.0)",
        );
    }
    let chat = Chat::start(&[]);
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("chat-{}", std::process::id()));
    // 12 and 13 are of compression. What exactly is strict, `websocket_peers` looks at.
    let mut run = Command::new(kosoku);
    run.args([
        "-m",
        "fuzzingclient",
        "-x",
        "9.*",
        "-x",
        "12.*",
        "-x",
        "13.*",
        "-o",
    ])
    .arg(&folder);
    let run = run
        .arg(format!("ws://127.0.0.1:{}/echo", chat.port))
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

/// A browser without a window, told what to do over its DevTools protocol.
struct Browser {
    _program: Running,
    tools: Client,
    asked: u32,
    profile: PathBuf,
}

impl Browser {
    fn start() -> Option<Browser> {
        let name = std::env::var_os("SOQUETE_CHROMIUM").unwrap_or_else(|| "chromium".into());
        let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("browser-{}", std::process::id()));
        let started = Command::new(name)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(program) = started else {
            left_out(
                "two pages that talk to each other, because there is no chromium here (apt install chromium)",
            );
            return None;
        };
        let mut program = Running(program);
        let said = BufReader::new(program.0.stderr.take().unwrap());
        let listens = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("ws://127.0.0.1:")?.1.to_owned()));
        let listens = listens.expect("chromium says where its tools are");
        let (port, path) = listens.split_once('/').unwrap();
        let stream = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        let tools =
            Client::over(stream, &format!("127.0.0.1:{port}"), &format!("/{path}")).unwrap();
        Some(Browser {
            _program: program,
            tools,
            asked: 0,
            profile,
        })
    }

    /// Calls a method; the answer, in JSON.
    fn call(&mut self, session: &str, method: &str, parameters: &str) -> String {
        self.asked += 1;
        let id = self.asked;
        let session = if session.is_empty() {
            String::new()
        } else {
            format!(r#","sessionId":"{session}""#)
        };
        self.tools.say(&format!(
            r#"{{"id":{id},"method":"{method}","params":{{{parameters}}}{session}}}"#
        ));
        loop {
            let answer = self.tools.text();
            if answer.starts_with(&format!(r#"{{"id":{id},"#)) {
                assert!(!answer.contains(r#""error":"#), "{method}: {answer}");
                return answer;
            }
        }
    }

    /// Opens a page, and returns its session.
    fn open(&mut self, url: &str) -> String {
        let field = |answer: &str, name: &str| {
            let (_, rest) = answer.split_once(&format!(r#""{name}":""#)).expect(name);
            rest.split('"').next().unwrap().to_owned()
        };
        let target = self.call("", "Target.createTarget", &format!(r#""url":"{url}""#));
        let target = field(&target, "targetId");
        let attached = self.call(
            "",
            "Target.attachToTarget",
            &format!(r#""targetId":"{target}","flatten":true"#),
        );
        field(&attached, "sessionId")
    }

    /// Has the page evaluate an expression that is true or not, until it is.
    fn until(&mut self, session: &str, expression: &str) {
        let start = Instant::now();
        let parameters = format!(r#""expression":"{}""#, expression.replace('"', "\\\""));
        loop {
            let answer = self.call(session, "Runtime.evaluate", &parameters);
            if answer.contains(r#""value":true"#) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{expression}: {answer}");
        }
    }

    /// Types into the page's field, and sends it.
    fn enter(&mut self, session: &str, text: &str) {
        self.until(
            session,
            "document.readyState === 'complete' && socket.readyState === 1",
        );
        let typed =
            format!("input.value = '{text}'; document.querySelector('form').requestSubmit(); true");
        self.until(session, &typed);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ended = self._program.0.kill();
        let _status = self._program.0.wait();
        let _removed = std::fs::remove_dir_all(&self.profile);
    }
}

#[test]
fn two_pages_in_a_browser_talk_to_each_other_and_to_nc() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let mut chat = Chat::start(&[]);
    let url = format!("http://127.0.0.1:{}/", chat.port);
    let (ana, bia) = (browser.open(&url), browser.open(&url));
    browser.enter(&ana, "ana");
    browser.until(&ana, "state.textContent === 'here as ana'");
    browser.enter(&bia, "ana");
    browser.until(&bia, "log.textContent.includes('somebody else')");
    browser.enter(&bia, "bia");
    browser.until(&bia, "state.textContent === 'here as bia'");
    browser.enter(&ana, "<b>olá</b>, bia");
    let said = "[...document.querySelectorAll('.said')].some(item => item.lastChild.data === '<b>olá</b>, bia')";
    browser.until(&bia, said);
    browser.until(
        &ana,
        "document.querySelector('.own').lastChild.data.includes('olá')",
    );
    let mut nc = chat.typing("nc");
    nc.until("nc is here");
    browser.enter(&bia, "and who is nc?");
    assert_eq!(nc.line(), "bia: and who is nc?");
    nc.say("a cat");
    browser.until(&ana, "log.textContent.includes('a cat')");

    // The server goes and comes back on the same port; the pages find it, and nobody sees anything twice.
    drop(nc);
    let port = chat.port.to_string();
    let pid = chat.program.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    chat.program.0.wait().unwrap();
    browser.until(&ana, "!document.body.classList.contains('up')");
    let mut again = Command::new(example("chat"));
    chat.program = Running(again.arg(&port).stdout(Stdio::null()).spawn().unwrap());
    for page in [&ana, &bia] {
        browser.until(
            page,
            "document.body.classList.contains('up') && state.textContent.startsWith('here as')",
        );
    }
    browser.enter(&ana, "back");
    browser.until(&bia, "log.textContent.includes('back')");
}

#[test]
fn a_ping_is_answered_and_what_is_echoed_is_the_same() {
    let chat = Chat::start(&[]);
    let mut client = Client::connect(chat.port, "/echo");
    let long = "x".repeat(100_000);
    client.say(&long);
    assert_eq!(client.text(), long);
    client.send(Outgoing::ping(), b"?");
    assert_eq!(client.next().unwrap(), (websocket::PONG, b"?".to_vec()));
    client.send(Outgoing::close(), b"\x03\xe8");
    assert_eq!(client.closed(), 1000);
}

#[test]
fn behind_its_door_a_format_is_what_it_is_alone() {
    fn outcome<F: Format>(format: F, bytes: &[u8]) -> (Vec<Vec<u8>>, Option<FrameError>) {
        let mut reader = FrameReader::new(format, 100);
        let mut frames = Vec::new();
        let mut error = None;
        // One by one, so that a chunk's end is looked at when it comes.
        for byte in bytes.chunks(1) {
            let pushed = reader.push(byte, |item| {
                frames.extend(item.frame().map(<[u8]>::to_vec));
                Flow::Continue
            });
            error = pushed.err();
            if error.is_some() {
                break;
            }
        }
        (frames, error)
    }
    let request =
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiXX0\r\n\r\n";
    let alone = outcome(Http::requests(), request);
    assert!(alone.1.is_some());
    assert_eq!(outcome(Door::Closed, request), alone);
}

#[test]
fn nobody_says_more_than_a_message_can_have() {
    let chat = Chat::start(&[]);
    let mut ana = chat.typing("ana");
    ana.line();
    let longest = "x".repeat(2000);
    ana.say(&longest);
    assert_eq!(ana.line(), format!("ana: {longest}"));
    ana.say(&(longest + "x"));
    let refused = "* that was not sent: it is longer than 2000 bytes";
    assert_eq!(ana.line(), refused);
    // What is no text becomes a sign of three bytes.
    let mut noise = [0xff; 1001];
    noise[1000] = b'\n';
    ana.reader.get_mut().write_all(&noise).unwrap();
    assert_eq!(ana.line(), refused);
}

#[test]
fn whoever_comes_gets_in_however_much_was_said() {
    const LINES: usize = 4000;
    let chat = Chat::start(&["--history", "10000"]);
    let mut ana = chat.typing("ana");
    ana.line();
    let words = "x".repeat(1990);
    for n in 0..LINES {
        ana.say(&format!("{n} {words}"));
        assert!(ana.line().starts_with(&format!("ana: {n} ")));
    }
    let mut bia = Lines::over(chat.slow(), "bia");
    assert_eq!(ana.line(), "* bia is here");
    ana.say("welcome");
    assert_eq!(ana.line(), "ana: welcome", "she has not been cut off");
    let told: Vec<_> =
        std::iter::from_fn(|| Some(bia.line()).filter(|line| line != "* bia is here")).collect();
    assert!((100..LINES).contains(&told.len()), "{} lines", told.len());
    for (line, n) in told.iter().rev().zip((0..LINES).rev()) {
        assert!(line.starts_with(&format!("ana: {n} ")), "{n}: {line}");
    }
}

#[test]
fn a_crowd_is_not_named_to_the_last() {
    let chat = Chat::start(&[]);
    let mut crowd: Vec<_> = (100..202).map(|n| chat.typing(&format!("m{n}"))).collect();
    for (guest, n) in crowd.iter_mut().zip(100..) {
        guest.until(&format!("* m{n} is here"));
    }
    let last = crowd.last_mut().unwrap();
    last.say("/who");
    let named = last.until("* here are m100 m101 ");
    assert!(named.ends_with(" m198 m199 and 2 more"), "{named}");
}

#[test]
fn echoes_are_few_at_a_time() {
    let chat = Chat::start(&[]);
    let request = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut echoes: Vec<_> = (0..8)
        .map(|_| Client::connect(chat.port, "/echo"))
        .collect();
    assert!(chat.answer(request.as_bytes()).starts_with("HTTP/1.1 503 "));
    let mut first = echoes.remove(0);
    first.send(Outgoing::close(), b"\x03\xe8");
    assert_eq!(first.closed(), 1000);
    drop(first);
    let accepted = std::iter::repeat_with(|| chat.answer(request.as_bytes()));
    let mut tries = accepted.take(10_000);
    assert!(tries.any(|answer| answer.starts_with("HTTP/1.1 101 ")));
}

#[test]
fn an_echo_waits_for_its_reader() {
    let chat = Chat::start(&[]);
    let mut client = Client::over(chat.slow(), "127.0.0.1", "/echo").unwrap();
    let long = "x".repeat(12 << 20);
    client.say(&long);
    client.say("and then");
    client.send(Outgoing::ping(), b"?");
    assert!(client.text() == long);
    assert_eq!(client.text(), "and then");
    assert_eq!(client.next().unwrap(), (websocket::PONG, b"?".to_vec()));
    client.send(Outgoing::close(), b"\x03\xe8");
    assert_eq!(client.closed(), 1000);
}

#[test]
fn pages_wait_for_their_reader() {
    const REQUESTS: usize = 2000;
    let chat = Chat::start(&[]);
    let mut stream = chat.slow();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    stream
        .write_all(request.repeat(REQUESTS).as_bytes())
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), REQUESTS);
    assert!(answers.ends_with("</html>\n"));
}

#[test]
fn a_target_may_be_the_whole_url() {
    let chat = Chat::start(&[]);
    for (target, status) in [
        ("http://x/health", "200"),
        ("HTTPS://127.0.0.1:3000/health?from=proxy", "200"),
        ("http://x", "200"),
        ("http://x?/none", "200"),
        ("http://x/none", "404"),
        ("http://x/chat", "426"),
    ] {
        let answer = chat.answer(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(answer.split(' ').nth(1), Some(status), "{target}: {answer}");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", chat.port)).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in b"GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nfine\n"), "{answer}");
    let mut guest = chat.typing("GET http");
    assert_eq!(guest.line(), "* a name is one word of up to 24 letters");
    guest.say("http://");
    assert_eq!(guest.line(), "* http:// is here");
}

#[test]
fn a_refusal_says_what_is_allowed_and_has_no_body_for_head() {
    let chat = Chat::start(&[]);
    let put = chat.answer(b"PUT / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(put.starts_with("HTTP/1.1 405 "), "{put}");
    assert!(put.contains("\r\nAllow: GET, HEAD\r\n"), "{put}");
    for (request, status) in [
        (
            "HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
            "413",
        ),
        ("HEAD /chat HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("HEAD /none HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
    ] {
        let answer = chat.answer(request.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "{request}: {answer}");
    }
}

#[test]
fn an_answer_says_whether_the_connection_goes_on() {
    let chat = Chat::start(&[]);
    let keep_alive = "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let answers = chat.answer(keep_alive.repeat(2).as_bytes());
    assert_eq!(
        answers.matches("HTTP/1.1 200 OK\r\n").count(),
        2,
        "{answers}"
    );
    assert_eq!(
        answers.matches("\r\nConnection: keep-alive\r\n").count(),
        2,
        "{answers}"
    );
    for (request, times, says) in [
        ("GET /health HTTP/1.0\r\n\r\n", 1, Some("close")),
        (
            "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            1,
            Some("close"),
        ),
        (
            "GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            2,
            Some("keep-alive"),
        ),
        ("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 2, None),
    ] {
        let answers = chat.answer(request.repeat(2).as_bytes());
        assert_eq!(
            answers.matches("HTTP/1.1 ").count(),
            times,
            "{request}{answers}"
        );
        let mut said = answers
            .lines()
            .filter_map(|line| line.strip_prefix("Connection: "));
        assert_eq!(said.next(), says, "{request}{answers}");
    }
}
