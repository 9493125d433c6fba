//! `cargo bench --bench echo`: ping-pong and pipelined frames on 50 connections, against Node, a bare
//! mio loop and raw epoll in C, each in a process of its own; in rounds that take turns.
//!
//! It runs two workloads of the comparison in `benches/compare`, which has more, and explains how it
//! measures. What is given after `--` goes there: `cargo bench --bench echo -- --rounds 20`.

use std::path::Path;
use std::process::{Command, ExitCode};

const WORKLOADS: &str = "ping-pong,frames";
const PEERS: &str = "ours,ours-framing,mio,epoll,epoll-coalescing,node";

fn main() -> ExitCode {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare");
    let out = package.join("target/echo");
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .args(["--", "--only", WORKLOADS, "--peers", PEERS, "--out"])
        .arg(&out)
        .args(
            std::env::args()
                .skip(1)
                .filter(|argument| argument != "--bench"),
        )
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!("the comparison ended with {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the comparison could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
