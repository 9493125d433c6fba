//! Groups of sockets to publish to: who is a member, who is sent what, and what slow ones cost.

use std::cell::{Cell, RefCell};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use soquete::net::{self, Data, Group, RemoteGroup, ServerOptions, Socket, SocketOptions};
use soquete::sim::World;
use soquete::{event, timers};

mod support;

use support::record::{collect, pattern};
use support::run_to_end;

/// Two ends of a connection: a member, and who hears what it is sent.
fn member_with(options: SocketOptions) -> (Socket, Socket) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let member = Socket::from_std_with(ours, options).unwrap();
    (member, Socket::from_std(theirs).unwrap())
}

fn member() -> (Socket, Socket) {
    member_with(SocketOptions::new())
}

#[test]
fn all_members_are_sent_the_same() {
    for size in [1, 1023, 1024, 300_000] {
        let group = Group::new();
        let payload = pattern(size);
        let heard: Vec<_> = (0..5)
            .map(|_| {
                let (member, peer) = member();
                assert!(group.add(member));
                collect(peer)
            })
            .collect();
        // Of each kind of payload, and in its order.
        assert_eq!(group.publish(&payload[..]), 5);
        assert_eq!(group.publish(payload.clone()), 5);
        assert_eq!(group.publish(Rc::<[u8]>::from(&payload[..])), 5);
        assert_eq!(group.publish(Arc::<[u8]>::from(&payload[..])), 5);
        assert_eq!(group.publish(Data::from_static(b"end")), 5);
        for member in group.members() {
            member.end();
        }
        run_to_end();
        let expected = [&payload[..], &payload, &payload, &payload, b"end"].concat();
        assert!(heard.iter().all(|heard| *heard.borrow() == expected));
        assert_eq!(group.len(), 0);
    }
}

#[test]
fn the_payload_is_shared_and_let_go() {
    let group = Group::new();
    let payload: Rc<[u8]> = pattern(300_000).into();
    for _ in 0..4 {
        let (member, peer) = member();
        group.add(member);
        peer.pause();
        timers::set_immediate(move || peer.resume());
    }
    assert_eq!(group.publish(&payload), 4);
    assert!(
        Rc::strong_count(&payload) > 4,
        "each has a share, and no copy"
    );
    let members = group.clone();
    timers::set_timeout(Duration::from_millis(30), move || {
        for member in members.members() {
            member.end();
        }
    });
    run_to_end();
    assert_eq!(Rc::strong_count(&payload), 1);
}

#[test]
fn a_socket_is_a_member_once_until_it_is_removed() {
    let group = Group::new();
    let ((first, a), (second, b), (third, c)) = (member(), member(), member());
    assert!(group.is_empty() && !group.remove(first));
    assert!(group.add(first) && !group.add(first) && group.add(second) && group.add(third));
    assert_eq!(group.len(), 3);
    assert!(group.remove(first) && !group.remove(first) && !group.contains(first));
    // The last one has taken its place.
    assert!(group.contains(third) && group.remove(third) && group.contains(second));
    assert_eq!(group.members(), [second]);
    assert_eq!(group.publish("x"), 1);
    for socket in [first, second, third, a, b, c] {
        socket.destroy();
    }
    assert!(!group.add(first), "it is destroyed");
    assert!(!group.contains(second) && group.is_empty());
    run_to_end();
}

#[test]
fn the_speaker_is_left_out() {
    let group = Group::new();
    let ends: Vec<_> = (0..3).map(|_| member()).collect();
    let heard: Vec<_> = ends
        .iter()
        .map(|(member, peer)| {
            group.add(*member);
            collect(*peer)
        })
        .collect();
    assert_eq!(group.publish_except(ends[1].0, "hello"), 2);
    let (stranger, _peer) = member();
    assert_eq!(group.publish_except(stranger, "!"), 3);
    for (member, _) in ends {
        member.end();
    }
    stranger.destroy();
    run_to_end();
    let heard: Vec<_> = heard.iter().map(|heard| heard.take()).collect();
    assert_eq!(heard, [&b"hello!"[..], b"!", b"hello!"]);
}

#[test]
fn those_that_have_ended_or_have_never_connected_are_passed_over_and_live() {
    let group = Group::new();
    let ((ended, peer), fresh) = (member(), Socket::new());
    ended.set_allow_half_open(true);
    peer.set_allow_half_open(true);
    ended.end();
    assert!(group.add(ended) && group.add(fresh));
    assert_eq!(group.publish("nobody hears it"), 0);
    assert!(!ended.destroyed() && !fresh.destroyed());
    assert_eq!(group.len(), 2);
    peer.resume().end();
    ended.resume();
    fresh.destroy();
    run_to_end();
    assert!(group.is_empty());
}

#[test]
fn what_is_published_to_a_socket_that_connects_is_sent_when_it_has() {
    let server = net::Server::new();
    server.listen(TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let heard = Rc::new(RefCell::new(None));
    let told = Rc::clone(&heard);
    server.on(event::Connection, move |socket| {
        told.replace(Some(collect(socket)));
        server.close();
    });
    let group = Group::new();
    let client = net::connect(server.address().unwrap());
    assert!(group.add(client));
    assert_eq!(group.publish("early"), 1);
    client.end();
    run_to_end();
    assert_eq!(*heard.take().expect("a connection").borrow(), b"early");
}

#[test]
fn a_member_that_does_not_read_is_cut_by_its_ceiling_and_the_others_go_on() {
    let group = Group::new();
    let (slow, peer) = member_with(SocketOptions::new().max_write_queue(1 << 20));
    peer.pause();
    let (quick, other) = member();
    let heard = collect(other);
    group.add(slow);
    group.add(quick);
    let code = Rc::new(Cell::new(None));
    let told = Rc::clone(&code);
    slow.on(event::Error, move |error| {
        told.set(Some(error.code() == "ERR_SOCKET_WRITE_QUEUE_FULL"));
    });
    let rounds = Rc::new(Cell::new(0));
    let (all, count) = (group.clone(), Rc::clone(&rounds));
    timers::set_interval(Duration::from_millis(1), move || {
        let reached = all.publish(pattern(100_000));
        count.set(count.get() + 1);
        assert_eq!(reached, all.len());
        if slow.destroyed() && count.get() > 30 {
            quick.end();
            peer.destroy();
            return soquete::Flow::Stop;
        }
        soquete::Flow::Continue
    });
    run_to_end();
    assert_eq!(code.get(), Some(true));
    assert_eq!(heard.borrow().len(), rounds.get() * 100_000);
}

#[test]
fn a_member_with_much_queued_is_passed_over_until_it_has_read() {
    let group = Group::new();
    assert_eq!(group.skip_above(), None);
    group.set_skip_above(Some(100_000));
    let (slow, peer) = member();
    group.add(slow);
    peer.pause();
    let mut sent = 0;
    while group.publish(vec![b'x'; 200_000]) == 1 {
        sent += 1;
        assert!(sent < 100, "it is never passed over");
    }
    assert!(!slow.destroyed());
    let heard = collect(peer);
    peer.resume();
    let rest = group.clone();
    slow.once(event::Drain, move |()| {
        assert_eq!(rest.publish("again"), 1);
        slow.end();
    });
    run_to_end();
    assert!(heard.borrow().ends_with(b"xagain"));
    assert_eq!(heard.borrow().len(), sent * 200_000 + 5);
}

#[test]
fn listeners_may_change_the_group_that_they_publish_to() {
    let group = Group::new();
    let ends: Rc<Vec<_>> = Rc::new((0..20).map(|_| member()).collect());
    for (place, (member, peer)) in ends.iter().enumerate() {
        group.add(*member);
        let (group, all, member) = (group.clone(), Rc::clone(&ends), *member);
        member.on(event::Error, |_| ());
        member.on(event::Data, move |_| {
            group.publish("to all");
            // One goes, one is taken out, and one comes again.
            all[(place + 1) % 20].0.destroy();
            group.remove(all[(place + 2) % 20].0);
            group.publish("to fewer");
            group.add(all[(place + 2) % 20].0);
        });
        let group_of_peer = Cell::new(false);
        peer.on(event::Data, move |_| {
            if !group_of_peer.replace(true) {
                member.destroy();
            }
        });
    }
    ends[0].1.write("go");
    ends[10].1.write("go");
    run_to_end();
    assert!(group.is_empty());
}

#[test]
fn those_that_have_gone_cost_nothing_though_nobody_publishes() {
    let group = Group::new();
    let (stays, _peer) = member();
    group.add(stays);
    for _ in 0..1000 {
        let (goes, _) = member();
        group.add(goes);
        goes.destroy();
    }
    let listed = format!("{group:?}");
    let listed: usize = listed
        .split(|c: char| !c.is_ascii_digit())
        .find_map(|number| number.parse().ok())
        .expect("a number of members");
    assert!(listed < 100, "{group:?}");
    assert_eq!(group.members(), [stays]);
    stays.destroy();
    run_to_end();
}

#[test]
fn other_threads_publish_by_a_handle() {
    const EACH: usize = 100;
    let group = Group::new();
    let (member, peer) = member();
    group.add(member);
    let heard = collect(peer);
    let remote = group.remote().unwrap();
    let threads: Vec<_> = (0..4_u8)
        .map(|thread| {
            let remote = remote.clone();
            thread::spawn(move || (0..EACH).for_each(|_| remote.publish([thread]).unwrap()))
        })
        .collect();
    drop(remote);
    let seen = Rc::clone(&heard);
    peer.on(event::Data, move |_| {
        if seen.borrow().len() == 4 * EACH {
            member.end();
        }
    });
    run_to_end();
    for thread in threads {
        thread.join().unwrap();
    }
    let heard = heard.borrow();
    assert!((0..4_u8).all(|thread| heard.iter().filter(|byte| **byte == thread).count() == EACH));
}

#[test]
fn one_copy_reaches_the_groups_of_several_loops() {
    let (sender, remotes) = mpsc::channel();
    let loops: Vec<_> = (0..3)
        .map(|_| {
            let sender = sender.clone();
            thread::spawn(move || {
                let group = Group::new();
                let (member, peer) = member();
                group.add(member);
                sender.send(group.remote().unwrap()).unwrap();
                let heard = collect(peer);
                let seen = Rc::clone(&heard);
                peer.on(event::Data, move |_| {
                    if seen.borrow().len() == 50_000 {
                        member.end();
                    }
                });
                run_to_end();
                heard.take()
            })
        })
        .collect();
    let groups: Vec<RemoteGroup> = remotes.iter().take(3).collect();
    let payload: Arc<[u8]> = pattern(50_000).into();
    for group in &groups {
        group.publish(Arc::clone(&payload)).unwrap();
    }
    drop(groups);
    for each in loops {
        assert_eq!(each.join().unwrap(), pattern(50_000));
    }
    assert_eq!(Arc::strong_count(&payload), 1);
}

#[test]
fn beyond_the_limit_of_a_handle_a_payload_comes_back_until_the_loop_has_taken_some() {
    let group = Group::new();
    let (member, peer) = member();
    group.add(member);
    let heard = collect(peer);
    let remote = group.remote_with(2).unwrap();
    for payload in [*b"a", *b"b"] {
        assert_eq!(remote.try_publish(payload).unwrap(), None);
    }
    let payload: Arc<[u8]> = Arc::from(&b"c"[..]);
    let back = remote.try_publish(Arc::clone(&payload)).unwrap();
    assert!(Arc::ptr_eq(&back.expect("there are two"), &payload));
    let error = remote
        .publish(Arc::clone(&payload))
        .expect_err("it is full");
    assert_eq!(error.code(), "ERR_CHANNEL_FULL");
    peer.once(event::Data, move |_| {
        assert_eq!(remote.try_publish(payload).unwrap(), None);
    });
    let seen = Rc::clone(&heard);
    peer.on(event::Data, move |_| {
        if seen.borrow().len() == 3 {
            member.end();
        }
    });
    run_to_end();
    assert_eq!(*heard.borrow(), b"abc");
}

#[test]
fn a_thread_that_publishes_beyond_the_limit_waits_for_the_loop() {
    const COUNT: u32 = 300;
    let group = Group::new();
    let (member, peer) = member();
    group.add(member);
    let heard = collect(peer);
    // One at least may wait.
    let remote = group.remote_with(0).unwrap();
    let (told, news) = mpsc::channel();
    let thread = thread::spawn(move || {
        for number in 0..COUNT {
            remote.publish(number.to_be_bytes()).unwrap();
            told.send(number).unwrap();
        }
    });
    // The loop does not run yet: one is taken, and the second one waits.
    assert_eq!(news.recv(), Ok(0));
    assert!(news.recv_timeout(Duration::from_millis(50)).is_err());
    let seen = Rc::clone(&heard);
    let expected: Vec<u8> = (0..COUNT).flat_map(u32::to_be_bytes).collect();
    let all = expected.len();
    peer.on(event::Data, move |_| {
        if seen.borrow().len() == all {
            member.end();
        }
    });
    run_to_end();
    thread.join().unwrap();
    assert_eq!(*heard.borrow(), expected);
}

#[test]
fn a_handle_of_a_thread_that_has_ended_says_so() {
    let remote = thread::spawn(|| {
        let remote = Group::new().remote().unwrap();
        remote.unref();
        run_to_end();
        remote
    });
    let remote = remote.join().unwrap();
    let errors = [
        remote.publish([1]).expect_err("the thread has ended"),
        remote.try_publish([1]).expect_err("the thread has ended"),
    ];
    assert!(
        errors
            .iter()
            .all(|error| error.code() == "ERR_CHANNEL_CLOSED")
    );
}

#[test]
fn in_a_simulated_world_each_hears_all_in_its_order_whoever_goes() {
    for seed in 0..30 {
        let report = World::seed(seed)
            .latency(Duration::from_millis(1)..=Duration::from_millis(40))
            .run(|| {
                let room = Group::new();
                let members = room.clone();
                let options = ServerOptions::new().max_write_queue(1 << 20);
                let server = net::create_server_with(options, move |socket| {
                    members.add(socket);
                    socket.on(event::Error, |_| ());
                    socket.resume();
                });
                server.listen(("10.0.0.1", 80));
                server.on(event::Listening, move |()| {
                    for client in 0..10_u64 {
                        let socket = net::connect(("10.0.0.1", 80));
                        let heard = collect(socket);
                        socket.on(event::Error, |_| ());
                        timers::set_timeout(Duration::from_millis(300 + 70 * client), move || {
                            socket.destroy();
                        });
                        socket.on(event::Close, move |_| {
                            let heard = heard.borrow();
                            let mut pairs = heard.windows(2);
                            assert!(pairs.all(|pair| pair[1] == pair[0].wrapping_add(1)));
                            assert!(heard.len() > 20 + client as usize);
                        });
                    }
                    let mut round = 0_u8;
                    let room = room.clone();
                    timers::set_interval(Duration::from_millis(7), move || {
                        room.publish(&[round]);
                        round = round.wrapping_add(1);
                        if round > 200 && room.is_empty() {
                            server.close();
                            return soquete::Flow::Stop;
                        }
                        soquete::Flow::Continue
                    });
                });
            });
        report.check();
    }
}
