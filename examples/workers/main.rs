//! One loop per core, all of which serve one room: what a client sends, the clients of all loops hear.
//!
//! `cargo run --release --example workers 3000`, then `nc 127.0.0.1 3000` several times, then Ctrl-C. There are two
//! ways to bring connections to all the loops:
//!
//! | | who chooses | good for |
//! |---|---|---|
//! | by default | the kernel: each loop listens on the same port (`SO_REUSEPORT`) | short or similar connections |
//! | `--hand-over` | the program: one loop accepts, and hands each connection to the loop that has the fewest | few and long ones |
//!
//! `--workers 4` says how many loops there are; by default, as many as cores.
//!
//! Loops share nothing. They tell each other by messages: `worker.rs` has what a worker is told, `acceptor.rs` what the
//! workers tell whoever accepts.

mod acceptor;
mod worker;

use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use soquete::net::{BindOptions, BoundSocket, RemoteGroup};

use acceptor::Acceptor;
use worker::Worker;

struct Arguments {
    port: u16,
    hands_over: bool,
    workers: usize,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
        let mut arguments = Arguments {
            port: 3000,
            hands_over: false,
            workers: thread::available_parallelism().map_or(1, usize::from),
        };
        while let Some(word) = words.next() {
            match &*word {
                "--hand-over" => arguments.hands_over = true,
                "--workers" => arguments.workers = words.next()?.parse().ok()?,
                port => arguments.port = port.parse().ok()?,
            }
        }
        Some(arguments).filter(|arguments| arguments.workers > 0)
    }
}

fn main() -> soquete::Result<()> {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("usage: workers [PORT] [--hand-over] [--workers COUNT]");
        std::process::exit(2);
    };
    // Before there are threads, so that a port that is taken is this program's error.
    let mut places = Vec::new();
    let mut port = arguments.port;
    let listeners = match arguments.hands_over {
        true => 1,
        false => arguments.workers,
    };
    for _ in 0..listeners {
        let place = BoundSocket::new(BindOptions::new(port).reuse_port(!arguments.hands_over))?;
        port = place.address()?.port();
        places.push(place);
    }

    let (mut acceptor, mut tell_acceptor) = (None, None);
    if arguments.hands_over {
        let (accepts, left) = Acceptor::new()?;
        acceptor = Some(accepts);
        tell_acceptor = Some(left);
    }
    let workers = (0..arguments.workers)
        .map(|index| {
            let own = places.get(index).filter(|_| !arguments.hands_over);
            Worker::start(index, own.cloned(), tell_acceptor.clone())
        })
        .collect::<soquete::Result<Vec<Worker>>>()?;
    for worker in &workers {
        let others = workers.iter().filter(|other| other.index != worker.index);
        worker.meets(others.map(Worker::room).collect::<Vec<RemoteGroup>>())?;
    }
    if let Some(acceptor) = &acceptor {
        let senders = workers.iter().map(Worker::sender).collect();
        acceptor.accept(places.remove(0), senders);
    }
    println!("{} workers serve port {port}", workers.len());

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let here = soquete::remote()?;
    thread::spawn(move || {
        signals.forever().next();
        let _stopped_already = here.post(soquete::stop);
    });
    soquete::run()?;
    println!("stopping");
    drop((acceptor, tell_acceptor));
    workers.iter().try_for_each(Worker::stop)?;
    workers.into_iter().try_for_each(Worker::join)
}
