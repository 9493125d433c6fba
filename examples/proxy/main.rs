//! A TCP proxy in front of several upstreams.
//!
//! `cargo run --release --example proxy 3000 127.0.0.1:3001 127.0.0.1:3002`, and then `nc 127.0.0.1 3000`. A
//! connection goes to the upstream that is up and has the fewest; if that cannot be reached in time, to the next.
//!
//! | flag | |
//! |---|---|
//! | `--per-source 100` | how many connections one address may have |
//! | `--send-proxy` | tells the upstreams whose connection it is, by a PROXY header |
//! | `--accept-proxy` | takes connections from proxies on this machine only, which tell it likewise |
//! | `--check-every 1000` | milliseconds between two checks of an upstream |
//! | `--connect-timeout 1000` | milliseconds that connecting to one may take |

mod session;
mod sources;
mod upstreams;

use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, BlockList, ServerOptions};

use session::Sessions;
use sources::Sources;
use upstreams::Upstreams;

struct Arguments {
    port: u16,
    upstreams: Vec<String>,
    per_source: usize,
    send_proxy: bool,
    accept_proxy: bool,
    check_every: Duration,
    connect_timeout: Duration,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
        let mut arguments = Arguments {
            port: words.next()?.parse().ok()?,
            upstreams: Vec::new(),
            per_source: 100,
            send_proxy: false,
            accept_proxy: false,
            check_every: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
        };
        while let Some(word) = words.next() {
            let mut number = || words.next()?.parse::<u32>().ok();
            let ms = |number: u32| Duration::from_millis(number.into());
            match &*word {
                "--send-proxy" => arguments.send_proxy = true,
                "--accept-proxy" => arguments.accept_proxy = true,
                "--per-source" => arguments.per_source = number()? as usize,
                "--check-every" => arguments.check_every = ms(number()?),
                "--connect-timeout" => arguments.connect_timeout = ms(number()?),
                _ if word.starts_with('-') => return None,
                _ => arguments.upstreams.push(word),
            }
        }
        Some(arguments).filter(|arguments| !arguments.upstreams.is_empty())
    }
}

fn main() -> soquete::Result<()> {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("usage: proxy PORT UPSTREAM... (the flags are in examples/proxy/main.rs)");
        std::process::exit(2);
    };
    // Nothing is read of a client before there is somewhere to write it to.
    let mut options = ServerOptions::new()
        .allow_half_open(true)
        .pause_on_connect(true);
    if arguments.accept_proxy {
        let here = BlockList::new();
        here.add_subnet("127.0.0.0", 8)?;
        here.add_address("::1")?;
        options = options.proxy_protocol(&here);
    }
    let upstreams = Upstreams::new(
        arguments.upstreams,
        arguments.connect_timeout,
        arguments.send_proxy,
    );
    upstreams.check_every(arguments.check_every);
    let sources = Rc::new(Sources::new(arguments.per_source));
    let sessions = Sessions::new(upstreams, arguments.send_proxy);
    let server = net::create_server_with(options, move |client| {
        if sources.admit(client) {
            sessions.begin(client);
        }
    });
    server.listen_then(arguments.port, |server| {
        println!("listening on {}", server.address().unwrap().port());
    });
    soquete::run()
}
