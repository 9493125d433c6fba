//! Descriptors that are no sockets: watched, lent, given back.

mod support;

use std::cell::Cell;
use std::io::{self, PipeReader, Read, Write};
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use soquete::{Error, Flow, Interest, Watch, timers};
use support::{note, record, run_to_end};

const READABLE: Interest = Interest::READABLE;

/// Reads `count` bytes and tells of them.
fn take(source: &mut impl Read, count: usize) -> soquete::Result<Flow> {
    let mut buffer = vec![0; count];
    let count = source.read(&mut buffer)?;
    note(String::from_utf8_lossy(&buffer[..count]));
    Ok(if count == 0 {
        Flow::Stop
    } else {
        Flow::Continue
    })
}

#[test]
fn what_is_left_unread_brings_the_listener_back() {
    let (reader, mut writer) = io::pipe().unwrap();
    soquete::watch(reader, READABLE, |reader, ready| {
        assert!(ready.readable && !ready.writable);
        take(reader, 2)
    })
    .unwrap();
    writer.write_all(b"abcde").unwrap();
    drop(writer);
    run_to_end();
    assert_eq!(record(), ["ab", "cd", "e", ""]);
}

#[test]
fn a_listener_that_reads_nothing_at_first_is_called_again() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut calls = 0;
    soquete::watch(reader, READABLE, move |reader, _| {
        calls += 1;
        if calls < 3 {
            return Ok(Flow::Continue);
        }
        take(reader, 1).map(|_| Flow::Stop)
    })
    .unwrap();
    writer.write_all(b"x").unwrap();
    run_to_end();
    assert_eq!(record(), ["x"]);
}

#[test]
fn a_udp_socket_hears_and_answers() {
    let ours = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let peer = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let at = ours.local_addr().unwrap();
    let watched = soquete::watch(ours, READABLE, |socket, _| {
        let mut buffer = [0; 64];
        let (count, from) = socket.recv_from(&mut buffer)?;
        note(String::from_utf8_lossy(&buffer[..count]));
        socket.send_to(b"answer", from)?;
        Ok(Flow::Stop)
    });
    peer.send_to(b"question", at).unwrap();
    run_to_end();
    let mut buffer = [0; 64];
    assert_eq!(peer.recv(&mut buffer).unwrap(), 6);
    assert_eq!(record(), ["question"]);
    assert_eq!(watched.unwrap().interest(), Interest::NONE, "it has closed");
}

#[test]
fn a_file_is_refused_with_a_reason_and_leaves_nothing() {
    let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let error = soquete::watch(file, READABLE, |_, _| {}).unwrap_err();
    assert_eq!((error.code(), error.errno()), ("EPERM", Some(1)));
    assert_eq!(error.syscall(), Some("watch"));
    assert!(error.to_string().contains("cannot be polled"), "{error}");
    run_to_end();
}

#[test]
fn a_descriptor_is_watched_once() {
    let (reader, _writer) = io::pipe().unwrap();
    let shared = Rc::new(OwnedFd::from(reader));
    let first = soquete::watch(Rc::clone(&shared), READABLE, |_, _| {}).unwrap();
    let error = soquete::watch(shared, READABLE, |_, _| {}).unwrap_err();
    assert_eq!(error.code(), "EEXIST");
    assert!(first.close().is_some(), "the first is there still");
    run_to_end();
}

#[test]
fn the_source_is_lent_and_given_back() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let watched = soquete::watch(ours, READABLE, |_, _| {}).unwrap();
    assert!(
        watched
            .with(|stream| stream.write_all(b"hello").is_ok())
            .unwrap()
    );
    watched.with(|_| assert!(watched.with(|_| ()).is_none(), "it is lent already"));
    let mut buffer = [0; 5];
    theirs.read_exact(&mut buffer).unwrap();
    let mut back = watched.close().unwrap();
    assert!(watched.close().is_none() && watched.with(|_| ()).is_none());
    back.write_all(b"again").unwrap();
    theirs.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"again");
    run_to_end();
}

#[test]
fn closing_in_the_listener_drops_the_source_when_it_returns() {
    let (reader, mut writer) = io::pipe().unwrap();
    let watched = Rc::new(Cell::new(None::<Watch<PipeReader>>));
    let inside = Rc::clone(&watched);
    watched.set(Some(
        soquete::watch(reader, READABLE, move |reader, _| {
            let watched = inside.get().unwrap();
            assert!(watched.close().is_none(), "the listener has it");
            take(reader, 8)
        })
        .unwrap(),
    ));
    writer.write_all(b"last").unwrap();
    run_to_end();
    assert_eq!(record(), ["last"]);
    let gone = writer.write_all(b"x").unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn interest_comes_and_goes() {
    let (reader, mut writer) = io::pipe().unwrap();
    let watched = soquete::watch(reader, Interest::NONE, |reader, _| take(reader, 8)).unwrap();
    writer.write_all(b"late").unwrap();
    // Nothing is wanted, so nothing keeps the loop alive.
    run_to_end_but_for(1);
    assert!(record().is_empty());
    watched.set_interest(READABLE).unwrap();
    timers::set_timeout(std::time::Duration::from_millis(5), move || {
        watched.set_interest(Interest::NONE).unwrap();
    });
    run_to_end_but_for(1);
    assert_eq!(record(), ["late"]);
    watched.close();
    run_to_end();
}

/// Runs to the end, where so many handles stay.
fn run_to_end_but_for(handles: usize) {
    support::run_on().unwrap();
    assert_eq!(soquete::metrics().open_handles, handles);
}

#[test]
fn a_writer_is_told_when_there_is_room() {
    let (reader, writer) = io::pipe().unwrap();
    let watched = soquete::watch(writer, Interest::WRITABLE, |writer, ready| {
        assert!(ready.writable && !ready.readable);
        writer.write_all(b"room")?;
        Ok(Flow::Stop)
    });
    soquete::watch(reader, READABLE, |reader, _| take(reader, 8)).unwrap();
    run_to_end();
    assert_eq!(record(), ["room", ""]);
    assert!(!watched.unwrap().has_ref());
}

#[test]
fn a_writer_whose_reader_has_gone_is_told() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    soquete::watch(writer, Interest::WRITABLE, |writer, ready| {
        assert!(ready.closed && ready.writable);
        note(format!("{:?}", writer.write(b"x").unwrap_err().kind()));
        Flow::Stop
    })
    .unwrap();
    run_to_end();
    assert_eq!(record(), ["BrokenPipe"]);
}

#[test]
fn one_that_is_unreferenced_keeps_no_loop_alive() {
    let (reader, _writer) = io::pipe().unwrap();
    let watched = soquete::watch(reader, READABLE, |_, _| {}).unwrap();
    assert!(soquete::is_alive());
    watched.unref();
    assert!(!soquete::is_alive() && !watched.has_ref());
    run_to_end_but_for(1);
    watched.ref_();
    assert!(soquete::is_alive());
    watched.close();
    run_to_end();
}

#[test]
fn an_error_of_the_listener_is_uncaught_and_the_watch_goes_on() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut first = true;
    soquete::watch(reader, READABLE, move |reader, _| {
        if std::mem::take(&mut first) {
            return Err(Error::new("MINE", "the first time"));
        }
        take(reader, 8).map(|_| Flow::Stop)
    })
    .unwrap();
    writer.write_all(b"again").unwrap();
    assert_eq!(support::run_on().unwrap_err().code(), "MINE");
    run_to_end();
    assert_eq!(record(), ["again"]);
}

#[test]
fn a_panic_of_the_listener_leaves_the_source_where_it_was() {
    let (reader, mut writer) = io::pipe().unwrap();
    let mut first = true;
    let watched = soquete::watch(reader, READABLE, move |reader, _| {
        assert!(!std::mem::take(&mut first), "the first time");
        take(reader, 8).map(|_| Flow::Stop)
    });
    writer.write_all(b"kept").unwrap();
    let run = std::panic::AssertUnwindSafe(support::run_on);
    assert!(std::panic::catch_unwind(run).is_err());
    let lent = watched.unwrap().with(|_| ());
    assert!(lent.is_some());
    run_to_end();
    assert_eq!(record(), ["kept"]);
}

#[test]
fn a_panic_in_with_leaves_the_source_where_it_was() {
    let (reader, _writer) = io::pipe().unwrap();
    let watched = soquete::watch(reader, READABLE, |_, _| {}).unwrap();
    let panics = || watched.with(|_| -> () { panic!("of the user's") });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    assert!(watched.close().is_some());
    run_to_end();
}

#[test]
fn a_source_that_is_replaced_is_watched_in_its_place() {
    let (first, mut first_writer) = io::pipe().unwrap();
    let (second, mut second_writer) = io::pipe().unwrap();
    let watched = soquete::watch(first, READABLE, |reader, _| take(reader, 8)).unwrap();
    watched.with(|reader| *reader = second);
    assert!(first_writer.write_all(b"nobody").is_err());
    second_writer.write_all(b"somebody").unwrap();
    drop(second_writer);
    run_to_end();
    assert_eq!(record(), ["somebody", ""]);
}

#[test]
fn a_tick_of_a_listener_comes_before_the_next_call() {
    let (reader, mut writer) = io::pipe().unwrap();
    soquete::watch(reader, READABLE, |reader, _| {
        timers::next_tick(|| note("tick"));
        take(reader, 1)
    })
    .unwrap();
    writer.write_all(b"ab").unwrap();
    drop(writer);
    run_to_end();
    assert_eq!(record(), ["a", "tick", "b", "tick", "", "tick"]);
}
