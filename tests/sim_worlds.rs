//! What a simulated world is: its time, its machines, its network, what it says when something is wrong.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, ConnectOptions, KeepAlive, ServerOptions, Socket, StdStream};
use soquete::sim::{self, Call, Fault, Faults, Peer, PeerListener, World};
use soquete::{dns, event, timers};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// What happened, with the virtual time.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, what: impl std::fmt::Display) {
        let now = soquete::now();
        self.0
            .borrow_mut()
            .push(format!("{} {what}", now.as_millis()));
    }

    fn lines(&self) -> Vec<String> {
        self.0.take()
    }
}

fn echo_server(address: &'static str) -> net::Server {
    let server = net::create_server(|socket| {
        socket.on(event::Error, |_| {});
        socket.on(event::Data, move |chunk| {
            socket.write(chunk);
        });
    });
    server.listen((address, 80));
    server
}

#[test]
fn an_hour_of_silence_takes_no_time() {
    let report = World::seed(1).latency(ms(10)).run(|| {
        let server = net::create_server(|socket| {
            socket.set_timeout(secs(3600));
            socket.on(event::Data, |_| {});
            socket.on(event::Timeout, move |()| {
                socket.destroy();
            });
        });
        server.listen(("10.0.0.1", 80));
        server.on(event::Listening, move |()| {
            let client = net::connect(("10.0.0.1", 80));
            client.write("hello");
            client.on(event::Data, |_| {});
            client.on(event::Close, move |_| {
                server.close();
            });
        });
    });
    report.check();
    assert!(
        report.elapsed > secs(3600) && report.elapsed < secs(3601),
        "{:?}",
        report.elapsed
    );
    assert!(report.calls < 60, "{} calls", report.calls);
}

fn echoes_across_a_partition(heals: bool) -> Vec<String> {
    let log = Log::default();
    let note = log.clone();
    let mut world = World::seed(3)
        .latency(ms(10)..=ms(15))
        .gives_up_after(secs(60))
        .host("10.0.0.1", || {
            echo_server("10.0.0.1");
            soquete::run().expect("the world runs it");
        })
        .addresses("10.0.0.9")
        .at(ms(500), || sim::partition("10.0.0.1", "10.0.0.9"));
    if heals {
        world = world.at(secs(20), sim::heal);
    }
    let report = world.run(move || {
        let client = net::connect(("10.0.0.1", 80));
        let ticks = timers::set_interval(ms(50), move || {
            client.write("x");
        });
        let count = Cell::new(0);
        client.on(event::Data, move |chunk| {
            count.set(count.get() + chunk.len());
            if count.get() >= 40 {
                client.end();
                ticks.clear();
            }
        });
        let (errors, closes) = (note.clone(), note.clone());
        client.on(event::Error, move |error| errors.add(error.code()));
        client.on(event::Close, move |_| {
            ticks.clear();
            closes.add("close");
        });
    });
    report.check();
    log.lines()
}

#[test]
fn what_a_partition_holds_comes_when_it_is_healed() {
    let lines = echoes_across_a_partition(true);
    let [close] = &lines[..] else {
        panic!("{lines:?}");
    };
    let at: u64 = close
        .split(' ')
        .next()
        .and_then(|at| at.parse().ok())
        .expect("a time");
    assert!(
        (20_200..23_000).contains(&at) && close.ends_with("close"),
        "{close}"
    );
}

#[test]
fn a_connection_gives_up_behind_a_partition() {
    let lines = echoes_across_a_partition(false);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].ends_with("ETIMEDOUT") && lines[0].starts_with("60"),
        "{lines:?}"
    );
}

#[test]
fn probes_find_a_partition_that_a_silent_connection_does_not() {
    for (keep_alive, expected) in [(true, 15_000), (false, 0)] {
        let died_at = Rc::new(Cell::new(0));
        let died = Rc::clone(&died_at);
        let report = World::seed(1)
            .latency(ms(1))
            .host("10.0.0.1", || {
                echo_server("10.0.0.1");
            })
            .addresses("10.0.0.9")
            .at(secs(2), || sim::partition("10.0.0.1", "10.0.0.9"))
            .run(move || {
                let client = net::connect(("10.0.0.1", 80));
                if keep_alive {
                    client.set_keep_alive(KeepAlive::after(secs(10)).interval(secs(1)).count(3));
                }
                client.on(event::Data, |_| {});
                client.on(event::Error, move |error| {
                    assert_eq!(error.code(), "ETIMEDOUT");
                    died.set(soquete::now().as_millis());
                });
            });
        assert_eq!(died_at.get(), expected, "{:?}", report.stuck);
        assert_eq!(report.stuck.is_empty(), keep_alive, "{:?}", report.stuck);
    }
}

#[test]
fn a_restarted_host_has_lost_everything_and_serves_again() {
    let answers = Rc::new(Cell::new(0));
    let errors = Log::default();
    let (count, noted) = (Rc::clone(&answers), errors.clone());
    fn serve() {
        echo_server("10.0.0.1");
    }
    fn client(answers: Rc<Cell<u32>>, errors: Log) {
        let socket = net::connect(("10.0.0.1", 80));
        let beat = timers::set_interval(ms(100), move || {
            socket.write("x");
        });
        let count = Rc::clone(&answers);
        socket.on(event::Data, move |_| {
            count.set(count.get() + 1);
            if count.get() >= 40 {
                socket.end();
                beat.clear();
            }
        });
        let noted = errors.clone();
        socket.on(event::Error, move |error| noted.add(error.code()));
        socket.on(event::Close, move |_| {
            beat.clear();
            let (answers, errors) = (Rc::clone(&answers), errors.clone());
            if answers.get() < 40 {
                timers::set_timeout(ms(250), move || client(Rc::clone(&answers), errors.clone()));
            }
        });
    }
    let report = World::seed(4)
        .latency(ms(5)..=ms(9))
        .host("10.0.0.1", serve)
        .addresses("10.0.0.9")
        .at(secs(2), || {
            sim::restart("10.0.0.1", || {
                timers::set_timeout(ms(700), serve);
            });
        })
        .run(move || client(count, noted));
    report.check();
    assert!(answers.get() >= 40);
    let codes: Vec<String> = errors.lines();
    let is = |line: &String, code: &str| line.ends_with(code);
    assert!(is(&codes[0], "ECONNRESET"), "{codes:?}");
    assert!(
        codes[1..].iter().all(|line| is(line, "ECONNREFUSED")),
        "{codes:?}"
    );
}

#[test]
fn nobody_answers_for_two_minutes() {
    let log = Log::default();
    let note = log.clone();
    let report = World::seed(1)
        .latency(ms(10))
        .addresses("10.0.0.9")
        .run(move || {
            let client = net::connect(("10.0.0.1", 80));
            client.on(event::Error, move |error| note.add(error.code()));
        });
    report.check();
    assert_eq!(log.lines(), ["127010 ETIMEDOUT"]);
}

#[test]
fn a_slow_name_holds_others_up_only_if_there_is_no_thread_for_them() {
    for (threads, expected) in [(1, 30_300), (4, 300)] {
        let found_at = Rc::new(Cell::new(0));
        let found = Rc::clone(&found_at);
        let report = World::seed(1)
            .pool(threads)
            .failing_name("slow.example", "EAI_AGAIN", secs(30))
            .name("db.example", "10.0.0.1", ms(300))
            .run(move || {
                dns::lookup("slow.example", |found| {
                    assert_eq!(
                        found.map_err(|error| error.code().to_owned()),
                        Err("EAI_AGAIN".to_owned())
                    );
                });
                dns::lookup("db.example", move |answer| {
                    assert!(answer.is_ok());
                    found.set(soquete::now().as_millis());
                });
            });
        report.check();
        assert_eq!(found_at.get(), expected);
    }
}

#[test]
fn a_peer_sends_exactly_these_bytes_and_leaves_others_unread() {
    let got = Rc::new(RefCell::new(Vec::new()));
    let errors = Log::default();
    let (chunks, noted) = (Rc::clone(&got), errors.clone());
    let report = World::seed(1).latency(ms(5)).run(move || {
        let server = net::create_server(move |socket| {
            let (chunks, noted) = (Rc::clone(&chunks), noted.clone());
            socket.on(event::Data, move |chunk| {
                chunks.borrow_mut().push(chunk.to_vec());
                socket.write("an answer");
            });
            socket.on(event::Error, move |error| noted.add(error.code()));
        });
        server.listen(("10.0.0.1", 80));
        sim::after(ms(1), move || {
            let peer = Peer::connect("10.0.0.66:5000", "10.0.0.1:80");
            assert!(!peer.is_connected());
            sim::after(ms(20), move || {
                assert!(peer.is_connected());
                assert_eq!(peer.write(b"one"), 3);
                sim::after(ms(20), move || {
                    assert_eq!(peer.read_some(2), b"an");
                    assert_eq!(peer.write(b"two"), 3);
                    sim::after(ms(20), move || {
                        // With something unread: a reset.
                        drop(peer);
                        server.close();
                    });
                });
            });
        });
    });
    report.check();
    assert_eq!(*got.borrow(), [b"one", b"two"]);
    let errors = errors.lines();
    assert!(
        errors.len() == 1 && errors[0].ends_with("ECONNRESET"),
        "{errors:?}"
    );
}

#[test]
fn a_socket_connects_to_a_peer() {
    let report = World::seed(1).latency(ms(5)).run(|| {
        let listener = PeerListener::listen("10.0.0.66:80", 5);
        let client = net::connect(("10.0.0.66", 80));
        client.write("hello");
        client.on(event::Data, |chunk| assert_eq!(chunk, b"bye"));
        sim::after(ms(40), move || {
            let peer = listener.accept().expect("a connection");
            assert_eq!(peer.read(), b"hello");
            peer.write(b"bye");
            peer.end();
            sim::after(ms(40), move || {
                assert_eq!(peer.read(), b"");
                assert!(peer.has_ended());
                assert_eq!(peer.error(), None);
            });
        });
    });
    report.check();
}

#[test]
fn a_reset_of_a_peer_is_one() {
    let report = World::seed(1).latency(ms(5)).run(|| {
        let server = echo_server("10.0.0.1");
        server.on(event::Connection, move |socket: Socket| {
            socket.on(event::Error, |error| assert_eq!(error.code(), "ECONNRESET"));
            socket.on(event::Close, move |had_error| {
                assert!(had_error);
                server.close();
            });
        });
        sim::after(ms(1), || {
            let peer = Peer::connect("10.0.0.66:0", "10.0.0.1:80");
            sim::after(ms(50), move || peer.reset());
        });
    });
    report.check();
}

#[test]
fn options_are_kept_and_can_be_asked_for() {
    let report = World::seed(1).run(|| {
        let server = echo_server("10.0.0.1");
        server.on(event::Listening, move |()| {
            let client = net::connect(("10.0.0.1", 80));
            client.on(event::Connect, move |()| {
                client.set_no_delay(true);
                client.set_type_of_service(0x13).expect("it is set");
                // The lowest two bits are not the program's.
                assert_eq!(client.type_of_service().ok(), Some(0x10));
                client.end();
            });
            client.on(event::Data, |_| {});
            client.on(event::Close, move |_| {
                server.close();
            });
        });
    });
    report.check();
}

#[test]
fn who_waits_in_vain_is_named() {
    let report = World::seed(1).run(|| {
        let server = net::create_server(|socket| {
            socket.on(event::Data, |_| {});
        });
        server.listen(("10.0.0.1", 80));
        server.on(event::Listening, move |()| {
            let client = net::connect(("10.0.0.1", 80));
            client.write("are you there?");
            client.on(event::Data, move |_| {
                client.end();
                server.close();
            });
        });
    });
    assert!(!report.is_fine());
    let stuck = report.stuck.join("\n");
    assert!(stuck.contains("client 1 of main"), "{stuck}");
    assert!(stuck.contains("10.0.0.1:80"), "{stuck}");
    assert!(stuck.contains("a server at"), "{stuck}");
    if cfg!(debug_assertions) {
        let made = stuck
            .lines()
            .filter(|line| line.contains(", made at tests/sim_worlds.rs:"));
        assert_eq!(made.count(), report.stuck.len(), "{stuck}");
    }
}

#[test]
fn a_program_that_never_becomes_idle_is_stopped() {
    let report = World::seed(1).turns_at_most(5_000).run(|| {
        timers::set_interval(secs(1), || {});
    });
    assert!(
        report.problems[0].contains("still running after 5001 turns"),
        "{:?}",
        report.problems
    );
    let report = World::seed(1).lasts_at_most(secs(3600)).run(|| {
        timers::set_interval(secs(1), || {});
    });
    assert!(
        report.problems[0].contains(" turns and 3600.0"),
        "{:?}",
        report.problems
    );
}

#[test]
fn what_is_said_to_be_always_so_is_asked_for() {
    let count = Rc::new(Cell::new(0));
    let (counted, seen) = (Rc::clone(&count), Rc::clone(&count));
    let report = World::seed(1)
        .always("never more than two", move || seen.get() <= 2)
        .run(move || {
            for at in 1..=4 {
                let counted = Rc::clone(&counted);
                timers::set_timeout(secs(at), move || counted.set(counted.get() + 1));
            }
        });
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert!(
        report.problems[0].contains("never more than two"),
        "{:?}",
        report.problems
    );
    assert!(
        report.problems[0].starts_with("at 3.0"),
        "{:?}",
        report.problems
    );
}

#[test]
fn a_post_from_a_thread_that_the_world_does_not_know_is_reported() {
    let report = World::seed(1).run(|| {
        let remote = soquete::remote().expect("a loop");
        let posted = std::thread::spawn(move || remote.post(|| {}));
        posted.join().expect("no panic").expect("the loop is there");
    });
    let problems = report.problems.join("\n");
    assert!(
        problems.contains("another thread has posted 1 times"),
        "{problems}"
    );
}

#[test]
fn a_descriptor_of_the_operating_system_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a real one");
    let address = listener.local_addr().expect("it is bound");
    let stream = std::net::TcpStream::connect(address).expect("a real one");
    let report = World::seed(1).run(move || {
        let refused = Socket::from_std(stream).map(drop);
        assert_eq!(
            refused.map_err(|error| error.kind()),
            Err(ErrorKind::Unsupported)
        );
        let server = net::create_server(|_| {});
        server.listen(listener);
        server.on(event::Error, |error| {
            assert_eq!(error.kind(), ErrorKind::Unsupported)
        });
        // A real port, of which this world knows nothing.
        let client = net::connect(address);
        client.on(event::Error, |error| {
            assert_eq!(error.code(), "ECONNREFUSED")
        });
    });
    report.check();
}

/// Takes a connection from its server, and says with what it can be adopted.
fn taken(socket: Socket) -> StdStream {
    let stream = socket.into_std().expect("nothing was read");
    assert!(matches!(stream, StdStream::Simulated(_)), "{stream:?}");
    assert!(socket.destroyed());
    stream
}

#[test]
fn a_connection_is_handed_over_within_its_loop() {
    let report = World::seed(1).leaves_nothing().latency(ms(3)).run(|| {
        let options = ServerOptions::new().pause_on_connect(true);
        let server = net::create_server_with(options, |socket| {
            let stream = taken(socket);
            timers::set_timeout(ms(50), move || {
                let adopted = Socket::from_std(stream).expect("it is of this world");
                assert_eq!(
                    adopted.remote_address().map(|ip| ip.to_string()).as_deref(),
                    Some("10.0.0.2")
                );
                adopted.pipe(adopted);
            });
        });
        server.listen(("10.0.0.1", 80));
        server.on(event::Listening, move |()| {
            let options = ConnectOptions::new(80).host("10.0.0.1");
            let client = net::connect(options.local_address("10.0.0.2"));
            client.end_with("hello");
            client.on(event::Data, |chunk| assert_eq!(chunk, b"hello"));
            client.on(event::Close, move |_| {
                server.close();
            });
        });
    });
    report.check();
}

#[test]
fn a_connection_is_handed_over_to_the_loop_of_another_host() {
    let remote: Rc<RefCell<Option<soquete::Remote>>> = Rc::default();
    let (made, used) = (Rc::clone(&remote), Rc::clone(&remote));
    let served = Rc::new(Cell::new(0));
    let bytes = Rc::clone(&served);
    let report = World::seed(1)
        .latency(ms(1)..=ms(9))
        .segments(1..=500)
        .host("10.0.0.7", move || {
            *made.borrow_mut() = Some(soquete::remote().expect("a loop"));
        })
        .run(move || {
            let options = ServerOptions::new().pause_on_connect(true);
            let server = net::create_server_with(options, move |socket| {
                let stream = taken(socket);
                let remote = used.take().expect("the other host has begun");
                let posted = remote.post(move || {
                    let adopted = Socket::from_std(stream).expect("it is of this world");
                    adopted.on(event::Error, |_| {});
                    adopted.pipe(adopted);
                });
                posted.expect("its loop is there");
            });
            server.listen(("10.0.0.1", 80));
            server.on(event::Listening, move |()| {
                let client = net::connect(("10.0.0.1", 80));
                client.end_with(vec![7; 30_000]);
                let bytes = Rc::clone(&bytes);
                client.on(event::Data, move |chunk| {
                    bytes.set(bytes.get() + chunk.len())
                });
                client.on(event::Close, move |_| {
                    server.close();
                });
            });
        });
    report.check();
    assert!(report.left.is_empty(), "{:?}", report.left);
    assert_eq!(served.get(), 30_000);
}

#[test]
fn a_loop_that_nothing_keeps_alive_is_not_turned_whatever_comes_for_it() {
    let report = World::seed(1)
        .latency(ms(1))
        .host("10.0.0.7", || {
            let server = net::create_server(|_| sim::wrong("its program has ended"));
            server.listen(("10.0.0.7", 80));
            server.unref();
            timers::set_interval(secs(1), || sim::wrong("likewise")).unref();
        })
        .run(|| {
            let client = net::connect(("10.0.0.7", 80));
            client.set_timeout(secs(5));
            client.on(event::Error, |_| {});
            client.on(event::Timeout, move |()| {
                client.destroy();
            });
        });
    report.check();
}

#[test]
fn a_connection_that_nobody_adopts_is_closed_when_it_is_dropped() {
    let report = World::seed(1).leaves_nothing().run(|| {
        let options = ServerOptions::new().pause_on_connect(true);
        let server = net::create_server_with(options, |socket| drop(taken(socket)));
        server.listen(("10.0.0.1", 80));
        server.on(event::Listening, move |()| {
            let client = net::connect(("10.0.0.1", 80));
            client.on(event::Data, |_| {});
            client.on(event::Close, move |_| {
                server.close();
            });
        });
    });
    report.check();
}

#[test]
#[should_panic(expected = "a connection of a simulated world has no descriptor outside of it")]
fn a_connection_of_the_world_cannot_leave_it() {
    let report = World::seed(1).run(|| {
        let options = ServerOptions::new().pause_on_connect(true);
        let server = net::create_server_with(options, |socket| {
            drop(std::os::fd::OwnedFd::from(taken(socket)));
        });
        server.listen(("10.0.0.1", 80));
        server.on(event::Listening, |()| {
            net::connect(("10.0.0.1", 80));
        });
    });
    drop(report);
}

#[test]
fn a_server_whose_address_the_kernel_does_not_tell_is_still_somebodys() {
    let faults = Faults::script("ENOBUFS at getsockname 2 of listener 1 of 10.0.0.1");
    let report = World::seed(1)
        .faults(faults)
        .host("10.0.0.1", || {
            net::create_server(|_| {}).listen(80);
        })
        .run(|| {});
    report.check();
    assert_eq!(report.faults.len(), 1);
    assert!(
        report.left[0].contains("a server somewhere"),
        "{:?}",
        report.left
    );
}

#[test]
fn the_same_seed_is_the_same_run() {
    fn program() {
        let server = echo_server("10.0.0.1");
        server.on(event::Listening, move |()| {
            let open = Rc::new(Cell::new(5));
            for _ in 0..5 {
                let client = net::connect(("10.0.0.1", 80));
                client.end_with(vec![1; 10_000]);
                client.on(event::Data, |_| {});
                client.on(event::Error, |_| {});
                let open = Rc::clone(&open);
                client.on(event::Close, move |_| {
                    open.set(open.get() - 1);
                    if open.get() == 0 {
                        server.close();
                    }
                });
            }
        });
    }
    let world = |seed| {
        World::seed(seed)
            .latency(ms(1)..=ms(40))
            .segments(1..=1460)
            .shuffled()
            .spurious_events(7)
            .faults(Faults::swarm(seed))
    };
    let first = sim::twice(world(7), program);
    let other = world(8).run(program);
    assert_ne!(first.digest, other.digest);
}

#[test]
fn a_seed_means_the_same_on_every_machine() {
    // Without the driver, whose calls may change.
    let report = World::seed(7)
        .latency(ms(1)..=ms(40))
        .segments(1..=1460)
        .run(|| {
            let listener = PeerListener::listen("10.0.0.66:80", 5);
            let client = Peer::connect("10.0.0.67:5000", "10.0.0.66:80");
            sim::after(ms(200), move || {
                let served = listener.accept().expect("a connection");
                assert_eq!(client.write(&[7; 20_000]), 20_000);
                sim::after(secs(1), move || {
                    assert_eq!(served.read().len(), 20_000);
                    served.end();
                    sim::after(secs(1), move || drop((client, listener)));
                });
            });
        });
    report.check();
    assert_eq!(format!("{:016x}", report.digest), "361f46c372bdd227");
}

#[test]
#[should_panic(expected = "the second run differs in line")]
fn a_program_that_looks_elsewhere_is_not_the_same_twice() {
    thread_local! {
        static RUNS: Cell<u64> = const { Cell::new(0) };
    }
    let report = sim::twice(World::seed(1), || {
        RUNS.set(RUNS.get() + 1);
        timers::set_timeout(ms(RUNS.get()), || {
            net::connect(("10.0.0.1", 80)).on(event::Error, |_| {});
        });
    });
    report.check();
}

#[test]
fn a_script_is_exactly_these_faults() {
    let script = "ECONNRESET at read 1 of client 1 of main; EINTR at write 1 of client 1 of main";
    let report = World::seed(1).faults(Faults::script(script)).run(|| {
        let server = echo_server("10.0.0.1");
        server.on(event::Listening, move |()| {
            let client = net::connect(("10.0.0.1", 80));
            client.write("x");
            client.on(event::Data, |_| {});
            client.on(event::Error, |error| assert_eq!(error.code(), "ECONNRESET"));
            client.on(event::Close, move |_| {
                server.close();
            });
        });
    });
    report.check();
    let mut happened: Vec<String> = report.faults.iter().map(Fault::to_string).collect();
    happened.sort();
    assert_eq!(happened.join("; "), script);
    assert!(
        report
            .faults
            .iter()
            .all(|fault| matches!(fault.call(), Call::Read | Call::Write))
    );
}

#[test]
fn faults_end_at_their_time() {
    let connected = Rc::new(Cell::new(0));
    let count = Rc::clone(&connected);
    let report = World::seed(1)
        .faults(Faults::none().rate(Call::Connect, 1.0))
        .faults_until(secs(5))
        .run(move || {
            let server = echo_server("10.0.0.1");
            let ticks = timers::set_interval(secs(1), move || {
                let client = net::connect(("10.0.0.1", 80));
                let count = Rc::clone(&count);
                client.on(event::Connect, move |()| {
                    count.set(count.get() + 1);
                    client.end();
                });
                client.on(event::Data, |_| {});
                client.on(event::Error, |_| {});
            });
            timers::set_timeout(ms(9_500), move || {
                ticks.clear();
                server.close();
            });
        });
    report.check();
    assert_eq!(connected.get(), 5, "{:?}", report.faults);
}

#[test]
fn a_failure_is_shrunk_to_the_faults_that_matter() {
    let failed = std::panic::catch_unwind(|| {
        World::seed(5)
            .faults(
                Faults::none()
                    .rate(Call::Connect, 0.5)
                    .rate(Call::Accept, 0.5),
            )
            .test(|| {
                let server = echo_server("10.0.0.1");
                server.on(event::Error, |_| {});
                for n in 0..20 {
                    timers::set_timeout(ms(n), || {
                        let client = net::connect(("10.0.0.1", 80));
                        client.on(event::Error, |error| {
                            if error.code() == "EHOSTUNREACH" {
                                sim::wrong("a host is unreachable");
                            }
                        });
                        client.on(event::Data, |_| {});
                        client.end();
                    });
                }
                timers::set_timeout(secs(300), move || {
                    server.close();
                });
            })
    });
    let panic = failed.expect_err("one of many fails that way");
    let text = panic.downcast_ref::<String>().expect("a text");
    let faults: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("EHOSTUNREACH at"))
        .collect();
    assert_eq!(
        faults.len(),
        2,
        "the fault, and its line of the trace: {text}"
    );
    assert!(text.contains("a host is unreachable"), "{text}");
    assert!(!text.contains(" at accept "), "{text}");
    assert!(
        text.contains("SOQUETE_SEED=5 cargo test a_failure_is_shrunk"),
        "{text}"
    );
}

#[test]
fn a_panic_of_the_program_leaves_no_world_behind() {
    for _ in 0..2 {
        let outcome = std::panic::catch_unwind(|| {
            let report = World::seed(1).run(|| {
                timers::set_timeout(ms(5), || panic!("on purpose"));
            });
            drop(report);
        });
        assert!(outcome.is_err());
        // The thread's own loop is as it was.
        assert_eq!(soquete::metrics().timers, 0);
    }
}

#[test]
#[should_panic(expected = "a world within a world")]
fn a_world_in_a_world_is_refused() {
    let report = World::seed(1).run(|| {
        let inner = World::seed(2).run(|| {});
        drop(inner);
    });
    drop(report);
}
