//! The upstreams: which are up, and which is next.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ConnectOptions, Socket};
use soquete::{event, timers};

pub struct Upstream {
    place: String,
    connect_timeout: Duration,
    is_up: Cell<bool>,
    connections: Cell<usize>,
}

impl Upstream {
    /// A socket that connects to it, and fails if that takes too long.
    pub fn connect(self: &Rc<Upstream>) -> Socket {
        let options = ConnectOptions::from(&*self.place)
            .connect_timeout(self.connect_timeout)
            .allow_half_open(true);
        let socket = net::connect(options);
        self.connections.set(self.connections.get() + 1);
        let upstream = Rc::clone(self);
        socket.on(event::Close, move |_| {
            upstream.connections.set(upstream.connections.get() - 1);
        })
    }

    /// Whoever has tried says how it went.
    pub fn was_seen(&self, up: bool) {
        if self.is_up.replace(up) != up {
            println!("{} is {}", self.place, if up { "up" } else { "down" });
        }
    }

    /// Connects, and hangs up.
    fn check(self: &Rc<Upstream>, send_proxy: bool) {
        let socket = self.connect();
        let (tried, connected) = (Rc::clone(self), Rc::clone(self));
        socket.on(event::Error, move |_| tried.was_seen(false));
        socket.on(event::Connect, move |()| {
            connected.was_seen(true);
            if send_proxy {
                // For itself, and for no client.
                socket.write("PROXY UNKNOWN\r\n");
            }
            socket.resume().destroy_soon();
        });
    }
}

#[derive(Clone)]
pub struct Upstreams {
    all: Rc<[Rc<Upstream>]>,
    send_proxy: bool,
}

impl Upstreams {
    pub fn new(places: Vec<String>, connect_timeout: Duration, send_proxy: bool) -> Upstreams {
        let all = places.into_iter().map(|place| {
            Rc::new(Upstream {
                place,
                connect_timeout,
                is_up: Cell::new(true),
                connections: Cell::new(0),
            })
        });
        Upstreams {
            all: all.collect(),
            send_proxy,
        }
    }

    pub fn check_every(&self, interval: Duration) {
        let upstreams = self.clone();
        timers::set_interval(interval, move || {
            for upstream in &*upstreams.all {
                upstream.check(upstreams.send_proxy);
            }
        });
    }

    /// In the order in which to try them. What is down comes last: the checks may be wrong, and there may be
    /// nothing else.
    pub fn by_preference(&self) -> Vec<Rc<Upstream>> {
        let mut all = self.all.to_vec();
        all.sort_by_key(|upstream| (!upstream.is_up.get(), upstream.connections.get()));
        all
    }
}
