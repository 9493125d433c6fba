//! Listening and accepting.
//!
//! | file | what is in it |
//! |---|---|
//! | `listening.rs` | `listen` and `close` |
//! | `listener.rs` | where a server listens, and what goes wrong with that |
//! | `ready.rs` | what the poll says |
//! | `accept.rs` | accepting, also when descriptors have run out |
//! | `arrival.rs`, `header.rs` | connections whose PROXY header is coming in |

mod accept;
mod arrival;
mod header;
mod listener;
mod listening;
mod ready;

pub(super) use listening::connection_left;
