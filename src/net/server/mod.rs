//! Listening and accepting.
//!
//! | file | what is in it |
//! |---|---|
//! | `listening.rs` | `listen` and `close` |
//! | `listener.rs` | where a server listens, and what goes wrong with that |
//! | `ready.rs` | what the poll says |
//! | `accept.rs` | accepting, also when descriptors have run out |

mod accept;
mod listener;
mod listening;
mod ready;

pub(super) use listening::connection_left;
