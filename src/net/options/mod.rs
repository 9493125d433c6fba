//! What sockets, servers and connects can be given.

pub(super) mod abort;
pub(super) mod auto_select;
pub(super) mod bind;
pub(super) mod bound;
pub(super) mod connect;
pub(super) mod listen;
pub(super) mod on_read;
pub(super) mod pipe;
mod place;
pub(super) mod prepare;
pub(super) mod proxy;
pub(super) mod server;
pub(super) mod socket;
