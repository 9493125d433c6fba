//! A client that comes back: it says hello on each connection, and is content when it hears bye.
//!
//! `cargo run --example reconnect port`; `reconnect.mjs` beside it is the same in Node.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::{event, net, timers};

const FIRST_DELAY: u64 = 20;
const LONGEST_DELAY: u64 = 160;

struct Client {
    port: u16,
    delay: Cell<u64>,
    content: Cell<bool>,
}

fn connect(client: Rc<Client>) {
    let (connected, heard) = (client.clone(), client.clone());
    net::connect_then(("127.0.0.1", client.port), move |socket| {
        connected.delay.set(FIRST_DELAY);
        println!("connected");
        socket.write("hello\n")
    })
    .on(event::Text, move |text| {
        println!("heard {}", text.trim());
        heard.content.set(text == "bye\n");
    })
    .on(event::Error, |error| println!("{}", error.code()))
    .once(event::Close, move |_| {
        if client.content.get() {
            return;
        }
        let delay = client.delay.get();
        println!("again in {delay} ms");
        client.delay.set(LONGEST_DELAY.min(delay * 2));
        timers::set_timeout(Duration::from_millis(delay), || connect(client));
    });
}

pub fn start(port: u16) {
    let (delay, content) = (Cell::new(FIRST_DELAY), Cell::new(false));
    connect(Rc::new(Client {
        port,
        delay,
        content,
    }));
}

fn main() -> soquete::Result<()> {
    start(std::env::args().nth(1).unwrap_or("3000".into()).parse()?);
    soquete::run()
}
