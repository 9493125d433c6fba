//! One thread accepts, and hands its connections to the loops of other threads in turn.
//!
//! `cargo run --release --example hand_over [port]`, then Ctrl-C. The workers echo. Good where
//! connections live long and the kernel's choice would leave some threads with most of them: here
//! it is the accepting thread that chooses.

use std::thread::{self, JoinHandle};

use soquete::Remote;
use soquete::net::{self, ServerOptions, Socket, StdStream};

mod connections;

struct Worker {
    remote: Remote,
    thread: JoinHandle<soquete::Result<()>>,
}

fn main() -> soquete::Result<()> {
    let port = std::env::args().nth(1);
    let port = port.and_then(|port| port.parse().ok()).unwrap_or(3000);
    let count = thread::available_parallelism().map_or(1, usize::from);
    let workers = (0..count)
        .map(|_| Worker::start())
        .collect::<Result<Vec<_>, _>>()?;

    let remotes: Vec<Remote> = workers.iter().map(|worker| worker.remote.clone()).collect();
    let mut next = 0;
    // Paused, so that nothing is read here of what belongs to the other loop.
    let options = ServerOptions::new().pause_on_connect(true);
    let server = net::create_server_with(options, move |socket| {
        next = (next + 1) % remotes.len();
        let handed_over = socket
            .into_std()
            .and_then(|stream| remotes[next].post(move || serve(stream)));
        if let Err(error) = handed_over {
            eprintln!("{error}");
        }
    });
    server.listen_then(port, move |_| println!("{count} workers serve port {port}"));
    let here = soquete::remote()?;
    thread::spawn(move || {
        connections::wait_for_ctrl_c();
        let _stopped_already = here.post(soquete::stop);
    });
    soquete::run()?;
    server.close();
    soquete::run_nowait()?;
    for worker in workers {
        worker.stop()?;
    }
    Ok(())
}

fn serve(stream: StdStream) {
    match Socket::from_std(stream) {
        Ok(socket) => connections::echo(socket),
        Err(error) => eprintln!("{error}"),
    }
}

impl Worker {
    fn start() -> soquete::Result<Worker> {
        let (sender, started) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            // The other end of it keeps this loop alive, until the worker is stopped.
            let _ = sender.send(soquete::remote());
            soquete::run()
        });
        let remote = started.recv().expect("a thread starts")?;
        Ok(Worker { remote, thread })
    }

    /// Lets the connections end, and waits for that.
    fn stop(self) -> soquete::Result<()> {
        self.remote.post(connections::send_home)?;
        drop(self.remote);
        self.thread.join().expect("no worker panics")
    }
}
