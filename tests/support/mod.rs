//! What the behaviour tests share: a record of what happened, a connected pair, the law of `Close`,
//! and an end to loops that would not end.
//!
//! Every test runs on a thread of its own and so has a loop and a record of its own.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod record;
#[cfg(feature = "sim")]
pub mod worlds;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::net::{self, ConnectOptions, Server, ServerOptions, Socket};
use soquete::{event, timers};

/// How long a loop may take before a test gives it up.
const TOO_LONG: Duration = Duration::from_secs(20);

thread_local! {
    static RECORD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Sockets whose `Close` is awaited.
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

/// Adds a line to this test's record.
pub fn note(line: impl Into<String>) {
    RECORD.with_borrow_mut(|record| record.push(line.into()));
}

/// A closure that adds a line, for listeners with a payload of no interest.
pub fn noting(line: &'static str) -> impl FnMut(()) + Copy {
    move |()| note(line)
}

/// Takes the record.
pub fn record() -> Vec<String> {
    RECORD.take()
}

/// Whether the record has a line.
pub fn noted(line: &str) -> bool {
    RECORD.with_borrow(|record| record.iter().any(|noted| noted == line))
}

/// Runs the loop until it ends by itself, and asserts that nothing is left in it.
#[track_caller]
pub fn run_to_end() {
    run_on().unwrap();
    let metrics = soquete::metrics();
    assert_eq!(metrics.open_handles, 0, "sockets and servers left open");
    assert_eq!(metrics.timers, 0, "timers left");
    assert_eq!(OPEN.get(), 0, "watched sockets that did not close");
}

/// Runs the loop; a test fails in which it never returns.
pub fn run_on() -> soquete::Result<()> {
    let watchdog = timers::set_timeout(TOO_LONG, || panic!("the loop does not end")).unref();
    let _cleared = Watchdog(watchdog);
    soquete::run()
}

/// Cleared also when a panic leaves through `run`.
struct Watchdog(timers::Timeout);

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// Records what a socket emits, as `name event`, and asserts the law of every socket: `Close` exactly
/// once and last, `End` at most once and no `Data` after it, at most one `Error`.
pub fn watch(name: &'static str, socket: Socket) -> Socket {
    OPEN.set(OPEN.get() + 1);
    let ended = Rc::new(Cell::new(false));
    let closed = Rc::new(Cell::new(false));
    let failed = Rc::new(Cell::new(false));
    let say = {
        let closed = Rc::clone(&closed);
        move |what: &str| {
            assert!(!closed.get(), "{name}: {what} after close");
            note(format!("{name} {what}"));
        }
    };
    let data = (say.clone(), Rc::clone(&ended));
    socket.on(event::Data, move |chunk| {
        assert!(!data.1.get(), "{name}: data after end");
        (data.0)(&format!("data {}", chunk.len()));
    });
    let end = say.clone();
    socket.on(event::End, move |()| {
        assert!(!ended.replace(true), "{name}: a second end");
        end("end");
    });
    let error = say.clone();
    socket.on(event::Error, move |err| {
        assert!(!failed.replace(true), "{name}: a second error");
        error(&format!("error {err}"));
    });
    let close = say.clone();
    socket.on(event::Close, move |had_error| {
        close(&format!("close {had_error}"));
        closed.set(true);
        OPEN.set(OPEN.get() - 1);
    });
    let (connect, ready) = (say.clone(), say.clone());
    let (finish, drain, timeout) = (say.clone(), say.clone(), say);
    socket.on(event::Connect, move |()| connect("connect"));
    socket.on(event::Ready, move |()| ready("ready"));
    socket.on(event::Finish, move |()| finish("finish"));
    socket.on(event::Drain, move |()| drain("drain"));
    socket.on(event::Timeout, move |()| timeout("timeout"));
    socket
}

/// The lines of one socket in a record, without its name.
pub fn of<'a>(name: &str, record: &'a [String]) -> Vec<&'a str> {
    let mine = |line: &'a String| line.strip_prefix(name)?.strip_prefix(' ');
    record.iter().filter_map(mine).collect()
}

/// The port that a server listens on.
pub fn port_of(server: Server) -> u16 {
    server.address().expect("the server listens").port()
}

/// A server on a free port of 127.0.0.1 that echoes whatever it is sent.
pub fn echo_server(listening: impl FnOnce(Server, u16) + 'static) -> Server {
    let server = net::create_server(|socket| {
        socket.on(event::Data, move |chunk| {
            socket.write(chunk);
        });
    });
    listening_on(server, "127.0.0.1", listening)
}

/// Listens on a free port of `host`.
pub fn listening_on(
    server: Server,
    host: &str,
    listening: impl FnOnce(Server, u16) + 'static,
) -> Server {
    server.once(event::Listening, move |()| {
        listening(server, port_of(server))
    });
    server.listen((host, 0))
}

/// Calls `with` with the server's and the client's end of a new connection, once both are up.
pub fn pair(with: impl FnOnce(Socket, Socket) + 'static) {
    pair_of(ServerOptions::new(), |options| options, with);
}

/// As [`pair`], with options for either end.
pub fn pair_of(
    options: ServerOptions,
    client_options: impl FnOnce(ConnectOptions) -> ConnectOptions + 'static,
    with: impl FnOnce(Socket, Socket) + 'static,
) {
    let accepted: Rc<Cell<Option<Socket>>> = Rc::default();
    let connected: Rc<Cell<Option<(Server, Socket)>>> = Rc::default();
    let with = Cell::new(Some(with));
    let ends = (Rc::clone(&accepted), Rc::clone(&connected));
    // A server that closes before it has accepted the connection would reset it.
    let begin = Rc::new(move || {
        if let (Some(socket), Some((server, client))) = (ends.0.get(), ends.1.get())
            && let Some(with) = with.take()
        {
            server.close();
            with(socket, client);
        }
    });
    let begin_here = Rc::clone(&begin);
    let server = net::create_server_with(options, move |socket| {
        accepted.set(Some(socket));
        begin_here();
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let client = net::connect(client_options(ConnectOptions::from(("127.0.0.1", port))));
        client.once(event::Ready, move |()| {
            connected.set(Some((server, client)));
            begin();
        });
    });
}

/// Both ends of a connection while the loop does not run. The first is paused and keeps what the other
/// has sent.
#[track_caller]
pub fn keeping_data(data: &'static str) -> (Socket, Socket) {
    let ends = Rc::new(Cell::new(None));
    let both = Rc::clone(&ends);
    pair(move |server, client| {
        both.set(Some((server, client)));
        server.pause();
        client.write(data);
        let own: Rc<Cell<Option<timers::Timeout>>> = Rc::default();
        let polling = Rc::clone(&own);
        let poll = move || {
            if server.readable_length() == data.len() {
                own.take().expect("it is polled once more").clear();
                soquete::stop();
            }
        };
        polling.set(Some(timers::set_interval(Duration::from_millis(1), poll)));
    });
    run_on().unwrap();
    ends.get().expect("a connection")
}

/// A connection from outside of the library, which is already in the server's backlog.
pub fn outsider(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout can be set");
    stream
}

/// Closes by a reset.
pub fn reset(stream: TcpStream) -> io::Result<()> {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}

/// For calls whose answer is of no interest, where a closure is to return nothing.
pub fn done<T>(_answer: T) {}

/// Spends time without returning to the loop.
pub fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// How many descriptors this process has open, where that can be found out.
pub fn open_descriptors() -> Option<usize> {
    // The one that lists them is counted, too.
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() - 1)
}

/// Runs one test of this binary by itself in a process of its own, with an environment variable set
/// and perhaps under a shell's `ulimit`, and asserts that it passed.
#[track_caller]
pub fn in_a_process(test: &str, variable: (&str, &str), limit: Option<u32>) {
    let binary = std::env::current_exe().expect("a test has a binary");
    let limit = limit.map_or(String::new(), |count| format!("ulimit -n {count} && "));
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{limit}exec \"$0\" --exact {test} --nocapture --include-ignored"
        ))
        .arg(binary)
        .env(variable.0, variable.1)
        .output()
        .expect("sh is there");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "no test is called {test}"
    );
}

/// How many descriptors this process may have.
pub fn descriptor_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| {
        line.strip_prefix("Max open files")?
            .split_whitespace()
            .next()
    });
    soft.and_then(|limit| limit.parse().ok()).unwrap_or(256)
}
