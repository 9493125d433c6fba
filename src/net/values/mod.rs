//! Plain values: handles, addresses, and what events carry.

pub(super) mod address;
pub(super) mod handle;
pub(super) mod keep_alive;
pub(super) mod payload;
