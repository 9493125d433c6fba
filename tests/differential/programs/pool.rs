//! Node processes, each of which runs one program after the other.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::program::Program;

pub(super) struct Node {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Node {
    pub(super) fn start(node: &Path) -> Node {
        let mut process = Command::new(node)
            .arg("--no-warnings")
            .arg(script())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node can be started");
        let input = process.stdin.take().expect("its input is piped");
        let output = process.stdout.take().expect("its output is piped");
        Node {
            process,
            input,
            output: BufReader::new(output),
        }
    }

    /// What happens in a program.
    pub(super) fn run(&mut self, program: &Program) -> String {
        writeln!(self.input, "{program}").expect("Node reads on");
        let mut line = String::new();
        let read = self.output.read_line(&mut line).expect("Node writes text");
        assert!(read > 0, "Node has ended in: {program}");
        line.replace('\t', "\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The names of Node's operations: of sockets, then of servers.
pub(super) fn names(node: &Path) -> Vec<String> {
    let output = Command::new(node).arg(script()).arg("names").output();
    let output = output.expect("Node can be started");
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines().map(str::to_owned).collect()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/programs/interpreter.mjs")
}
