//! Closing with a deadline.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::events::Outcome;
use crate::net::values::handle::Server;
use crate::timers;

/// How often a server that shuts down looks for connections that have become idle.
const SWEEP: Duration = Duration::from_millis(50);

impl Server {
    /// Closes within `deadline`: the server takes no more connections, each connection is destroyed as soon
    /// as it is [idle](Server::close_idle_connections), and those that are still busy at the deadline are
    /// destroyed then. `Close` follows when all have gone.
    ///
    /// Whether a connection is idle is looked at now, and every 50 ms from then on.
    ///
    /// ```
    /// use soquete::{event, net};
    /// use std::time::Duration;
    ///
    /// # fn main() -> soquete::Result<()> {
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     socket.write("hello");
    /// });
    /// server.listen_then(0, |server| server.shutdown(Duration::from_secs(10)));
    /// soquete::run()
    /// # }
    /// ```
    pub fn shutdown(&self, deadline: Duration) -> Server {
        self.shutdown_then(deadline, |_| ())
    }

    /// As [`shutdown`](Server::shutdown), and calls `callback` at `Close` with how many connections were
    /// destroyed at the deadline.
    ///
    /// ```
    /// # use soquete::net;
    /// # use std::time::Duration;
    /// fn stop(server: net::Server) {
    ///     server.shutdown_then(Duration::from_secs(10), |cut| match cut {
    ///         0 => println!("all were done in time"),
    ///         cut => println!("{cut} connections were cut"),
    ///     });
    /// }
    /// ```
    pub fn shutdown_then<R: Outcome>(
        &self,
        deadline: Duration,
        callback: impl FnOnce(usize) -> R + 'static,
    ) -> Server {
        let server = *self;
        let cut = Rc::new(Cell::new(0));
        let count = Rc::clone(&cut);
        let at_deadline = timers::set_timeout(deadline, move || {
            count.set(server.close_all_connections());
        });
        let sweep = timers::set_interval(SWEEP, move || {
            server.close_idle_connections();
        });
        // It is the connections that keep the loop alive.
        at_deadline.unref();
        sweep.unref();
        self.close_then(move |_| {
            at_deadline.clear();
            sweep.clear();
            callback(cut.get())
        });
        self.close_idle_connections();
        *self
    }
}
