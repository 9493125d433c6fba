//! A server that runs out of descriptors: it does not spin, says so once, and serves again when there
//! are some. The server is a process of its own, with a lowered limit; this one is its clients.

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use soquete::{event, net};
use support::{descriptor_limit, done, listening_on, outsider, run_to_end};

const LIMIT: usize = 64;

static WARNINGS: AtomicUsize = AtomicUsize::new(0);

/// Counts warnings.
struct Counting;

impl log::Log for Counting {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.level() <= log::Level::Warn {
            eprintln!("{}", record.args());
            WARNINGS.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// An echo server that knows three words.
#[test]
#[ignore = "the server of the tests in this file, in a process of its own"]
fn server_process() {
    let hogs = std::env::var("SOQUETE_HOGS").is_ok();
    log::set_logger(&Counting).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let server = net::create_server(|socket| {
        socket.on(event::Error, |_| ());
        socket.on(event::Data, move |chunk| match chunk {
            b"report" => {
                let metrics = soquete::metrics();
                let warnings = WARNINGS.load(Ordering::Relaxed);
                socket.write(format!("{} {warnings} {}", metrics.turns, cpu_time()));
            }
            b"quit" => {
                socket.end();
                socket.server().unwrap().close();
            }
            chunk => done(socket.write(chunk)),
        });
    });
    if !hogs {
        listening_on(server, "127.0.0.1", |_, port| println!("\nport {port}"));
        return run_to_end();
    }
    // Nothing but one descriptor is left when the server begins to listen: it gets no reserve.
    soquete::timers::set_immediate(|| ());
    soquete::run_nowait().unwrap();
    let mut files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    files.pop();
    let mut files = Some(files);
    soquete::timers::set_timeout(Duration::from_millis(400), move || drop(files.take()));
    listening_on(server, "127.0.0.1", |_, port| println!("\nport {port}"));
    run_to_end();
}

/// What this process has used of a processor, in ms; 0 where it cannot be found out.
fn cpu_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = stat
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse::<u64>().ok());
    nanoseconds.unwrap_or(0) / 1_000_000
}

/// The server's process, its port, and its output, which nobody reads but which has to stay open.
struct Serving {
    child: Child,
    port: u16,
    _output: Lines<BufReader<ChildStdout>>,
}

fn start_server(hogs: bool) -> Serving {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!(
            "ulimit -n {LIMIT} && exec \"$0\" --exact server_process --nocapture --include-ignored"
        ))
        .arg(std::env::current_exe().unwrap())
        .stdout(Stdio::piped());
    if hogs {
        command.env("SOQUETE_HOGS", "1");
    }
    let mut child = command.spawn().expect("sh is there");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("port ")?.parse().ok());
    Serving {
        child,
        port: port.expect("the server tells its port"),
        _output: lines,
    }
}

/// Whether the server answers; what it has turned away sees an end or a reset.
fn is_served(peer: &mut TcpStream) -> bool {
    let mut answer = [0; 5];
    peer.write_all(b"hello").is_ok() && peer.read_exact(&mut answer).is_ok()
}

/// Turns, warnings and CPU time in ms of the server so far.
fn report(port: u16) -> (u64, u64, u64) {
    let mut peer = outsider(port);
    peer.write_all(b"report").unwrap();
    let mut text = [0; 64];
    let count = peer.read(&mut text).unwrap();
    let text = std::str::from_utf8(&text[..count]).unwrap();
    let numbers: Vec<u64> = text
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    (numbers[0], numbers[1], numbers[2])
}

fn quit(mut server: Serving) {
    outsider(server.port).write_all(b"quit").unwrap();
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn those_who_come_too_many_are_turned_away_and_there_is_no_spinning() {
    let server = start_server(false);
    let port = server.port;
    let crowd = descriptor_limit().saturating_sub(50).min(300);
    let mut peers: Vec<TcpStream> = (0..crowd).map(|_| outsider(port)).collect();
    let served = peers
        .iter_mut()
        .filter_map(|peer| is_served(peer).then_some(()))
        .count();
    assert!(
        served > LIMIT / 2 && served < LIMIT,
        "{served} of {crowd} were served"
    );
    // It stays full for a while, and some more knock.
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..5 {
        assert!(!is_served(&mut outsider(port)));
    }
    peers.clear();
    // Those have to be gone before there is room.
    while !is_served(&mut outsider(port)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (turns, warnings, cpu) = report(port);
    assert_eq!(warnings, 1);
    assert!(
        turns < 5 * crowd as u64,
        "{turns} turns for {crowd} clients"
    );
    assert!(cpu < 1_000, "{cpu} ms of CPU time");
    quit(server);
}

#[test]
fn without_a_reserve_it_rests_and_then_serves_those_who_waited() {
    let server = start_server(true);
    let port = server.port;
    let mut peers: Vec<TcpStream> = (0..20).map(|_| outsider(port)).collect();
    // Until the server's files are closed there is no answer; then there is one for each.
    assert!(peers.iter_mut().all(is_served));
    let (turns, warnings, cpu) = report(port);
    assert_eq!(warnings, 1);
    assert!(turns < 200, "{turns} turns for 20 clients");
    assert!(cpu < 1_000, "{cpu} ms of CPU time");
    drop(peers);
    quit(server);
}
