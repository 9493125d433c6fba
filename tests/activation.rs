//! Sockets that a service manager has opened. Each test starts its own binary anew, as the service.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use soquete::net::{self, Server, Socket};
use soquete::{activation, event};

mod support;

/// What this process is to do, if it is a service.
const ROLE: &str = "SOQUETE_SERVICE";

fn is_a_service() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Runs a test of this binary as a service, with its standard input and output as the descriptors 3 and 4.
fn service(test: &str, passed: [Stdio; 2], variables: &str) -> Child {
    let [third, fourth] = passed;
    let script = format!(
        "exec 3<&0 4>&1 0</dev/null 1>&2; {variables} exec \"$0\" --exact {test} --nocapture"
    );
    Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().expect("a test has a binary"))
        .env(ROLE, "1")
        .stdin(third)
        .stdout(fourth)
        .spawn()
        .expect("sh is there")
}

fn ended(mut child: Child) -> ExitStatus {
    child.wait().expect("it was started")
}

/// A server that answers with a word, and ends after the first connection.
fn answering(word: &'static str) -> Server {
    let server = Server::new();
    server.on(event::Connection, move |socket| {
        server.close();
        socket.end_with(word).resume();
    })
}

#[test]
fn a_service_listens_on_what_it_was_passed() {
    let test = "a_service_listens_on_what_it_was_passed";
    if is_a_service() {
        let listeners = activation::listeners().unwrap();
        let names: Vec<_> = listeners.iter().map(|socket| socket.name()).collect();
        assert_eq!(names, [Some("web"), Some("control")]);
        for (listener, word) in listeners.into_iter().zip(["web", "control"]) {
            answering(word)
                .listen(listener)
                .on(event::Error, |error| panic!("{error}"));
        }
        assert!(
            activation::listeners().unwrap().is_empty(),
            "they are taken"
        );
        return support::run_to_end();
    }
    let web = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let path = std::env::temp_dir().join(format!("soquete-activated-{}", std::process::id()));
    let control = UnixListener::bind(&path).unwrap();
    // They come before there is a service, and wait for it.
    let mut client = TcpStream::connect(web.local_addr().unwrap()).unwrap();
    let mut other = UnixStream::connect(&path).unwrap();
    let passed = [OwnedFd::from(web).into(), OwnedFd::from(control).into()];
    let variables = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:control";
    let child = service(test, passed, variables);
    let (mut first, mut second) = (String::new(), String::new());
    client.read_to_string(&mut first).unwrap();
    other.read_to_string(&mut second).unwrap();
    drop((client, other));
    assert!(ended(child).success());
    assert_eq!((&*first, &*second), ("web", "control"));
    // The file is the manager's.
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_service_can_be_passed_a_connection() {
    let test = "a_service_can_be_passed_a_connection";
    if is_a_service() {
        let passed = activation::listeners().unwrap().pop().expect("one");
        assert_eq!(passed.name(), None);
        let socket = Socket::from_fd(passed.into()).unwrap();
        socket.pipe(socket);
        return support::run_to_end();
    }
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let passed = [OwnedFd::from(theirs).into(), Stdio::null()];
    let child = service(test, passed, "LISTEN_PID=$$ LISTEN_FDS=1");
    ours.write_all(b"hello").unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).unwrap();
    assert!(ended(child).success());
    assert_eq!(answer, "hello");
}

#[test]
fn there_is_nothing_where_it_was_passed_to_another_process_or_to_nobody_or_not_counted() {
    let test =
        "there_is_nothing_where_it_was_passed_to_another_process_or_to_nobody_or_not_counted";
    if is_a_service() {
        assert!(activation::listeners().unwrap().is_empty());
        return;
    }
    let uncounted = ["LISTEN_PID=$$", "LISTEN_PID=$$ LISTEN_FDS=0"];
    let of_others = ["LISTEN_PID=1 LISTEN_FDS=1", "LISTEN_FDS=1", ""];
    for variables in of_others.into_iter().chain(uncounted) {
        let web = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let passed = [OwnedFd::from(web).into(), Stdio::null()];
        assert!(
            ended(service(test, passed, variables)).success(),
            "{variables}"
        );
    }
}

#[test]
fn what_is_no_stream_and_what_is_no_number_are_errors() {
    let test = "what_is_no_stream_and_what_is_no_number_are_errors";
    if is_a_service() {
        let error = activation::listeners().expect_err("it cannot be listened on");
        assert_eq!(
            (error.code(), error.syscall()),
            ("EINVAL", Some("sd_listen_fds"))
        );
        return;
    }
    for count in ["1", "many", "-1", "2147483647"] {
        let udp = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let passed = [OwnedFd::from(udp).into(), Stdio::null()];
        let child = service(test, passed, &format!("LISTEN_PID=$$ LISTEN_FDS={count}"));
        assert!(ended(child).success(), "{count}");
    }
}

/// systemd's own way, where there is `systemd-socket-activate` (Debian's package `systemd`).
#[test]
fn systemd_starts_a_service_with_the_first_connection() {
    let test = "systemd_starts_a_service_with_the_first_connection";
    if is_a_service() {
        let web = activation::listeners().unwrap().pop().expect("one");
        assert_eq!(web.name(), Some("web"));
        answering("web").listen(web);
        return support::run_to_end();
    }
    let port = net::BoundSocket::new(("127.0.0.1", 0)).and_then(|bound| bound.address());
    let port = port.expect("a port is free").port();
    let manager = Command::new("systemd-socket-activate")
        .arg(format!("--listen=127.0.0.1:{port}"))
        .args(["--fdname=web", &format!("--setenv={ROLE}=1")])
        .arg(std::env::current_exe().expect("a test has a binary"))
        .args(["--exact", test, "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(manager) = manager else {
        eprintln!("left out: there is no systemd-socket-activate (Debian's package `systemd`)");
        return;
    };
    // It takes a moment to listen.
    let answer = (0..200).find_map(|_| {
        thread::sleep(Duration::from_millis(20));
        let mut client = TcpStream::connect(("127.0.0.1", port)).ok()?;
        let mut answer = String::new();
        client.read_to_string(&mut answer).ok()?;
        Some(answer)
    });
    assert!(ended(manager).success());
    assert_eq!(answer.as_deref(), Some("web"));
}
