//! Runs scripts of `tests/oracles` under Node, with packages from npm.
//!
//! Node is `SOQUETE_NODE`, or the `node` of the path; the packages are looked for in the folder `SOQUETE_NPM`, to be
//! filled by `npm install --prefix FOLDER …`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A command that runs the script, if Node and the package are there; said if not.
pub fn script(name: &str, package: &str) -> Option<Command> {
    let node = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
    let folder = PathBuf::from(std::env::var_os("SOQUETE_NPM").unwrap_or_default());
    let modules = folder.join("node_modules");
    let command = || {
        let mut command = Command::new(&node);
        command.env("NODE_PATH", &modules);
        command
    };
    let there = command()
        .args(["-e", "require.resolve(process.argv[1])", package])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        // Past the test harness, which would keep it to itself.
        let line = format!(
            "LEFT OUT: a comparison with {package}: it takes Node, and npm install --prefix FOLDER {package}, \
             and SOQUETE_NPM=FOLDER\n"
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        return None;
    }
    let mut command = command();
    command.arg(format!(
        "{}/tests/oracles/{name}",
        env!("CARGO_MANIFEST_DIR")
    ));
    Some(command)
}
