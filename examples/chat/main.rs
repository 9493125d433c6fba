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
//!     ├── notice  ── what is told to all, put into bytes once for each door
//!     └── broker  ── the same room in other instances, by Redis
//! ```
//!
//! | option | |
//! |---|---|
//! | `--host ADDRESS` | where to listen; `127.0.0.1` if not given |
//! | `--idle SECONDS` | how long a member may be silent; 600 |
//! | `--ping SECONDS` | how often the room looks for the silent ones, and pings browsers; 20 |
//! | `--history N` | how much of what was said somebody who comes is told, half a MiB at most; 200 |
//! | `--join redis://HOST:PORT` | the room is one with those of other instances that join the same broker |
//! | `--proxy ADDRESS` | a balancer at this address says by the PROXY protocol who the clients are |
//! | `--block ADDRESS` | who may not come in: an address, or a subnet as `10.0.0.0/8` |
//! | `--drain SECONDS` | how long newcomers are still let in after SIGTERM, while `/health` tells the balancer to send no more; 0 |
//!
//! `examples/chat/cluster` runs two of them behind HAProxy, with a crowd of a hundred.

mod broker;
mod door;
mod guest;
mod notice;
mod room;
mod web;

use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use soquete::net::{self, BlockList, ListenOptions, ServerOptions};
use soquete::{Flow, timers};

use broker::Broker;
use guest::House;
use room::{FAREWELL, Room};

/// What a reader may leave unread before it is cut off.
const MOST_UNREAD: usize = 1 << 20;

/// Who comes when there are so many is turned away.
const MOST_GUESTS: usize = 10_000;

struct Options {
    port: u16,
    host: String,
    idle: Duration,
    ping: Duration,
    drain: Duration,
    history: usize,
    join: Option<String>,
    proxies: Option<BlockList>,
    blocked: BlockList,
}

fn main() -> soquete::Result<()> {
    let options = options();
    let room = Rc::new(Room::new(options.idle, options.history));
    let watched = Rc::clone(&room);
    timers::set_interval(options.ping, move || watched.look_around()).unref();

    let house = Rc::new(House::default());
    if let Some(place) = &options.join {
        room.join(Broker::join(place, &room));
    }
    let mut sockets = ServerOptions::new()
        .no_delay(true)
        .max_write_queue(MOST_UNREAD)
        .block_list(&options.blocked);
    if let Some(proxies) = &options.proxies {
        sockets = sockets.proxy_protocol(proxies);
    }
    let (entered, shared) = (Rc::clone(&room), Rc::clone(&house));
    let server = net::create_server_with(sockets, move |socket| {
        guest::welcome(socket, &entered, &shared);
    });
    let listening = ListenOptions::new(options.port).host(options.host);
    server.set_max_connections(Some(MOST_GUESTS));
    server.listen_then(listening, |server| {
        let port = server.address().map_or(0, |address| address.port());
        println!("listening on port {port}");
    });

    on_signal(move || {
        house.leaving.set(true);
        timers::set_timeout(options.drain, move || {
            room.send_home("the server goes down");
            // What they still say is heard, up to the end of their side.
            let late = timers::set_timeout(FAREWELL, move || server.close_all_connections());
            server.close_then(move |_| {
                late.clear();
                room.close_up(FAREWELL);
            });
        });
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
        drain: Duration::ZERO,
        history: 200,
        join: None,
        proxies: None,
        blocked: BlockList::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--host" => options.host = value(&argument, arguments.next()),
            "--idle" => options.idle = seconds(&argument, arguments.next()),
            "--ping" => options.ping = seconds(&argument, arguments.next()),
            "--history" => options.history = value(&argument, arguments.next()),
            "--drain" => options.drain = seconds(&argument, arguments.next()),
            "--join" => {
                let place: String = value(&argument, arguments.next());
                options.join = Some(place.trim_start_matches("redis://").to_owned());
            }
            "--proxy" => {
                let proxies = options.proxies.get_or_insert_default();
                add(proxies, &argument, arguments.next());
            }
            "--block" => add(&options.blocked, &argument, arguments.next()),
            port => options.port = value("the port", Some(port.to_owned())),
        }
    }
    options
}

fn add(list: &BlockList, name: &str, text: Option<String>) {
    let place: String = value(name, text);
    let added = match place.split_once('/') {
        Some((subnet, prefix)) => list.add_subnet(subnet, value(name, Some(prefix.to_owned()))),
        None => list.add_address(place.as_str()),
    };
    if let Err(error) = added {
        eprintln!("{name} is not right: {error}");
        std::process::exit(2)
    }
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
