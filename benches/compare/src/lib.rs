//! What the orchestrator, the load generator and the Rust peers share.

pub mod address;
pub mod load;
pub mod peer;
pub mod proc;
