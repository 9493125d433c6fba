//! The methods of the handles.

mod adopt;
mod group;
mod listeners;
mod pipe;
mod query;
mod reading;
mod server;
mod settings;
mod shutdown;
mod socket;
mod writing;

pub use adopt::StdStream;
pub use group::{Group, RemoteGroup};
