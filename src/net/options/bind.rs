//! What a socket is bound to before it listens or connects.

use std::path::PathBuf;

/// What a [`BoundSocket`](crate::net::BoundSocket) is bound to. Whatever
/// [`BoundSocket::new`](crate::net::BoundSocket::new) takes turns into it.
///
/// ```
/// use soquete::net::{BindOptions, BoundSocket};
///
/// # fn main() -> soquete::Result<()> {
/// let bound = BoundSocket::new(BindOptions::new(0).host("127.0.0.1").reuse_port(true))?;
/// assert_ne!(bound.address()?.port(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct BindOptions {
    pub(super) target: BindTarget,
    pub(super) host: Option<String>,
    pub(super) ipv6_only: bool,
    pub(super) reuse_port: bool,
}

#[derive(Clone, Debug)]
pub(super) enum BindTarget {
    Port(u16),
    Path(PathBuf),
    /// Text whose port is none.
    Nowhere(String),
}

impl BindOptions {
    /// A port on every IPv4 address; 0 for any that is free.
    pub fn new(port: u16) -> BindOptions {
        BindOptions::on(BindTarget::Port(port))
    }

    /// A path, for a Unix domain socket; on Linux an abstract name if it begins with a NUL byte.
    /// Nothing else can be set then.
    pub fn path(path: impl Into<PathBuf>) -> BindOptions {
        BindOptions::on(BindTarget::Path(path.into()))
    }

    pub(super) fn on(target: BindTarget) -> BindOptions {
        BindOptions {
            target,
            host: None,
            ipv6_only: false,
            reuse_port: false,
        }
    }

    /// The IP address; `0.0.0.0` by default, or `::` for IPv6 only.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Whether an IPv6 address takes IPv6 only.
    #[doc(alias = "ipv6Only")]
    pub fn ipv6_only(mut self, only: bool) -> Self {
        self.ipv6_only = only;
        self
    }

    /// Whether others may bind the port as well, and share its connections (`SO_REUSEPORT`).
    #[doc(alias = "reusePort")]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    pub(super) fn is_of_tcp(&self) -> bool {
        self.host.is_some() || self.ipv6_only || self.reuse_port
    }
}
