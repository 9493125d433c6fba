//! A chat in real time: one room with two doors, on one port.
//!
//! `cargo run --release --example chat [port] [options]`, then open `http://localhost:3000/` in a browser or two, and
//! `nc localhost 3000` beside them: the first line is your name.
//!
//! ```text
//!   door    ── what a connection is, by its first bytes: lines, a request, WebSocket (a `framing::Format`)
//!     │
//!   guest   ── one connection: from its first bytes to its name, and what it says then
//!     │   └── web   ── what HTTP requests are answered with: the page, the upgrade
//!   room    ── who is here, what was said, and who is too slow or too silent to stay
//!     │
//!   notice  ── what is told to all, put into bytes once for each door
//! ```
//!
//! | option | |
//! |---|---|
//! | `--host ADDRESS` | where to listen; `127.0.0.1` if not given |
//! | `--idle SECONDS` | how long a member may be silent; 600 |
//! | `--ping SECONDS` | how often the room looks for the silent ones, and pings browsers; 20 |

mod door;
mod guest;
mod notice;
mod room;
mod web;

use std::cell::Cell;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use soquete::net::{self, ListenOptions, ServerOptions};
use soquete::{Flow, timers};

use room::Room;

/// What a reader may leave unread before it is cut off.
const MOST_UNREAD: usize = 256 << 10;

/// How long those who are sent home may take.
const FAREWELL: Duration = Duration::from_secs(2);

struct Options {
    port: u16,
    host: String,
    idle: Duration,
    ping: Duration,
}

fn main() -> soquete::Result<()> {
    let options = options();
    let room = Rc::new(Room::new(options.idle));
    let watched = Rc::clone(&room);
    timers::set_interval(options.ping, move || watched.look_around()).unref();

    let leaving = Rc::new(Cell::new(false));
    let sockets = ServerOptions::new()
        .no_delay(true)
        .max_write_queue(MOST_UNREAD);
    let (entered, going) = (Rc::clone(&room), Rc::clone(&leaving));
    let server = net::create_server_with(sockets, move |socket| {
        guest::welcome(socket, &entered, &going);
    });
    let listening = ListenOptions::new(options.port).host(options.host);
    server.listen_then(listening, |server| {
        let port = server.address().map_or(0, |address| address.port());
        println!("listening on port {port}");
    });

    on_signal(move || {
        leaving.set(true);
        room.send_home("the server goes down");
        server.shutdown(FAREWELL);
    })?;
    soquete::run()
}

/// Calls `callback` once, on this loop, when the process is told to end.
fn on_signal(callback: impl FnOnce() + 'static) -> soquete::Result<()> {
    let mut callback = Some(callback);
    let told = soquete::channel(move |()| {
        if let Some(callback) = callback.take() {
            callback();
        }
        Flow::Stop
    })?;
    told.unref();
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        signals.forever().next();
        let _gone = told.send(());
    });
    Ok(())
}

fn options() -> Options {
    let mut options = Options {
        port: 3000,
        host: "127.0.0.1".into(),
        idle: Duration::from_secs(600),
        ping: Duration::from_secs(20),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--host" => options.host = value(&argument, arguments.next()),
            "--idle" => options.idle = seconds(&argument, arguments.next()),
            "--ping" => options.ping = seconds(&argument, arguments.next()),
            port => options.port = value("the port", Some(port.to_owned())),
        }
    }
    options
}

fn seconds(name: &str, text: Option<String>) -> Duration {
    Duration::try_from_secs_f64(value(name, text)).unwrap_or(Duration::MAX)
}

fn value<T: FromStr>(name: &str, text: Option<String>) -> T {
    let parsed = text.as_deref().and_then(|text| text.parse().ok());
    parsed.unwrap_or_else(|| {
        eprintln!(
            "{name} is not right: {}",
            text.as_deref().unwrap_or("nothing")
        );
        std::process::exit(2)
    })
}
