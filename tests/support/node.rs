//! Asks a real Node: `SOQUETE_NODE`, or the `node` of the path.

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

/// The answers of `tests/node_answers.js` to questions of one kind; `None`, after saying so, if
/// there is no Node of that major version or a newer one.
pub(crate) fn answers(question: &str, texts: &[String], min_major: u32) -> Option<Vec<String>> {
    let named = std::env::var_os("SOQUETE_NODE");
    let is_named = named.is_some();
    let node = named.unwrap_or_else(|| "node".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node_answers.js");
    let spawned = Command::new(&node)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound && !is_named => {
            return left_out(question, "there is no node on this machine");
        }
        Err(error) => panic!("{node:?}: {error}"),
    };

    // Node reads all of its input before it answers, so that neither side can block the other.
    let input: String = texts
        .iter()
        .map(|text| format!("{question}\t{}\n", hex(text)))
        .collect();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{node:?} ended with {}",
        output.status
    );

    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines();
    let version = lines.next().unwrap();
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    if major < min_major {
        return left_out(
            question,
            &format!("node {version} is older than {min_major}"),
        );
    }
    let answers: Vec<String> = lines.map(unhex).collect();
    assert_eq!(answers.len(), texts.len());
    Some(answers)
}

/// Past the test harness, which would keep it to itself.
fn left_out<T>(question: &str, why: &str) -> Option<T> {
    let note = format!("LEFT OUT: the comparison of {question} with Node, because {why}\n");
    let _ = std::io::stderr().write_all(note.as_bytes());
    None
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(hex: &str) -> String {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    String::from_utf8((0..hex.len()).step_by(2).map(byte).collect()).unwrap()
}
