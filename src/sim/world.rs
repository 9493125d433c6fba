//! What a world is to be like.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::values::{Addresses, Between, nanos};
use crate::kernel::sim::config::{Config, Name};
use crate::kernel::sim::faults::Faults;
use crate::kernel::sim::invariants::Invariant;

/// A program or a plan; a world can be run more than once, so it can be, too.
pub(super) type Program = Rc<dyn Fn()>;

/// A world that is about to be: what its network and its machines are like, and what goes wrong.
///
/// At first it is loopback: no latency, large buffers, nothing goes wrong. Clones are worlds of their own.
///
/// ```
/// use soquete::sim::{Faults, World};
/// use soquete::{event, net};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis;
/// let world = World::seed(7)
///     .latency(ms(1)..=ms(40))
///     .segments(1..=1460)
///     .name("db.example", "10.0.0.1", ms(5)..=ms(300))
///     .faults(Faults::swarm(7));
/// let report = world.run(|| {
///     let server = net::create_server(|socket| {
///         socket.on(event::Error, |_| {});
///         socket.end_with("hello");
///     });
///     server.on(event::Error, |_| {});
///     server.listen(("10.0.0.1", 5432));
///     server.on(event::Listening, move |()| {
///         let client = net::connect(("db.example", 5432));
///         client.on(event::Error, |_| {});
///         client.on(event::Data, |_| {});
///         client.on(event::Close, move |_| { server.close(); });
///     });
/// });
/// report.check();
/// ```
#[derive(Clone)]
#[must_use]
pub struct World {
    pub(super) seed: u64,
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) config: Config,
    pub(super) faults: Faults,
    pub(super) names: Vec<(String, Name)>,
    pub(super) zones: Vec<(String, u32)>,
    /// The main host's addresses.
    pub(super) own: Vec<IpAddr>,
    pub(super) hosts: Vec<(Vec<IpAddr>, Program)>,
    pub(super) plans: Vec<(Duration, Program)>,
    pub(super) invariants: Vec<Invariant>,
    pub(super) is_traced: bool,
    pub(super) is_counted: bool,
    pub(super) is_unchecked: bool,
    pub(super) is_strict: bool,
}

impl World {
    /// A world in which everything that could be one way or another is determined by `seed`.
    pub fn seed(seed: u64) -> World {
        World {
            seed,
            bytes: None,
            config: Config::default(),
            faults: Faults::none(),
            names: Vec::new(),
            zones: Vec::new(),
            own: Vec::new(),
            hosts: Vec::new(),
            plans: Vec::new(),
            invariants: Vec::new(),
            is_traced: false,
            is_counted: false,
            is_unchecked: false,
            is_strict: false,
        }
    }

    /// A world whose decisions are these bytes, for a fuzzer: what a seed would draw is read from them, and
    /// is 0 once they are used up.
    pub fn bytes(bytes: &[u8]) -> World {
        let mut world = World::seed(0);
        world.bytes = Some(bytes.to_vec());
        world
    }
}

/// The network.
impl World {
    /// How long a segment is on its way. Without it everything arrives at once.
    pub fn latency(mut self, time: impl Into<Between<Duration>>) -> World {
        self.config.latency = time.into().nanos();
        self
    }

    /// How streams are cut: what is sent arrives in pieces of so many bytes, one after the other.
    pub fn segments(mut self, bytes: impl Into<Between<usize>>) -> World {
        self.config.segments = Some(bytes.into().bytes());
        self
    }

    /// How many bytes a kernel takes before a write would block; 2,500,000 as on Linux's loopback.
    pub fn send_buffer(mut self, bytes: impl Into<Between<usize>>) -> World {
        self.config.send_buffer = bytes.into().bytes();
        self
    }

    /// How many bytes a kernel keeps for a reader before the sender has to wait; 131,072 as on Linux.
    pub fn window(mut self, bytes: impl Into<Between<usize>>) -> World {
        self.config.window = bytes.into().bytes();
        self
    }

    /// The most that one write takes, as if memory were short: writes are cut where the buffer has room.
    pub fn writes_at_most(mut self, bytes: impl Into<Between<usize>>) -> World {
        self.config.write_at_most = Some(bytes.into().bytes());
        self
    }

    /// Bytes per second, for each direction of each connection; 0 for no limit.
    pub fn bandwidth(mut self, bytes_per_second: u64) -> World {
        self.config.bandwidth = bytes_per_second;
        self
    }

    /// How long a connection waits for what it has sent to be acknowledged, while a
    /// [`partition`](super::partition()) is in the way; 924.6 s as on Linux. It ends with ETIMEDOUT.
    pub fn gives_up_after(mut self, time: Duration) -> World {
        self.config.gives_up_after = nanos(time);
        self
    }

    /// A name with these addresses, which a look-up takes so long to find. A name that was not given does
    /// not exist; `localhost` does.
    ///
    /// ```
    /// use soquete::sim::World;
    /// use soquete::dns;
    /// use std::time::Duration;
    ///
    /// let ms = Duration::from_millis;
    /// let world = World::seed(1).name("db.example", ["10.0.0.1", "10.0.0.2"], ms(5)..=ms(300));
    /// let report = world.run(|| {
    ///     dns::lookup("db.example", |addresses| {
    ///         assert_eq!(addresses?[0].to_string(), "10.0.0.1");
    ///         Ok(())
    ///     });
    /// });
    /// report.check();
    /// ```
    ///
    /// # Panics
    ///
    /// If one of the addresses is none.
    #[track_caller]
    pub fn name(
        self,
        name: &str,
        addresses: impl Addresses,
        delay: impl Into<Between<Duration>>,
    ) -> World {
        self.known(name, Ok(addresses.addresses()), delay.into())
    }

    /// A name whose look-up fails with this code (`"ENOTFOUND"`, `"EAI_AGAIN"`) after so long.
    ///
    /// ```
    /// use soquete::sim::World;
    /// use soquete::dns;
    /// use std::time::Duration;
    ///
    /// let delay = Duration::from_secs(5);
    /// let world = World::seed(1).failing_name("db.example", "EAI_AGAIN", delay);
    /// let report = world.run(|| {
    ///     dns::lookup("db.example", |addresses| {
    ///         assert_eq!(addresses.unwrap_err().code(), "EAI_AGAIN");
    ///     });
    /// });
    /// report.check();
    /// ```
    pub fn failing_name(
        self,
        name: &str,
        code: &'static str,
        delay: impl Into<Between<Duration>>,
    ) -> World {
        self.known(name, Err(code), delay.into())
    }

    fn known(
        mut self,
        name: &str,
        answer: Result<Vec<IpAddr>, &'static str>,
        delay: Between<Duration>,
    ) -> World {
        let delay = delay.nanos();
        self.names.push((name.to_owned(), Name { answer, delay }));
        self
    }

    /// An interface, for the zone of an IPv6 address (`fe80::1%eth0`).
    ///
    /// ```
    /// use soquete::sim::World;
    ///
    /// World::seed(1).zone("eth0", 2).run(|| { /* connects to fe80::1%eth0 */ });
    /// ```
    pub fn zone(mut self, name: &str, number: u32) -> World {
        self.zones.push((name.to_owned(), number));
        self
    }
}

/// The machines.
impl World {
    /// A further machine with these addresses. Its program has a loop of its own, which the world runs: there
    /// [`run`](crate::run) returns at once, so that a `main` can be given as it is.
    ///
    /// ```
    /// use soquete::sim::World;
    ///
    /// fn server_main() { /* … */ }
    ///
    /// World::seed(1).host("10.0.0.1", server_main).run(|| { /* the client */ });
    /// ```
    ///
    /// # Panics
    ///
    /// If an address is none, or another host's.
    #[track_caller]
    pub fn host(mut self, addresses: impl Addresses, program: impl Fn() + 'static) -> World {
        let addresses = self.of_a_new_host(&addresses);
        self.hosts.push((addresses, Rc::new(program)));
        self
    }

    /// The addresses of the machine that the main program runs on, and no others. Without this it has all that
    /// no [`host`](World::host) has: a server at 10.0.0.1 and a client from 10.0.0.2 can be in one program.
    ///
    /// # Panics
    ///
    /// As [`host`](World::host).
    #[track_caller]
    pub fn addresses(mut self, addresses: impl Addresses) -> World {
        self.own = self.of_a_new_host(&addresses);
        self.config.is_exclusive = true;
        self
    }

    #[track_caller]
    fn of_a_new_host(&self, addresses: &impl Addresses) -> Vec<IpAddr> {
        let addresses = addresses.addresses();
        let others = self.hosts.iter().map(|(addresses, _)| addresses);
        for other in others.chain([&self.own]).flatten() {
            assert!(
                !addresses.contains(other),
                "two hosts with the address {other}"
            );
        }
        addresses
    }

    /// Descriptors per machine; 1,048,576 at first. Opening more is EMFILE.
    pub fn descriptors(mut self, most: usize) -> World {
        self.config.descriptors = most;
        self
    }

    /// Threads of each loop's pool, which look names up and do what
    /// [`queue_work`](crate::queue_work) is given; 4 at first. No real thread is started.
    pub fn pool(mut self, threads: usize) -> World {
        self.config.pool = threads.max(1);
        self
    }

    /// The events of one poll come in any order.
    pub fn shuffled(mut self) -> World {
        self.config.shuffled = true;
        self
    }

    /// One poll in so many also reports something that has not changed; 0 for none.
    pub fn spurious_events(mut self, one_in: u64) -> World {
        self.config.spurious = one_in;
        self
    }
}

/// What happens in it.
impl World {
    /// What goes wrong.
    pub fn faults(mut self, faults: Faults) -> World {
        self.faults = faults;
        self
    }

    /// From this time on nothing goes wrong any more. Everything that the program goes on to do must then
    /// succeed, which its own assertions can ask for.
    pub fn faults_until(mut self, time: Duration) -> World {
        self.config.faults_until = nanos(time);
        self
    }

    /// Calls `plan` at this time, on the main host.
    ///
    /// ```
    /// use soquete::sim::World;
    /// use std::time::Duration;
    ///
    /// World::seed(1)
    ///     .at(Duration::from_secs(60), || println!("a minute later"))
    ///     .run(|| { /* the program */ });
    /// ```
    pub fn at(mut self, time: Duration, plan: impl Fn() + 'static) -> World {
        self.plans.push((time, Rc::new(plan)));
        self
    }
}

/// Checks and reports.
impl World {
    /// Something that must be so whenever the clock is about to move, and at the end. It may look at what
    /// the program keeps, and must not change it.
    ///
    /// ```
    /// use soquete::sim::World;
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// let connections = Rc::new(Cell::new(0));
    /// let counted = Rc::clone(&connections);
    /// World::seed(1)
    ///     .always("at most ten connections", move || counted.get() <= 10)
    ///     .run(move || {
    ///         /* the program, which counts its connections */
    ///         # connections.set(1);
    ///     });
    /// ```
    pub fn always(mut self, what: &str, holds: impl Fn() -> bool + 'static) -> World {
        self.invariants.push((what.to_owned(), Rc::new(holds)));
        self
    }

    /// What is [left over](super::Report::left) is a problem: for a program that closes everything, on every host,
    /// and has no timers that are [`unref`](crate::timers::Timeout::unref)ed.
    pub fn leaves_nothing(mut self) -> World {
        self.is_strict = true;
        self
    }

    /// How many turns all loops may take together; 1,000,000 at first. A world that takes more is stopped, with
    /// the reason among its problems.
    pub fn turns_at_most(mut self, turns: u64) -> World {
        self.config.max_turns = turns;
        self
    }

    /// How much virtual time may pass; ten years at first. As [`turns_at_most`](World::turns_at_most).
    pub fn lasts_at_most(mut self, time: Duration) -> World {
        self.config.max_time = nanos(time);
        self
    }

    /// Keeps a trace: a line for each call of the kernel, each event and each fault. It more than doubles the
    /// cost of a world. The environment variable `SOQUETE_SEED` does this, too.
    pub fn traced(mut self) -> World {
        self.is_traced = true;
        self
    }

    /// Leaves out what is checked at each event and each time the clock moves: some 20 % faster.
    pub fn unchecked(mut self) -> World {
        self.is_unchecked = true;
        self
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
