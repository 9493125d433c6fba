//! One loop per core, all of which listen on the same port: the kernel shares the connections out.
//!
//! `cargo run --release --example reuse_port [port]`, then Ctrl-C. Each thread echoes what its
//! connections send. Good where connections are short or alike: none of them ever moves.

use std::cell::Cell;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use soquete::net::{self, ListenOptions, Server};
use soquete::{Remote, event};

mod connections;

thread_local! {
    static SERVER: Cell<Option<Server>> = const { Cell::new(None) };
}

fn main() -> soquete::Result<()> {
    let port = std::env::args().nth(1);
    let port = port.and_then(|port| port.parse().ok()).unwrap_or(3000);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (sender, started) = channel();
    let threads: Vec<_> = (0..cores)
        .map(|core| {
            let sender = sender.clone();
            thread::spawn(move || serve(core, port, sender))
        })
        .collect();
    drop(sender);
    let loops: Vec<Remote> = started.iter().take(cores).collect();

    if loops.len() == cores {
        connections::wait_for_ctrl_c();
    }
    for remote in &loops {
        remote.post(stop)?;
    }
    for thread in threads {
        thread.join().expect("no thread panics")?;
    }
    Ok(())
}

/// The life of a thread: until it is told to stop, and its connections have gone.
fn serve(core: usize, port: u16, started: Sender<Remote>) -> soquete::Result<()> {
    let server = net::create_server(connections::echo);
    SERVER.set(Some(server));
    server.on(event::Connection, move |socket| {
        println!("core {core}: {:?}", socket.remote_socket_addr());
    });
    let remote = soquete::remote()?;
    // It is the server and its connections that keep the loop alive.
    remote.unref();
    server.listen_then(ListenOptions::new(port).reuse_port(true), move |_| {
        println!("core {core} listens on port {port}");
        // Nobody waits for it any more if another core has failed.
        let _ = started.send(remote);
    });
    soquete::run()
}

fn stop() {
    if let Some(server) = SERVER.take() {
        server.close();
    }
    connections::send_home();
}
