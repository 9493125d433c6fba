//! The two programs of every first lesson, in JavaScript under a real Node (`interop/*.js`) and in
//! Rust (`examples/server.rs`, `examples/client.rs`), in all four combinations: what both sides print
//! is the same, byte for byte.
//!
//! Node is `SOQUETE_NODE`, or the `node` of the PATH. Where there is none the combinations with it are
//! left out, which is said; with `CI` set that is a failure.

#[path = "support/programs.rs"]
mod programs;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use programs::{Running, examples, free_port};

/// What the server prints, with the port's number as `{port}`.
const SERVER: &str = "Servidor TCP escutando na porta {port}...\n\
                      Cliente conectado!\n\
                      Recebido: Olá, servidor!\n\
                      Cliente desconectado.\n";
const CLIENT: &str = "Conectado ao servidor!\n\
                      Recebido do servidor: Olá, cliente!\n\
                      Desconectado do servidor.\n";

#[derive(Clone, Copy, PartialEq)]
enum Language {
    JavaScript,
    Rust,
}
use Language::{JavaScript, Rust};

#[test]
fn node_with_node() {
    converse(JavaScript, JavaScript);
}

#[test]
fn our_client_with_nodes_server() {
    converse(JavaScript, Rust);
}

#[test]
fn nodes_client_with_our_server() {
    converse(Rust, JavaScript);
}

#[test]
fn ours_with_ours() {
    converse(Rust, Rust);
}

/// Runs a server and then a client, and compares what they print.
fn converse(server: Language, client: Language) {
    if [server, client].contains(&JavaScript) && node().is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no node to compare with: install Node, or name one by SOQUETE_NODE"
        );
        // Past the test harness, which would keep it to itself.
        let _ = std::io::stderr()
            .write_all(b"LEFT OUT: a conversation with Node, because there is no node here\n");
        return;
    }
    let port = free_port();
    let mut server = Running(start(server, "server", port));
    let mut said = BufReader::new(server.0.stdout.take().expect("it is piped"));
    let mut printed = String::new();
    said.read_line(&mut printed)
        .expect("it says that it listens");

    let mut client = Running(start(client, "client", port));
    let mut answer = String::new();
    let mut from_client = client.0.stdout.take().expect("it is piped");
    from_client.read_to_string(&mut answer).expect("UTF-8");
    assert_eq!(answer, CLIENT);
    assert!(client.0.wait().expect("it has ended").success());

    // The server goes on listening: after its last line it is stopped.
    while !printed.ends_with("Cliente desconectado.\n") {
        let count = said.read_line(&mut printed).expect("UTF-8");
        assert_ne!(count, 0, "the server has ended: {printed}");
    }
    assert_eq!(printed, SERVER.replace("{port}", &port.to_string()));
    server.0.kill().expect("it runs");
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("UTF-8");
    assert_eq!(rest, "");
}

fn start(language: Language, program: &str, port: u16) -> Child {
    let mut command = match language {
        JavaScript => {
            let script = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/interop")
                .join(program)
                .with_extension("js");
            let mut command = Command::new(node().expect("it was looked for"));
            command.arg(script);
            command
        }
        Rust => Command::new(examples().join(program)),
    };
    command
        .arg(port.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn node() -> Option<&'static Path> {
    static NODE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let node = PathBuf::from(std::env::var_os("SOQUETE_NODE").unwrap_or("node".into()));
        let version = Command::new(&node).arg("--version").output();
        version
            .is_ok_and(|output| output.status.success())
            .then_some(node)
    };
    NODE.get_or_init(find).as_deref()
}
