//! What the poll and the state machine ask of a socket.

#[cfg(feature = "sim")]
mod account;
mod closing;
mod driver_calls;
mod on_read;
mod reading;
mod ready;
