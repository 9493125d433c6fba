//! A real Redis, as an oracle.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// How long an answer may take before a test gives it up.
const TOO_LONG: Duration = Duration::from_secs(20);

/// A real one, on a socket in a directory of its own. It goes when this is dropped.
pub struct Redis {
    process: Child,
    directory: PathBuf,
}

impl Redis {
    /// None where there is no `redis-server`, which is then said.
    pub fn start(test: &str) -> Option<Redis> {
        let name = format!("soquete-{test}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--enable-debug-command", "yes", "--unixsocket"])
            .arg(directory.join("socket"))
            .current_dir(&directory)
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut process) = process else {
            let _ = std::fs::remove_dir_all(&directory);
            left_out("redis-server", "redis-server");
            return None;
        };
        let log = BufReader::new(process.stdout.take().unwrap());
        let redis = Redis { process, directory };
        let mut lines = log.lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("eady to accept")),
            "redis-server does not start"
        );
        // It logs on.
        thread::spawn(move || lines.for_each(drop));
        Some(redis)
    }

    pub fn connect(&self) -> UnixStream {
        let connection = UnixStream::connect(self.directory.join("socket")).unwrap();
        connection.set_read_timeout(Some(TOO_LONG)).unwrap();
        connection.set_write_timeout(Some(TOO_LONG)).unwrap();
        connection
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Past the test harness, which would keep it to itself.
pub fn left_out(program: &str, package: &str) {
    let line = format!("LEFT OUT: {program} is not there (Debian: {package})\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
