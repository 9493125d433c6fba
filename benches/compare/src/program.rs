//! A child process whose output is read line by line, and which goes when its stdin closes.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to say its next line: tracing slows them greatly, and a million connections take minutes.
/// Load generators notice by themselves, and sooner, that a server is silent.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a program may take to go.
const FAREWELL: Duration = Duration::from_secs(60);

pub struct Program {
    name: String,
    child: Child,
    stdin: Option<UnixStream>,
    lines: Receiver<String>,
}

impl Program {
    /// Starts a command line.
    pub fn start(command: &[String]) -> io::Result<Self> {
        let (name, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let (stdin, theirs) = UnixStream::pair()?;
        let mut child = Command::new(name)
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            name: without_folders(command),
            child,
            stdin: Some(stdin),
            lines,
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> io::Result<String> {
        self.lines
            .recv_timeout(PATIENCE)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => io::Error::other(format!("{} fell silent", self.name)),
                RecvTimeoutError::Disconnected => {
                    io::Error::other(format!("{} ended early", self.name))
                }
            })
    }

    /// The rest of the next line, which must begin with `word`.
    pub fn line_after(&mut self, word: &str) -> io::Result<String> {
        let line = self.line()?;
        match line.strip_prefix(word) {
            Some(rest) => Ok(rest.trim().to_owned()),
            None => Err(io::Error::other(line)),
        }
    }

    /// Says a line to it.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(stdin, "{line}")
    }

    /// Closes its stdin and waits for it to go; one that stays is ended.
    pub fn finish(mut self) -> io::Result<()> {
        self.dismiss()
    }

    fn dismiss(&mut self) -> io::Result<()> {
        if self.stdin.take().is_none() {
            return Ok(());
        }
        let deadline = Instant::now() + FAREWELL;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
                self.child.wait()?;
                return Err(io::Error::other(format!("{} would not go", self.name)));
            }
            thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Here another failure is already on its way to the user.
        let _ = self.dismiss();
    }
}

/// A command as the results may name it: where its files lie is of this machine alone.
fn without_folders(command: &[String]) -> String {
    let words = command
        .iter()
        .map(|word| word.rsplit('/').next().unwrap_or(word));
    words.collect::<Vec<_>>().join(" ")
}
