//! A socket or a server while something is done with it: how it is found, and how it emits.

mod configure;
pub(super) mod current;
pub(super) mod emit;
mod idle;
pub(super) mod log_line;
mod outcome;
pub(super) mod server;
mod settings;
pub(super) mod socket;
