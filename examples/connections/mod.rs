//! The connections of one thread's loop, and how they are sent home: for the examples with more than
//! one loop.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use soquete::net::Socket;
use soquete::{event, timers};

/// How long connections have to end by themselves.
const DEADLINE: Duration = Duration::from_secs(5);

thread_local! {
    static OPEN: RefCell<HashSet<Socket>> = RefCell::default();
}

/// Serves a connection: whatever it sends comes back.
pub fn echo(socket: Socket) {
    OPEN.with_borrow_mut(|open| open.insert(socket));
    socket.pipe(socket);
    socket.on(event::Error, |error| eprintln!("{error}"));
    socket.on(event::Close, move |_| {
        OPEN.with_borrow_mut(|open| open.remove(&socket));
    });
}

/// Ends all connections of this thread, and destroys those that are still there at the deadline.
pub fn send_home() {
    let open = || OPEN.with_borrow(|open| open.iter().copied().collect::<Vec<_>>());
    for socket in open() {
        socket.end();
    }
    let deadline = timers::set_timeout(DEADLINE, move || {
        for socket in open() {
            socket.destroy();
        }
    });
    // Nobody left to wait for is the best reason not to wait.
    deadline.unref();
}

/// Waits for Ctrl-C, or to be told to terminate.
pub fn wait_for_ctrl_c() {
    let mut signals = Signals::new([SIGINT, SIGTERM]).expect("they can be handled");
    println!("Ctrl-C to stop");
    signals.forever().next();
    println!("stopping");
}
