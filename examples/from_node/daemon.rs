//! A daemon that keeps values, and its command: `set key value`, `get key`, `stop`.
//!
//! `cargo run --example daemon path` is the daemon, `cargo run --example daemon path get key` a command;
//! `daemon.mjs` beside it is the same in Node.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use soquete::framing::{FrameReader, Lines};
use soquete::{event, net};

pub fn daemon(path: String) {
    let values = Rc::new(RefCell::new(HashMap::new()));
    let server = net::create_server(move |socket| {
        let values = values.clone();
        socket.on(event::Error, |_| ());
        socket.frames(FrameReader::new(Lines::new(), 4096), move |line| {
            let line = String::from_utf8_lossy(line);
            let mut words = line.splitn(3, ' ').map(str::to_owned);
            let (verb, key) = (
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default(),
            );
            match verb.as_str() {
                "set" => {
                    values
                        .borrow_mut()
                        .insert(key, words.next().unwrap_or_default());
                    socket.end_with("ok\n")
                }
                "get" => {
                    let value = values.borrow().get(&key).cloned();
                    socket.end_with(format!("{}\n", value.unwrap_or("nothing".into())))
                }
                "stop" => {
                    socket.server().map(|server| server.close());
                    socket.end_with("stopping\n")
                }
                verb => socket.end_with(format!("what is {verb}?\n")),
            }
        });
    });
    server.listen_then(path, |_| println!("listening"));
}

fn send(path: String, command: String) {
    net::connect_then(path, move |socket| socket.write(command + "\n"))
        .on(event::Text, |text| print!("{text}"))
        .on(event::Error, |error| {
            println!("{}", error.code());
            std::process::exit(1)
        });
}

fn main() -> soquete::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or("daemon.sock".into());
    let command: Vec<_> = arguments.collect();
    match command.is_empty() {
        true => daemon(path),
        false => send(path, command.join(" ")),
    }
    soquete::run()
}
