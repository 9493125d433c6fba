//! The tests that Redis has for itself, run by their own harness against another server.
//!
//! `SOQUETE_REDIS_SUITE` names a folder that has the `tests` of Redis's sources, which `.ci/redis-suite FOLDER` brings.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// After how many seconds without progress the harness gives up.
const TOO_LONG: &str = "60";

/// What the harness calls upon each server before a unit. A server without functions does not know it.
const EMPTY_OF_FUNCTIONS: &str = "r function flush";

/// What a run has come to.
pub struct Outcome {
    /// None has failed.
    pub success: bool,
    pub passed: usize,
    /// All that the harness has written.
    pub said: String,
}

/// Runs the tests of a unit, but those with the names in `but` and those that take DEBUG, against the server at `port`
/// of this machine. None where they cannot be run, which is then said.
pub fn run(unit: &str, port: u16, but: &[&str]) -> Option<Outcome> {
    let suite = PathBuf::from(std::env::var_os("SOQUETE_REDIS_SUITE").unwrap_or_default());
    let script = format!("tests/{unit}.tcl");
    if !suite.join(&script).exists() || !there_is_tclsh() {
        // Past the test harness, which would keep it to itself.
        let line = format!(
            "LEFT OUT: {unit} of Redis's own suite: it takes tclsh (Debian: tcl), and .ci/redis-suite FOLDER, and \
             SOQUETE_REDIS_SUITE=FOLDER\n"
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        return None;
    }
    let copy = Copy::of(&suite, &script);
    let mut command = Command::new("tclsh");
    command
        .args(["tests/test_helper.tcl", "--single", unit])
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--tags", "-needs:debug", "--timeout", TOO_LONG])
        .args(but.iter().flat_map(|name| ["--skiptest", name]))
        .current_dir(&copy.0)
        // Else it writes in colours.
        .env_remove("TERM")
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let passed = said.lines().filter(|line| line.starts_with("[ok]: "));
    Some(Outcome {
        success: output.status.success(),
        passed: passed.count(),
        said,
    })
}

fn there_is_tclsh() -> bool {
    // It reads its script from what it is given, which is nothing.
    let status = Command::new("tclsh").stdin(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The harness and one unit in a folder of their own, which the harness writes to. It goes when this is dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(suite: &Path, script: &str) -> Copy {
        let name = format!("soquete-redis-suite-{}", std::process::id());
        let copy = Copy(std::env::temp_dir().join(name));
        let support = fs::read_dir(suite.join("tests/support")).unwrap();
        let support =
            support.map(|entry| Path::new("tests/support").join(entry.unwrap().file_name()));
        let others = ["tests/test_helper.tcl", script].map(PathBuf::from);
        for file in support.chain(others) {
            let text = fs::read_to_string(suite.join(&file)).unwrap();
            let lines = text
                .lines()
                .filter(|line| line.trim() != EMPTY_OF_FUNCTIONS);
            let to = copy.0.join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, lines.collect::<Vec<_>>().join("\n")).unwrap();
        }
        copy
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
