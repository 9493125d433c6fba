//! How many connections each address has.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;

use soquete::event;
use soquete::net::Socket;

pub struct Sources {
    most: usize,
    open: RefCell<HashMap<IpAddr, usize>>,
}

impl Sources {
    pub fn new(most: usize) -> Sources {
        Sources {
            most,
            open: RefCell::default(),
        }
    }

    /// Counts a client until it closes. False for one that is too many, and is closed at once.
    pub fn admit(self: &Rc<Sources>, client: Socket) -> bool {
        // One without an address has gone already.
        let Some(source) = client.remote_address().map(|source| source.to_canonical()) else {
            client.destroy();
            return false;
        };
        let mut open = self.open.borrow_mut();
        let count = open.entry(source).or_default();
        if *count >= self.most {
            println!("too many connections from {source}");
            client.destroy();
            return false;
        }
        *count += 1;
        let sources = Rc::clone(self);
        client.on(event::Close, move |_| sources.release(source));
        true
    }

    fn release(&self, source: IpAddr) {
        let mut open = self.open.borrow_mut();
        if let Some(count) = open.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                open.remove(&source);
            }
        }
    }
}
