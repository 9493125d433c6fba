//! IP literals, socket addresses and block lists: the part of Node's `net` that does no I/O.
//!
//! | here | in Node | what it is |
//! |---|---|---|
//! | [`is_ip`], [`is_ipv4`], [`is_ipv6`] | `net.isIP`, … | is this text an IP address? |
//! | [`SocketAddress`], [`Family`] | `net.SocketAddress` | an address with port and flow label |
//! | [`BlockList`] | `net.BlockList` | rules on addresses, ranges and subnets |

mod block_list;
mod error;
mod family;
mod ip;
mod literal;
mod parse;
mod socket_address;

#[cfg(any(test, fuzzing, feature = "fuzzing"))]
pub(crate) mod fuzz;

pub use block_list::BlockList;
use error::AddressError;
pub use family::Family;
pub use ip::{is_ip, is_ipv4, is_ipv6};
pub use literal::IntoAddress;
pub use socket_address::{SocketAddress, SocketAddressOptions};
