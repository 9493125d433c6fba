//! Loops and threads: reaching a loop from others, work on the pool, and threads that end.

mod support;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Read;
use std::rc::Rc;
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use soquete::net::{self, Server, Socket};
use soquete::{Remote, event, timers};
use support::{listening_on, note, outsider, pair, port_of, record, run_on, run_to_end};

#[test]
fn posts_of_many_threads_all_arrive_and_those_of_one_in_their_order() {
    const THREADS: usize = 8;
    const POSTS: usize = 5_000;
    thread_local! {
        static SEEN: RefCell<[usize; THREADS]> = const { RefCell::new([0; THREADS]) };
    }
    let remote = soquete::remote().unwrap();
    let threads: Vec<_> = (0..THREADS)
        .map(|index| {
            let remote = remote.clone();
            thread::spawn(move || {
                for number in 0..POSTS {
                    let arrive = move || {
                        SEEN.with_borrow_mut(|seen| {
                            assert_eq!(seen[index], number);
                            seen[index] += 1;
                        });
                    };
                    remote.post(arrive).unwrap();
                }
            })
        })
        .collect();
    drop(remote);
    run_to_end();
    assert_eq!(SEEN.take(), [POSTS; THREADS]);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_post_wakes_a_loop_that_sleeps() {
    let remote = soquete::remote().unwrap();
    let slept = Arc::new((Mutex::new(false), Condvar::new()));
    let asleep = Arc::clone(&slept);
    // Wakes it when it can only be asleep, or about to be: there is nothing else to do.
    let waker = thread::spawn(move || {
        let (asleep, changed) = &*asleep;
        let guard = asleep.lock().unwrap();
        drop(changed.wait_while(guard, |asleep| !*asleep).unwrap());
        thread::sleep(Duration::from_millis(20));
        remote.post(|| note("woken")).unwrap();
    });
    timers::set_immediate(move || {
        *slept.0.lock().unwrap() = true;
        slept.1.notify_one();
    });
    run_to_end();
    waker.join().unwrap();
    assert_eq!(record(), ["woken"]);
    let metrics = soquete::metrics();
    assert!(metrics.idle >= Duration::from_millis(10), "it slept");
    assert!(metrics.turns < 20, "it did not spin: {metrics:?}");
}

#[test]
fn what_was_posted_is_called_though_the_remote_is_gone() {
    let remote = soquete::remote().unwrap();
    let poster = thread::spawn(move || remote.post(|| note("called")).unwrap());
    poster.join().unwrap();
    run_to_end();
    assert_eq!(record(), ["called"]);
}

#[test]
fn a_remote_keeps_its_loop_alive_until_it_is_dropped_anywhere() {
    let remote = soquete::remote().unwrap();
    let (dropped, wait) = mpsc::channel();
    let holder = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        dropped.send(()).unwrap();
        drop(remote);
    });
    run_to_end();
    assert!(wait.try_recv().is_ok(), "run did not return before");
    assert!(
        soquete::metrics().idle < Duration::from_secs(3),
        "nor long after"
    );
    holder.join().unwrap();
}

#[test]
fn an_unreferenced_remote_can_post_while_the_loop_runs_but_does_not_hold_it() {
    let remote = soquete::remote().unwrap();
    remote.unref();
    let clone = remote.clone();
    run_to_end();
    remote.post(|| note("posted")).unwrap();
    clone.post(|| note("by its clone")).unwrap();
    let own = soquete::remote().unwrap();
    timers::set_immediate(move || {
        timers::set_immediate(move || drop(own));
    });
    run_to_end();
    assert_eq!(record(), ["posted", "by its clone"]);
    remote.ref_();
    timers::set_timeout(Duration::from_millis(1), move || remote.unref());
    run_to_end();
}

#[test]
fn a_post_made_by_a_post_is_called_in_another_round() {
    fn chain(remote: Remote, left: u32) {
        if left == 0 {
            return note("end of the chain");
        }
        let next = remote.clone();
        remote.post(move || chain(next, left - 1)).unwrap();
    }
    chain(soquete::remote().unwrap(), 1_000);
    timers::set_immediate(|| note("immediate"));
    run_to_end();
    assert_eq!(record(), ["immediate", "end of the chain"]);
}

#[test]
fn a_post_to_a_loop_whose_thread_has_ended_is_an_error_and_drops_the_call() {
    struct Told(mpsc::Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let remote = thread::spawn(|| soquete::remote().unwrap()).join().unwrap();
    let (told, dropped) = mpsc::channel();
    let told = Told(told);
    let error = remote.post(move || drop(told)).unwrap_err();
    assert_eq!(error.code(), "ERR_LOOP_CLOSED");
    dropped.recv().unwrap();
}

#[test]
fn posts_that_a_thread_leaves_behind_are_dropped_with_its_loop() {
    let (held, dropped) = (Arc::new(()), Arc::new(()));
    let watch = Arc::downgrade(&dropped);
    thread::spawn(move || {
        let remote = soquete::remote().unwrap();
        let own = remote.clone();
        remote.post(move || drop((own, dropped))).unwrap();
    })
    .join()
    .unwrap();
    assert!(watch.upgrade().is_none());
    drop(held);
}

#[test]
fn work_is_done_elsewhere_and_its_result_comes_back() {
    let here = thread::current().id();
    for number in 0..100u64 {
        let work = move || (number * number, thread::current().id());
        soquete::queue_work(work, move |(square, there)| {
            assert_eq!(square, number * number);
            assert_ne!(there, here);
            assert_eq!(thread::current().id(), here);
            note("done");
        })
        .unwrap();
    }
    run_to_end();
    assert_eq!(record().len(), 100);
}

#[test]
fn as_many_pieces_of_work_run_at_once_as_the_pool_has_threads() {
    for size in [1, 3] {
        thread::spawn(move || {
            soquete::set_pool_size(size);
            let threads = Rc::new(RefCell::new(HashSet::new()));
            // Nobody passes before `size` of them are there: they do run at once.
            let together = Arc::new(Barrier::new(size));
            for _ in 0..size * 4 {
                let (threads, together) = (Rc::clone(&threads), Arc::clone(&together));
                let work = move || {
                    together.wait();
                    thread::current().id()
                };
                soquete::queue_work(work, move |id| {
                    threads.borrow_mut().insert(id);
                    note("done");
                })
                .unwrap();
            }
            run_to_end();
            assert_eq!((record().len(), threads.borrow().len()), (size * 4, size));
        })
        .join()
        .unwrap();
    }
}

#[test]
fn a_loop_goes_on_while_work_takes_long() {
    let (finish, wait) = mpsc::channel::<()>();
    soquete::queue_work(move || wait.recv().unwrap(), |()| note("work")).unwrap();
    pair(move |server, client| {
        server.on(event::Data, move |chunk| {
            server.write(chunk);
        });
        client.on(event::Data, move |_| {
            note("echo");
            finish.send(()).unwrap();
            client.end();
        });
        client.write("x");
    });
    run_to_end();
    assert_eq!(record(), ["echo", "work"]);
}

#[test]
fn two_loops_talk_to_each_other_over_a_socket() {
    let (tell, port) = mpsc::channel();
    let serving = thread::spawn(move || {
        let server = net::create_server(|socket| {
            socket.on(event::Data, move |chunk| {
                socket.end_with(chunk);
            });
        });
        server.on(event::Connection, move |_| {
            server.close();
        });
        listening_on(server, "127.0.0.1", move |_, port| tell.send(port).unwrap());
        run_to_end();
    });
    let client = net::connect(("127.0.0.1", port.recv().unwrap()));
    client.write("across");
    client.on(event::Data, |chunk| note(String::from_utf8_lossy(chunk)));
    run_to_end();
    serving.join().unwrap();
    assert_eq!(record(), ["across"]);
}

#[test]
fn a_thread_that_ends_with_sockets_open_closes_them() {
    let (tell, port) = mpsc::channel();
    let (connected, wait) = mpsc::channel::<()>();
    let server = thread::spawn(move || {
        let server = net::create_server(|_| soquete::stop());
        listening_on(server, "127.0.0.1", move |_, port| tell.send(port).unwrap());
        wait.recv().unwrap();
        run_on().unwrap();
        assert_eq!(soquete::metrics().open_handles, 2);
    });
    // The address is known at once; the port is told when the loop runs.
    connected.send(()).unwrap();
    let port = port.recv().unwrap();
    let mut peer = outsider(port);
    server.join().unwrap();
    assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0, "the end, no time-out");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn handles_used_by_destructors_of_a_thread_on_its_way_out_are_stale() {
    /// Uses everything that it can get hold of, and then says so.
    struct Curious(
        Socket,
        Server,
        mpsc::Sender<(&'static str, bool)>,
        &'static str,
    );
    impl Drop for Curious {
        fn drop(&mut self) {
            let Curious(socket, server, tell, name) = self;
            socket.write("x");
            socket.write_then("x", |_| ());
            socket.end().destroy().resume().pause();
            socket.on(event::Data, |_| ());
            assert!(socket.remote_address().is_none() || !socket.destroyed());
            server.listen(0).close();
            net::connect(1);
            net::create_server(|_| ()).listen(0);
            timers::set_timeout(Duration::ZERO, || ()).refresh().clear();
            timers::set_immediate(|| ()).clear();
            timers::next_tick(|| ());
            let _gone = (
                soquete::remote().is_ok(),
                soquete::queue_work(|| (), |()| ()).is_ok(),
            );
            soquete::set_pool_size(2);
            soquete::on_unhandled_error(|_| ());
            soquete::stop();
            let _counted = (soquete::metrics(), soquete::now());
            let outlives_the_loop = soquete::remote().is_err();
            tell.send((name, outlives_the_loop)).unwrap();
        }
    }
    thread_local! {
        static EARLY: RefCell<Option<Curious>> = const { RefCell::new(None) };
        static LATE: RefCell<Option<Curious>> = const { RefCell::new(None) };
    }
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let curious = |name| {
            let socket = Socket::new();
            let server = net::create_server(|_| ()).listen(0);
            Curious(socket, server, tell.clone(), name)
        };
        // What is used first is destroyed last: one of these outlives the loop, one does not.
        EARLY.with_borrow(|_| ());
        EARLY.set(Some(curious("before the loop was made")));
        let held = curious("held by a listener");
        Socket::new().on(event::Data, move |_| {
            let _held = &held;
        });
        let by_timer = curious("held by a timer");
        timers::set_timeout(Duration::from_secs(3600), move || {
            let _held = &by_timer;
        });
        LATE.set(Some(curious("after the loop was made")));
    })
    .join()
    .expect("no destructor panics");
    let mut told: Vec<_> = told.iter().collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("after the loop was made", false),
            ("before the loop was made", true),
            ("held by a listener", true),
            ("held by a timer", true),
        ]
    );
}

#[test]
fn a_stale_handle_never_reaches_the_next_tenant_of_its_slot() {
    pair(|server, client| {
        client.resume();
        server.on(event::Close, move |_| {
            timers::set_immediate(move || {
                let next = Socket::new();
                assert_ne!(next, server);
                server.destroy().resume();
                server.on(event::Close, |_| note("never"));
                assert!(!server.write("x"));
                assert!(server.destroyed() && !next.destroyed());
                assert_eq!(next.listener_count(event::Close), 0);
                next.destroy();
                note("looked");
            });
        });
        server.destroy();
    });
    run_to_end();
    assert_eq!(record(), ["looked"]);
}

#[test]
fn a_server_whose_port_is_asked_for_at_once_has_it() {
    let server = net::create_server(|_| {}).listen(0);
    assert_ne!(port_of(server), 0);
    server.close();
    run_to_end();
}
