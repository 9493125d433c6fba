//! The crate's example of an HTTP server, as it is: limits, deadlines and files included.

#[path = "../../../../../examples/http_server/answers.rs"]
mod answers;
#[path = "../../../../../examples/http_server/date.rs"]
mod date;
#[path = "../../../../../examples/http_server/files.rs"]
mod files;
// Here nobody shuts it down.
#[allow(dead_code)]
#[path = "../../../../../examples/http_server/server.rs"]
mod server;

use soquete::net::Server;

/// A server that does not listen yet; `/hello` is what it is asked for.
pub fn create() -> soquete::Result<Server> {
    server::create(".", server::Limits::default())
}
