//! The state of a simulated kernel, and what happens at each call.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::IpAddr;
use std::path::PathBuf;

use super::config::{CALL_COST, Config, Name};
use super::end::{End, EndId};
use super::errno;
use super::fault::{Fault, Site};
use super::faults::{At, Call, Faults, Spot, by_spot};
use super::file::{File, FileId, Numbers};
use super::hosts::Host;
use super::ledger::Ledger;
use super::random::{Draw, QuickMap, Random};
use super::schedule::{Pools, Schedule, What};
use super::witness::Witness;

pub(crate) struct Kernel {
    /// Which world of this thread it is.
    pub(super) world: u32,
    pub(super) random: Random,
    /// In ns since the world began.
    pub(super) now: u64,
    /// The host whose turn it is.
    pub(super) here: u16,
    pub(super) hosts: Vec<Host>,
    pub(super) config: Config,
    pub(super) names: BTreeMap<String, Name>,
    pub(super) zones: BTreeMap<String, u32>,

    pub(super) files: Numbers,
    pub(super) paths: BTreeMap<PathBuf, PathFile>,
    /// Listening files by port; 0 for paths.
    pub(super) listeners: QuickMap<u16, Vec<u32>>,
    pub(super) ends: Vec<End>,
    pub(super) partitions: Vec<(Vec<IpAddr>, Vec<IpAddr>)>,
    /// What partitions have stopped, and whose it is.
    pub(super) held: Vec<(EndId, What)>,
    /// How often partitions have been healed.
    pub(super) healings: u32,

    pub(super) schedule: Schedule,
    pub(super) pools: Pools,

    pub(super) faults: Faults,
    /// The faults of a script.
    exactly: Option<std::collections::HashMap<Spot, i32>>,
    has_faults: bool,

    pub(super) account: Totals,
    pub(super) witness: Witness,
    pub(super) ledger: Ledger,
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    pub(super) script: Option<Box<super::scripted::Script>>,
    /// Nothing will ever happen any more, or the world was stopped.
    pub(super) stalled: bool,
}

/// A file that a Unix domain socket is bound to.
pub(super) struct PathFile {
    pub(super) inode: u64,
    pub(super) listener: FileId,
}

/// What a report says of a world.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) calls: u64,
    pub(crate) connections: u64,
    pub(crate) bytes: u64,
    pub(crate) turns: u64,
    /// A fingerprint of all that was asked, answered and emitted.
    pub(crate) digest: u64,
    pub(crate) faults: Vec<Fault>,
    pub(crate) trace: Option<Vec<String>>,
    /// The calls in their order.
    pub(crate) census: Option<Vec<Site>>,
}

impl Kernel {
    pub(super) fn new(world: u32, random: Random, config: Config) -> Kernel {
        let digest = random.seed;
        Kernel {
            world,
            random,
            now: 0,
            here: 0,
            hosts: Vec::new(),
            config,
            names: BTreeMap::new(),
            zones: BTreeMap::new(),
            files: Numbers::default(),
            paths: BTreeMap::new(),
            listeners: QuickMap::default(),
            ends: Vec::new(),
            partitions: Vec::new(),
            held: Vec::new(),
            healings: 0,
            schedule: Schedule::default(),
            pools: Pools::default(),
            faults: Faults::none(),
            exactly: None,
            has_faults: false,
            account: Totals {
                digest,
                ..Totals::default()
            },
            witness: Witness::default(),
            ledger: Ledger::default(),
            #[cfg(any(test, fuzzing, feature = "fuzzing"))]
            script: None,
            stalled: false,
        }
    }

    /// What goes wrong. Once all hosts are there, since a script names them.
    pub(super) fn set_faults(&mut self, faults: Faults) -> Result<(), Fault> {
        self.has_faults = faults.has_any() || self.account.census.is_some();
        if let Some(list) = &faults.exactly {
            let hosts = &self.hosts;
            let host_of = |address: Option<IpAddr>| {
                let found = hosts.iter().position(|host| host.name() == address)?;
                Some(found as u16)
            };
            self.exactly = Some(by_spot(list, host_of)?);
        }
        self.faults = faults;
        Ok(())
    }

    /// A call begins: time passes, what has come to pass is delivered, and perhaps the call fails.
    #[inline]
    pub(super) fn enter(&mut self, call: Call, file: Option<u32>) -> Result<(), i32> {
        self.account.calls += 1;
        self.now = self.now.saturating_add(CALL_COST);
        self.deliver();
        if !self.has_faults {
            return Ok(());
        }
        match self.fault_of_call(call, file) {
            None => Ok(()),
            Some(number) => Err(number),
        }
    }

    #[cold]
    fn fault_of_call(&mut self, call: Call, file: Option<u32>) -> Option<i32> {
        #[cfg(any(test, fuzzing, feature = "fuzzing"))]
        if let Some(number) = self.fault_of_script(call, file) {
            return Some(number);
        }
        let of_file = file
            .and_then(|file| self.place_of(file))
            .filter(|_| call.is_of_a_file());
        let (at, counts) = match of_file {
            Some((at, file)) => (at, &mut self.files.at_mut(file)?.calls),
            None => (
                At::host(self.here),
                &mut self.hosts[usize::from(self.here)].calls,
            ),
        };
        counts[call as usize] += 1;
        let nth = counts[call as usize];
        self.decide(Spot { call, at, nth })
    }

    /// Whether something goes wrong at a spot.
    pub(super) fn decide(&mut self, spot: Spot) -> Option<i32> {
        if let Some(census) = &mut self.account.census
            && spot.call != Call::Segment
        {
            let hosts = &self.hosts;
            let place = spot.at.named(|host| hosts[usize::from(host)].name());
            census.push(Site {
                call: spot.call,
                place,
                nth: spot.nth,
            });
        }
        let host = (spot.at.0 >> 32) as u16;
        let is_of_peer = self
            .hosts
            .get(usize::from(host))
            .is_some_and(Host::has_no_loop);
        if self.now >= self.config.faults_until || is_of_peer {
            return None;
        }
        let number = match &self.exactly {
            Some(exactly) => *exactly.get(&spot)?,
            None => {
                let rate = u64::from(self.faults.rates[spot.call as usize]);
                if rate == 0 {
                    return None;
                }
                let place = spot.at.0 ^ (spot.call as u64) << 40;
                let draw = self.random.rarely(Draw::Fault, place, u64::from(spot.nth));
                if draw & 0xffff >= rate {
                    return None;
                }
                let numbers = spot.call.numbers();
                // A call that never fails has none.
                let drawn = ((draw >> 20) as usize).checked_rem(numbers.len())?;
                numbers[drawn]
            }
        };
        let hosts = &self.hosts;
        let place = spot.at.named(|host| hosts[usize::from(host)].name());
        let site = Site {
            call: spot.call,
            place,
            nth: spot.nth,
        };
        let fault = Fault { site, number };
        self.account.faults.push(fault);
        self.note(|| format!("fault: {fault}"));
        Some(number)
    }

    pub(super) fn decides_segments(&self) -> bool {
        self.exactly.is_some() || self.faults.rates[Call::Segment as usize] > 0
    }

    /// What was answered goes into the fingerprint.
    #[inline]
    pub(super) fn seal(&mut self, what: Call, file: u32, answer: Result<usize, i32>) {
        let answer = answer.map_or_else(|number| number as u64 | 1 << 40, |count| count as u64);
        self.stir_digest((what as u64) << 56 ^ u64::from(file) << 32 ^ answer ^ self.now);
    }

    #[inline]
    pub(super) fn stir_digest(&mut self, what: u64) {
        self.account.digest = (self.account.digest ^ what)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(29);
    }

    /// A line of the trace.
    #[inline]
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.account.trace.is_some() {
            let line = line();
            self.push_note(&line);
        }
    }

    #[cold]
    fn push_note(&mut self, line: &str) {
        let host = self.host_label(self.here);
        if let Some(trace) = &mut self.account.trace {
            let now = self.now as f64 / 1e9;
            trace.push(format!("{now:>12.6} {host:<12} {line}"));
        }
    }

    /// How a report calls a host.
    pub(super) fn host_label(&self, host: u16) -> String {
        match self.hosts.get(usize::from(host)).and_then(Host::name) {
            Some(address) => address.to_string(),
            None => String::from("main"),
        }
    }

    /// How a report calls what a descriptor is.
    pub(super) fn file_label(&self, file: u32) -> String {
        match self.place_of(file) {
            Some((at, _)) => {
                let place = at.named(|host| self.hosts[usize::from(host)].name());
                format!("{place} (#{file})")
            }
            None => format!("#{file}"),
        }
    }

    /// Where a stream's or a listener's calls are made.
    fn place_of(&self, file: u32) -> Option<(At, u32)> {
        let open = self.files.at(file)?;
        open.what.place(&self.ends).map(|at| (at, file))
    }

    pub(super) fn file(&mut self, file: u32) -> Result<&mut File, i32> {
        self.files.at_mut(file).ok_or(errno::EBADF)
    }

    pub(super) fn end(&mut self, end: EndId) -> &mut End {
        &mut self.ends[end as usize]
    }

    /// Everything that has come to pass by now.
    #[inline]
    pub(super) fn deliver(&mut self) {
        while let Some(what) = self.schedule.due(self.now) {
            self.happens(what);
        }
    }
}

impl Call {
    /// Whether calls of this kind are counted for each stream and listener, rather than each host.
    fn is_of_a_file(self) -> bool {
        matches!(
            self,
            Call::Accept
                | Call::Read
                | Call::Write
                | Call::Shutdown
                | Call::Name
                | Call::PeerName
                | Call::SocketError
                | Call::Set
                | Call::Watch
        )
    }
}

/// Numbers that are free, the lowest first.
pub(super) type Free = BinaryHeap<Reverse<u32>>;
