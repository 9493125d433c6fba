//! One conversation with one fresh server, and what stays open after it.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use super::conversation::Conversation;
use super::cut::Plan;
use super::expectation::Mismatch;
use super::talk::{Outcome, Pace, Talk};
use crate::net::{Address, Server};
use crate::timers::Timeout;
use crate::{Resource, ResourceKind, event, timers};

/// What has become of it.
#[derive(Default)]
pub(super) struct Once {
    pub(super) received: Vec<u8>,
    /// And how much had been sent.
    pub(super) mismatch: Option<(usize, Mismatch)>,
    /// What else is wrong.
    pub(super) problem: Option<String>,
    /// Something is left in the loop that keeps it alive.
    pub(super) stays_open: bool,
}

/// What a run leaves behind.
#[derive(Default)]
struct Witness {
    outcome: RefCell<Option<Outcome>>,
    stays: RefCell<Option<String>>,
    watchdog: Cell<Option<Timeout>>,
}

/// Makes the server, and a client of it.
fn begin(
    make: &dyn Fn() -> Server,
    talk: &Rc<Conversation>,
    plan: Plan,
    pace: Pace,
    is_free: bool,
    witness: &Rc<Witness>,
) {
    let server = make();
    if !server.is_to_listen() {
        server.listen((Ipv4Addr::LOCALHOST, 0));
    }
    let (talk, witness) = (Rc::clone(talk), Rc::clone(witness));
    let connect = move || {
        let Some(address) = server.address() else {
            return;
        };
        Talk::begin(
            &within_reach(address),
            &talk,
            plan,
            pace,
            is_free,
            move |outcome| {
                *witness.outcome.borrow_mut() = Some(outcome);
                server.close();
                watch_over(&witness, pace.closes_within);
            },
        );
    };
    match server.listening() {
        true => connect(),
        false => {
            server.once(event::Listening, move |()| connect());
        }
    }
}

/// The loop is to end by itself within this time.
fn watch_over(witness: &Rc<Witness>, time: Duration) {
    let me = Rc::clone(witness);
    let watchdog = timers::set_timeout(time, move || {
        let resources = crate::active_resources();
        let list: Vec<String> = resources.iter().map(account).collect();
        *me.stays.borrow_mut() = Some(format!(
            "{} s after the client has gone, what keeps the loop alive is {}",
            time.as_secs_f64(),
            list.join(", ")
        ));
        #[cfg(feature = "sim")]
        crate::kernel::sim::world::halt();
        crate::this_loop::stop();
    });
    watchdog.unref();
    witness.watchdog.set(Some(watchdog));
}

fn account(resource: &Resource) -> String {
    let what = match resource.kind() {
        ResourceKind::Socket(_) => "a socket",
        ResourceKind::Server(_) => "a server",
        ResourceKind::Timeout(_) => "a timer",
        ResourceKind::Immediate(_) => "an immediate",
        ResourceKind::Watch => "a watched descriptor",
        ResourceKind::Work => "work of the pool",
        ResourceKind::Remotes(_) => "a `Remote` or `Sender`",
    };
    match resource.created_at() {
        Some(place) => format!("{what} made at {place}"),
        None => what.to_owned(),
    }
}

/// A server that listens on all addresses is reached on this machine's own.
fn within_reach(address: Address) -> Address {
    match address {
        Address::Tcp(at) if at.ip().is_unspecified() => {
            let ip: IpAddr = match at {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
            Address::Tcp((ip, at.port()).into())
        }
        address => address,
    }
}

impl Once {
    fn of(witness: &Witness) -> Once {
        let stays = witness.stays.take();
        let mut once = Once {
            stays_open: stays.is_some(),
            problem: stays,
            ..Once::default()
        };
        if let Some(outcome) = witness.outcome.take() {
            once.received = outcome.received;
            once.mismatch = outcome.mismatch;
        }
        once
    }
}

/// In this thread's loop.
pub(super) fn over_loopback(
    make: &Rc<dyn Fn() -> Server>,
    talk: &Rc<Conversation>,
    plan: Plan,
    pace: Pace,
    is_free: bool,
) -> Once {
    let witness = Rc::<Witness>::default();
    begin(&**make, talk, plan, pace, is_free, &witness);
    let ended = crate::this_loop::run();
    if let Some(watchdog) = witness.watchdog.take() {
        watchdog.clear();
    }
    let is_over = witness.outcome.borrow().is_some();
    let mut once = Once::of(&witness);
    match ended {
        Err(error) => {
            once.stays_open = true;
            once.problem = Some(format!("nobody listens for the error {error}"));
        }
        Ok(()) if !is_over => {
            let why = "the loop has ended while the client was waiting".to_owned();
            once.problem.get_or_insert(why);
        }
        Ok(()) => {}
    }
    once
}

/// In a world of its own.
#[cfg(feature = "sim")]
pub(super) fn in_world(
    make: &Rc<dyn Fn() -> Server>,
    talk: &Rc<Conversation>,
    plan: Plan,
    pace: Pace,
    is_free: bool,
) -> Once {
    use crate::sim::World;

    let witness = Rc::<Witness>::default();
    let (report, panic) = World::seed(0).execute(|| {
        begin(&**make, talk, plan, pace, is_free, &witness);
        crate::this_loop::run()
    });
    let is_over = witness.outcome.borrow().is_some();
    let mut once = Once::of(&witness);
    if once.problem.is_some() {
        return once;
    }
    let panic = panic.map(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("the server has panicked: {}", text.unwrap_or("…"))
    });
    let error = report.error.as_ref();
    let error = error.map(|error| format!("nobody listens for the error {error}"));
    let stuck = report.stuck.first();
    let stuck = stuck.map(|what| format!("what is never to go on is {what}"));
    let left = report.left.iter().find(|what| !what.ends_with(" timers"));
    let left = left.map(|what| format!("what stays open is {what}"));
    let late = (!is_over).then(|| "the loop has ended while the client was waiting".to_owned());
    let problem = report.problems.first().cloned();
    once.problem = panic.or(error).or(problem).or(stuck).or(late).or(left);
    once
}
