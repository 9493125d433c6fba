//! A connection whose kernel does what a script says, step by step: when it is up, how much there is room for, and
//! which of the next calls fail. All else is as in any world.
//!
//! The script is for the connection that the main host has begun last. Its peer is an [`Outside`].

use std::collections::VecDeque;
use std::rc::Rc;

use super::config::Config;
use super::descriptor::Descriptor;
use super::end::{EndId, State};
use super::errno::{self, ECONNREFUSED};
use super::faults::{Call, Faults};
use super::file::{FileId, Open};
use super::hosts::Host;
use super::kernel::Kernel;
use super::peer::Outside;
use super::world::{self, Setup};
use super::{seat, with_kernel};
use crate::reactor::Loop;

/// The host of the peers.
const PEERS: u16 = 1;

/// What becomes of a call of `write`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written {
    /// At most so many bytes are taken.
    Short(usize),
    /// It fails with this error.
    Fails(i32),
}

pub(super) struct Script {
    /// The connection's end on the main host.
    end: Option<EndId>,
    /// Its peer's file, until the script takes it.
    peer: Option<FileId>,
    room: usize,
    writes: VecDeque<Written>,
    shutdown: Option<i32>,
    /// How many bytes were taken, and by how many calls.
    taken: u64,
    calls: u32,
}

impl Default for Script {
    /// Of a kernel that takes everything.
    fn default() -> Script {
        Script {
            end: None,
            peer: None,
            room: usize::MAX,
            writes: VecDeque::new(),
            shutdown: None,
            taken: 0,
            calls: 0,
        }
    }
}

impl Kernel {
    /// A scripted connection has a peer from the first moment, and waits for its answer.
    pub(super) fn waits_for_script(&mut self, end: EndId) -> bool {
        let client = &self.ends[end as usize];
        if self.script.is_none() || client.host != 0 {
            return false;
        }
        let (place, remote, local) = (
            client.place.served(),
            client.remote.clone(),
            client.local.clone(),
        );
        let other = self.new_end(place, true, remote, local, PEERS);
        self.hosts[usize::from(PEERS)].open += 1;
        let file = self.files.open(PEERS, Open::Stream(other));
        let peer = self.end(other);
        (peer.state, peer.peer, peer.file) = (State::Open, Some(end), Some(file.number));
        self.end(end).peer = Some(other);
        if let Some(script) = &mut self.script {
            (script.end, script.peer) = (Some(end), Some(file));
            (script.taken, script.calls) = (0, 0);
            self.ends[end as usize].allowance = script.room;
        }
        true
    }

    /// The script, if this is the file that it is for.
    fn script_of(&mut self, file: Option<u32>) -> Option<&mut Script> {
        let script = self.script.as_deref_mut()?;
        let scripted = script.end.and_then(|end| self.ends[end as usize].file);
        (scripted.is_some() && scripted == file).then_some(script)
    }

    /// The error that the script has for this call.
    pub(super) fn fault_of_script(&mut self, call: Call, file: Option<u32>) -> Option<i32> {
        let script = self.script_of(file)?;
        match call {
            Call::Write => {
                script.calls += 1;
                let Some(Written::Fails(number)) = script.writes.front().copied() else {
                    return None;
                };
                script.writes.pop_front();
                Some(number)
            }
            Call::Shutdown => script.shutdown.take(),
            _ => None,
        }
    }

    /// The most that this write takes, if the script says so.
    pub(super) fn short_by_script(&mut self, end: EndId) -> Option<usize> {
        let file = self.ends[end as usize].file;
        match self.script_of(file)?.writes.pop_front()? {
            Written::Short(most) => Some(most),
            Written::Fails(_) => None,
        }
    }

    /// An end has taken so many bytes.
    pub(super) fn taken_by_script(&mut self, end: EndId, count: usize) {
        let file = self.ends[end as usize].file;
        if let Some(script) = self.script_of(file) {
            script.taken += count as u64;
        }
    }
}

fn with_end<R>(f: impl FnOnce(&mut Kernel, EndId) -> R) -> Option<R> {
    let asked = with_kernel(|kernel| {
        let end = kernel.script.as_deref()?.end?;
        Some(f(kernel, end))
    });
    asked.flatten()
}

fn with_script<R: Default>(f: impl FnOnce(&mut Script) -> R) -> R {
    let asked = with_kernel(|kernel| kernel.script.as_deref_mut().map(f));
    asked.flatten().unwrap_or_default()
}

/// The next connection is of a kernel that knows nothing of this one.
pub(crate) fn begin_again() {
    with_script(|script| *script = Script::default());
}

/// A world for one scripted connection comes into being, in the place of the one before.
pub(crate) fn begin() -> Rc<Loop> {
    let _before = world::end();
    let begun = world::begin(Setup {
        seed: 1,
        bytes: None,
        config: Config::default(),
        // None, but each call is asked for its own.
        faults: Faults::exactly(&[]),
        names: Vec::new(),
        zones: Vec::new(),
        hosts: vec![Vec::new()],
        invariants: Vec::new(),
        is_traced: false,
        is_counted: false,
        is_unchecked: false,
    });
    assert!(begun.is_ok(), "no fault has a place");
    with_kernel(|kernel| {
        kernel.hosts.push(Host::new(Vec::new(), true));
        kernel.script = Some(Box::default());
    });
    world::add_loop()
}

/// The peer of the connection that was begun last, once.
pub(crate) fn take_peer() -> Option<Outside> {
    let id = with_script(|script| script.peer.take())?;
    let world = with_kernel(|kernel| kernel.world)?;
    Some(Outside::of(Descriptor::of(id, world), PEERS))
}

/// Whether a connection waits for its answer.
pub(crate) fn has_begun() -> bool {
    with_end(|kernel, id| kernel.end(id).state == State::Connecting).unwrap_or(false)
}

/// An error by its name.
pub(crate) fn number(name: &str) -> i32 {
    errno::number(name).expect("a name of an error")
}

/// The connection is up, or refused.
pub(crate) fn answer(is_accepted: bool) {
    with_end(|kernel, id| {
        let end = kernel.end(id);
        if end.state != State::Connecting || end.file.is_none() {
            return;
        }
        if is_accepted {
            end.state = State::Open;
            kernel.edge_of(id);
        } else {
            end.error = ECONNREFUSED;
            kernel.answer(id, false);
        }
    });
}

/// From now on the send buffer takes so much, until it is said anew.
pub(crate) fn set_room(room: usize) {
    with_script(|script| script.room = room);
    with_end(|kernel, id| {
        let end = kernel.end(id);
        end.allowance = room;
        if room > 0 {
            end.room_coming = false;
            if std::mem::take(&mut end.no_room) {
                kernel.edge_of(id);
            }
        }
    });
}

pub(crate) fn on_next_write(written: Written) {
    with_script(|script| script.writes.push_back(written));
}

pub(crate) fn fail_next_shutdown(number: i32) {
    with_script(|script| script.shutdown = Some(number));
}

pub(crate) fn forget_faults() {
    with_script(|script| {
        script.writes.clear();
        script.shutdown = None;
    });
}

/// How much the kernel has taken.
pub(crate) fn taken() -> u64 {
    with_script(|script| script.taken)
}

/// How often it was asked to take something.
#[cfg(test)]
pub(crate) fn calls() -> u32 {
    with_script(|script| script.calls)
}

/// What has arrived and was not read.
pub(crate) fn unread() -> usize {
    with_end(|kernel, id| kernel.end(id).inbox.len()).unwrap_or(0)
}

/// Whether the connection's descriptor is open.
pub(crate) fn is_open() -> bool {
    with_end(|kernel, id| kernel.end(id).file.is_some()).unwrap_or(false)
}

/// Whether the next poll has events.
pub(crate) fn has_events() -> bool {
    with_kernel(|kernel| kernel.has_events(0)).unwrap_or(false)
}

/// Moves the clock on.
pub(crate) fn sleep_until(at: u64) {
    with_kernel(|kernel| kernel.now = kernel.now.max(at));
}

/// Counts a step of the script as the user's code, so that turns between steps are no spin.
pub(crate) fn stepped() {
    with_kernel(Kernel::called);
}

/// The problems that the checks of any world have found.
pub(crate) fn problems() -> Vec<String> {
    with_kernel(|kernel| std::mem::take(&mut kernel.witness.problems)).unwrap_or_default()
}

/// Adds sockets that wait for what has come already to the problems.
pub(crate) fn look_for_the_forgotten() {
    seat::look_for_the_forgotten(None);
}
