//! A server on trial: each conversation, cut in each way.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use super::conversation::Conversation;
use super::course::{Course, Progress};
use super::cut::{self, Cut, Plan};
use super::expectation::Mismatch;
use super::finding::{Finding, TrialReport};
use super::once::{self, Once};
use super::talk::{Pace, Short, Talk};
use crate::net::{Address, Server};

/// The variable that chooses one cut of one conversation.
const CUT: &str = "SOQUETE_CUT";

/// Puts a whole server on trial: whether its answers depend on how the bytes of the requests were cut, and whether
/// anything stays open when a client has gone.
///
/// Each [conversation](Conversation) is held in each of the ways of [`Cut`]: whole, cut at every byte, byte by
/// byte, pipelined, dripped, half-closed after the last byte, ended and reset at every byte. For each there is a
/// fresh server. With the feature `sim` it lives in a [simulated world](crate::sim), in virtual time, so that
/// thousands of cuts take a second and pauses nothing; without it, or [on demand](ServerTrial::over_loopback), on the
/// loopback interface, in this thread's loop.
///
/// ```
/// use soquete::framing::{FrameReader, Lines};
/// use soquete::fuzzing::{Conversation, ServerTrial};
/// use soquete::{event, net};
///
/// ServerTrial::new(|| {
///     net::create_server(|socket| {
///         socket.on(event::Error, |_| {});
///         socket.frames(FrameReader::new(Lines::new(), 1000), move |line| {
///             socket.write([b"you said ", line, b"\n"].concat());
///         });
///     })
/// })
/// .conversation(
///     Conversation::new("two lines")
///         .send("one\n")
///         .expect("you said one\n")
///         .send("two\n")
///         .expect("you said two\n"),
/// )
/// .test();
/// ```
///
/// What is found names the conversation, the cut and its offset, what was expected and what came. The environment
/// variable `SOQUETE_CUT` (`"cut@57 two lines"`: a cut, and a conversation's name) runs that alone.
///
/// # What is checked
///
/// * The answers are those of the conversation, with nothing in between and nothing behind them.
/// * When the client has ended, the server ends the connection [in time](ServerTrial::closes_within).
/// * When the client has gone and the server was told to `close`, no socket and no timer keeps the loop alive for
///   longer than that. Timers that are [`unref`](crate::timers::Timeout::unref)ed do not.
/// * No listener panics, and each error is listened for: a reset is one.
/// * In a world, all that [it checks](crate::sim#what-is-checked).
///
/// If a conversation fails as a whole, it is not cut.
#[derive(Clone)]
pub struct ServerTrial {
    pub(super) subject: Subject,
    pub(super) conversations: Vec<Rc<Conversation>>,
    pub(super) is_in_world: bool,
    pub(super) pace: Pace,
    most: usize,
    at_once: usize,
    lasts: Duration,
    only: Option<Cut>,
    pub(super) mask: Option<Mask>,
}

/// Blanks what varies in the answers.
pub(super) type Mask = Rc<dyn Fn(&mut Vec<u8>)>;

#[derive(Clone)]
pub(super) enum Subject {
    Made(Rc<dyn Fn() -> Server>),
    There(Address),
}

impl ServerTrial {
    /// On trial is the server that `make` makes, each time anew. One that does not listen yet is told to, at an
    /// address of the trial's; one that does is connected to where it listens.
    pub fn new(make: impl Fn() -> Server + 'static) -> ServerTrial {
        let trial = ServerTrial::of(Subject::Made(Rc::new(make)));
        match cfg!(feature = "sim") {
            true => ServerTrial {
                is_in_world: true,
                pace: Pace {
                    short: Short::Time(Duration::from_millis(1)),
                    drip: Duration::from_millis(20),
                    long: Duration::from_secs(1),
                    patience: Duration::from_secs(60),
                    closes_within: Duration::from_secs(10),
                },
                ..trial
            },
            false => trial.over_loopback(),
        }
    }

    /// On trial is a server that runs elsewhere, in whatever language. It is there for all conversations, several of
    /// which are held [at once](ServerTrial::at_once): they must not depend on each other, nor on what was before. What
    /// it keeps open cannot be seen from here, but for connections that it does not end.
    ///
    /// The addresses of other machines are taken, too: whether they may be is for the caller to know.
    pub fn at(address: SocketAddr) -> ServerTrial {
        ServerTrial::of(Subject::There(Address::Tcp(address)))
    }

    fn of(subject: Subject) -> ServerTrial {
        ServerTrial {
            subject,
            conversations: Vec::new(),
            is_in_world: false,
            pace: Pace {
                short: Short::Time(Duration::from_millis(3)),
                drip: Duration::from_millis(5),
                long: Duration::from_millis(300),
                patience: Duration::from_secs(5),
                closes_within: Duration::from_secs(5),
            },
            most: 2048,
            at_once: 32,
            lasts: Duration::from_secs(600),
            only: None,
            mask: None,
        }
    }

    /// Adds a conversation.
    #[must_use]
    pub fn conversation(mut self, conversation: Conversation) -> ServerTrial {
        self.conversations.push(Rc::new(conversation));
        self
    }

    /// On the loopback interface, though there is a world. Nothing else may be in this thread's loop. Long pauses
    /// take their time there.
    #[must_use]
    pub fn over_loopback(mut self) -> ServerTrial {
        self.is_in_world = false;
        self.pace = Pace {
            short: Short::Turns(3),
            drip: Duration::from_millis(2),
            long: Duration::from_millis(50),
            patience: Duration::from_secs(5),
            closes_within: Duration::from_secs(2),
        };
        self
    }

    /// The time between two bytes of a conversation that is dripped: 20 ms in a world, 2 ms on loopback, 5 ms
    /// for a server elsewhere.
    #[must_use]
    pub fn drip(mut self, time: Duration) -> ServerTrial {
        self.pace.drip = time;
        self
    }

    /// The long pause of [`Cut::PausedBefore`]: 1 s in a world, 50 ms on loopback, 300 ms for a server elsewhere.
    #[must_use]
    pub fn pause(mut self, time: Duration) -> ServerTrial {
        self.pace.long = time;
        self
    }

    /// How long nothing may come while an answer is awaited: 60 s in a world, 5 s elsewhere.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> ServerTrial {
        self.pace.patience = time;
        self
    }

    /// How long after its client has ended a connection, or has gone, anything of the server may stay open: 10 s in a
    /// world, 2 s on loopback, 5 s for a server elsewhere.
    #[must_use]
    pub fn closes_within(mut self, time: Duration) -> ServerTrial {
        self.pace.closes_within = time;
        self
    }

    /// How many places of a conversation are cut in each way, about, if it is longer: 2,048 at first. Those near the
    /// ends of requests are, and others evenly.
    #[must_use]
    pub fn places_at_most(mut self, most: usize) -> ServerTrial {
        self.most = most.max(1);
        self
    }

    /// How many connections a server elsewhere has at once; 32 at first.
    #[must_use]
    pub fn at_once(mut self, connections: usize) -> ServerTrial {
        self.at_once = connections.max(1);
        self
    }

    /// The real time after which nothing new is begun; ten minutes at first.
    #[must_use]
    pub fn lasts_at_most(mut self, time: Duration) -> ServerTrial {
        self.lasts = time;
        self
    }

    /// Only this cut.
    #[must_use]
    pub fn only(mut self, cut: Cut) -> ServerTrial {
        self.only = Some(cut);
        self
    }

    /// What [`fuzz`](ServerTrial::fuzz) does to each answer before it compares two: blank dates and counts that are
    /// not the same twice.
    #[must_use]
    pub fn masked(mut self, mask: impl Fn(&mut Vec<u8>) + 'static) -> ServerTrial {
        self.mask = Some(Rc::new(mask));
        self
    }

    /// Runs all, and panics if anything is found.
    ///
    /// # Panics
    ///
    /// See above; within a run of this thread's loop; if `SOQUETE_CUT` is no cut.
    #[track_caller]
    pub fn test(&self) -> TrialReport {
        let report = self.run();
        report.check();
        report
    }

    /// Runs all.
    ///
    /// # Panics
    ///
    /// Within a run of this thread's loop; if `SOQUETE_CUT` is no cut.
    #[track_caller]
    pub fn run(&self) -> TrialReport {
        self.run_and_tell(|_| {})
    }

    /// As [`run`](ServerTrial::run), and tells of its progress after each connection.
    ///
    /// # Panics
    ///
    /// As [`run`](ServerTrial::run).
    #[track_caller]
    pub fn run_and_tell(&self, tell: impl FnMut(&Progress) + 'static) -> TrialReport {
        let chosen = chosen_cut();
        let mut jobs = VecDeque::new();
        for talk in &self.conversations {
            if chosen.as_ref().is_some_and(|(_, name)| name != talk.name()) {
                continue;
            }
            let only = chosen.as_ref().map(|(cut, _)| *cut).or(self.only);
            let cuts = match only {
                Some(cut) => vec![cut],
                None => cut::of(talk, self.most),
            };
            jobs.extend(cuts.into_iter().map(|cut| (Rc::clone(talk), cut)));
        }
        let course = Course::new(jobs, self.lasts, tell);
        match &self.subject {
            Subject::Made(make) => {
                while let Some((talk, cut)) = course.next() {
                    let once = self.once(make, &talk, cut.plan(), false);
                    let stays = once.stays_open;
                    course.done(&talk, cut, finding(&talk, cut, once));
                    if stays && !self.is_in_world {
                        course.call_off("what stays open would be in the way of all that follows");
                    }
                }
            }
            Subject::There(address) => self.run_elsewhere(address, &course),
        }
        let mut report = course.report();
        // Those that were held at once have ended in any order.
        report.findings.sort_by_key(|finding| {
            let is_it = |talk: &Rc<Conversation>| talk.name() == finding.conversation;
            (self.conversations.iter().position(is_it), finding.cut)
        });
        report
    }

    /// One conversation with a fresh server.
    pub(super) fn once(
        &self,
        make: &Rc<dyn Fn() -> Server>,
        talk: &Rc<Conversation>,
        plan: Plan,
        is_free: bool,
    ) -> Once {
        #[cfg(feature = "sim")]
        if self.is_in_world {
            return once::in_world(make, talk, plan, self.pace, is_free);
        }
        once::over_loopback(make, talk, plan, self.pace, is_free)
    }

    /// So many at a time; of each conversation the whole first, and alone.
    fn run_elsewhere(&self, address: &Address, course: &Rc<Course>) {
        while course.is_next_whole() {
            self.begin(address, course);
            run();
        }
        for _ in 0..self.at_once {
            self.begin(address, course);
        }
        run();
    }

    fn begin(&self, address: &Address, course: &Rc<Course>) {
        let Some((talk, cut)) = course.next() else {
            return;
        };
        let (me, address, course) = (self.clone(), address.clone(), Rc::clone(course));
        let held = Rc::clone(&talk);
        Talk::begin(
            &address.clone(),
            &talk,
            cut.plan(),
            self.pace,
            false,
            move |outcome| {
                let found = outcome.mismatch;
                let found = found.map(|(sent, what)| Finding::of(&held, cut, sent, what));
                course.done(&held, cut, found);
                // Those that are whole come one after the other.
                if cut != Cut::Whole {
                    me.begin(&address, &course);
                }
            },
        );
    }
}

impl fmt::Debug for ServerTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTrial")
            .field("conversations", &self.conversations)
            .finish_non_exhaustive()
    }
}

fn run() {
    // Each error of a talk is listened for.
    if let Err(error) = crate::this_loop::run() {
        panic!("the loop of the trial has ended with an error: {error}");
    }
}

fn finding(talk: &Conversation, cut: Cut, once: Once) -> Option<Finding> {
    if let Some((sent, mismatch)) = once.mismatch {
        return Some(Finding::of(talk, cut, sent, mismatch));
    }
    let why = once.problem?;
    let mismatch = Mismatch {
        expected: String::new(),
        received: String::new(),
        why,
    };
    Some(Finding::of(
        talk,
        cut,
        cut.plan().most(talk.len()),
        mismatch,
    ))
}

/// The cut and the conversation that the environment chooses.
fn chosen_cut() -> Option<(Cut, String)> {
    let chosen = std::env::var(CUT).ok()?;
    let (cut, name) = chosen.split_once(' ').unwrap_or((&chosen, ""));
    match cut.parse() {
        Ok(cut) => Some((cut, name.to_owned())),
        Err(error) => panic!("{CUT}={chosen:?}: {error}"),
    }
}
