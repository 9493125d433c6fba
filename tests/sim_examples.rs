//! The programs of `examples` in simulated worlds: the same closures as on the real kernel, with the same outcome
//! where nothing goes wrong, and with faults.
//!
//! The HTTP server is held to its conversations in worlds by `server_trial_examples.rs`. Not here are: `workers`, which is
//! about real threads; `tls`, whose keys the system draws; `fragments` and `chat/crowd`, which are clients of real
//! servers; `scan`, whose `main` reads its arguments, and is all that it has.

#![allow(dead_code, reason = "the examples have a `main` of their own")]

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, Address, Server, ServerOptions, Socket};
use soquete::sim::{self, Faults, World};
use soquete::{event, timers};

#[path = "../examples/from_node/chat.rs"]
mod chat;
#[path = "../examples/client.rs"]
mod client;
#[path = "../examples/conversation.rs"]
mod conversation;
#[path = "../examples/from_node/daemon.rs"]
mod daemon;
#[path = "../examples/from_node/jobs.rs"]
mod jobs;
#[path = "../examples/from_node/proxy.rs"]
mod proxy;
#[path = "../examples/from_node/reconnect.rs"]
mod reconnect;
#[path = "support/resp_trial.rs"]
mod resp_trial;
#[path = "../examples/chat"]
mod rooms {
    pub mod broker;
    pub mod door;
    pub mod guest;
    pub mod notice;
    pub mod room;
    pub mod web;

    pub const MOST_UNREAD: usize = 1 << 20;
}
#[path = "../examples/server.rs"]
mod server;
// The proxy in front of several upstreams, whose parts expect each other here.
#[path = "../examples/proxy/session.rs"]
mod session;
#[path = "../examples/proxy/sources.rs"]
mod sources;
#[path = "../examples/proxy/upstreams.rs"]
mod upstreams;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// What each client has heard, all in one text for each.
#[derive(Clone, Default)]
struct Heard(Rc<RefCell<Vec<(&'static str, String)>>>);

impl Heard {
    fn listen(&self, name: &'static str, socket: Socket) -> Socket {
        self.0.borrow_mut().push((name, String::new()));
        let me = self.clone();
        socket.on(event::Text, move |text| {
            let mut all = me.0.borrow_mut();
            let entry = all.iter_mut().find(|(other, _)| *other == name);
            entry.expect("it was added").1.push_str(text);
        });
        socket.on(event::Error, |_| {});
        socket
    }

    fn of(&self, name: &str) -> String {
        let all = self.0.borrow();
        let entry = all.iter().find(|(other, _)| *other == name);
        entry.map_or_else(String::new, |(_, text)| text.clone())
    }
}

/// Calls `then` once a client has heard this.
fn once_heard(
    heard: &Heard,
    name: &'static str,
    text: &'static str,
    then: impl FnOnce() + 'static,
) {
    let heard = heard.clone();
    match heard.of(name).contains(text) {
        true => then(),
        false => drop(timers::set_timeout(ms(2), move || {
            once_heard(&heard, name, text, then)
        })),
    }
}

/// Runs a program on both kernels, and compares what its clients have heard. It is given where its server is.
fn on_both(serve: fn() -> Server, clients: fn(Server, Address, Heard)) -> Heard {
    let run = |heard: &Heard| {
        let heard = heard.clone();
        let server = serve();
        server.once(event::Listening, move |()| {
            let address = match server.address().expect("it listens") {
                Address::Tcp(at) => Address::Tcp(([127, 0, 0, 1], at.port()).into()),
                path => path,
            };
            clients(server, address, heard);
        });
    };
    let (real, simulated, shuffled) = (Heard::default(), Heard::default(), Heard::default());
    run(&real);
    soquete::run().expect("every error is listened for");
    let report = World::seed(1).leaves_nothing().run(|| run(&simulated));
    report.check();
    let report = World::seed(2)
        .leaves_nothing()
        .latency(ms(1)..=ms(3))
        .segments(1..=9)
        .shuffled()
        .run(|| run(&shuffled));
    report.check();
    assert_eq!(*real.0.borrow(), *simulated.0.borrow());
    assert_eq!(*real.0.borrow(), *shuffled.0.borrow());
    simulated
}

#[test]
fn the_conversation() {
    let report = World::seed(1).leaves_nothing().run_to(conversation::main);
    report.check();
    let said = "Olá, servidor!".len() + "Olá, cliente!".len();
    assert_eq!((report.connections, report.bytes), (1, said as u64));
    for seed in sim::seeds(0..100) {
        let _ = World::seed(seed)
            .latency(ms(1)..=ms(40))
            .faults(Faults::swarm(seed).rate(sim::Call::Listen, 0.0))
            .test(|| {
                // An error of its server's has no listener.
                let _ended = conversation::main();
            });
    }
}

#[test]
fn the_server_and_the_client_of_the_first_lesson() {
    let report = World::seed(1)
        .latency(ms(1)..=ms(40))
        .host("10.0.0.1", || {
            // There the world runs the loop.
            server::main().expect("it listens");
            client::main().expect("it connects");
        })
        .run(|| {
            timers::set_timeout(ms(1000), || {});
        });
    report.check();
    let said = "Olá, servidor!".len() + "Olá, cliente!".len();
    assert_eq!((report.connections, report.bytes), (1, said as u64));
}

#[test]
fn the_chat() {
    fn clients(server: Server, address: Address, heard: Heard) {
        let ann = heard.listen("ann", net::connect(&address));
        ann.write("ann\n");
        let h = heard.clone();
        once_heard(&heard, "ann", "* ann joined\n", move || {
            let bob = h.listen("bob", net::connect(&address));
            bob.write("bob\n");
            let h2 = h.clone();
            once_heard(&h, "bob", "* bob joined\n", move || {
                bob.write("hello\nall of you\n");
                let h3 = h2.clone();
                once_heard(&h2, "ann", "bob: all of you\n", move || {
                    ann.write("/who\n/quit\n");
                    once_heard(&h3, "bob", "* ann left\n", move || {
                        bob.end();
                        server.close();
                    });
                });
            });
        });
    }
    let heard = on_both(|| chat::serve("0".into()), clients);
    assert_eq!(
        heard.of("ann"),
        "nick?\n* ann joined\n* bob joined\nbob: hello\nbob: all of you\n* ann bob\nbye\n"
    );
    assert_eq!(heard.of("bob"), "nick?\n* bob joined\n* ann left\n");
}

fn room_of_the_chat() -> Server {
    let room = Rc::new(rooms::room::Room::new(Duration::from_secs(600), 10));
    let house = Rc::default();
    let server = net::create_server(move |socket| rooms::guest::welcome(socket, &room, &house));
    server.listen(0)
}

#[test]
fn the_room_of_the_chat() {
    fn clients(server: Server, address: Address, heard: Heard) {
        let ann = heard.listen("ann", net::connect(&address));
        ann.write("ann\n");
        let h = heard.clone();
        once_heard(&heard, "ann", "* ann is here\n", move || {
            let bob = h.listen("bob", net::connect(&address));
            bob.write("bob\nhello\nall of you\n");
            let h2 = h.clone();
            once_heard(&h, "ann", "bob: all of you\n", move || {
                ann.end();
                once_heard(&h2, "bob", "* ann has gone", move || {
                    bob.end();
                    server.close();
                });
            });
        });
    }
    let heard = on_both(room_of_the_chat, clients);
    assert_eq!(
        heard.of("ann"),
        "* ann is here\n* bob is here\nbob: hello\nbob: all of you\n"
    );
    assert_eq!(
        heard.of("bob"),
        "* ann is here\n* bob is here\nbob: hello\nbob: all of you\n* ann has gone\n"
    );
}

#[test]
fn whoever_tries_bad_names_has_as_long_as_anybody_to_find_a_good_one() {
    let gone = Rc::new(Cell::new(None));
    let noted = Rc::clone(&gone);
    let report = World::seed(1).run(move || {
        let server = room_of_the_chat();
        let address = server.address().unwrap();
        let guest = net::connect(&address);
        let tries = timers::set_interval(Duration::from_secs(3), move || guest.write("a b\n"));
        guest.resume().on(event::Close, move |_| {
            noted.set(Some(soquete::now()));
            tries.clear();
            server.close();
        });
    });
    report.check();
    let gone = gone.get().expect("it is not waited for for ever");
    assert!((10..12).contains(&gone.as_secs()), "after {gone:?}");
}

/// The proxy of these upstreams, for clients that say what they have to say and end.
fn balanced(upstreams: &[&str]) -> Server {
    let upstreams = upstreams.iter().map(|place| (*place).to_owned()).collect();
    let upstreams = upstreams::Upstreams::new(upstreams, ms(500), false);
    let sources = Rc::new(sources::Sources::new(100));
    let sessions = session::Sessions::new(upstreams, false);
    let options = ServerOptions::new()
        .allow_half_open(true)
        .pause_on_connect(true);
    net::create_server_with(options, move |client| {
        if sources.admit(client) {
            sessions.begin(client);
        }
    })
}

/// Faults, a host that is down and one that goes down: whoever is served hears what was said to it, and nothing that
/// was not.
#[test]
fn the_proxy_of_several_upstreams_serves_while_one_of_them_is_up() {
    fn upstream() {
        let server =
            net::create_server_with(ServerOptions::new().allow_half_open(true), |socket| {
                socket.on(event::Error, |_| {});
                socket.pipe(socket);
            });
        server.on(event::Error, |_| {});
        server.listen(81);
    }
    let complete = Rc::new(Cell::new(0));
    for seed in sim::seeds(0..100) {
        let faults = match seed.is_multiple_of(3) {
            true => Faults::none(),
            false => Faults::swarm(seed),
        };
        let complete = Rc::clone(&complete);
        let _ = World::seed(seed)
            .latency(ms(1)..=ms(20))
            .segments(1..=700)
            .faults(faults)
            .addresses(["10.0.0.1", "10.0.0.9"])
            .host("10.0.0.2", upstream)
            .host("10.0.0.3", upstream)
            .at(ms(300), || sim::restart("10.0.0.2", || {}))
            .test(move || {
                let proxy = balanced(&["10.0.0.2:81", "10.0.0.3:81", "10.0.0.4:81"]);
                proxy.on(event::Error, |_| {});
                proxy.listen(("10.0.0.1", 80));
                for number in 0..6 {
                    let complete = Rc::clone(&complete);
                    timers::set_timeout(ms(100 * number), move || {
                        let said = format!("{number}").repeat(3000);
                        let client = net::connect(("10.0.0.1", 80));
                        client.set_timeout(Duration::from_secs(60));
                        client.on(event::Timeout, move |()| {
                            client.destroy();
                        });
                        client.on(event::Error, |_| {});
                        client.end_with(&said);
                        let heard = RefCell::new(String::new());
                        client.on(event::Text, move |text| {
                            let mut heard = heard.borrow_mut();
                            heard.push_str(text);
                            if !said.starts_with(&*heard) {
                                sim::wrong("a client hears what it has not said");
                            }
                            complete.set(complete.get() + u32::from(*heard == said));
                        });
                    });
                }
                timers::set_timeout(Duration::from_secs(900), move || {
                    proxy.close();
                });
            });
    }
    let complete = complete.get();
    assert!(complete >= 300, "{complete} of 600 were answered in full");
}

#[test]
fn jobs() {
    fn clients(server: Server, address: Address, heard: Heard) {
        let client = heard.listen("client", net::connect(&address));
        client.write("first 10\nsecond 5000\nthird 60\n");
        client.on(event::Close, move |_| {
            server.close();
        });
    }
    let heard = on_both(
        || jobs::serve("0".into()),
        |server, address, heard| {
            // Five seconds of a job would be waited for.
            let client = heard.listen("short", net::connect(&address));
            client.write("short 400\nno-job\n");
            client.on(event::Close, move |_| clients_end(server));
            fn clients_end(server: Server) {
                server.close();
            }
        },
    );
    assert_eq!(heard.of("short"), "no job: no-job\n");

    let heard = Heard::default();
    let simulated = heard.clone();
    let report = World::seed(1).leaves_nothing().run(move || {
        let server = jobs::serve("80".into());
        clients(server, Address::Tcp(([127, 0, 0, 1], 80).into()), simulated);
    });
    report.check();
    assert_eq!(
        heard.of("client"),
        "first done\nthird done\nsecond timed out\nsilent for too long\n"
    );
}

#[test]
fn the_daemon() {
    let path = std::env::temp_dir().join(format!("soquete-daemon-{}.sock", std::process::id()));
    fn command(path: PathBuf, heard: Heard, mut left: Vec<(&'static str, &'static str)>) {
        if left.is_empty() {
            return;
        }
        let (name, text) = left.remove(0);
        let client = heard.listen(name, net::connect(&path));
        client.write(text);
        client.once(event::Close, move |_| command(path, heard, left));
    }
    let run = |path: PathBuf, heard: Heard| {
        daemon::daemon(path.to_string_lossy().into_owned());
        let commands = vec![
            ("1", "get a\n"),
            ("2", "set a some words\n"),
            ("3", "get a\n"),
            ("4", "bite\n"),
            ("5", "stop\n"),
        ];
        command(path, heard, commands);
    };
    let (real, simulated) = (Heard::default(), Heard::default());
    run(path, real.clone());
    soquete::run().expect("every error is listened for");
    let at_home = simulated.clone();
    let report = World::seed(1)
        .leaves_nothing()
        .run(move || run("/run/daemon.sock".into(), at_home));
    report.check();
    assert_eq!(*real.0.borrow(), *simulated.0.borrow());
    let answers = ["1", "2", "3", "4", "5"].map(|name| simulated.of(name));
    assert_eq!(
        answers.concat(),
        "nothing\nok\nsome words\nwhat is bite?\nstopping\n"
    );
}

#[test]
fn the_proxy_passes_over_an_upstream_that_refuses() {
    let heard = Heard::default();
    let listening = heard.clone();
    let report = World::seed(1)
        .latency(ms(1)..=ms(9))
        .segments(1..=700)
        .run(move || {
            let upstream = net::create_server(|socket| {
                socket.on(event::Error, |_| {});
                socket.pipe(socket);
            });
            upstream.listen(("127.0.0.1", 81));
            let proxy = proxy::serve(80, vec![79, 81, 78]);
            proxy.once(event::Listening, move |()| {
                let client = listening.listen("client", net::connect(("127.0.0.1", 80)));
                client.end_with("x".repeat(5000));
                client.on(event::Close, move |_| {
                    proxy.close();
                    upstream.close();
                });
            });
        });
    report.check();
    assert_eq!(heard.of("client"), "x".repeat(5000));
}

#[test]
fn the_client_that_comes_back_does_until_it_is_content() {
    let connections = Rc::new(Cell::new(0));
    let count = Rc::clone(&connections);
    let report = World::seed(1).leaves_nothing().run(move || {
        reconnect::start(80);
        // 20, 40, 80 and 160 ms later there is nobody.
        timers::set_timeout(ms(400), move || {
            let server = net::create_server(|_| {});
            server.on(event::Connection, move |socket: Socket| {
                socket.on(event::Error, |_| {});
                socket.on(event::Data, |_| {});
                count.set(count.get() + 1);
                match count.get() {
                    1 => drop(socket.reset_and_destroy()),
                    2 => drop(socket.end_with("not yet\n")),
                    _ => {
                        socket.end_with("bye\n");
                        server.close();
                    }
                }
            });
            server.listen(("127.0.0.1", 80));
        });
    });
    report.check();
    assert_eq!(connections.get(), 3);
    assert!(report.connections > 6, "{}", report.connections);
}

#[test]
fn the_resp_server_with_all_that_can_go_wrong() {
    const REQUESTS: &[u8] =
        b"*1\r\n$4\r\nPING\r\nSET a 1\r\nINCR a\r\nLPUSH l x y\r\nLRANGE l 0 -1\r\nGET none\r\n";
    const ANSWERS: &[u8] = b"+PONG\r\n+OK\r\n:2\r\n:2\r\n*2\r\n$1\r\ny\r\n$1\r\nx\r\n$-1\r\n";
    let complete = Rc::new(Cell::new(0));
    for seed in sim::seeds(0..300) {
        let faults = match seed.is_multiple_of(3) {
            true => Faults::none(),
            false => Faults::swarm(seed),
        };
        let complete = Rc::clone(&complete);
        let _ = World::seed(seed)
            .latency(ms(1)..=ms(40))
            .segments(1..=20)
            .writes_at_most(1..=30)
            .faults(faults)
            .test(move || {
                let server = resp_trial::server();
                server.on(event::Error, |_| {});
                server.listen(("10.0.0.1", 6379));
                timers::set_timeout(Duration::from_secs(300), move || {
                    server.close();
                });
                let complete = Rc::clone(&complete);
                server.on(event::Listening, move |()| {
                    let client = net::connect(("10.0.0.1", 6379));
                    client.set_timeout(Duration::from_secs(60));
                    client.on(event::Timeout, move |()| {
                        client.destroy();
                    });
                    client.on(event::Error, |_| {});
                    client.end_with(REQUESTS);
                    let got = Rc::new(RefCell::new(Vec::new()));
                    let all = Rc::clone(&got);
                    client.on(event::Data, move |chunk| {
                        all.borrow_mut().extend_from_slice(chunk);
                        if !ANSWERS.starts_with(&all.borrow()) {
                            sim::wrong("the answers are others");
                        }
                    });
                    let complete = Rc::clone(&complete);
                    client.on(event::End, move |()| {
                        let all = *got.borrow() == ANSWERS;
                        complete.set(complete.get() + u32::from(all));
                    });
                });
            });
    }
    assert!(
        complete.get() >= 100,
        "{} were answered in full",
        complete.get()
    );
}
