//! How a world begins, is asked, and ends.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::config::{Config, Name};
use super::fault::Fault;
use super::faults::Faults;
use super::hosts::Host;
use super::invariants::{self, Invariant};
use super::kernel::{Kernel, Totals};
use super::random::Random;
use super::schedule::Due;
use super::seat::Seat;
use super::{ACTIVE, BUSY, HERE, KERNEL, LOOPS, at_host, is_simulated, with_kernel, with_loops};
use crate::reactor::Loop;

/// What a world is made of.
pub(crate) struct Setup {
    pub(crate) seed: u64,
    /// What is drawn, where a fuzzer chooses it.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) config: Config,
    pub(crate) faults: Faults,
    pub(crate) names: Vec<(String, Name)>,
    pub(crate) zones: Vec<(String, u32)>,
    /// The addresses of each host, the main one's first.
    pub(crate) hosts: Vec<Vec<IpAddr>>,
    pub(crate) invariants: Vec<Invariant>,
    pub(crate) is_traced: bool,
    pub(crate) is_counted: bool,
    pub(crate) is_unchecked: bool,
}

/// What is left of a world.
pub(crate) struct Remains {
    pub(crate) totals: Totals,
    pub(crate) elapsed: Duration,
    pub(crate) problems: Vec<String>,
    /// What is still open though the loops are gone.
    pub(crate) leaks: Vec<String>,
}

thread_local! {
    static WORLDS: Cell<u32> = const { Cell::new(0) };
}

/// A world comes into being on this thread, without a loop.
///
/// # Errors
///
/// A fault that is to happen on a host which there is not.
pub(crate) fn begin(setup: Setup) -> Result<(), Fault> {
    debug_assert!(!is_simulated(), "worlds come one after the other");
    WORLDS.set(WORLDS.get() + 1);
    let random = Random::new(setup.seed, setup.bytes);
    let mut kernel = Kernel::new(WORLDS.get(), random, setup.config);
    kernel.names.extend(setup.names);
    kernel.zones.extend(setup.zones);
    let hosts = setup.hosts.into_iter();
    kernel.hosts = hosts.map(|addresses| Host::new(addresses, false)).collect();
    kernel.account.trace = setup.is_traced.then(Vec::new);
    kernel.account.census = setup.is_counted.then(Vec::new);
    kernel.witness.is_off = setup.is_unchecked;
    kernel.set_faults(setup.faults)?;
    invariants::set(setup.invariants);
    KERNEL.set(Some(Box::new(kernel)));
    ACTIVE.set(true);
    HERE.set(0);
    BUSY.set(1);
    Ok(())
}

/// The loop of the next host.
pub(crate) fn add_loop() -> Rc<Loop> {
    LOOPS.with_borrow_mut(|loops| {
        let event_loop = Rc::new(Loop::new(Some(Seat(loops.len() as u16))));
        loops.push(Rc::clone(&event_loop));
        event_loop
    })
}

/// Lets the other hosts go on when the main program has ended, until there is something for that.
/// False once nothing will happen any more.
pub(crate) fn go_on(main: &Loop) -> bool {
    if is_stalled() {
        return false;
    }
    let mut batch = Vec::new();
    // Never an error.
    let _count = Seat(0).wait(None, &mut batch);
    for (key, ready) in batch {
        main.redeliver(key, ready);
    }
    !is_stalled()
}

pub(crate) fn is_stalled() -> bool {
    with_kernel(|kernel| kernel.stalled).unwrap_or(true)
}

/// Nothing happens any more.
pub(crate) fn halt() {
    with_kernel(|kernel| kernel.stalled = true);
}

/// Plans a call on the main host.
pub(crate) fn plan(after: Duration, plan: Box<dyn FnOnce()>) {
    with_kernel(|kernel| {
        let after = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        let at = kernel.now.saturating_add(after);
        kernel.schedule.call_at(at, Due::Plan(plan));
    });
}

/// The main loop, and those of the hosts.
pub(crate) fn loops() -> Vec<Rc<Loop>> {
    with_loops(<[Rc<Loop>]>::to_vec)
}

pub(crate) fn host_label(host: usize) -> String {
    with_kernel(|kernel| kernel.host_label(host as u16)).unwrap_or_default()
}

pub(crate) fn look_for_lost_callbacks() {
    with_kernel(Kernel::look_for_lost_callbacks);
}

pub(crate) fn problem(what: &str) {
    with_kernel(|kernel| kernel.problem(what));
}

/// What is open on the hosts that have loops.
pub(crate) fn open_files() -> Vec<(u16, String)> {
    let open = with_kernel(|kernel| {
        let mut open = kernel.open_files();
        open.retain(|(host, _)| !kernel.hosts[usize::from(*host)].has_no_loop());
        open
    });
    open.unwrap_or_default()
}

/// How often threads that are not of the world have woken a loop of it.
pub(crate) fn calls_of_strangers() -> u32 {
    let calls = with_kernel(|kernel| kernel.hosts.iter().map(|host| host.bell.strangers()).sum());
    calls.unwrap_or(0)
}

/// The host with an address loses all that it had, and has a fresh loop. `None` if nobody has it.
pub(crate) fn crash(address: IpAddr) -> Option<u16> {
    let host = with_kernel(|kernel| {
        let has = |host: &Host| host.addresses.contains(&address) && !host.has_no_loop();
        let host = kernel.hosts.iter().position(has)? as u16;
        kernel.note(|| format!("{address} crashes"));
        kernel.hosts[usize::from(host)].is_ending = true;
        kernel.kill(host);
        kernel.hosts[usize::from(host)].bell.take();
        Some(host)
    })??;
    let fresh = Rc::new(Loop::new(Some(Seat(host))));
    let old =
        LOOPS.with_borrow_mut(|loops| std::mem::replace(&mut loops[usize::from(host)], fresh));
    // What its listeners hold is dropped as on that host.
    at_host(host, || drop(old));
    with_kernel(|kernel| kernel.hosts[usize::from(host)].is_ending = false);
    Some(host)
}

pub(crate) fn partition(left: Vec<IpAddr>, right: Vec<IpAddr>) {
    with_kernel(|kernel| kernel.partition(left, right));
}

pub(crate) fn heal() {
    with_kernel(Kernel::heal);
}

/// What is closed from here on is closed because the world ends.
pub(crate) fn ending() {
    with_kernel(|kernel| {
        for host in &mut kernel.hosts {
            host.is_ending = true;
        }
    });
}

/// The loops go, with all that their listeners hold, and then the kernel.
pub(crate) fn end() -> Option<Remains> {
    let loops = LOOPS.take();
    drop(loops);
    let leaks = open_files().into_iter().map(|(_, what)| what).collect();
    invariants::set(Vec::new());
    ACTIVE.set(false);
    let kernel = KERNEL.take()?;
    let Kernel {
        account,
        mut witness,
        now,
        ..
    } = *kernel;
    Some(Remains {
        totals: account,
        elapsed: Duration::from_nanos(now),
        problems: std::mem::take(&mut witness.problems),
        leaks,
    })
}
