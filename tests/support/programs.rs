//! The examples, run as the programs that they are.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;

/// A program that is stopped when a test fails.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where one example is, freshly built.
#[allow(dead_code, reason = "not each test uses it")]
pub fn example(name: &str) -> PathBuf {
    built(&["--example", name]).join(name)
}

/// Where the examples are. `cargo test --test name` alone does not build them, so this does.
#[allow(dead_code, reason = "not each test uses it")]
pub fn examples() -> &'static Path {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLES.get_or_init(|| built(&["--examples"]))
}

fn built(which: &[&str]) -> PathBuf {
    let own = std::env::current_exe().expect("a test has a binary");
    let profile = own
        .parent()
        .and_then(Path::parent)
        .expect("target/<profile>/deps");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet"]).args(which);
    cargo.args([
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    cargo
        .arg("--target-dir")
        .arg(profile.parent().expect("target"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    // Those that the tests were built with: in the package, no dev-dependency turns them on.
    for (feature, is_on) in [
        ("activation", cfg!(feature = "activation")),
        ("fuzzing", cfg!(feature = "fuzzing")),
        ("ipc", cfg!(feature = "ipc")),
        ("signals", cfg!(feature = "signals")),
        ("sim", cfg!(feature = "sim")),
    ] {
        if is_on {
            cargo.args(["--features", feature]);
        }
    }
    assert!(cargo.status().expect("cargo runs").success());
    profile.join("examples")
}

/// For programs that print the port that they were given, so that it has to be known in advance.
#[allow(dead_code, reason = "not each test uses it")]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("::", 0)).or_else(|_| TcpListener::bind(("0.0.0.0", 0)));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("a port is free").port()
}
