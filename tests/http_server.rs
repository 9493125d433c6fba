//! The HTTP server of the examples, `examples/http_server`: by raw sockets, curl, wrk, Node's client and a browser.
//! What is not on the machine is left out, which is said.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use soquete::framing::http::{Body, Http, ResponseHead};
use soquete::framing::{Flow, FrameReader, Item};
use soquete::fuzzing::{Conversation, ServerTrial};
use soquete::timers;

#[path = "../examples/http_server"]
mod http_server {
    pub mod answers;
    pub mod date;
    pub mod files;
    pub mod server;
}
#[path = "support/programs.rs"]
mod programs;
#[path = "support/smuggling.rs"]
mod smuggling;

use http_server::server::{self, Limits};
use smuggling::FRONT;

const TOO_LONG: Duration = Duration::from_secs(20);

/// A server on a thread of its own.
struct Ours {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
    folder: PathBuf,
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(thread::JoinHandle::join);
        assert!(ended.is_some_and(|ended| ended.is_ok()) || thread::panicking());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Ours {
    fn start(name: &str) -> Ours {
        Ours::with(name, Limits::default())
    }

    fn with(name: &str, limits: Limits) -> Ours {
        let folder = format!("soquete-http-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fill(&folder);
        let (sender, started) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (own_stop, own_folder) = (Arc::clone(&stop), folder.clone());
        let thread = thread::spawn(move || {
            let server = server::create(own_folder.join("www"), limits).unwrap();
            let listening = soquete::net::ListenOptions::new(0).host("127.0.0.1");
            server.listen_then(listening, move |server| {
                sender.send(server.address().unwrap().port()).unwrap();
            });
            timers::set_interval(Duration::from_millis(5), move || {
                if own_stop.load(Ordering::SeqCst) {
                    server::shut_down(server, Duration::from_secs(2));
                    return Flow::Stop;
                }
                Flow::Continue
            });
            soquete::run().unwrap();
        });
        Ours {
            port: started.recv_timeout(TOO_LONG).unwrap(),
            stop,
            thread: Some(thread),
            folder,
        }
    }

    fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.set_read_timeout(Some(TOO_LONG)).unwrap();
        connection.set_nodelay(true).unwrap();
        connection
    }

    /// What comes back for `sent`, until the server ends.
    fn exchange(&self, sent: &[u8]) -> String {
        let mut connection = self.connect();
        connection.write_all(sent).unwrap();
        to_end(connection)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn fill(folder: &Path) {
    let www = folder.join("www");
    std::fs::create_dir_all(www.join("sub")).unwrap();
    let page = "<!doctype html><title>of the folder</title><p id=here>not yet</p>\
        <script>document.getElementById('here').textContent = 'it ' + 'runs'</script>\n";
    std::fs::write(www.join("index.html"), page).unwrap();
    std::fs::write(www.join("sub/index.html"), "sub\n").unwrap();
    std::fs::write(www.join("a b.txt"), "a space\n").unwrap();
    std::fs::write(www.join(".hidden"), "hidden\n").unwrap();
    std::fs::write(www.join("long.txt"), "l".repeat(3_000_000)).unwrap();
    std::fs::write(folder.join("secret.txt"), "secret\n").unwrap();
    let link = www.join("link.txt");
    if !link.exists() {
        std::os::unix::fs::symlink(folder.join("secret.txt"), link).unwrap();
    }
}

fn to_end(mut connection: TcpStream) -> String {
    let mut answer = Vec::new();
    let outcome = connection.read_to_end(&mut answer);
    let shown = String::from_utf8_lossy(&answer).into_owned();
    assert!(outcome.is_ok(), "{outcome:?} after {shown}");
    shown
}

/// Status codes and bodies of the answers in `text`, which must be nothing else.
fn answers(text: &str, methods: &[&str]) -> Vec<(u16, String)> {
    let mut methods = methods.iter();
    let mut reader = FrameReader::new(Http::responses(), 32 << 20);
    let mut seen: Vec<(u16, String)> = Vec::new();
    reader
        .format_mut()
        .answers(methods.next().unwrap_or(&"GET"));
    let listener = |item: Item<'_>, mut reading: soquete::framing::Reading<'_, Http>| {
        let frame = item.frame().unwrap();
        if reading.kind() == Http::HEAD {
            let head = ResponseHead::parse(frame).unwrap();
            assert!(head.status() < 200 || head.field("date").is_some());
            seen.push((head.status(), String::new()));
        } else {
            seen.last_mut().unwrap().1 += std::str::from_utf8(frame).unwrap();
        }
        if reading.format().body() == Body::None {
            reading
                .format_mut()
                .answers(methods.next().unwrap_or(&"GET"));
        }
        Flow::Continue
    };
    let read = reader.push_with(text.as_bytes(), listener);
    assert!(read.is_ok(), "{read:?}: {text}");
    let end = reader.finish(|_| Flow::Continue);
    assert!(end.is_ok(), "{end:?}: {text}");
    seen
}

fn statuses(text: &str) -> Vec<u16> {
    answers(text, &[])
        .into_iter()
        .map(|(status, _)| status)
        .collect()
}

const CLOSE: &str = "Host: a\r\nConnection: close\r\n\r\n";

#[test]
fn requests_on_one_connection_are_answered_in_their_order() {
    let ours = Ours::start("order");
    let sent = format!(
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
         HEAD / HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /count/4 HTTP/1.1\r\nHost: a\r\n\r\n\
         POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n\
         GET /count/0 HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /long.txt HTTP/1.1\r\nHost: a\r\n\r\n\
         GET /none HTTP/1.1\r\n{CLOSE}"
    );
    let methods = ["GET", "POST", "HEAD", "GET", "POST", "GET", "GET", "GET"];
    let text = |text: &str| (200, text.to_owned());
    let expected = [
        text("Hello, world!\n"),
        text("hello"),
        text(""),
        text("0\n1\n2\n3\n"),
        text("abc"),
        text(""),
        text(&"l".repeat(3_000_000)),
        (404, "Not Found".to_owned()),
    ];
    let whole = answers(&ours.exchange(sent.as_bytes()), &methods);
    assert!(
        whole == expected,
        "{:?}",
        whole
            .iter()
            .map(|(status, body)| (status, body.len()))
            .collect::<Vec<_>>()
    );
    let mut connection = ours.connect();
    for byte in sent.as_bytes().chunks(1) {
        connection.write_all(byte).unwrap();
    }
    assert!(
        answers(&to_end(connection), &methods) == expected,
        "byte by byte"
    );
}

#[test]
fn the_answers_to_what_came_in_one_piece_go_out_in_one() {
    let ours = Ours::start("pipelined");
    let mut connection = ours.connect();
    let requests = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n".repeat(16);
    connection.write_all(requests.as_bytes()).unwrap();
    let mut chunk = vec![0; 64 << 10];
    let len = connection.read(&mut chunk).unwrap();
    let text = String::from_utf8_lossy(&chunk[..len]);
    assert_eq!(statuses(&text).len(), 16, "in one read");
}

#[test]
fn a_connection_stays_or_not_as_the_client_wants() {
    let ours = Ours::start("keep-alive");
    let answer = ours.exchange(b"GET /hello HTTP/1.0\r\n\r\nGET /hello HTTP/1.0\r\n\r\n");
    assert_eq!(statuses(&answer), [200]);
    assert!(answer.contains("\r\nConnection: close\r\n"));
    let sent = format!("GET /hello HTTP/1.1\r\n{CLOSE}GET /hello HTTP/1.1\r\n{CLOSE}");
    assert_eq!(statuses(&ours.exchange(sent.as_bytes())), [200]);
    // A client that has asked all it wants to and says so gets its answers.
    let mut connection = ours.connect();
    connection
        .write_all(
            b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /long.txt HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    assert_eq!(statuses(&to_end(connection)), [200, 200]);
}

#[test]
fn the_smuggling_table_gets_its_status_and_a_close() {
    let ours = Ours::start("smuggling");
    let behind = smuggling::BEHIND
        .iter()
        .map(|(behind, _, _, status)| ([FRONT, behind].concat().into_bytes(), *status));
    let first = smuggling::FIRST_LINES
        .iter()
        .map(|(stream, _, _, status)| (stream.to_vec(), *status));
    for (sent, status) in behind.chain(first) {
        // Behind it there is what an attacker would have answered to somebody else.
        let attack = [&sent[..], b"\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let answer = ours.exchange(&attack);
        assert_eq!(statuses(&answer), [status], "{}", sent.escape_ascii());
        assert!(answer.contains("\r\nConnection: close\r\n"));
    }
}

#[test]
fn what_is_too_long_is_refused_with_its_status() {
    let limits = Limits {
        body: 100_000,
        ..Limits::default()
    };
    let ours = Ours::with("limits", limits);
    let head = |line: &str, fields: &str| format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let long = "x".repeat(20_000);
    let refused = |sent: String| statuses(&ours.exchange(sent.as_bytes()));
    assert_eq!(refused(head(&format!("GET /{long}"), "")), [414]);
    assert_eq!(refused(head("GET /", &format!("X: {long}\r\n"))), [431]);
    assert_eq!(refused(head("GET /", &"X: y\r\n".repeat(200))), [431]);
    // Before the body is sent, and the client that sends it nevertheless gets the answer.
    let post = head("POST /echo", "Content-Length: 3000000\r\n");
    assert_eq!(refused(post.clone()), [413]);
    assert_eq!(refused(post + &"x".repeat(3_000_000)), [413]);
    let chunked = head("POST /echo", "Transfer-Encoding: chunked\r\n");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    assert_eq!(refused(format!("{chunked}{chunk}{chunk}{chunk}")), [413]);
    assert_eq!(refused(head("BREW /", "Connection: close\r\n")), [501]);
    assert_eq!(refused(head("GET /", "Expect: the-unexpected\r\n")), [417]);
    assert_eq!(refused("GET / HTTP/3.0\r\n".to_owned()), [505]);
}

#[test]
fn a_body_that_is_waited_for_is_asked_for() {
    let ours = Ours::start("continue");
    let head = |length: usize| {
        format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut connection = ours.connect();
    connection.write_all(head(3).as_bytes()).unwrap();
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(b"abc").unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answers(&to_end(connection), &[]), [(200, "abc".to_owned())]);
    assert_eq!(
        statuses(&ours.exchange(head(2 << 20).as_bytes())),
        [413],
        "not asked for"
    );
}

#[test]
fn slow_clients_are_told_so() {
    let limits = Limits {
        head_deadline: Duration::from_millis(100),
        body_deadline: Duration::from_millis(300),
        idle: Duration::from_millis(600),
        ..Limits::default()
    };
    let ours = Ours::with("slow", limits);
    let timed = |sent: &str, drip: bool| {
        let mut connection = ours.connect();
        let begin = Instant::now();
        connection.write_all(sent.as_bytes()).unwrap();
        if drip {
            // A byte now and then is no progress.
            let mut dripping = connection.try_clone().unwrap();
            thread::spawn(move || {
                while dripping.write_all(b"x").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
        let answer = to_end(connection);
        (statuses(&answer), begin.elapsed())
    };
    for drip in [false, true] {
        let (answer, time) = timed("GET / HTTP/1.1\r\nX: ", drip);
        assert_eq!(answer, [408]);
        assert!(time >= Duration::from_millis(90), "{time:?}");
        let post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n";
        let (answer, time) = timed(post, drip);
        assert_eq!(answer, [408]);
        assert!(time >= Duration::from_millis(290), "{time:?}");
    }
    // Who asks nothing is owed nothing.
    let (answer, time) = timed("", false);
    assert_eq!(answer, [0u16; 0]);
    assert!(time >= Duration::from_millis(590), "{time:?}");
}

#[test]
fn a_client_that_does_not_read_is_not_answered_on_and_on() {
    let limits = Limits {
        idle: Duration::from_millis(300),
        ..Limits::default()
    };
    let ours = Ours::with("unread", limits);
    let mut connection = ours.connect();
    connection
        .set_write_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let requests = "GET /long.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    // The server stops to read, and then ends it: it is idle, as nothing moves.
    let mut outcome = Ok(());
    while outcome.is_ok() {
        outcome = connection.write_all(requests.as_bytes());
    }
    let kind = outcome.map_err(|error| error.kind()).unwrap_err();
    assert!(
        matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{kind:?}"
    );
}

#[test]
fn nothing_outside_of_the_folder_is_seen() {
    let ours = Ours::start("folder");
    let get = |path: &str| {
        let answer = ours.exchange(format!("GET {path} HTTP/1.1\r\n{CLOSE}").as_bytes());
        answers(&answer, &[]).remove(0)
    };
    assert_eq!(get("/sub/").1, "sub\n");
    assert_eq!(get("/sub").0, 301);
    assert_eq!(get("/a%20b.txt").1, "a space\n");
    assert_eq!(get("/%61%20b.txt?query").1, "a space\n");
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/../../secret.txt",
        "/.%2e/secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "//secret.txt",
        "/link.txt",
        "/.hidden",
        "/%2ehidden",
        "/a%00.txt",
        "/%zz",
        "/%",
        "/%ff",
        "/www/index.html",
        "/index.html/",
        "/none",
        "http://a/secret.txt",
    ] {
        let (status, body) = get(path);
        assert_eq!((status, body.as_str()), (404, "Not Found"), "{path}");
    }
}

#[test]
fn a_file_that_the_client_has_is_not_sent_again() {
    let ours = Ours::start("etag");
    let get = |fields: &str| ours.exchange(format!("GET / HTTP/1.1\r\n{fields}{CLOSE}").as_bytes());
    let first = get("");
    assert!(
        first.contains("\r\nContent-Type: text/html; charset=utf-8\r\n"),
        "{first}"
    );
    let tag = first
        .lines()
        .find_map(|line| line.strip_prefix("ETag: "))
        .unwrap();
    for tags in [
        tag.to_owned(),
        "*".to_owned(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
    ] {
        let again = get(&format!("If-None-Match: {tags}\r\n"));
        assert_eq!(answers(&again, &[]), [(304, String::new())]);
    }
    assert_eq!(statuses(&get("If-None-Match: \"x\"\r\n")), [200]);
}

#[test]
fn shutting_down_lets_a_request_end_and_nothing_else() {
    let mut ours = Ours::start("shutdown");
    let mut idle = ours.connect();
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut some = [0; 10];
    idle.read_exact(&mut some).unwrap();
    let mut busy = ours.connect();
    busy.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
        .unwrap();
    // The head has been read when its answer comes back by another connection that was opened later.
    assert_eq!(
        statuses(&ours.exchange(format!("GET /hello HTTP/1.1\r\n{CLOSE}").as_bytes())),
        [200]
    );
    ours.stop.store(true, Ordering::SeqCst);
    // The idle one ends at once.
    to_end(idle);
    busy.write_all(b"bc").unwrap();
    let answer = to_end(busy);
    assert_eq!(answers(&answer, &[]), [(200, "abc".to_owned())]);
    assert!(answer.contains("\r\nConnection: close\r\n"));
    ours.thread.take().unwrap().join().unwrap();
    ours.thread = Some(thread::spawn(|| ()));
    assert!(TcpStream::connect(("127.0.0.1", ours.port)).is_err());
}

#[test]
fn the_program_ends_when_it_is_told_to_terminate() {
    let folder = std::env::temp_dir().join(format!("soquete-http-{}-program", std::process::id()));
    fill(&folder);
    let port = programs::free_port();
    let mut command = Command::new(programs::examples().join("http_server"));
    command
        .arg(port.to_string())
        .arg(folder.join("www"))
        .stdout(Stdio::piped());
    let mut program = programs::Running(command.spawn().unwrap());
    let mut out = std::io::BufReader::new(program.0.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, format!("http://localhost:{port}\n"));
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_read_timeout(Some(TOO_LONG)).unwrap();
    connection
        .write_all(format!("GET /hello HTTP/1.1\r\n{CLOSE}").as_bytes())
        .unwrap();
    assert_eq!(statuses(&to_end(connection)), [200]);
    let pid = program.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(program.0.wait().unwrap().success());
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn dates_are_written_as_http_writes_them() {
    let written = http_server::date::written;
    assert_eq!(written(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(written(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(written(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_eq!(written(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
    assert_eq!(written(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
    assert_eq!(http_server::date::Dates::default().now().len(), 29);
}

/// A client that reads as fast as the server writes takes no turn away from anybody.
#[test]
fn a_long_answer_to_a_fast_reader_leaves_the_others_their_turns() {
    let ours = Ours::start("turns");
    let host = "HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut long = ours.connect();
    long.write_all(format!("GET /count/10000000 {host}").as_bytes())
        .unwrap();
    let (sender, begun) = mpsc::channel();
    let answered = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&answered);
    let reader = thread::spawn(move || {
        let mut chunk = vec![0; 1 << 20];
        while !seen.load(Ordering::SeqCst) {
            let len = long.read(&mut chunk).unwrap();
            let _ = sender.send(());
            if len == 0 || chunk[..len].ends_with(b"\r\n0\r\n\r\n") {
                return false;
            }
        }
        true
    });
    begun.recv_timeout(TOO_LONG).unwrap();
    let mut other = ours.connect();
    other
        .write_all(format!("GET /hello {host}").as_bytes())
        .unwrap();
    other.read_exact(&mut [0; 10]).unwrap();
    answered.store(true, Ordering::SeqCst);
    assert!(reader.join().unwrap(), "answered in the midst of the other");
    let answer = ours.exchange(format!("GET /count/{} HTTP/1.1\r\n{CLOSE}", u64::MAX).as_bytes());
    assert_eq!(statuses(&answer), [404], "without an end");
}

/// Between two turns of a long answer nothing may be queued, and the connection is not idle all the same.
#[test]
fn shutting_down_lets_a_long_answer_end() {
    let mut ours = Ours::start("shutdown-long");
    let mut long = ours.connect();
    long.write_all(b"GET /count/300000 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut first = [0; 10];
    long.read_exact(&mut first).unwrap();
    ours.stop.store(true, Ordering::SeqCst);
    let answer = String::from_utf8_lossy(&first).into_owned() + &to_end(long);
    let (status, body) = answers(&answer, &[]).remove(0);
    assert_eq!((status, body.lines().count()), (200, 300_000));
    ours.thread.take().unwrap().join().unwrap();
    ours.thread = Some(thread::spawn(|| ()));
}

/// The next request has to wait for as long as the client takes to read, and is late only then.
#[test]
fn a_request_behind_a_long_answer_is_not_refused_in_the_midst_of_it() {
    let limits = Limits {
        head_deadline: Duration::from_millis(50),
        ..Limits::default()
    };
    let ours = Ours::with("behind", limits);
    let mut connection = ours.connect();
    connection
        .write_all(b"GET /count/3000000 HTTP/1.1\r\nHost: a\r\n\r\nGET /he")
        .unwrap();
    let mut first = [0; 10];
    connection.read_exact(&mut first).unwrap();
    thread::sleep(6 * limits.head_deadline);
    let answer = String::from_utf8_lossy(&first).into_owned() + &to_end(connection);
    let answers = answers(&answer, &[]);
    let statuses = answers.iter().map(|(status, _)| *status);
    assert_eq!(statuses.collect::<Vec<_>>(), [200, 408]);
    assert!(answers[0].1.ends_with("\n2999999\n"));
}

#[test]
fn a_slow_client_gets_the_whole_of_the_last_answer() {
    let limits = Limits {
        body: 16 << 20,
        linger: Duration::from_millis(50),
        ..Limits::default()
    };
    let ours = Ours::with("slow-reader", limits);
    // More than the kernel holds for a client that does not read.
    let body = "x".repeat(15 << 20);
    let mut connection = ours.connect();
    let length = body.len();
    let head = format!("POST /echo HTTP/1.1\r\nContent-Length: {length}\r\n{CLOSE}");
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body.as_bytes()).unwrap();
    let mut first = [0; 10];
    connection.read_exact(&mut first).unwrap();
    thread::sleep(10 * limits.linger);
    let answer = String::from_utf8_lossy(&first).into_owned() + &to_end(connection);
    let expected = [(200, body)];
    assert!(answers(&answer, &["POST"]) == expected, "{}", answer.len());
}

/// It has been answered, and the client goes on sending and reads nothing: that is not for ever.
#[test]
fn a_connection_that_is_over_is_not_kept_by_what_its_client_sends() {
    let limits = Limits {
        idle: Duration::from_millis(300),
        linger: Duration::from_millis(50),
        ..Limits::default()
    };
    let ours = Ours::with("unread-last", limits);
    let mut connection = ours.connect();
    connection.set_write_timeout(Some(TOO_LONG)).unwrap();
    let head = format!("GET /count/10000000 HTTP/1.1\r\n{CLOSE}");
    connection.write_all(head.as_bytes()).unwrap();
    let begin = Instant::now();
    while connection.write_all(b"x").is_ok() {
        assert!(begin.elapsed() < TOO_LONG);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_target_with_scheme_and_host_leads_where_its_path_does() {
    let ours = Ours::start("absolute");
    let get = |target: &str| {
        let answer = ours.exchange(format!("GET {target} HTTP/1.1\r\n{CLOSE}").as_bytes());
        answers(&answer, &[]).remove(0)
    };
    assert_eq!(get("http://localhost:8080/hello").1, "Hello, world!\n");
    assert_eq!(get("HTTP://a/hello?x=http://b/").1, "Hello, world!\n");
    assert_eq!(get("http://a/count/2").1, "0\n1\n");
    assert_eq!(get("http://a/sub/").1, "sub\n");
    assert!(get("http://a").1.contains("of the folder"));
    assert!(get("http://a?query=/hello").1.contains("of the folder"));
    assert_eq!(get("http://a/../secret.txt").0, 404);
}

#[test]
fn a_redirection_stays_on_this_server_and_keeps_the_query() {
    let ours = Ours::start("redirection");
    let get = |target: &str| {
        let answer = ours.exchange(format!("GET {target} HTTP/1.1\r\n{CLOSE}").as_bytes());
        let location = answer
            .lines()
            .find_map(|line| line.strip_prefix("Location: "));
        (statuses(&answer)[0], location.map(str::to_owned))
    };
    let moved = |to: &str| (301, Some(to.to_owned()));
    assert_eq!(get("/sub"), moved("/sub/"));
    assert_eq!(get("/sub?a=b?c"), moved("/sub/?a=b?c"));
    assert_eq!(get("/sub?"), moved("/sub/?"));
    assert_eq!(get("http://a/sub?q"), moved("/sub/?q"));
    // A browser reads `//sub/` as a host.
    for target in ["//sub", "///sub", "/%2fsub", "%2f%2fsub", "http://a//sub"] {
        let (status, location) = get(target);
        assert!(matches!(status, 400 | 404), "{target}: {status}");
        assert_eq!(location, None, "{target}");
    }
    for target in ["//", "//index.html", "/sub//index.html", "/sub//"] {
        assert_eq!(get(target), (404, None), "{target}");
    }
}

#[test]
fn a_client_of_http_1_0_is_answered_in_http_1_0() {
    let ours = Ours::start("http-1-0");
    let answer = ours.exchange(b"GET /count/3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "0\n1\n2\n", "to the end of the connection");
    assert!(head.contains("\r\nConnection: close"), "{head}");
    assert!(!head.contains("Transfer-Encoding"), "{head}");
    let empty = ours.exchange(b"GET /count/0 HTTP/1.0\r\n\r\n");
    assert!(empty.ends_with("\r\n\r\n"), "{empty}");
    // Such a client waits for the end unless it is told that there will be none.
    let stays = "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let answer = ours.exchange(format!("{stays}GET /none HTTP/1.0\r\n\r\n").as_bytes());
    assert_eq!(statuses(&answer), [200, 404]);
    assert_eq!(answer.matches("\r\nConnection: keep-alive\r\n").count(), 1);
    assert_eq!(answer.matches("\r\nConnection: close\r\n").count(), 1);
    // HTTP/1.1 has that for a default, and says nothing.
    let host = "HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer =
        ours.exchange(format!("GET /hello {host}GET /hello HTTP/1.1\r\n{CLOSE}").as_bytes());
    assert!(!answer.contains("keep-alive"), "{answer}");
    for expectation in ["100-continue", "the-unexpected"] {
        let request = format!("GET /hello HTTP/1.0\r\nExpect: {expectation}\r\n\r\n");
        assert_eq!(statuses(&ours.exchange(request.as_bytes())), [200]);
    }
}

#[test]
fn a_refusal_of_head_has_no_body() {
    let limits = Limits {
        body_deadline: Duration::from_millis(50),
        ..Limits::default()
    };
    let ours = Ours::with("refused-head", limits);
    let head = |fields: &str| format!("HEAD / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let chunked = head("Transfer-Encoding: chunked\r\n");
    for (sent, status) in [
        (head("Expect: the-unexpected\r\n"), "417 "),
        (head("Content-Length: 9000000\r\n"), "413 "),
        (format!("{chunked}9000000\r\n"), "413 "),
        (format!("{chunked}x\r\n"), "400 "),
        (head("Content-Length: 9\r\n"), "408 "),
    ] {
        let answer = ours.exchange(sent.as_bytes());
        assert_eq!(
            answer.strip_prefix("HTTP/1.1 ").map(|text| &text[..4]),
            Some(status)
        );
        assert!(answer.ends_with("\r\n\r\n"), "{sent}{answer}");
    }
}

/// Every request cut at every byte, dripped, half-closed, reset, in a simulated world: the answers are the same.
#[test]
fn the_server_passes_every_cut() {
    let folder = std::env::temp_dir().join(format!("soquete-http-{}-trial", std::process::id()));
    fill(&folder);
    let www = folder.join("www");
    let answer = |status: &str, body: &str| {
        let (kind, length) = ("Content-Type: text/plain", body.len());
        format!("HTTP/1.1 {status}\r\nDate: *\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let closing = |status: &str, body: &str| {
        answer(status, body).replacen("Content-Type", "Connection: close\r\nContent-Type", 1)
    };
    let host = "HTTP/1.1\r\nHost: a\r\n";
    let chunks = "HTTP/1.1 200 OK\r\nDate: *\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n\
        4\r\n0\n1\n\r\n0\r\n\r\n";
    let asked = format!("POST /echo {host}Expect: 100-continue\r\nContent-Type: text/plain\r\n");
    let requests = Conversation::new("requests")
        .send(format!("GET /hello {host}\r\n"))
        .expect_like(answer("200 OK", "Hello, world!\n"))
        .send(format!("GET /count/2 {host}\r\n"))
        .expect_like(chunks)
        .send(format!("{asked}Content-Length: 2\r\n\r\nab"))
        .expect_like("HTTP/1.1 100 Continue\r\n\r\n")
        .expect_like(answer("200 OK", "ab"))
        .send(format!("GET /none {host}Connection: close\r\n\r\n"))
        .expect_like(closing("404 Not Found", "Not Found"))
        .closes();
    let uploads = Conversation::new("chunks")
        .send(format!(
            "{asked}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n"
        ))
        .expect_like("HTTP/1.1 100 Continue\r\n\r\n")
        .expect_like(answer("200 OK", "abc"))
        .send(format!(
            "GET / {host}Content-Length: 1\r\nContent-Length: 1\r\n"
        ))
        // The line feed has shown it: the server does not wait for more.
        .expect_like(closing("400 Bad Request", "Bad Request"))
        .closes();
    let make = move || server::create(www.clone(), Limits::default()).expect("the folder is there");
    let trial = ServerTrial::new(make)
        .conversation(requests)
        .conversation(uploads);
    let report = trial.test();
    assert!(report.runs > 900, "{}", report.runs);
    let _ = std::fs::remove_dir_all(folder);
}

/// Runs a program that may be missing; what it has written.
fn outside(package: &str, command: &mut Command) -> Option<String> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command:?}: {text}{errors}");
            Some(text)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let line = format!(
                "LEFT OUT: {:?} is not there (Debian: {package})\n",
                command.get_program()
            );
            // Past the test harness, which would keep it to itself.
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

#[test]
fn curl_reads_what_is_answered() {
    let ours = Ours::start("curl");
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "20", "--http1.1"]);
        outside("curl", command.args(arguments))
    };
    let page = curl(&[&ours.url("/")]);
    assert!(page.is_none_or(|page| page.contains("of the folder")));
    let upload = "u".repeat(900_000);
    let file = ours.folder.join("upload");
    std::fs::write(&file, &upload).unwrap();
    let from = format!("@{}", file.display());
    let echo = ours.url("/echo");
    // It waits for 100 Continue, and for a second without.
    let begin = Instant::now();
    let expecting = curl(&[
        "--data-binary",
        &from,
        "-H",
        "Expect: 100-continue",
        "--expect100-timeout",
        "15",
        &echo,
    ]);
    assert!(expecting.is_none_or(|echoed| echoed == upload));
    assert!(
        begin.elapsed() < Duration::from_secs(14),
        "the body was asked for"
    );
    let chunked = curl(&[
        "--data-binary",
        &from,
        "-H",
        "Transfer-Encoding: chunked",
        &echo,
    ]);
    assert!(chunked.is_none_or(|echoed| echoed == upload));
    let head = curl(&["--head", &ours.url("/long.txt")]);
    assert!(head.is_none_or(|head| head.contains("Content-Length: 3000000")));
    let several = curl(&[
        &ours.url("/hello"),
        &ours.url("/count/2"),
        &ours.url("/hello"),
        "-w",
        "%{num_connects} ",
    ]);
    assert!(several.is_none_or(|text| text == "Hello, world!\n1 0\n1\n0 Hello, world!\n0 "));
}

#[test]
fn wrk_gets_an_answer_to_each_request() {
    let ours = Ours::start("wrk");
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c20", "-d1s", &ours.url("/hello")]);
    if let Some(report) = outside("wrk", &mut command) {
        assert!(
            !report.contains("Socket errors") && !report.contains("Non-2xx"),
            "{report}"
        );
        assert!(report.contains("Requests/sec"), "{report}");
    }
}

#[test]
fn nodes_client_is_served() {
    let ours = Ours::start("node");
    let node = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http_server.js");
    let mut command = Command::new(node);
    command.args([script, &ours.port.to_string()]);
    let said = outside("nodejs", &mut command);
    assert!(said.is_none_or(|said| said == "all is well\n"));
}

#[test]
fn a_browser_shows_the_page() {
    let ours = Ours::start("browser");
    let profile = ours.folder.join("profile");
    let mut command = Command::new("chromium");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--dump-dom",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.args([
        "--no-first-run",
        "--disable-background-networking",
        &ours.url("/"),
    ]);
    if let Some(page) = outside("chromium", &mut command) {
        assert!(page.contains(r#"<p id="here">it runs</p>"#), "{page}");
    }
}
