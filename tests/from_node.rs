//! The programs of `examples/from_node`, each once in Node and once here: driven alike, they answer alike,
//! and the one here has at most 1.8 times the lines.

#![cfg(unix)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use socket2::{Domain, Type};

const PROGRAMS: [&str; 6] = ["chat", "jobs", "proxy", "daemon", "scan", "reconnect"];

/// How long a program may keep a test waiting for a line.
const PATIENCE: Duration = Duration::from_secs(10);

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/from_node")
}

/// Under which name a program is an example: another one is the chat, or the proxy.
fn example(program: &str) -> &str {
    match program {
        "chat" => "from_node_chat",
        "proxy" => "from_node_proxy",
        other => other,
    }
}

/// Where the examples are, freshly built: a run of this test alone does not build them.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--offline", "--quiet"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        for program in PROGRAMS {
            build.args(["--example", example(program)]);
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.status().unwrap().success(), "the examples are built");
        let tests = env::current_exe().unwrap();
        let profile = tests.parent().and_then(Path::parent).unwrap();
        profile.join("examples")
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Rust,
    Node,
}

/// Calls `drive` for the program here and for that in Node, if there is one.
fn each_kind(drive: impl Fn(Kind)) {
    drive(Kind::Rust);
    match Command::new(node()).arg("--version").output() {
        Ok(_) => drive(Kind::Node),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Past the test harness, which would keep it to itself.
            let note = "LEFT OUT: programs in Node, because there is no node on this machine\n";
            let _unheard = std::io::stderr().write_all(note.as_bytes());
        }
        Err(error) => panic!("{error}"),
    }
}

fn node() -> std::ffi::OsString {
    env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into())
}

/// A program that runs, until it is dropped.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(kind: Kind, name: &str, arguments: &[&str]) -> Program {
        let mut command = match kind {
            Kind::Rust => Command::new(built().join(example(name))),
            Kind::Node => {
                let mut command = Command::new(node());
                command.arg(sources().join(format!("{name}.mjs")));
                command
            }
        };
        let command = command.args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Program { child, output }
    }

    /// A server's program, and the port that it says it listens on.
    fn serving(kind: Kind, name: &str, arguments: &[&str]) -> (Program, u16) {
        let mut program = Program::start(kind, name, arguments);
        let line = program.line();
        let port = line.strip_prefix("listening on ").expect(&line);
        let port = port.parse().unwrap();
        (program, port)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// All that it still says, up to its end.
    fn rest(mut self) -> Vec<String> {
        let lines = self.output.by_ref().lines().map(Result::unwrap).collect();
        self.child.wait().unwrap();
        lines
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A peer of a program's, by lines.
struct Peer(BufReader<TcpStream>);

impl Peer {
    fn to(port: u16) -> Peer {
        Peer::of(TcpStream::connect(("127.0.0.1", port)).unwrap())
    }

    fn of(stream: TcpStream) -> Peer {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Peer(BufReader::new(stream))
    }

    fn says(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), expected);
    }

    /// Nothing but the end.
    #[track_caller]
    fn hears_the_end(&mut self) {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }

    fn ends(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).unwrap();
    }
}

#[test]
fn a_program_has_at_most_nearly_twice_the_lines_of_its_original() {
    let lines = |file: String| {
        let text = fs::read_to_string(sources().join(file)).unwrap();
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count()
    };
    for program in PROGRAMS {
        let (here, there) = (
            lines(format!("{program}.rs")),
            lines(format!("{program}.mjs")),
        );
        assert!(
            here * 10 <= there * 18,
            "{program}: {here} lines for {there}"
        );
    }
}

#[test]
fn the_chat_tells_all_others() {
    each_kind(|kind| {
        let (_chat, port) = Program::serving(kind, "chat", &["0"]);
        let (mut ana, mut bob, mut silent) = (Peer::to(port), Peer::to(port), Peer::to(port));
        ana.hears("nick?");
        ana.says("ana\n");
        ana.hears("* ana joined");
        bob.hears("nick?");
        bob.says("bob\r\n");
        bob.hears("* bob joined");
        ana.hears("* bob joined");
        // In two pieces, and two lines in one.
        bob.says("hel");
        bob.says("lo\nall\n");
        ana.hears("bob: hello");
        ana.hears("bob: all");
        ana.says("/who\n");
        ana.hears("* ana bob");
        silent.hears("nick?");
        drop(silent);
        bob.says("/quit\n");
        bob.hears("bye");
        bob.hears_the_end();
        drop(bob);
        ana.hears("* bob left");
    });
}

#[test]
fn jobs_are_done_or_time_out_and_the_silent_are_let_go() {
    each_kind(|kind| {
        let (_jobs, port) = Program::serving(kind, "jobs", &["0"]);
        let mut client = Peer::to(port);
        client.says("slow 60000\nquick 100\nnow 1\n");
        client.hears("now done");
        client.hears("quick done");
        client.hears("slow timed out");
        let mut careless = Peer::to(port);
        careless.says("a job\n");
        careless.hears("no job: a job");
        careless.hears_the_end();
        let last = Instant::now();
        client.hears("silent for too long");
        assert!(last.elapsed() < Duration::from_secs(5));
        client.hears_the_end();
    });
}

/// An upstream that says its name, then whatever it has heard up to the end.
fn upstream(name: &'static str) -> (u16, TcpListener) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepting = listener.try_clone().unwrap();
    thread::spawn(move || {
        for stream in accepting.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut heard = String::new();
            let _reset = stream.read_to_string(&mut heard);
            let _reset = stream.write_all(format!("{name} {heard}\n").as_bytes());
        }
    });
    (port, listener)
}

#[test]
fn the_proxy_takes_the_upstreams_in_turn_and_passes_over_the_dead() {
    each_kind(|kind| {
        let ((first, _one), (second, _two)) = (upstream("first"), upstream("second"));
        let asked = |port: u16, answer: &str| {
            let mut client = Peer::to(port);
            client.says("hello");
            // Half-closed, and answered all the same.
            client.ends();
            client.hears(answer);
            client.hears_the_end();
        };
        let upstreams = [first.to_string(), second.to_string()];
        let both = ["0", &upstreams[0], &upstreams[1]];
        let (_proxy, port) = Program::serving(kind, "proxy", &both);
        asked(port, "first hello");
        asked(port, "second hello");
        asked(port, "first hello");
        // Nobody listens on port 1.
        let (_proxy, port) = Program::serving(kind, "proxy", &["0", "1", &upstreams[1]]);
        asked(port, "second hello");
        asked(port, "second hello");
        let (_proxy, port) = Program::serving(kind, "proxy", &["0", "1"]);
        asked(port, "no upstream");
    });
}

#[test]
fn the_daemon_does_what_its_command_says() {
    each_kind(|kind| {
        let path = format!("soquete-daemon-{}-{kind:?}.sock", std::process::id());
        let path = env::temp_dir().join(path);
        let path = path.to_str().unwrap();
        let _left_behind = fs::remove_file(path);
        let command = |words: &[&str]| {
            let arguments: Vec<&str> = [path].iter().chain(words).copied().collect();
            Program::start(kind, "daemon", &arguments).rest()
        };
        assert_eq!(command(&["get", "x"]), ["ENOENT"]);
        let mut daemon = Program::start(kind, "daemon", &[path]);
        assert_eq!(daemon.line(), "listening");
        assert_eq!(command(&["get", "x"]), ["nothing"]);
        assert_eq!(command(&["set", "x", "a", "value"]), ["ok"]);
        assert_eq!(command(&["get", "x"]), ["a value"]);
        assert_eq!(command(&["dance"]), ["what is dance?"]);
        assert_eq!(command(&["stop"]), ["stopping"]);
        assert_eq!(daemon.rest(), [""; 0]);
        assert!(!Path::new(path).exists());
    });
}

#[test]
fn the_scanner_finds_what_is_open() {
    each_kind(|kind| {
        // Three ports that are taken, and whatever is between and around them is not ours to know.
        let open: Vec<TcpListener> = (0..3)
            .map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap())
            .collect();
        let ports = open
            .iter()
            .map(|listener| listener.local_addr().unwrap().port());
        for port in ports {
            let (first, last) = (port.saturating_sub(150), port.saturating_add(150));
            let range = [first.to_string(), last.to_string()];
            let arguments = ["127.0.0.1", &range[0], &range[1]];
            let said = Program::start(kind, "scan", &arguments).rest();
            assert_eq!(said.len(), 1, "{said:?}");
            let found: Vec<u16> = said[0]
                .strip_prefix("open: ")
                .unwrap()
                .split(' ')
                .map(|port| port.parse().unwrap())
                .collect();
            assert!(
                found.contains(&port) && found.is_sorted(),
                "{port} {found:?}"
            );
        }
        // Nobody listens on port 1.
        assert_eq!(
            Program::start(kind, "scan", &["127.0.0.1", "1", "1"]).rest(),
            ["open: "]
        );
    });
}

#[test]
fn the_client_comes_back_until_it_is_content() {
    each_kind(|kind| {
        // Bound, so that it is nobody else's, and not listening yet.
        let bound = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        bound.bind(&any.into()).unwrap();
        let address = bound.local_addr().unwrap().as_socket().unwrap();
        let port = address.port().to_string();
        let mut client = Program::start(kind, "reconnect", &[&port]);
        for delay in [20, 40] {
            assert_eq!(client.line(), "ECONNREFUSED");
            assert_eq!(client.line(), format!("again in {delay} ms"));
        }
        bound.listen(8).unwrap();
        let listener = TcpListener::from(bound);
        let accepted = || Peer::of(listener.accept().unwrap().0);
        let mut first = accepted();
        first.hears("hello");
        first.says("later\n");
        drop(first);
        let mut second = accepted();
        second.hears("hello");
        second.says("bye\n");
        drop(second);
        let mut said = client.rest();
        // How often it was refused meanwhile is a matter of time.
        said.retain(|line| line != "ECONNREFUSED" && line != "again in 80 ms");
        assert_eq!(
            said.iter()
                .filter(|line| !line.starts_with("again in 160"))
                .collect::<Vec<_>>(),
            [
                "connected",
                "heard later",
                "again in 20 ms",
                "connected",
                "heard bye"
            ]
        );
    });
}
