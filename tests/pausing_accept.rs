//! Servers that accept nobody for a while: the kernel's backlog holds those who come, and none is forgotten.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, Server};
use soquete::sim::World;
use soquete::{event, timers};

#[cfg(target_os = "linux")]
#[path = "support/faults.rs"]
mod faults;
mod support;

use support::{outsider, port_of, run_to_end};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A free port of 127.0.0.1, known at once.
fn local() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port is free")
}

/// A server that counts its connections and ends each of them.
fn counting() -> (Server, Rc<Cell<usize>>) {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let server = net::create_server(move |socket| {
        counted.set(counted.get() + 1);
        socket.on(event::Error, |_| ());
        socket.end_with("hello").resume();
    });
    (server, count)
}

/// Whether all of these are greeted, which takes threads: they wait, and so does the loop.
fn greeted(peers: Vec<TcpStream>) -> impl FnOnce() -> bool {
    let is_greeted = |mut peer: TcpStream| {
        let mut answer = String::new();
        peer.read_to_string(&mut answer).is_ok() && answer == "hello"
    };
    let ends: Vec<_> = peers
        .into_iter()
        .map(|peer| std::thread::spawn(move || is_greeted(peer)))
        .collect();
    move || ends.into_iter().all(|end| end.join().unwrap())
}

#[test]
fn those_who_come_meanwhile_are_accepted_when_it_resumes() {
    let (server, count) = counting();
    server.listen(local()).pause_accept();
    assert!(server.is_accept_paused() && server.listening());
    // More than are accepted in one go.
    let peers: Vec<TcpStream> = (0..100).map(|_| outsider(port_of(server))).collect();
    let seen = Rc::clone(&count);
    timers::set_timeout(ms(30), move || {
        assert_eq!((seen.get(), server.connections()), (0, 0));
        server.resume_accept();
        assert!(!server.is_accept_paused());
        assert_eq!(seen.get(), 0, "not inside of the call");
    });
    server.on(event::Connection, move |_| {
        if count.get() == 100 {
            server.close();
        }
    });
    let all_greeted = greeted(peers);
    run_to_end();
    assert!(all_greeted());
}

#[test]
fn a_pause_inside_of_connection_takes_effect_at_once() {
    let (server, count) = counting();
    server.listen(local());
    let peers: Vec<TcpStream> = (0..5).map(|_| outsider(port_of(server))).collect();
    let most = Rc::new(Cell::new(0));
    let seen = Rc::clone(&most);
    server.on(event::Connection, move |socket| {
        server.pause_accept();
        seen.set(seen.get().max(server.connections()));
        socket.on(event::Close, move |_| server.resume_accept());
        if count.get() == 5 {
            server.close();
        }
    });
    let all_greeted = greeted(peers);
    run_to_end();
    assert!(all_greeted());
    assert_eq!(most.get(), 1);
}

#[test]
fn a_pause_and_a_resume_in_one_go_lose_and_double_nobody() {
    let (server, count) = counting();
    server.listen(local());
    let peers: Vec<TcpStream> = (0..10).map(|_| outsider(port_of(server))).collect();
    let seen = Rc::clone(&count);
    server.on(event::Connection, move |_| {
        server.pause_accept().resume_accept().resume_accept();
        if seen.get() == 10 {
            server.close();
        }
    });
    let all_greeted = greeted(peers);
    run_to_end();
    assert_eq!(count.get(), 10);
    assert!(all_greeted());
}

#[test]
fn a_server_can_be_paused_before_it_listens_and_stays_so_when_it_listens_again() {
    let (server, count) = counting();
    server.pause_accept();
    server.listen(local());
    server.close();
    server.on(event::Close, move |_| {
        if server.is_accept_paused() && count.get() == 0 {
            server.listen(local());
            let peer = outsider(port_of(server));
            timers::set_timeout(ms(10), move || {
                assert_eq!(server.connections(), 0);
                server.resume_accept();
            });
            server.once(event::Connection, move |_| {
                server.close();
                drop(peer);
            });
        }
    });
    run_to_end();
    assert!(!server.is_accept_paused(), "a stale handle");
}

#[test]
fn a_paused_server_keeps_the_loop_alive_unless_it_is_unrefed() {
    let (server, _) = counting();
    server.listen(local()).pause_accept();
    let resources = soquete::active_resources();
    assert_eq!(resources[0].kind(), soquete::ResourceKind::Server(server));
    server.unref();
    soquete::run().unwrap();
    server.close();
    run_to_end();
}

#[test]
fn a_paused_server_shuts_down_without_those_who_wait() {
    let (server, count) = counting();
    server.listen(local()).pause_accept();
    let mut peer = outsider(port_of(server));
    timers::set_timeout(ms(10), move || server.shutdown(ms(500)));
    run_to_end();
    assert_eq!(count.get(), 0);
    assert!(!matches!(peer.read(&mut [0; 1]), Ok(1..)));
}

#[test]
fn nobody_is_turned_away_by_a_pause_though_there_are_the_most_there_may_be() {
    let server = net::create_server(|socket| {
        socket
            .on(event::Error, |_| ())
            .on(event::Data, move |chunk| {
                socket.end_with(chunk);
            });
    });
    server.set_max_connections(Some(1)).listen(local());
    server.on(event::Drop, |info| panic!("{info:?}"));
    let left = Rc::new(Cell::new(3));
    server.on(event::Connection, move |socket| {
        server.pause_accept();
        let left = Rc::clone(&left);
        socket.on(event::Close, move |_| {
            left.set(left.get() - 1);
            match left.get() {
                0 => server.close(),
                _ => server.resume_accept(),
            };
        });
    });
    let mut peers: Vec<TcpStream> = (0..3).map(|_| outsider(port_of(server))).collect();
    for peer in &mut peers {
        // The kernel takes it while nobody has accepted.
        peer.write_all(b"hello").unwrap();
    }
    let all_greeted = greeted(peers);
    run_to_end();
    assert!(all_greeted());
}

#[test]
fn in_a_simulated_world_those_who_wait_are_served_in_their_order() {
    for seed in 0..20 {
        let report = World::seed(seed).latency(ms(1)..=ms(9)).run(|| {
            let order = Rc::new(RefCell::new(Vec::new()));
            let came = Rc::clone(&order);
            let server = net::create_server(move |socket| {
                let came = Rc::clone(&came);
                socket.on(event::Data, move |chunk| {
                    came.borrow_mut().push(chunk.to_vec());
                    socket.end();
                });
            });
            server.listen(("10.0.0.1", 80)).pause_accept();
            server.on(event::Listening, move |()| {
                for n in 0..4_u64 {
                    timers::set_timeout(ms(100 * n), move || {
                        net::connect(("10.0.0.1", 80)).resume().write(&[n as u8]);
                    });
                }
                timers::set_timeout(ms(1000), move || {
                    assert_eq!(server.connections(), 0);
                    server.resume_accept();
                });
                let order = Rc::clone(&order);
                timers::set_timeout(ms(2000), move || {
                    assert_eq!(*order.borrow(), [[0], [1], [2], [3]]);
                    server.close();
                });
            });
        });
        report.check();
    }
}

/// Accepting that has failed is tried again after a rest, by a timer.
#[cfg(target_os = "linux")]
#[test]
fn a_pause_outlasts_the_rest_after_a_failed_accept() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let (server, count) = counting();
    server.listen(local());
    let tried = Arc::new(AtomicUsize::new(0));
    let tries = Arc::clone(&tried);
    faults::deciding(&[libc::SYS_accept4, libc::SYS_accept], move |_| {
        (tries.fetch_add(1, Ordering::Relaxed) == 0).then_some(libc::EPERM)
    });
    let all_greeted = greeted(vec![outsider(port_of(server))]);
    let seen = Rc::clone(&count);
    timers::set_timeout(ms(30), move || {
        assert_eq!(tried.load(Ordering::Relaxed), 1, "it rests");
        server.pause_accept();
        timers::set_timeout(ms(200), move || {
            assert_eq!(
                tried.load(Ordering::Relaxed),
                1,
                "the rest is over, the pause is not"
            );
            assert_eq!(seen.get(), 0);
            server.resume_accept();
        });
    });
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    assert_eq!(count.get(), 1);
    assert!(all_greeted());
}
