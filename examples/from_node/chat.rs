//! A chat: the first line is a nick, every other line goes to all others.
//!
//! `cargo run --example from_node_chat [port]`; `chat.mjs` beside it is the same in Node.

use std::cell::RefCell;
use std::rc::Rc;

use soquete::framing::{FrameReader, Lines};
use soquete::net::{self, Server, Socket};
use soquete::{Error, event};

#[derive(Clone, Default)]
struct Room(Rc<RefCell<Vec<(Socket, String)>>>);

impl Room {
    fn say(&self, text: String, except: Option<Socket>) {
        for (socket, _) in self
            .0
            .borrow()
            .iter()
            .filter(|(socket, _)| Some(*socket) != except)
        {
            socket.write(format!("{text}\n"));
        }
    }

    fn heard(&self, socket: Socket, line: &str) {
        let nick = socket.attachment::<String>();
        match (nick, line) {
            (None, nick) => {
                socket.attach(nick.to_owned());
                self.0.borrow_mut().push((socket, nick.to_owned()));
                self.say(format!("* {nick} joined"), None);
            }
            (_, "/who") => {
                let room = self.0.borrow();
                let nicks: Vec<_> = room.iter().map(|(_, nick)| nick.as_str()).collect();
                socket.write(format!("* {}\n", nicks.join(" ")));
            }
            (_, "/quit") => _ = socket.end_with("bye\n"),
            (Some(nick), line) => self.say(format!("{nick}: {line}"), Some(socket)),
        }
    }
}

pub fn serve(port: String) -> Server {
    let room = Room::default();
    let server = net::create_server(move |socket| {
        socket.write("nick?\n");
        let (speaking, leaving) = (room.clone(), room.clone());
        socket.frames(FrameReader::new(Lines::new(), 4096), move |line| {
            speaking.heard(socket, std::str::from_utf8(line)?);
            Ok::<_, Error>(())
        });
        socket.on(event::Error, |_| ());
        socket.on(event::Close, move |_| {
            let nick = socket.attachment::<String>()?;
            leaving.0.borrow_mut().retain(|(other, _)| *other != socket);
            leaving.say(format!("* {nick} left"), None);
            Some(())
        });
    });
    server.listen_then(port, |server| {
        println!("listening on {}", server.address().unwrap().port());
    })
}

fn main() -> soquete::Result<()> {
    serve(std::env::args().nth(1).unwrap_or("3000".into()));
    soquete::run()
}
