//! One peer's server under one load: the step that every workload with traffic is made of.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use soquete_compare::address::Address;
use soquete_compare::load::Limit;

use crate::options::Effort;
use crate::peers::Peer;
use crate::program::Program;

/// The chunk of a server that was told none.
const DEFAULT_CHUNK: usize = 64 * 1024;

/// What the measurements share.
pub struct Bench {
    pub effort: Effort,
    /// Prefixes that pin a server and a load generator to their cores.
    pub pins: (Vec<String>, Vec<String>),
    pub load: PathBuf,
}

/// What carries the bytes.
#[derive(Clone, Copy, Debug)]
pub enum Transport {
    Tcp,
    Unix,
}

impl Transport {
    /// What a cell over it is called, among those over TCP.
    pub fn id(self, rest: &str) -> String {
        match self {
            Self::Tcp => rest.to_owned(),
            Self::Unix => format!("unix-{rest}"),
        }
    }

    /// The same in words.
    pub fn title(self, rest: &str) -> String {
        match self {
            Self::Tcp => rest.to_owned(),
            Self::Unix => format!("{rest}, over a UNIX socket"),
        }
    }
}

/// A load, and the kind of server it wants.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    pub server: &'static str,
    /// The server's chunk size, where it has one.
    pub chunk: Option<usize>,
    pub transport: Transport,
    pub load: &'static str,
    pub connections: usize,
    pub size: usize,
    /// Requests a second, of a load that does not wait for answers.
    pub rate: u64,
    pub floods: usize,
    pub warm_up: Limit,
    pub measure: Limit,
}

/// A server that listens.
pub struct Server {
    pub program: Program,
    pub address: Address,
    _file: Option<SocketFile>,
    /// From the moment it was started to the word that it listens.
    pub listening_after: Duration,
}

/// The file of a UNIX socket, which goes with it. Most servers are not given the time to remove it.
struct SocketFile(PathBuf);

/// What the load generator reports.
pub struct Measured(Value);

impl Bench {
    /// The same where nothing is pinned.
    pub fn unpinned(&self) -> Self {
        Self {
            effort: self.effort.clone(),
            pins: Default::default(),
            load: self.load.clone(),
        }
    }

    /// A load for the usual time after the usual warm-up, on a server without a chunk size.
    pub fn traffic(&self, server: &'static str, load: &'static str) -> Traffic {
        Traffic {
            server,
            chunk: None,
            transport: Transport::Tcp,
            load,
            connections: 1,
            size: 64,
            rate: 1000,
            floods: 0,
            warm_up: Limit::Time(self.effort.warm_up),
            measure: Limit::Time(self.effort.seconds),
        }
    }

    /// Starts a server, puts it under load, and stops both.
    pub fn drive(&self, peer: &Peer, traffic: &Traffic) -> io::Result<Measured> {
        let server = self.serve(peer, traffic, &[])?;
        let mut load = self.aim(&server, traffic)?;
        let measured = run(&mut load)?;
        load.finish()?;
        server.program.finish()?;
        Ok(measured)
    }

    /// Starts a server for a load, under a tool if `tool` names one.
    pub fn serve(&self, peer: &Peer, traffic: &Traffic, tool: &[String]) -> io::Result<Server> {
        let command = [&self.pins.0, tool].concat();
        start(
            peer,
            traffic.server,
            traffic.chunk,
            traffic.transport,
            command,
        )
    }

    /// Starts the load generator, which is connected and warm when this returns.
    pub fn aim(&self, server: &Server, traffic: &Traffic) -> io::Result<Program> {
        let mut command = self.pins.1.clone();
        command.push(self.load.display().to_string());
        command.push(traffic.load.to_owned());
        for (name, value) in [
            ("--address", server.address.to_string()),
            ("--server", server.program.pid().to_string()),
            ("--connections", traffic.connections.to_string()),
            ("--size", traffic.size.to_string()),
            ("--rate", traffic.rate.to_string()),
            ("--floods", traffic.floods.to_string()),
            ("--warm-up", traffic.warm_up.to_string()),
            ("--measure", traffic.measure.to_string()),
        ] {
            command.extend([name.to_owned(), value]);
        }
        let mut load = Program::start(&command)?;
        load.line_after("READY")?;
        Ok(load)
    }
}

/// Lets a load generator that is ready do its measured part.
pub fn run(load: &mut Program) -> io::Result<Measured> {
    load.say("go")?;
    let line = load.line()?;
    match serde_json::from_str::<Value>(&line) {
        Ok(report) if report.get("error").is_none() => Ok(Measured(report)),
        _ => Err(io::Error::other(line)),
    }
}

/// Starts a peer's server behind a command prefix, and waits until it listens.
pub fn start(
    peer: &Peer,
    kind: &'static str,
    chunk: Option<usize>,
    transport: Transport,
    mut command: Vec<String>,
) -> io::Result<Server> {
    let mode = peer.mode(kind).ok_or(io::ErrorKind::Unsupported)?;
    command.extend(peer.command.iter().cloned());
    command.push(mode.to_owned());
    let file = match transport {
        Transport::Tcp => None,
        Transport::Unix => Some(SocketFile::new()),
    };
    match &file {
        None => command.extend(chunk.map(|bytes| bytes.to_string())),
        Some(SocketFile(path)) => command.extend([
            chunk.unwrap_or(DEFAULT_CHUNK).to_string(),
            path.display().to_string(),
        ]),
    }
    let started = Instant::now();
    let mut program = Program::start(&command)?;
    let address = program.line_after("LISTENING")?;
    let listening_after = started.elapsed();
    let Ok(address) = address.parse();
    Ok(Server {
        program,
        address,
        _file: file,
        listening_after,
    })
}

impl SocketFile {
    fn new() -> Self {
        let name = format!("soquete-compare-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Left by a server before this one, if it is there.
        let _ = fs::remove_file(&path);
        Self(path)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Some servers remove it themselves.
        let _ = fs::remove_file(&self.0);
    }
}

impl Measured {
    /// A field of the report; one that is absent is not a number.
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
    }

    /// How much of a core a process used, in percent.
    pub fn share(&self, process: &str) -> f64 {
        self.get(process) / self.get("seconds") * 100.0
    }
}
