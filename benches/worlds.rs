//! How many simulated worlds a core runs a second.
//!
//! ```text
//! cargo bench --bench worlds
//! cargo bench --bench worlds -- 'ten messages'        # only what has this in its name
//! ```

#[path = "../tests/support/drawn.rs"]
mod drawn;

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use drawn::{Draw, program};
use soquete::net::{self, Server};
use soquete::sim::{Call, Faults, World};
use soquete::{event, timers};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A byte each way.
fn one_connection() {
    talk(1);
}

/// So many messages each way, one after the other.
fn talk(messages: u32) {
    let server = net::create_server(|socket| {
        socket.on(event::Error, |_| {});
        socket.on(event::Data, move |chunk| {
            socket.write(chunk);
        });
    });
    server.on(event::Error, |_| {});
    server.listen(("10.0.0.1", 80));
    server.on(event::Listening, move |()| {
        let client = net::connect(("10.0.0.1", 80));
        client.on(event::Error, |_| {});
        client.write("x");
        let left = Cell::new(messages);
        client.on(event::Data, move |chunk| {
            left.set(left.get() - 1);
            if left.get() == 0 {
                client.end();
            } else {
                client.write(chunk);
            }
        });
        client.on(event::Close, move |_| {
            server.close();
        });
    });
}

/// Clients that connect one after the other, so many at once.
fn connections(at_once: u32, times: u32) {
    fn client(times: u32, server: Server, open: Rc<Cell<u32>>) {
        let socket = net::connect(("10.0.0.1", 80));
        socket.write("x");
        socket.on(event::Data, move |_| {
            socket.end();
        });
        socket.on(event::Close, move |_| {
            if times > 1 {
                return client(times - 1, server, Rc::clone(&open));
            }
            open.set(open.get() - 1);
            if open.get() == 0 {
                server.close();
            }
        });
    }
    let server = net::create_server(|socket| {
        socket.on(event::Data, move |chunk| {
            socket.write(chunk);
        });
    });
    server.listen(("10.0.0.1", 80));
    let open = Rc::new(Cell::new(at_once));
    server.on(event::Listening, move |()| {
        for _ in 0..at_once {
            client(times, server, Rc::clone(&open));
        }
    });
}

/// How long this thread has been running, where the system says so: what else a machine does counts least then.
fn clock() -> Duration {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = stat.and_then(|stat| stat.split(' ').next()?.parse().ok());
    nanos.map_or_else(
        || BEGUN.get_or_init(Instant::now).elapsed(),
        Duration::from_nanos,
    )
}

/// The best of five.
fn measure(name: &str, worlds: u64, run: impl Fn(u64)) {
    let chosen = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if chosen.is_some_and(|chosen| !name.contains(&chosen)) {
        return;
    }
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = clock();
        (0..worlds).for_each(&run);
        best = best.min(clock() - begun);
    }
    let each = best.as_secs_f64() / worlds as f64;
    println!(
        "{name:<52} {:>9.1} µs {:>9.0} a second",
        each * 1e6,
        1.0 / each
    );
}

fn main() {
    let plain = |seed| World::seed(seed).latency(ms(1)..=ms(40));
    let fine = |world: World, program: &dyn Fn()| {
        black_box(world.run(program).check());
    };
    measure("one connection", 4000, |seed| {
        fine(plain(seed), &one_connection)
    });
    measure("one connection, unchecked", 4000, |seed| {
        fine(plain(seed).unchecked(), &one_connection);
    });
    measure("one connection, traced", 2000, |seed| {
        fine(plain(seed).traced(), &one_connection);
    });
    let faulty = || {
        Faults::none()
            .rate(Call::Read, 0.02)
            .rate(Call::Write, 0.02)
    };
    measure("ten messages each way, with faults", 2000, |seed| {
        fine(plain(seed).faults(faulty()), &|| talk(10));
    });
    measure("programs drawn by the seed, with faults", 500, |seed| {
        let world = plain(seed).faults(Faults::swarm(seed));
        black_box(world.run(|| drop(program(&Draw::seed(seed)))).check());
    });
    measure("a thousand connections at once", 5, |seed| {
        fine(plain(seed), &|| connections(1000, 1));
    });
    measure("an hour of silence", 4000, |seed| {
        fine(plain(seed), &|| {
            timers::set_timeout(Duration::from_secs(3600), || {});
        });
    });
}
