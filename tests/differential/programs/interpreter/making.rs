//! How clients are made, and where they connect to.

use std::net::IpAddr;
use std::rc::Rc;

use soquete::net::{self, AbortController, ConnectOptions, Socket, SocketOptions};
use soquete::{Error, Result, timers};

use super::member::Member;
use super::{controller, number};
use crate::programs::program::word;

impl Member {
    /// A client's socket.
    pub(super) fn make(self: &Rc<Member>) {
        let words = &self.words;
        let controller = controller(words);
        let signal = controller.as_ref().map(AbortController::signal);
        self.controller.replace(controller);
        let socket = if word(words, "late").is_some() {
            self.may_connect.set(true);
            self.settled();
            let options = self.reading(socket_words!(words, SocketOptions::new()));
            Socket::new_with(signal.into_iter().fold(options, SocketOptions::signal))
        } else {
            let options = self.reading(socket_words!(words, self.target()));
            net::connect(signal.into_iter().fold(options, ConnectOptions::signal))
        };
        self.adopt(socket);
    }

    pub(in crate::programs) fn connect(&self, socket: Socket) {
        if self.may_connect.replace(false) {
            socket.connect(self.target());
        }
    }

    fn target(&self) -> ConnectOptions {
        let address = self.running.address.borrow().clone();
        let address = address.expect("the server listens");
        let Some(at) = word(&self.words, "at").filter(|_| address.path().is_none()) else {
            return ConnectOptions::from(address);
        };
        let auto = word(&self.words, "noauto").is_none();
        let (when, letters) = at.split_once(':').expect("at=when:letters");
        let (when, letters) = (when.to_owned(), letters.to_owned());
        ConnectOptions::new(address.port())
            .host("name.test")
            .auto_select_family(auto)
            .lookup(move |_, _, callback| {
                let found = found(&letters);
                let answer = move || callback(found);
                match when.as_str() {
                    "s" => answer(),
                    "t" => timers::next_tick(answer),
                    _ => {
                        timers::set_immediate(answer);
                    }
                }
            })
    }
}
fn found(letters: &str) -> Result<Vec<IpAddr>> {
    if letters == "e" {
        return Err(Error::new("ENOTFOUND", "getaddrinfo ENOTFOUND name.test"));
    }
    let address = |letter| match letter {
        'g' => IpAddr::from([127, 0, 0, 1]),
        'r' => IpAddr::from([127, 0, 0, 2]),
        _ => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1u16]),
    };
    Ok(letters.chars().map(address).collect())
}
trait Reads: Sized {
    fn on_read(
        self,
        buffer: Vec<u8>,
        callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> bool + 'static,
    ) -> Self;
}

macro_rules! reads {
    ($($options:ty),*) => {
        $(impl Reads for $options {
            fn on_read(self, buffer: Vec<u8>, callback: impl FnMut(Socket, usize, &mut Vec<u8>) -> bool + 'static) -> Self {
                <$options>::on_read(self, buffer, callback)
            }
        })*
    };
}
reads!(SocketOptions, ConnectOptions);

impl Member {
    /// With a buffer of its own, where the program says so.
    fn reading<O: Reads>(self: &Rc<Member>, options: O) -> O {
        let Some(size) = number(&self.words, "onread") else {
            return options;
        };
        let member = Rc::clone(self);
        options.on_read(vec![0; size], move |_, count, buffer| {
            member.stops.set(false);
            member.received(&buffer[..count]);
            member.follow("data");
            !member.stops.get()
        })
    }
}
