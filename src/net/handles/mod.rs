//! The methods of the handles.

// In the order in which the documentation is to show their methods. One by one, for rustfmt sorts what stands together.
mod socket;

mod writing;

mod reading;

mod pipe;

mod query;

mod settings;

mod adopt;

mod server;

mod shutdown;

mod group;

mod listeners;

pub use adopt::{SimulatedStream, StdStream};
pub use group::{Group, RemoteGroup};
