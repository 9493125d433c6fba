//! What goes wrong, and where.
//!
//! Whether a call fails is a function of the seed and of the call's place, not of what was decided
//! before. Take one fault away, and all the others stay where they are: this is what makes
//! shrinking work.

use std::collections::HashMap;
use std::net::IpAddr;

use super::errno::*;
use super::fault::{Fault, Place};
use super::random::{Draw, mix};

/// A call of the kernel, or the way of a segment: what can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Call {
    /// `socket(2)`.
    Socket,
    /// `bind(2)`.
    Bind,
    /// `listen(2)`.
    Listen,
    /// `connect(2)`.
    Connect,
    /// `accept(2)`.
    Accept,
    /// `read(2)`.
    Read,
    /// `write(2)` and `writev(2)`.
    Write,
    /// `shutdown(2)`.
    Shutdown,
    /// `getsockname(2)`.
    Name,
    /// `getpeername(2)`.
    PeerName,
    /// `getsockopt(2)` with `SO_ERROR`.
    SocketError,
    /// `setsockopt(2)`.
    Set,
    /// `epoll_ctl(2)`.
    Watch,
    /// `epoll_wait(2)`.
    Wait,
    /// `open(2)`.
    Open,
    /// `getaddrinfo(3)`.
    Resolve,
    /// No call, but a segment on its way: the connection is reset, or the segment lost once and late.
    Segment,
}

pub(crate) const CALLS: usize = 17;

impl Call {
    pub(crate) const ALL: [Call; CALLS] = [
        Call::Socket,
        Call::Bind,
        Call::Listen,
        Call::Connect,
        Call::Accept,
        Call::Read,
        Call::Write,
        Call::Shutdown,
        Call::Name,
        Call::PeerName,
        Call::SocketError,
        Call::Set,
        Call::Watch,
        Call::Wait,
        Call::Open,
        Call::Resolve,
        Call::Segment,
    ];

    /// The names of the errors that it can have, as on Linux.
    pub fn errors(self) -> impl Iterator<Item = &'static str> {
        self.numbers().iter().map(|number| name(*number))
    }

    pub(crate) fn numbers(self) -> &'static [i32] {
        match self {
            Call::Socket => &[EMFILE, ENFILE, ENOBUFS, ENOMEM],
            Call::Bind => &[EADDRINUSE, EACCES, EADDRNOTAVAIL],
            Call::Listen => &[EADDRINUSE],
            Call::Connect => &[
                ECONNREFUSED,
                ENETUNREACH,
                EHOSTUNREACH,
                EADDRNOTAVAIL,
                EINTR,
                EACCES,
            ],
            Call::Accept => &[
                EMFILE,
                ENFILE,
                ENOBUFS,
                ENOMEM,
                ECONNABORTED,
                EPROTO,
                EPERM,
                EINTR,
            ],
            Call::Read => &[ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENOMEM, EINTR],
            Call::Write => &[
                ECONNRESET,
                EPIPE,
                ETIMEDOUT,
                EHOSTUNREACH,
                ENOBUFS,
                ENOMEM,
                EINTR,
            ],
            Call::Shutdown => &[ENOTCONN],
            Call::Name | Call::Set => &[ENOBUFS],
            Call::PeerName => &[ENOTCONN, EPERM, ENOBUFS],
            Call::SocketError => &[],
            Call::Watch => &[ENOSPC, ENOMEM],
            Call::Wait => &[EINTR],
            Call::Open => &[EMFILE, ENFILE],
            Call::Resolve => &[EAI_AGAIN, ENOTFOUND, EAI_FAIL],
            Call::Segment => &[RESET, LATE],
        }
    }
}

/// How often what goes wrong; or exactly what.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Faults {
    /// In 65,536.
    pub(super) rates: [u32; CALLS],
    pub(super) exactly: Option<Vec<Fault>>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Faults {
        Faults::default()
    }

    /// A share of the calls of one kind fails, each with one of the [errors](Call::errors) that this
    /// call can have.
    ///
    /// ```
    /// use soquete::sim::{Call, Faults, World};
    ///
    /// let faults = Faults::none().rate(Call::Read, 0.01).rate(Call::Accept, 0.1);
    /// World::seed(1).faults(faults).run(|| { /* the program */ });
    /// ```
    pub fn rate(mut self, call: Call, share: f64) -> Faults {
        self.rates[call as usize] = (share.clamp(0.0, 1.0) * 65536.0) as u32;
        self
    }

    /// Rates that the seed draws. Half of them are 0: where everything fails now and then, that
    /// which needs one call to fail often and another never is not found.
    pub fn swarm(seed: u64) -> Faults {
        let mut faults = Faults::default();
        for (call, rate) in Call::ALL.iter().zip(&mut faults.rates) {
            if call.numbers().is_empty() {
                continue;
            }
            let draw = mix(seed, Draw::Swarm as u64, *call as u64);
            *rate = match draw % 4 {
                0 | 1 => 0,
                2 => (draw >> 8) as u32 % 500,
                _ => (draw >> 8) as u32 % 6_000,
            };
        }
        faults
    }

    /// These faults and no others, as a [`Report`](crate::sim::Report) lists them.
    pub fn exactly(faults: &[Fault]) -> Faults {
        Faults {
            exactly: Some(faults.to_vec()),
            ..Faults::default()
        }
    }

    /// These faults and no others, one a line or separated by semicolons, as a failed test prints
    /// them: a regression test for what a seed has found.
    ///
    /// ```
    /// use soquete::sim::Faults;
    ///
    /// let script = "EINTR at read 2 of client 3 of 10.0.0.9; EMFILE at accept 1 of main";
    /// let faults = Faults::script(script);
    /// # drop(faults);
    /// ```
    ///
    /// # Panics
    ///
    /// If a line is no fault.
    #[track_caller]
    pub fn script(script: &str) -> Faults {
        let lines = script.split(['\n', ';']).map(str::trim);
        let faults: Vec<Fault> = lines
            .filter(|line| !line.is_empty())
            .map(|line| match line.parse() {
                Ok(fault) => fault,
                Err(error) => panic!("{line:?} is no fault: {error}"),
            })
            .collect();
        Faults::exactly(&faults)
    }

    pub(super) fn has_any(&self) -> bool {
        self.exactly.is_some() || self.rates.iter().any(|rate| *rate > 0)
    }
}

/// Where a call is made, as numbers to draw by and to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    pub(super) call: Call,
    pub(super) at: At,
    /// The so-manieth call of this kind there.
    pub(super) nth: u32,
}

/// A [`Place`], with its host as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct At(pub(super) u64);

impl At {
    const HOST: u64 = 0;
    const LISTENER: u64 = 1;
    const CLIENT: u64 = 2;
    const SERVED: u64 = 3;

    fn new(kind: u64, host: u16, number: u32) -> At {
        At(kind << 60 | u64::from(host) << 32 | u64::from(number))
    }

    pub(super) fn host(host: u16) -> At {
        At::new(At::HOST, host, 0)
    }

    pub(super) fn listener(host: u16, number: u32) -> At {
        At::new(At::LISTENER, host, number)
    }

    /// The end of a connection that connects.
    pub(super) fn client(host: u16, number: u32) -> At {
        At::new(At::CLIENT, host, number)
    }

    /// The other end.
    pub(super) fn served(self) -> At {
        At(self.0 ^ (At::CLIENT ^ At::SERVED) << 60)
    }

    pub(super) fn named(self, address_of: impl Fn(u16) -> Option<IpAddr>) -> Place {
        let host = address_of((self.0 >> 32) as u16);
        let number = self.0 as u32;
        match self.0 >> 60 {
            At::HOST => Place::Host(host),
            At::LISTENER => Place::Listener(host, number),
            At::CLIENT => Place::Client(host, number),
            _ => Place::Served(host, number),
        }
    }

    fn of(place: Place, host_of: impl Fn(Option<IpAddr>) -> Option<u16>) -> Option<At> {
        Some(match place {
            Place::Host(host) => At::host(host_of(host)?),
            Place::Listener(host, number) => At::listener(host_of(host)?, number),
            Place::Client(host, number) => At::client(host_of(host)?, number),
            Place::Served(host, number) => At::client(host_of(host)?, number).served(),
        })
    }
}

/// The faults of a script by their spots, or the one whose host there is not.
pub(super) fn by_spot(
    faults: &[Fault],
    host_of: impl Fn(Option<IpAddr>) -> Option<u16>,
) -> Result<HashMap<Spot, i32>, Fault> {
    let spot = |fault: &Fault| {
        let at = At::of(fault.site.place, &host_of).ok_or(*fault)?;
        let spot = Spot {
            call: fault.site.call,
            at,
            nth: fault.site.nth,
        };
        Ok((spot, fault.number))
    };
    faults.iter().map(spot).collect()
}
