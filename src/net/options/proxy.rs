//! Whose PROXY headers a server believes.

use std::time::Duration;

use crate::address::BlockList;

/// From whom a server takes the PROXY header that each of its connections begins with, and how long it waits
/// for it. For [`ServerOptions::proxy_protocol`](crate::net::ServerOptions::proxy_protocol); a [`BlockList`] alone
/// will do.
///
/// A header is a claim, and whoever may send one can claim any address. So a server believes those peers alone
/// that its list covers.
///
/// ```
/// use soquete::net::{BlockList, ProxyProtocol, ServerOptions};
/// use std::time::Duration;
///
/// # fn main() -> soquete::Result<()> {
/// let proxies = BlockList::new();
/// proxies.add_subnet("10.1.0.0", 16)?;
/// let options = ServerOptions::new().proxy_protocol(&proxies);
///
/// let hurried = ProxyProtocol::from_list(&proxies).deadline(Duration::from_secs(1));
/// let options = ServerOptions::new().proxy_protocol(hurried);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ProxyProtocol {
    /// `None` for everybody.
    trusted: Option<BlockList>,
    pub(in crate::net) deadline: Duration,
}

/// Two segments may be lost and sent again meanwhile.
const DEADLINE: Duration = Duration::from_secs(5);

impl ProxyProtocol {
    /// Trusts the peers that the list covers, which is a list of proxies here and blocks nobody. Clones of a
    /// list share its rules, so a proxy that is added later is trusted from then on. A list has no rule for the
    /// peers of an IPC server: there, nobody is trusted.
    pub fn from_list(proxies: &BlockList) -> ProxyProtocol {
        ProxyProtocol {
            trusted: Some(proxies.clone()),
            deadline: DEADLINE,
        }
    }

    /// Trusts everybody who can connect: for a port that a firewall shows to proxies only, for a Unix domain
    /// socket that only they may open.
    pub fn from_anybody() -> ProxyProtocol {
        ProxyProtocol {
            trusted: None,
            deadline: DEADLINE,
        }
    }

    /// How long after the connection the header may take to be complete; 5 s by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(in crate::net) fn trusts(&self, peer: Option<std::net::SocketAddr>) -> bool {
        match (&self.trusted, peer) {
            (None, _) => true,
            (Some(list), Some(peer)) => list.check(peer),
            (Some(_), None) => false,
        }
    }
}

impl From<&BlockList> for ProxyProtocol {
    fn from(proxies: &BlockList) -> ProxyProtocol {
        ProxyProtocol::from_list(proxies)
    }
}
