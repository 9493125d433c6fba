//! The examples, driven by peers that reset their connections. A program that we show survives that: it is
//! what becomes of programs that are copied.

#[path = "support/programs.rs"]
mod programs;
#[path = "support/sources.rs"]
mod sources;

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use programs::{Running, examples, free_port};
use sources::sources;

const TOO_LONG: Duration = Duration::from_secs(20);

#[test]
fn the_server_of_the_first_lesson_survives_resets() {
    survives_resets("server", &[], "Olá");
}

#[test]
fn one_loop_per_core_survives_resets() {
    survives_resets("workers", &[], "Olá");
}

#[test]
fn connections_that_were_handed_over_survive_resets() {
    survives_resets("workers", &["--hand-over"], "Olá");
}

#[test]
fn the_key_value_server_survives_resets() {
    survives_resets("resp_server", &[], "PING\r\n");
}

#[test]
fn the_client_of_the_first_lesson_survives_a_reset() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = start("client", Some(port), &[]);
    let (mut peer, _) = listener.accept().unwrap();
    let mut greeting = [0; 4];
    peer.read_exact(&mut greeting).unwrap();
    reset(peer).unwrap();
    let mut printed = String::new();
    client
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    assert!(client.wait().unwrap().success(), "{printed}");
    assert_eq!(
        printed, "Conectado ao servidor!\nErro: read ECONNRESET\n",
        "and it says so"
    );
}

#[test]
fn the_conversation_survives_a_stranger_that_resets() {
    for _ in 0..20 {
        let mut conversation = Running(start("conversation", None, &[]));
        let mut lines = BufReader::new(conversation.0.stdout.take().unwrap());
        let mut said = String::new();
        lines.read_line(&mut said).unwrap();
        let port = said.trim_end_matches(['.', '\n']).rsplit(' ').next();
        let port: u16 = port.unwrap().parse().unwrap();
        // It lasts for a moment only, and the stranger may be too late.
        if let Ok(mut stranger) = TcpStream::connect(("127.0.0.1", port)) {
            let _ = stranger.write_all("Olá".as_bytes());
            reset(stranger).unwrap();
        }
        lines.read_to_string(&mut said).unwrap();
        assert!(conversation.0.wait().unwrap().success(), "{said}");
    }
}

/// Resets connections at several points of their lives, and asserts that the next one is served.
fn survives_resets(program: &str, flags: &[&str], request: &str) {
    let port = free_port();
    let mut server = Running(start(program, Some(port), flags));
    let printed = BufReader::new(server.0.stdout.take().unwrap());
    let _printed = wait_until_listening(printed, port);
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(TOO_LONG)).unwrap();
        stream
    };
    let answered = |stream: &mut TcpStream| {
        stream.write_all(request.as_bytes())?;
        stream.read_exact(&mut [0; 4])
    };
    // Several of each, since a loop per core has several servers.
    for _ in 0..8 {
        reset(connect()).unwrap();
        let mut unanswered = connect();
        unanswered.write_all(request.as_bytes()).unwrap();
        reset(unanswered).unwrap();
        let mut served = connect();
        answered(&mut served).unwrap();
        reset(served).unwrap();
        // More than it can answer without being read, where it echoes.
        let mut deaf = connect();
        deaf.set_write_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let requests = request.repeat(10_000);
        let mut writes = (0..100).map(|_| deaf.write(requests.as_bytes()));
        let _took_all = writes.all(|written| written.is_ok());
        drop(writes);
        reset(deaf).unwrap();
        let mut next = connect();
        answered(&mut next).unwrap_or_else(|error| panic!("{program} is gone: {error}"));
    }
    assert!(
        server.0.try_wait().unwrap().is_none(),
        "{program} has ended"
    );
}

/// Every program in the documentation that accepts connections listens for their errors.
#[test]
fn the_servers_in_the_documentation_listen_for_errors() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut files = sources();
    files.push(("README.md".to_owned(), fs::read_to_string(readme).unwrap()));
    let mut servers = 0;
    for (name, text) in files {
        for block in code_blocks(&text) {
            if !block.contains("create_server") {
                continue;
            }
            servers += 1;
            // A pipeline takes the errors of its sockets.
            assert!(
                block.contains("event::Error") || block.contains("pipeline"),
                "{name}: a reset ends the program\n{block}"
            );
        }
    }
    assert!(servers > 8, "{servers} servers are shown");
}

/// What stands between two fences, in Markdown or in the comments of a source.
fn code_blocks(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///")
            .or(line.strip_prefix("//!"))
            .unwrap_or(line)
    });
    // What rustdoc does not show.
    let lines = lines.filter(|line| !line.trim_start().starts_with("# "));
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in lines {
        match &mut open {
            Some(_) if line.trim_start().starts_with("```") => blocks.extend(open.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
            None if line.trim_start().starts_with("```") => open = Some(String::new()),
            None => {}
        }
    }
    blocks
}

fn start(program: &str, port: Option<u16>, flags: &[&str]) -> Child {
    Command::new(examples().join(program))
        .args(port.map(|port| port.to_string()))
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Reads until the port is named. What is returned keeps the pipe open, and read.
fn wait_until_listening(
    mut printed: BufReader<ChildStdout>,
    port: u16,
) -> std::thread::JoinHandle<io::Result<u64>> {
    let mut line = String::new();
    while !line.contains(&port.to_string()) {
        line.clear();
        assert_ne!(printed.read_line(&mut line).unwrap(), 0, "it has ended");
    }
    std::thread::spawn(move || io::copy(&mut printed, &mut io::sink()))
}

/// Closes by a reset.
fn reset(stream: TcpStream) -> io::Result<()> {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}
