//! The machines of a world: their addresses, names for them, and who can reach whom.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::config::FIRST_PORT;
use super::errno::{self, EADDRINUSE};
use super::faults::{CALLS, Call};
use super::file::FileId;
use super::kernel::Kernel;
use super::random::Draw;
use super::seat::Flag;

/// The host of an address that nobody has.
pub(super) const NOBODY: u16 = u16::MAX;

/// How long a look-up takes that fails.
const FAILED_LOOKUP: u64 = 1_000_000_000;

pub(super) struct Host {
    pub(super) addresses: Vec<IpAddr>,
    /// The files that the next poll reports.
    pub(super) ready: VecDeque<FileId>,
    /// Rung to end a poll.
    pub(super) bell: Arc<Flag>,
    next_port: u16,
    /// Descriptors in use.
    pub(super) open: usize,
    /// Calls so far, of each kind, that belong to no stream and no listener.
    pub(super) calls: [u32; CALLS],
    pub(super) connections: u32,
    pub(super) listeners: u32,
    /// A descriptor was last refused.
    pub(super) is_exhausted: bool,
    /// The spare descriptor was given up, and no other was asked for.
    pub(super) lacks_spare: bool,
    /// Ends without the crate live there.
    is_outside: bool,
    /// Its loop is being taken down.
    pub(super) is_ending: bool,
}

impl Host {
    pub(super) fn new(addresses: Vec<IpAddr>, is_outside: bool) -> Host {
        Host {
            addresses,
            ready: VecDeque::new(),
            bell: Arc::default(),
            next_port: FIRST_PORT,
            open: 0,
            calls: [0; CALLS],
            connections: 0,
            listeners: 0,
            is_exhausted: false,
            lacks_spare: false,
            is_outside,
            is_ending: false,
        }
    }

    /// The address that faults and traces know it by.
    pub(super) fn name(&self) -> Option<IpAddr> {
        self.addresses.first().copied()
    }

    pub(super) fn has_no_loop(&self) -> bool {
        self.is_outside
    }
}

impl Kernel {
    pub(super) fn host(&mut self) -> &mut Host {
        &mut self.hosts[usize::from(self.here)]
    }

    /// Which host has an address, as seen from here. The first has all that nobody else has, unless it
    /// was given its own.
    pub(super) fn host_of(&self, address: IpAddr) -> u16 {
        let address = address.to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            return self.here;
        }
        let has = |host: &Host| host.addresses.contains(&address);
        match self.hosts.iter().position(has) {
            Some(host) => host as u16,
            None if self.config.is_exclusive => NOBODY,
            None => 0,
        }
    }

    /// The address that a connection to `to` comes from.
    pub(super) fn source_for(&self, to: IpAddr) -> IpAddr {
        if to.is_unspecified() {
            return match to {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
        }
        if to.is_loopback() || self.host_of(to) == self.here {
            return to;
        }
        let host = &self.hosts[usize::from(self.here)];
        let mut same = host
            .addresses
            .iter()
            .filter(|address| address.is_ipv4() == to.is_ipv4());
        match same.next() {
            Some(address) => *address,
            None if to.is_ipv4() => Ipv4Addr::new(10, 255, 0, 1).into(),
            None => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).into(),
        }
    }

    pub(super) fn free_port(&mut self) -> Result<u16, i32> {
        for _ in 0..u16::MAX {
            let host = self.host();
            let port = host.next_port;
            host.next_port = port.checked_add(1).unwrap_or(32_768);
            if !self.listeners.contains_key(&port) {
                return Ok(port);
            }
        }
        Err(EADDRINUSE)
    }

    pub(super) fn is_cut_off(&self, a: IpAddr, b: IpAddr) -> bool {
        if self.partitions.is_empty() {
            return false;
        }
        let (a, b) = (a.to_canonical(), b.to_canonical());
        let has = |side: &[IpAddr], address: &IpAddr| side.contains(address);
        self.partitions
            .iter()
            .any(|(left, right)| has(left, &a) && has(right, &b) || has(left, &b) && has(right, &a))
    }

    /// The addresses of a name, and how long it takes to find them.
    pub(super) fn resolve(&mut self, name: &str) -> Result<Vec<IpAddr>, &'static str> {
        if let Err(number) = self.enter(Call::Resolve, None) {
            self.pools.spent = FAILED_LOOKUP;
            return Err(errno::name(number));
        }
        let found = match self.names.get(name) {
            Some(known) => {
                let nth = self.account.calls;
                self.pools.spent = self.random.within(&known.delay, Draw::NameDelay, nth, 0);
                known.answer.clone()
            }
            None => match name {
                "localhost" => Ok(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]),
                literal => match literal.parse() {
                    Ok(address) => Ok(vec![address]),
                    Err(_) => Err("ENOTFOUND"),
                },
            },
        };
        self.note(|| format!("getaddrinfo {name} → {found:?}"));
        found
    }
}
