//! Running a program in a world.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::report::Report;
use super::world::World;
use crate::error::Result;
use crate::kernel::is_simulated;
use crate::kernel::sim::{at_host, invariants, world as kernel};

impl World {
    /// Runs a program in this world, until nothing would ever happen there any more.
    ///
    /// The program is what `main` would be: it may call [`run`](crate::run) itself, or leave that to the world.
    ///
    /// # Panics
    ///
    /// If the program does; within another world, or within a run of this thread's own loop; if a fault of a
    /// script is on a host that there is not.
    #[track_caller]
    pub fn run(self, program: impl FnOnce()) -> Report {
        self.run_to(|| {
            program();
            crate::this_loop::run()
        })
    }

    /// As [`run`](World::run), for a program that returns what its run has ended with.
    ///
    /// # Panics
    ///
    /// As [`run`](World::run).
    #[track_caller]
    pub fn run_to(self, program: impl FnOnce() -> Result<()>) -> Report {
        let (report, panic) = self.execute(program);
        if let Some(panic) = panic {
            eprintln!(
                "a program has panicked in a world; again: {}",
                report.how_to_repeat()
            );
            resume_unwind(panic);
        }
        report
    }

    /// Runs a program, and returns its panic besides.
    #[track_caller]
    pub(crate) fn execute(
        self,
        program: impl FnOnce() -> Result<()>,
    ) -> (Report, Option<Box<dyn Any + Send>>) {
        assert!(
            !is_simulated(),
            "a world within a world: worlds come one after the other"
        );
        let is_running = crate::reactor::with(|event_loop| event_loop.is_running());
        assert_eq!(is_running, Some(false), "a world begins outside of a run");
        let (seed, is_strict) = (self.seed, self.is_strict);
        let (hosts, plans) = (self.hosts.clone(), self.plans.clone());
        if let Err(fault) = kernel::begin(self.setup()) {
            panic!("no host for the fault {fault}");
        }
        let main = kernel::add_loop();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for (at, plan) in plans {
                kernel::plan(at, Box::new(move || plan()));
            }
            for (host, (_, program)) in (1..).zip(hosts) {
                kernel::add_loop();
                at_host(host, || program());
            }
            let mut outcome = program();
            while outcome.is_ok() && kernel::go_on(&main) {
                outcome = main.run();
            }
            outcome
        }));
        let mut report = Report::of(seed);
        if let Ok(outcome) = &outcome {
            report.error = outcome.as_ref().err().cloned();
        }
        if let Ok(Ok(())) = &outcome {
            invariants::ask();
            look(&mut report);
            if is_strict {
                let left = std::mem::take(&mut report.left).into_iter();
                report
                    .problems
                    .extend(left.map(|what| format!("left over: {what}")));
            }
        }
        kernel::ending();
        drop(main);
        let is_done = outcome.is_ok();
        if let Some(remains) = kernel::end() {
            report.fill_in(remains, is_done);
        }
        (report, outcome.err())
    }

    fn setup(self) -> kernel::Setup {
        let hosts = self.hosts.into_iter().map(|(addresses, _)| addresses);
        kernel::Setup {
            seed: self.seed,
            bytes: self.bytes,
            config: self.config,
            faults: self.faults,
            names: self.names,
            zones: self.zones,
            hosts: std::iter::once(self.own).chain(hosts).collect(),
            invariants: self.invariants,
            is_traced: self.is_traced || super::manners::chosen_seed() == Some(self.seed),
            is_counted: self.is_counted,
            is_unchecked: self.is_unchecked,
        }
    }
}

/// Looks for what must not be when nothing will happen any more.
fn look(report: &mut Report) {
    let open = kernel::open_files();
    for (host, event_loop) in (0..).zip(kernel::loops()) {
        let why_alive = event_loop.why_alive();
        let accounts = event_loop.accounts();
        if accounts.is_empty() {
            look_for_nobodys(host, &open);
        }
        // A host that serves is not expected to end.
        if host == 0 && !why_alive.is_empty() {
            report.stuck.extend(why_alive);
        } else {
            let label = kernel::host_label(usize::from(host));
            let accounts = accounts.into_iter();
            report
                .left
                .extend(accounts.map(|account| format!("{label}: {account}")));
            let timers = event_loop.metrics().timers;
            if host == 0 && timers > 0 {
                report.left.push(format!("{label}: {timers} timers"));
            }
        }
    }
    kernel::look_for_lost_callbacks();
    let strangers = kernel::calls_of_strangers();
    if strangers > 0 {
        kernel::problem(&format!(
            "another thread has posted {strangers} times: that cannot be repeated"
        ));
    }
}

/// A loop without handles has no descriptors.
fn look_for_nobodys(host: u16, open: &[(u16, String)]) {
    for (_, what) in open.iter().filter(|(of, _)| *of == host) {
        // A bound socket may be the program's.
        if !what.starts_with("a socket") {
            kernel::problem(&format!("open, and nobody's: {what}"));
        }
    }
}
