//! Sockets of descriptors that are there already, and descriptors of sockets.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use soquete::framing::{Flow, FrameReader, Lines};
use soquete::net::{ServerOptions, Socket, SocketOptions, StdStream};
use soquete::{event, net, timers};

mod support;

use support::record::{Record, one_shot_server, pattern};
use support::{pair, port_of, run_to_end};

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = TcpStream::connect(listener.local_addr().unwrap()).expect("it listens");
    let (server, _) = listener.accept().expect("somebody has connected");
    (server, client)
}

#[test]
fn a_std_stream_becomes_a_socket_that_reads_what_was_there_before() {
    let (ours, mut theirs) = tcp_pair();
    theirs.write_all(b"early").unwrap();
    drop(theirs);
    let record = Record::default();
    let events = record.clone();
    let socket = Socket::from_std(ours).expect("it is connected");
    record.watch("socket", socket);
    assert!(
        socket
            .remote_address()
            .is_some_and(|address| address.is_loopback())
    );
    socket.on(event::Data, move |chunk| {
        events.note(String::from_utf8_lossy(chunk))
    });
    run_to_end();
    assert_eq!(
        record.text(),
        "socket.resume early socket.end socket.prefinish socket.finish socket.close(false)"
    );
}

#[test]
fn a_unix_stream_becomes_a_socket() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let peer = thread::spawn(move || {
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        text
    });
    let options = SocketOptions::new().high_water_mark(10);
    let socket = Socket::from_std_with(ours, options).expect("it is connected");
    assert_eq!(socket.writable_high_water_mark(), 10);
    socket.end_with("over a pair");
    run_to_end();
    assert_eq!(peer.join().unwrap(), "over a pair");
}

#[test]
fn the_kind_of_a_descriptor_is_found_out() {
    let (tcp, _peer) = tcp_pair();
    let (unix, _other) = UnixStream::pair().unwrap();
    assert!(matches!(
        StdStream::try_from(OwnedFd::from(tcp)),
        Ok(StdStream::Tcp(_))
    ));
    assert!(matches!(
        StdStream::try_from(OwnedFd::from(unix)),
        Ok(StdStream::Unix(_))
    ));
}

#[test]
fn a_descriptor_that_is_no_stream_is_refused() {
    let file = std::fs::File::open("Cargo.toml").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (pipe, _end) = std::io::pipe().unwrap();
    let refused: [(OwnedFd, &str); 3] = [
        (file.into(), "Unsupported fd type: FILE"),
        (udp.into(), "Unsupported fd type: UDP"),
        (pipe.into(), "Unsupported fd type: PIPE"),
    ];
    for (descriptor, message) in refused {
        let error = StdStream::try_from(descriptor).expect_err(message);
        assert_eq!(error.code(), "ERR_INVALID_FD_TYPE");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_stream_that_was_taken_out_is_still_connected_and_the_socket_closes() {
    let record = Record::default();
    let events = record.clone();
    let server = one_shot_server(ServerOptions::new().pause_on_connect(true), move |socket| {
        events.watch("socket", socket);
        let stream = socket.into_std().expect("nothing was read");
        assert!(socket.destroyed());
        let error = socket.into_std().expect_err("it is gone");
        assert_eq!(error.code(), "ERR_SOCKET_CLOSED");
        let StdStream::Tcp(mut stream) = stream else {
            panic!("it was TCP");
        };
        thread::spawn(move || {
            let mut text = [0; 4];
            stream.read_exact(&mut text).expect("a blocking stream");
            stream
                .write_all(&text.map(|byte| byte.to_ascii_uppercase()))
                .unwrap();
        });
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.write("ping");
    let answer = record.clone();
    client.on(event::Data, move |chunk| {
        answer.note(String::from_utf8_lossy(chunk));
        client.end();
    });
    run_to_end();
    assert_eq!(record.text(), "socket.close(false) PING");
}

#[test]
fn a_connection_is_handed_to_the_loop_of_another_thread() {
    let (send_remote, remotes) = mpsc::channel();
    let other = thread::spawn(move || {
        send_remote.send(soquete::remote().unwrap()).unwrap();
        run_to_end();
    });
    let remote = remotes.recv().unwrap();
    let server = one_shot_server(ServerOptions::new().pause_on_connect(true), move |socket| {
        let stream = socket.into_std().expect("nothing was read");
        let here = thread::current().id();
        let posted = remote.post(move || {
            assert_ne!(thread::current().id(), here);
            let socket = Socket::from_std(stream).expect("a connected stream");
            socket.pipe(socket);
        });
        posted.unwrap();
    });
    let client = net::connect(("127.0.0.1", port_of(server)));
    let (sent, received) = (pattern(1 << 20), Rc::new(Cell::new(0)));
    let count = Rc::clone(&received);
    client.on(event::Data, move |chunk| {
        count.set(count.get() + chunk.len())
    });
    client.end_with(sent);
    run_to_end();
    other.join().unwrap();
    assert_eq!(received.get(), 1 << 20);
}

#[test]
fn what_frames_have_not_delivered_is_not_lost() {
    pair(|socket, peer| {
        let mut peer_writes = ["wo\nth", "ree\n"].into_iter();
        peer.write("one\nt");
        socket.frames(FrameReader::new(Lines::new(), 100), move |line| {
            let error = socket.into_std().expect_err("there may be more");
            assert_eq!(error.code(), "ERR_SOCKET_NOT_IDLE");
            if line == b"three" {
                return timers::next_tick(move || {
                    socket.into_std().expect("now there is nothing");
                    peer.destroy();
                });
            }
            timers::next_tick(move || {
                socket.into_std().expect_err("a frame has begun");
            });
            peer.write(peer_writes.next().unwrap());
        });
    });
    run_to_end();
}

#[test]
fn a_frame_that_the_peers_end_has_ended_was_delivered_in_full() {
    pair(|socket, peer| {
        socket.set_allow_half_open(true);
        peer.end_with("no line end");
        let lines = FrameReader::new(Lines::new().remainder_at_end(), 100);
        socket.frames(lines, move |line| {
            assert_eq!(line, b"no line end");
            timers::next_tick(move || {
                socket.into_std().expect("all was delivered");
            });
        });
    });
    run_to_end();
}

#[test]
fn a_change_of_format_leaves_a_socket_that_can_be_handed_over() {
    pair(|socket, peer| {
        peer.write("upgrade\n");
        socket.frames(FrameReader::new(Lines::new(), 100), move |_| {
            timers::next_tick(move || {
                socket.into_std().expect("the framing is over");
                peer.destroy();
            });
            Flow::Stop
        });
    });
    run_to_end();
}

#[test]
fn what_was_read_and_not_consumed_is_not_lost() {
    pair(|socket, peer| {
        socket.pause();
        peer.write("unread");
        timers::set_timeout(Duration::from_millis(20), move || {
            assert_eq!(socket.readable_length(), 6);
            let error = socket.into_std().expect_err("it would be lost");
            assert_eq!(error.code(), "ERR_SOCKET_NOT_IDLE");
            assert_eq!(
                error.to_string(),
                "6 bytes that were read have not been consumed"
            );
            assert!(!socket.destroyed(), "it goes on");
            assert_eq!(socket.read(), Some(b"unread".to_vec()));
            socket.into_std().expect("now it can");
            peer.destroy();
        });
    });
    run_to_end();
}

#[test]
fn half_a_character_is_not_lost() {
    pair(|socket, peer| {
        socket.on(event::Text, move |text| {
            assert_eq!(text, "ol");
            let error = socket
                .into_std()
                .expect_err("the rest of a character is to come");
            assert_eq!(error.code(), "ERR_SOCKET_NOT_IDLE");
            peer.destroy();
            socket.destroy();
        });
        peer.write(b"ol\xc3");
    });
    run_to_end();
}

#[test]
fn what_was_written_and_not_sent_is_not_lost() {
    pair(|socket, peer| {
        peer.pause();
        while socket.write(vec![1; 1 << 20]) {}
        let error = socket.into_std().expect_err("it would be lost");
        assert_eq!(error.code(), "ERR_SOCKET_NOT_IDLE");
        peer.resume();
        socket.on(event::Drain, move |()| {
            // What the kernel has taken is its own business.
            socket.write("the last");
            socket.into_std().expect("all was sent");
        });
        let last = Rc::new(Cell::new(0));
        let seen = Rc::clone(&last);
        peer.on(event::Data, move |chunk| seen.set(chunk[chunk.len() - 1]));
        peer.on(event::Close, move |_| assert_eq!(last.get(), b't'));
    });
    run_to_end();
}

#[test]
fn a_socket_that_is_ending_or_not_connected_cannot_be_taken_out() {
    pair(|socket, _peer| {
        socket.end();
        let error = socket.into_std().expect_err("its end is under way");
        assert_eq!(error.to_string(), "the socket is ending");
    });
    let fresh = Socket::new();
    assert_eq!(
        fresh.into_std().expect_err("there is nothing").code(),
        "ERR_SOCKET_CLOSED"
    );
    fresh.destroy();
    run_to_end();
}

#[test]
fn taking_out_inside_data_leaves_the_rest_to_the_stream() {
    let all = Rc::new(Cell::new(0));
    let sum = Rc::clone(&all);
    let server = one_shot_server(ServerOptions::new(), move |socket| {
        let taken = Rc::new(Cell::new(0));
        socket.on(event::Data, move |chunk| {
            taken.set(taken.get() + chunk.len());
            let Ok(StdStream::Tcp(mut stream)) = socket.into_std() else {
                panic!("what was read has been consumed");
            };
            let rest = thread::spawn(move || {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).unwrap();
                rest.len()
            });
            let (before, sum) = (taken.get(), Rc::clone(&sum));
            timers::set_immediate(move || sum.set(before + rest.join().unwrap()));
        });
    });
    let port = port_of(server);
    let peer = thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(&pattern(4 << 20)).unwrap();
    });
    run_to_end();
    peer.join().unwrap();
    assert_eq!(all.get(), 4 << 20);
}

#[test]
fn a_duplicate_that_outlives_its_socket_wakes_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (kept, _) = listener.accept().unwrap();
    let socket = Socket::from_std(kept.try_clone().unwrap()).unwrap();
    socket.destroy();
    let server = net::create_server(|_| panic!("nobody listens"));
    let port = listener.local_addr().unwrap().port();
    server.listen(listener.try_clone().unwrap());
    server.close();
    run_to_end();
    let before = soquete::metrics().events;
    peer.write_all(b"x").unwrap();
    let _other = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // A loop that nothing keeps alive would not look.
    soquete::timers::set_immediate(|| ());
    soquete::run_nowait().unwrap();
    assert_eq!(soquete::metrics().events, before);
    drop(kept);
}
