//! Who takes part, how each is started, and what each cannot do.

use crate::options::Options;

/// A program that can be a server, and how the report calls it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// As `--peers` names it.
    pub id: &'static str,
    pub label: String,
    pub version: String,
    /// The command line, which a mode and its argument follow.
    pub command: Vec<String>,
    /// Compiled ahead of time, so that a simulator can count its instructions.
    pub native: bool,
}

/// A peer that this machine cannot have, or that was not asked for.
#[derive(Clone, Debug)]
pub struct LeftOut {
    pub id: &'static str,
    pub reason: String,
}

/// Every peer, in the order of the report.
pub const PEERS: [&str; 28] = [
    "ours",
    "ours-framing",
    "ours-reuse-port",
    "ours-hand-over",
    "epoll",
    "epoll-coalescing",
    "mio",
    "tokio",
    "tokio-buffered",
    "tokio-framed",
    "tokio-threads",
    "hyper",
    "hyper-flush",
    "tungstenite",
    "libuv",
    "node",
    "node-cork",
    "node-ws",
    "node-cluster",
    "node-reuse-port",
    "node-installed",
    "bun",
    "bun-listen",
    "bun-serve",
    "bun-reuse-port",
    "deno",
    "deno-listen",
    "deno-serve",
];

impl Peer {
    /// The mode to start this peer in for a server of a kind, if it has such a one.
    pub fn mode(&self, kind: &'static str) -> Option<&'static str> {
        match (self.id, kind) {
            // These exist for one comparison: the same work, with the batching done by hand, or the
            // parsing by a library.
            ("epoll-coalescing", "frames") => Some("frames-coalesced"),
            ("node-cork", "frames") => Some("frames-corked"),
            ("tokio-buffered", "frames") => Some("frames-buffered"),
            ("tokio-framed", "frames") => Some("frames-framed"),
            ("ours-framing", "frames") => Some("framing"),
            (
                "epoll-coalescing" | "node-cork" | "tokio-buffered" | "tokio-framed"
                | "ours-framing",
                _,
            ) => None,
            // Loops on several cores, beside one in the same place.
            ("ours-reuse-port" | "node-reuse-port" | "bun-reuse-port", "echo-loops") => {
                Some("echo-reuse-port")
            }
            ("ours-hand-over", "echo-loops") => Some("echo-hand-over"),
            ("tokio-threads", "echo-loops") => Some("echo-threads"),
            ("node-cluster", "echo-loops") => Some("echo"),
            ("ours" | "tokio" | "node" | "bun", "echo-loops") => Some("echo"),
            (
                "ours-reuse-port" | "ours-hand-over" | "tokio-threads" | "node-cluster"
                | "node-reuse-port" | "bun-reuse-port",
                _,
            )
            | (_, "echo-loops") => None,
            // These speak one protocol, or two.
            ("hyper", "http") => Some(kind),
            ("hyper-flush", "http") => Some("http-flushed"),
            ("tungstenite" | "node-ws", "websocket") => Some(kind),
            ("bun-serve" | "deno-serve", "http" | "websocket") => Some(kind),
            (
                "hyper" | "hyper-flush" | "tungstenite" | "node-ws" | "bun-serve" | "deno-serve",
                _,
            ) => None,
            ("ours", "http" | "websocket") => Some(kind),
            ("node" | "node-installed" | "bun" | "deno", "http") => Some(kind),
            (_, "http" | "websocket") => None,
            // A platform's own sockets, beside its node:net: where messages are.
            ("bun-listen" | "deno-listen", "echo" | "frames" | "pipe") => Some(kind),
            ("bun-listen" | "deno-listen", _) => None,
            // The method is Node's.
            ("ours" | "node" | "node-installed" | "bun" | "deno", "pieces") => Some(kind),
            (_, "pieces") => None,
            // What Node's own programs do takes its net module, or one like it.
            ("ours" | "node" | "node-installed" | "bun" | "deno", "programs") => Some(kind),
            (_, "programs") => None,
            // Neither brings a timer queue of its own.
            ("epoll" | "mio", "timers") => None,
            _ => Some(kind),
        }
    }
}

/// The peers that were asked for.
pub fn wanted(options: &Options) -> Vec<&'static str> {
    PEERS
        .into_iter()
        .filter(|id| options.wants_peer(id))
        .collect()
}
