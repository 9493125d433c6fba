//! What a socket or a server keeps from one callback to the next.

pub(super) mod aside;
pub(super) mod attachments;
pub(super) mod connecting;
mod extras;
pub(super) mod framing_memory;
mod idle;
pub(super) mod pipes;
pub(super) mod remote;
pub(super) mod server;
pub(super) mod socket;
pub(super) mod transport;
