//! Jobs by lines, `name milliseconds`: each is answered when it is done, or when it has taken too long.
//! Who is silent for a second is let go.
//!
//! `cargo run --example jobs [port]`; `jobs.mjs` beside it is the same in Node.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use soquete::framing::{FrameReader, Lines};
use soquete::{event, net, timers};

const LIMIT: Duration = Duration::from_millis(300);
const SILENCE: Duration = Duration::from_secs(1);

/// `name milliseconds`.
fn job(line: &str) -> Option<(String, Duration)> {
    let (name, ms) = line.split_once(' ')?;
    Some((name.to_owned(), Duration::from_millis(ms.parse().ok()?)))
}

pub fn serve(port: String) -> net::Server {
    let server = net::create_server(|socket| {
        socket.on(event::Error, |_| ());
        socket.set_timeout_then(SILENCE, |socket| socket.end_with("silent for too long\n"));
        socket.frames(FrameReader::new(Lines::new(), 4096), move |line| {
            let line = String::from_utf8_lossy(line);
            let Some((name, time)) = job(&line) else {
                socket.end_with(format!("no job: {line}\n"));
                return;
            };
            let over = Rc::new(Cell::new(false));
            let finish = move |how| {
                if !over.replace(true) {
                    socket.write(format!("{name} {how}\n"));
                }
            };
            let too_long = finish.clone();
            let done = timers::set_timeout(time, move || finish("done"));
            timers::set_timeout(LIMIT, move || {
                done.clear();
                too_long("timed out");
            });
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
