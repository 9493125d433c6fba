//! Where a loop is in its world, and how it waits there: in virtual time.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::faults::Call;
use super::kernel::Kernel;
use super::poll::{Suspect, Waiting};
use super::random::Draw;
use super::schedule::{Due, Work};
use super::{BUSY, at_host, current, with_kernel, with_loops};
use crate::kernel::{Alarm, Ready};
use crate::reactor::Loop;
use crate::table::Key;

/// The host of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat(pub(super) u16);

/// Rung to end a host's poll.
#[derive(Default)]
pub(super) struct Flag {
    rung: AtomicBool,
    /// By threads that the world does not know.
    strangers: AtomicU32,
}

impl Flag {
    pub(super) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> bool {
        self.rung.load(Ordering::Relaxed) && self.rung.swap(false, Ordering::AcqRel)
    }

    pub(super) fn strangers(&self) -> u32 {
        self.strangers.load(Ordering::Relaxed)
    }
}

/// What wakes a loop of a world, from any thread.
pub(crate) struct Bell {
    world: u32,
    flag: Arc<Flag>,
    thread: std::thread::ThreadId,
}

impl Bell {
    pub(crate) fn ring(&self) {
        let is_at_home = self.thread == std::thread::current().id()
            && with_kernel(|kernel| kernel.world) == Some(self.world);
        if !is_at_home {
            self.flag.strangers.fetch_add(1, Ordering::Relaxed);
        }
        self.flag.rung.store(true, Ordering::Release);
    }
}

impl Seat {
    pub(crate) fn now(self) -> Duration {
        with_kernel(|kernel| Duration::from_nanos(kernel.now)).unwrap_or_default()
    }

    /// Whether a program that calls `run` goes on at once, since the world runs its loop.
    pub(crate) fn is_run_by_world(self) -> bool {
        self.0 != 0
    }

    /// Where the generations of a loop's handles begin: a handle of one host names nothing on another.
    pub(crate) fn first_generation(self) -> u32 {
        u32::from(self.0) << 24
    }

    pub(crate) fn alarm(self) -> Alarm {
        let bell = with_kernel(|kernel| Bell {
            world: kernel.world,
            flag: Arc::clone(&kernel.hosts[usize::from(self.0)].bell),
            thread: std::thread::current().id(),
        });
        Alarm::Sim(bell.unwrap_or_else(|| Bell {
            world: 0,
            flag: Arc::default(),
            thread: std::thread::current().id(),
        }))
    }

    pub(crate) fn work(self, work: Work) {
        with_kernel(|kernel| kernel.queue_work(self.0, work));
    }

    /// Waits for events, at most `timeout`. While no loop can go on, it is not now but later: the clock
    /// moves to what comes next.
    pub(crate) fn wait(
        self,
        timeout: Option<Duration>,
        batch: &mut Vec<(Key, Ready)>,
    ) -> io::Result<usize> {
        let waits = timeout != Some(Duration::ZERO);
        let begun = with_kernel(|kernel| {
            if kernel.turns(self.0, waits) {
                return None;
            }
            // EINTR: mio's caller takes it for a poll without events.
            let entered = kernel.enter(Call::Wait, None);
            entered.is_ok().then_some(kernel.now)
        });
        let Some(Some(begun)) = begun else {
            self.stop_if_stalled();
            return Ok(0);
        };
        let deadline = timeout.map(|timeout| {
            let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
            begun.saturating_add(timeout)
        });
        loop {
            run_due();
            let count = with_kernel(|kernel| kernel.take_events(self.0, batch)).unwrap_or(0);
            if count > 0 {
                // The first comes last.
                batch.reverse();
                return Ok(count);
            }
            // A loop that runs within another's poll leaves the others to that.
            if BUSY.get() == 1
                && let Some(host) = others_turn(self.0)
            {
                run_turn(host);
                if with_kernel(|kernel| kernel.stalled) == Some(true) {
                    self.stop_if_stalled();
                    return Ok(0);
                }
                continue;
            }
            let others = next_wakeup_of_others(self.0);
            let next = with_kernel(|kernel| {
                if deadline.is_some_and(|deadline| deadline <= kernel.now) {
                    return Some(kernel.now);
                }
                let others = others.map(|at| at.max(kernel.now));
                let times = [deadline, kernel.schedule.next(), others];
                times.into_iter().flatten().min()
            });
            let next = next.flatten();
            if next == deadline && deadline == Some(begun) {
                return Ok(0);
            }
            look_for_the_forgotten(next);
            let Some(next) = next else {
                // Nothing will ever happen any more.
                with_kernel(|kernel| kernel.stalled = true);
                self.stop_if_stalled();
                return Ok(0);
            };
            let is_over = with_kernel(|kernel| {
                kernel.now = kernel.now.max(next);
                deadline.is_some_and(|deadline| kernel.now >= deadline)
            });
            if is_over == Some(true) {
                run_due();
                let count = with_kernel(|kernel| kernel.take_events(self.0, batch));
                batch.reverse();
                return Ok(count.unwrap_or(0));
            }
        }
    }

    fn stop_if_stalled(self) {
        if with_kernel(|kernel| kernel.stalled) == Some(true)
            && let Some(event_loop) = current()
        {
            event_loop.stop();
        }
    }
}

/// Calls what is due and is not the kernel's own business: work of the pools, and plans.
fn run_due() {
    loop {
        let due = with_kernel(|kernel| {
            kernel.deliver();
            kernel.schedule.due_call(kernel.now)
        });
        match due.flatten() {
            None => return,
            Some(Due::Work(host, work)) => {
                with_kernel(|kernel| kernel.pools.spent = 0);
                let done = at_host(host, work);
                with_kernel(|kernel| kernel.work_begun(host, done));
            }
            Some(Due::Done(host, done)) => {
                with_kernel(|kernel| kernel.work_done(host));
                at_host(host, done);
            }
            Some(Due::Plan(plan)) => {
                with_kernel(Kernel::called);
                plan();
            }
        }
    }
}

/// Before the clock jumps: whoever waits for what is there already waits in vain, and what comes later must
/// not hide that.
pub(super) fn look_for_the_forgotten(next: Option<u64>) {
    super::invariants::ask();
    let there = with_kernel(|kernel| match kernel.witness.is_off {
        true => Vec::new(),
        false => kernel.suspects(next),
    });
    for Suspect { host, token, what } in there.into_iter().flatten() {
        let handle = with_loops(|loops| {
            let event_loop = loops.get(usize::from(host))?;
            event_loop.handle(Key::from_bits(token))
        });
        let Some(handle) = handle else { continue };
        let (reads, writes) = handle.waits();
        let what = match what {
            Some(Waiting::Unasked) => Some("a connection that nobody has asked for in 5 s"),
            Some(Waiting::ToRead | Waiting::Both) if reads => Some("something to be read"),
            Some(Waiting::Room | Waiting::Both) if writes => Some("room to write"),
            _ => None,
        };
        let account = || handle.account().unwrap_or_default();
        if let Some(what) = what {
            let account = account();
            problem_of(host, &format!("waits though there is {what}: {account}"));
        }
        if let Some(what) = handle.owes() {
            let account = account();
            problem_of(host, &format!("owes {what}: {account}"));
        }
    }
}

fn problem_of(host: u16, what: &str) {
    with_kernel(|kernel| {
        let here = std::mem::replace(&mut kernel.here, host);
        kernel.problem(what);
        kernel.here = here;
    });
}

/// The host of one of the loops that can go on, while this one cannot.
fn others_turn(me: u16) -> Option<u16> {
    with_loops(|loops| {
        if loops.len() < 2 {
            return None;
        }
        // Those that only have events come last.
        let (mut can, mut events) = (Vec::new(), Vec::new());
        for (host, event_loop) in (0..).zip(loops).filter(|(host, _)| *host != me) {
            if event_loop.can_go_on() {
                can.push(host);
            } else if event_loop.polls() {
                events.push(host);
            }
        }
        with_kernel(|kernel| {
            can.extend(events.iter().filter(|host| kernel.has_events(**host)));
            if can.is_empty() {
                return None;
            }
            let which = kernel.random.next(Draw::Turn) % can.len() as u64;
            Some(can[which as usize])
        })
        .flatten()
    })
}

fn next_wakeup_of_others(me: u16) -> Option<u64> {
    with_loops(|loops| {
        let others = (0..).zip(loops).filter(|(host, _)| *host != me);
        others.filter_map(|(_, other)| other.wakes_at()).min()
    })
}

fn run_turn(host: u16) {
    let Some(event_loop) = with_loops(|loops| loops.get(usize::from(host)).map(Rc::clone)) else {
        return;
    };
    BUSY.set(BUSY.get() + 1);
    let outcome = at_host(host, || Loop::run_nowait(&event_loop));
    BUSY.set(BUSY.get() - 1);
    if let Err(error) = outcome {
        at_host(host, || {
            with_kernel(|kernel| kernel.problem(&format!("its loop ends with an error: {error}")));
        });
    }
}
