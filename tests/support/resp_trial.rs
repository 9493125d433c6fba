//! The RESP example on trial, for tests and for a fuzzer.

use std::path::Path;

use soquete::fuzzing::{Conversation, ServerTrial};

#[path = "../../examples/resp_server"]
#[allow(dead_code, reason = "its main is another")]
mod resp {
    pub mod commands;
    pub mod integer;
    pub mod protocol;
    pub mod reply;
    pub mod server;
    pub mod store;
}

/// The server, which does not listen yet.
#[allow(dead_code, reason = "each user takes a part")]
pub fn server() -> soquete::net::Server {
    resp::server::create()
}

/// With the conversation in a file, and one of errors.
#[allow(dead_code, reason = "each user takes a part")]
pub fn trial() -> ServerTrial {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conversations/resp.talk");
    // The fuzz targets are a package in a folder of this one.
    let file = match file.exists() {
        true => file,
        false => Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conversations/resp.talk"),
    };
    let errors = Conversation::new("errors")
        .send("*1\r\n$4\r\nPING\r\nGET\r\n")
        .expect("+PONG\r\n-ERR wrong number of arguments for 'get' command\r\n")
        .send("*1\r\n$x\r\n")
        .expect("-ERR Protocol error: invalid bulk length\r\n")
        .closes();
    ServerTrial::new(resp::server::create)
        .conversation(Conversation::read(file).expect("a conversation"))
        .conversation(errors)
}
