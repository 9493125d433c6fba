//! Many worlds: by seeds, by failing each call, twice the same; and fewer faults of a failing one.

use std::fmt::Write;
use std::sync::OnceLock;

use super::report::Report;
use super::world::World;
use crate::kernel::sim::fault::Fault;
use crate::kernel::sim::faults::Faults;

/// The variable that chooses one seed.
const SEED: &str = "SOQUETE_SEED";

/// The seed that the environment variable `SOQUETE_SEED` chooses.
pub(super) fn chosen_seed() -> Option<u64> {
    static CHOSEN: OnceLock<Option<u64>> = OnceLock::new();
    *CHOSEN.get_or_init(|| match std::env::var(SEED) {
        Ok(seed) => match seed.parse() {
            Ok(seed) => Some(seed),
            Err(_) => panic!("{SEED}={seed:?} is no number"),
        },
        Err(_) => None,
    })
}

/// The seeds of a test: all of `range`, or the one of the environment variable `SOQUETE_SEED`.
///
/// ```
/// use soquete::sim::{self, World};
///
/// for seed in sim::seeds(0..100) {
///     World::seed(seed).test(|| { /* the program */ });
/// }
/// ```
pub fn seeds(range: std::ops::Range<u64>) -> impl Iterator<Item = u64> {
    let (one, all) = match chosen_seed() {
        Some(seed) => (Some(seed), 0..0),
        None => (None, range),
    };
    one.into_iter().chain(all)
}

impl World {
    /// Runs a program and checks it. Of a run that fails, those faults are found that it takes, and
    /// it is run once more with them and with a trace, which the panic shows.
    ///
    /// # Panics
    ///
    /// If anything was wrong, or the program has panicked: with the reasons, the faults that matter, the end of
    /// the trace, and how to run it again.
    #[track_caller]
    pub fn test(self, program: impl Fn()) -> Report {
        let first = self.attempt(&program);
        if first.is_fine() {
            return first;
        }
        let fails = |faults: &[Fault]| !self.attempt_with(faults, &program).is_fine();
        let again = if fails(&first.faults) {
            let few = shrink(&first.faults, fails);
            let last = self.clone().traced();
            last.attempt_with(&few, &program)
        } else {
            // A program that is not the same twice.
            first
        };
        panic!("{}", again.complaint());
    }

    fn attempt_with(&self, faults: &[Fault], program: &impl Fn()) -> Report {
        let world = self.clone().faults(Faults::exactly(faults));
        world.attempt(program)
    }

    /// Runs a program; its panic is among the problems.
    fn attempt(&self, program: &impl Fn()) -> Report {
        let (mut report, panic) = self.clone().execute(|| {
            program();
            crate::this_loop::run()
        });
        if let Some(panic) = panic {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let text = text.unwrap_or("with a value that is no text");
            report
                .problems
                .push(format!("the program has panicked: {text}"));
        }
        report
    }
}

/// Fewer of these faults with which `fails` is still true, none of which can be left out alone.
///
/// ```
/// use soquete::sim::{self, Fault};
///
/// let faults = ["EINTR at read 1 of client 1 of main", "EMFILE at accept 1 of main"];
/// let faults: Vec<Fault> = faults.map(|fault| fault.parse().expect("a fault")).into();
/// // A program fails whenever it cannot accept.
/// let matter = sim::shrink(&faults, |some| some.contains(&faults[1]));
/// assert_eq!(matter, faults[1..]);
/// ```
pub fn shrink(faults: &[Fault], mut fails: impl FnMut(&[Fault]) -> bool) -> Vec<Fault> {
    let mut kept = faults.to_vec();
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(from..(from + size).min(kept.len()));
            if fails(&fewer) {
                kept = fewer;
            } else {
                from += size;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    kept
}

/// Runs a program twice in the same world, and panics at the first line of the traces that differs: the program
/// looks at something that the world does not determine, such as the real clock, the order of a `HashMap`, or an
/// address in memory.
///
/// ```
/// use soquete::sim::{self, World};
///
/// let report = sim::twice(World::seed(3), || { /* the program */ });
/// report.check();
/// ```
///
/// # Panics
///
/// See above.
#[track_caller]
pub fn twice(world: World, program: impl Fn()) -> Report {
    let first = world.clone().traced().run(&program);
    let second = world.traced().run(&program);
    let lines = first.trace.iter().zip(&second.trace);
    for (number, (one, two)) in (1..).zip(lines) {
        assert_eq!(
            one, two,
            "the second run differs in line {number} of its trace"
        );
    }
    let (one, two) = (first.trace.len(), second.trace.len());
    assert_eq!(one, two, "the longer run goes on where the other ends");
    assert_eq!(
        first.digest, second.digest,
        "the runs differ in what was answered"
    );
    first
}

/// What [`torture`] has found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "`check` says whether anything was wrong"]
pub struct Torture {
    /// Calls of the kernel in the run without faults.
    pub calls: usize,
    /// Runs with a fault.
    pub runs: usize,
    /// The faults after which something was wrong, and what.
    pub findings: Vec<(Fault, Vec<String>)>,
}

impl Torture {
    /// Panics if anything was found.
    ///
    /// # Panics
    ///
    /// See above.
    #[track_caller]
    pub fn check(&self) -> &Torture {
        if self.findings.is_empty() {
            return self;
        }
        let (found, runs) = (self.findings.len(), self.runs);
        let mut text = format!("{found} of {runs} runs fail:\n");
        for (fault, wrongs) in self.findings.iter().take(10) {
            let _ = writeln!(text, "Faults::script({:?})", fault.to_string());
            for wrong in wrongs {
                let _ = writeln!(text, "  {wrong}");
            }
        }
        panic!("{text}");
    }
}

/// Runs a program once, and then once for each call of the kernel that it has made and each error that this
/// call can have, which it has then: exhaustive for what one failing call can do to a small program.
///
/// ```
/// use soquete::sim::{self, World};
/// use soquete::{event, net};
///
/// let tortured = sim::torture(World::seed(1), || {
///     let server = net::create_server(|socket| {
///         socket.on(event::Error, |_| {});
///         socket.pipe(socket);
///     });
///     server.on(event::Error, |_| {});
///     server.listen(("10.0.0.1", 80));
///     server.on(event::Listening, move |()| {
///         let client = net::connect(("10.0.0.1", 80));
///         client.end_with("hello");
///         client.on(event::Data, |_| {});
///         client.on(event::Error, |_| {});
///         client.on(event::Close, move |_| { server.close(); });
///     });
/// });
/// tortured.check();
/// assert!(tortured.runs > 50);
/// ```
///
/// # Panics
///
/// If the program is not fine even without a fault.
#[track_caller]
pub fn torture(world: World, program: impl Fn()) -> Torture {
    let mut counted = world.clone();
    counted.is_counted = true;
    let plain = counted.run(&program);
    plain.check();
    let mut found = Torture {
        calls: plain.census.len(),
        ..Torture::default()
    };
    for site in plain.census {
        for number in site.call.numbers() {
            let fault = Fault {
                site,
                number: *number,
            };
            found.runs += 1;
            let report = world.attempt_with(&[fault], &program);
            // An error that the program does not listen for is its own affair.
            let mut wrongs = report.wrongs();
            if report.error.is_some() {
                wrongs.pop();
            }
            if !wrongs.is_empty() {
                found.findings.push((fault, wrongs));
            }
        }
    }
    found
}
