//! The example `proxy`, with Node in front of it and behind it, and with upstreams that die and come back.
//!
//! Node is `SOQUETE_NODE`, or the `node` of the PATH. Where there is none, the test with it is left out, which is
//! said; with `CI` set that is a failure.

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod programs;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use programs::{Running, examples};
use socket2::{Domain, Socket, Type};

/// A program that says on which port it listens.
struct Program {
    port: u16,
    said: BufReader<ChildStdout>,
    _running: Running,
}

impl Program {
    fn start(command: &mut Command) -> Program {
        let mut child: Child = command
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut program = Program {
            port: 0,
            said,
            _running: Running(child),
        };
        let port = program.line().rsplit(' ').next().map(str::parse);
        program.port = port.and_then(Result::ok).expect("it says its port");
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("text");
        line.trim_end().to_owned()
    }
}

fn proxy(upstreams: &[u16], flags: &[&str]) -> Program {
    let upstreams = upstreams.iter().map(|port| format!("127.0.0.1:{port}"));
    Program::start(
        Command::new(examples().join("proxy"))
            .arg("0")
            .args(upstreams)
            .args(flags),
    )
}

/// No checks while the test lasts.
const UNCHECKED: [&str; 2] = ["--check-every", "100000000"];

fn client_of(proxy: &Program) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port)).expect("it listens");
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Sends, ends, and reads to the end.
fn asked(proxy: &Program, question: &str) -> String {
    let mut stream = client_of(proxy);
    stream.write_all(question.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Answers everybody, at the end of the question, with a name and the question.
fn upstream(listener: TcpListener, name: &'static str) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answers(stream, name));
        }
    });
}

fn answers(mut stream: TcpStream, name: &str) -> std::io::Result<()> {
    let mut question = String::new();
    stream.read_to_string(&mut question)?;
    stream.write_all(format!("{name} {question}").as_bytes())
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A port on which nobody listens, and on which somebody can.
fn silent_port() -> u16 {
    listener().1
}

/// As `TcpListener::bind`, on a port that has had connections before.
fn listen_again(port: u16) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    socket.bind(&address.into()).unwrap();
    socket.listen(128).unwrap();
    socket.into()
}

#[test]
fn connections_are_shared_out_among_the_upstreams() {
    let ((one, first), (two, second)) = (listener(), listener());
    upstream(one, "first");
    upstream(two, "second");
    let proxy = proxy(&[first, second], &UNCHECKED);
    // Whoever waits for an answer makes the other one the less busy.
    let mut waiting = client_of(&proxy);
    waiting.write_all(b"one").unwrap();
    let answer = poll(|| Some(asked(&proxy, "two")).filter(|answer| answer == "second two"));
    assert_eq!(answer, "second two");
    waiting.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "first one");
}

/// Tries until it works, for ten seconds.
fn poll<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        match attempt() {
            Some(answer) => return answer,
            None if begin.elapsed() > Duration::from_secs(10) => panic!("it never comes to that"),
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
}

#[test]
fn each_direction_ends_by_itself() {
    let (listener, port) = listener();
    let proxy = proxy(&[port], &UNCHECKED);
    let mut client = client_of(&proxy);
    let (mut server, _) = listener.accept().unwrap();
    // The upstream ends first, and hears the client out.
    server.write_all(b"all there is").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "all there is");
    for _ in 0..3 {
        client.write_all(b"more ").unwrap();
        let mut word = [0; 5];
        server.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"more ");
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn an_upstream_that_refuses_is_passed_over_and_not_tried_again() {
    let (listener, port) = listener();
    upstream(listener, "second");
    let dead = silent_port();
    let mut proxy = proxy(&[dead, port], &UNCHECKED);
    assert_eq!(asked(&proxy, "a"), "second a");
    assert_eq!(proxy.line(), format!("127.0.0.1:{dead} is down"));
    // One that listens there now is not asked, for nothing has checked it.
    let back = listen_again(dead);
    back.set_nonblocking(true).unwrap();
    assert_eq!(asked(&proxy, "b"), "second b");
    assert_eq!(back.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn upstreams_that_die_and_come_back_are_found_by_the_checks() {
    let (first, second) = (silent_port(), silent_port());
    let mut proxy = proxy(&[first, second], &["--check-every", "20"]);
    let mut down = [proxy.line(), proxy.line()];
    down.sort();
    let mut expected = [first, second].map(|port| format!("127.0.0.1:{port} is down"));
    expected.sort();
    assert_eq!(down, expected);
    upstream(listen_again(second), "second");
    assert_eq!(proxy.line(), format!("127.0.0.1:{second} is up"));
    assert_eq!(asked(&proxy, "a"), "second a");
    upstream(listen_again(first), "first");
    assert_eq!(proxy.line(), format!("127.0.0.1:{first} is up"));
    assert_eq!(asked(&proxy, "b"), "first b");
}

#[test]
fn a_client_for_whom_there_is_no_upstream_is_closed() {
    let mut proxy = proxy(&[silent_port()], &UNCHECKED);
    let mut client = client_of(&proxy);
    assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert!(proxy.line().ends_with("is down"));
    assert_eq!(proxy.line(), "no upstream can be reached");
}

/// A full backlog answers nobody, as a machine does that is not there.
#[cfg(target_os = "linux")]
#[test]
fn connecting_takes_so_long_at_most() {
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let port = address.as_socket().unwrap().port();
    let waiting: Vec<Socket> = (0..3)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // It is under way.
            let _later = socket.connect(&address);
            socket
        })
        .collect();
    let (listener, second) = listener();
    upstream(listener, "second");
    let flags = [&UNCHECKED[..], &["--connect-timeout", "100"]].concat();
    let mut proxy = proxy(&[port, second], &flags);
    let begin = Instant::now();
    assert_eq!(asked(&proxy, "a"), "second a");
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(90), "{took:?}");
    assert_eq!(proxy.line(), format!("127.0.0.1:{port} is down"));
    drop(waiting);
}

#[test]
fn an_upstream_that_dies_in_the_middle_is_no_end_to_the_client() {
    let (listener, port) = listener();
    let proxy = proxy(&[port], &UNCHECKED);
    let mut client = client_of(&proxy);
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"half").unwrap();
    let mut half = [0; 4];
    client.read_exact(&mut half).unwrap();
    socket2::SockRef::from(&server)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(server);
    let error = client.read(&mut [0; 1]).expect_err("there is more to come");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_client_that_dies_in_the_middle_is_no_end_to_the_upstream() {
    let (listener, port) = listener();
    let proxy = proxy(&[port], &UNCHECKED);
    let mut client = client_of(&proxy);
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(b"half").unwrap();
    let mut half = [0; 4];
    server.read_exact(&mut half).unwrap();
    socket2::SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
    let error = server.read(&mut [0; 1]).expect_err("there is more to come");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn so_many_connections_are_for_one_address() {
    let (listener, port) = listener();
    upstream(listener, "one");
    let flags = [&UNCHECKED[..], &["--per-source", "2"]].concat();
    let mut proxy = proxy(&[port], &flags);
    let (first, mut second) = (client_of(&proxy), client_of(&proxy));
    let mut third = client_of(&proxy);
    assert!(matches!(third.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert_eq!(proxy.line(), "too many connections from 127.0.0.1");
    second.write_all(b"b").unwrap();
    second.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "one b");
    // There is room again, as soon as the proxy has seen that.
    drop(first);
    let mut again = || {
        let mut stream = client_of(&proxy);
        stream.write_all(b"c").ok()?;
        stream.shutdown(Shutdown::Write).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer).filter(|answer| !answer.is_empty())
    };
    assert_eq!(poll(&mut again), "one c");
}

/// Reads the header, and the rest.
fn told(listener: &TcpListener) -> (String, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let (mut header, mut rest) = (String::new(), String::new());
    reader.read_line(&mut header).unwrap();
    reader.read_to_string(&mut rest).unwrap();
    (header.trim_end().to_owned(), rest)
}

#[test]
fn an_upstream_is_told_whose_connection_it_is() {
    let (listener, port) = listener();
    let flags = [&UNCHECKED[..], &["--send-proxy"]].concat();
    let proxy = proxy(&[port], &flags);
    let mut client = client_of(&proxy);
    let own = client.local_addr().unwrap().port();
    client.write_all(b"hello").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let expected = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {own} {}", proxy.port);
    assert_eq!(told(&listener), (expected, "hello".into()));
}

#[test]
fn what_a_proxy_in_front_says_of_the_client_is_passed_on() {
    let mut second_version = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    second_version.extend([192, 0, 2, 7, 198, 51, 100, 1, 0x15, 0x38, 0, 80]);
    let headers: [(&[u8], &str); 4] = [
        (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 5432 80\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 5432 80",
        ),
        (&second_version, "PROXY TCP4 192.0.2.7 198.51.100.1 5432 80"),
        (
            b"PROXY TCP6 2001:db8::7 2001:db8::1 5432 80\r\n",
            "PROXY TCP6 2001:db8::7 2001:db8::1 5432 80",
        ),
        (
            b"PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 5432 80\r\n",
            "PROXY UNKNOWN",
        ),
    ];
    let (listener, port) = listener();
    let flags = [&UNCHECKED[..], &["--send-proxy", "--accept-proxy"]].concat();
    let proxy = proxy(&[port], &flags);
    for (header, expected) in headers {
        let mut client = client_of(&proxy);
        client.write_all(&[header, b"hello"].concat()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(told(&listener), (expected.into(), "hello".into()));
    }
    // One that says nothing of the kind is no proxy.
    let mut client = client_of(&proxy);
    client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn a_check_says_that_it_speaks_for_itself() {
    let (listener, port) = listener();
    let _proxy = proxy(&[port], &["--send-proxy", "--check-every", "20"]);
    assert_eq!(told(&listener), ("PROXY UNKNOWN".into(), String::new()));
}

/// An upstream in Node that sends back what it gets, and then how much that was.
const NODE_BEHIND: &str = r#"
const server = require('net').createServer({ allowHalfOpen: true }, socket => {
    let count = 0;
    socket.on('data', chunk => {
        count += chunk.length;
        if (!socket.write(chunk)) { socket.pause(); socket.once('drain', () => socket.resume()); }
    });
    socket.on('end', () => socket.end(`${count}`));
});
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
"#;

/// A client in Node that sends 20 MB, ends, and says what has come back.
const NODE_IN_FRONT: &str = r#"
const { createHash } = require('crypto');
const client = require('net').connect({ port: process.argv[1], host: '127.0.0.1', allowHalfOpen: true });
const sent = createHash('sha256'), heard = createHash('sha256');
const chunk = Buffer.alloc(100_000);
let left = 200, count = 0, last = '';
(function send() {
    while (left-- > 0) {
        chunk.fill(left % 251);
        sent.update(chunk);
        if (!client.write(Buffer.from(chunk))) return client.once('drain', send);
    }
    client.end();
})();
client.on('data', data => {
    const body = Math.min(data.length, 20_000_000 - count);
    heard.update(data.subarray(0, body));
    last += data.subarray(body);
    count += data.length;
});
client.on('close', () => console.log(last, sent.digest('hex') === heard.digest('hex')));
"#;

#[test]
fn node_in_front_and_behind_hear_each_other_out() {
    let node = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
    if Command::new(&node).arg("--version").output().is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no node here: name one by SOQUETE_NODE"
        );
        // Past the test harness, which would keep it to itself.
        let _unheard = std::io::stderr().write_all(
            b"LEFT OUT: Node in front of the proxy and behind it, for there is no node here\n",
        );
        return;
    }
    let behind = [0; 2].map(|_| Program::start(Command::new(&node).args(["-e", NODE_BEHIND])));
    let proxy = proxy(&[behind[0].port, behind[1].port], &["--check-every", "50"]);
    let port = proxy.port.to_string();
    let clients: Vec<Child> = (0..4)
        .map(|_| {
            let mut client = Command::new(&node);
            client
                .args(["-e", NODE_IN_FRONT, &port])
                .stdout(Stdio::piped());
            client.spawn().unwrap()
        })
        .collect();
    for client in clients {
        let output = client.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.trim_end(), "20000000 true");
    }
}
