//! Whoever accepts for all: each connection goes to the worker that has the fewest.

use std::cell::RefCell;
use std::rc::Rc;

use soquete::net::{BoundSocket, Server, ServerOptions, Socket};
use soquete::{Sender, event};

use crate::worker::Message;

pub struct Acceptor {
    server: Server,
    /// By the worker's index.
    counts: Rc<RefCell<Vec<usize>>>,
}

impl Acceptor {
    /// With the sender by which a worker tells, by its index, that one of its connections has closed.
    pub fn new() -> soquete::Result<(Acceptor, Sender<usize>)> {
        let counts: Rc<RefCell<Vec<usize>>> = Rc::default();
        let of_workers = Rc::clone(&counts);
        let left = soquete::channel(move |worker: usize| of_workers.borrow_mut()[worker] -= 1)?;
        // Paused, so that nothing is read here of what belongs to another loop.
        let server = Server::new_with(ServerOptions::new().pause_on_connect(true));
        Ok((Acceptor { server, counts }, left))
    }

    pub fn accept(&self, place: BoundSocket, workers: Vec<Sender<Message>>) {
        self.counts.borrow_mut().resize(workers.len(), 0);
        let counts = Rc::clone(&self.counts);
        self.server.on(event::Connection, move |socket| {
            let mut counts = counts.borrow_mut();
            let fewest = counts.iter().enumerate().min_by_key(|(_, count)| **count);
            let worker = fewest.map_or(0, |(index, _)| index);
            match hand_over(socket, &workers[worker]) {
                Ok(()) => counts[worker] += 1,
                Err(error) => eprintln!("{error}"),
            }
        });
        self.server.listen(place);
    }
}

fn hand_over(socket: Socket, worker: &Sender<Message>) -> soquete::Result<()> {
    socket.on(event::Error, |error| eprintln!("{error}"));
    worker.send(Message::Serve(socket.into_std()?))
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.server.close();
        // Its listener has senders to the workers, which keep their loops alive.
        self.server.remove_all_listeners();
    }
}
