//! Signals as callbacks of the loop. Each test has a signal of its own: all tests are one process.

mod support;

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::rc::Rc;

use signal_hook::low_level::raise;
use soquete::signals::{
    self, SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGURG, SIGUSR1, SIGUSR2, SIGWINCH,
};
use soquete::{Error, Flow, timers};
use support::{note, record, run_to_end};

#[test]
fn each_signal_is_a_call_with_its_ticks() {
    let mut calls = 0;
    let signal = signals::on(SIGUSR1, move || {
        calls += 1;
        note(format!("call {calls}"));
        timers::next_tick(|| note("tick"));
        if calls == 2 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    signal.unwrap().ref_();
    raise(SIGUSR1).unwrap();
    raise(SIGUSR1).unwrap();
    run_to_end();
    assert_eq!(record(), ["call 1", "tick", "call 2", "tick"]);
}

#[test]
fn a_loop_that_waits_is_woken() {
    let signal = signals::on(SIGUSR2, || {
        note("woken");
        Flow::Stop
    });
    signal.unwrap().ref_();
    let raiser = std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        raise(SIGUSR2).unwrap();
    });
    run_to_end();
    raiser.join().unwrap();
    assert_eq!(record(), ["woken"]);
}

#[test]
fn waiting_for_a_signal_keeps_no_loop_alive() {
    let signal = signals::on(SIGWINCH, || {}).unwrap();
    assert!(!signal.has_ref() && !soquete::is_alive());
    assert!(signal.ref_().has_ref() && soquete::is_alive());
    signal.unref();
    soquete::run().unwrap();
    signal.off();
    run_to_end();
}

#[test]
fn several_callbacks_of_one_signal_are_all_called() {
    let calls = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let calls = Rc::clone(&calls);
        let signal = signals::on(SIGURG, move || {
            calls.set(calls.get() + 1);
            Flow::Stop
        });
        signal.unwrap().ref_();
    }
    let off = signals::on(SIGURG, || note("it is off")).unwrap().ref_();
    off.off();
    off.off();
    raise(SIGURG).unwrap();
    run_to_end();
    assert_eq!((calls.get(), record().len()), (3, 0));
}

#[test]
fn what_is_no_signal_or_cannot_be_handled_is_an_error() {
    for signal in [-1, 0, 9, 19, 11, 4, 8, 65, 9999, i32::MAX, i32::MIN] {
        let error = signals::on(signal, || {}).unwrap_err();
        assert_eq!((error.code(), error.syscall()), ("EINVAL", Some("signal")));
        assert!(error.to_string().contains(&signal.to_string()), "{error}");
    }
    run_to_end();
}

#[test]
fn an_error_of_a_callback_is_uncaught() {
    let signal = signals::on(SIGCHLD, || Err::<(), _>(Error::new("MINE", "of the test")));
    let signal = signal.unwrap().ref_();
    raise(SIGCHLD).unwrap();
    assert_eq!(support::run_on().unwrap_err().code(), "MINE");
    signal.off();
    run_to_end();
}

/// In a process of its own, which the default action ends.
#[test]
fn with_the_last_callback_the_default_comes_back() {
    const CHILD: &str = "SOQUETE_SIGNALS_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let (first, second) = (signals::on(SIGTERM, || {}), signals::on(SIGTERM, || {}));
        first.unwrap().off();
        raise(SIGTERM).unwrap();
        soquete::run_nowait().unwrap();
        second.unwrap().off();
        // Again, and away again with the loop's thread.
        std::thread::spawn(|| signals::on(SIGTERM, || {}).map(drop))
            .join()
            .unwrap()
            .unwrap();
        raise(SIGTERM).unwrap();
        std::process::exit(1);
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "with_the_last_callback_the_default_comes_back"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(child.signal(), Some(SIGTERM), "{child}");
}

#[test]
fn two_loops_hear_the_same_signal() {
    let listen = || {
        let signal = signals::on(SIGHUP, || Flow::Stop).unwrap().ref_();
        (signal, soquete::remote().unwrap())
    };
    let (ready, started) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let (_signal, remote) = listen();
        drop(remote);
        ready.send(()).unwrap();
        soquete::run()
    });
    started.recv().unwrap();
    signals::on(SIGHUP, || Flow::Stop).unwrap().ref_();
    raise(SIGHUP).unwrap();
    run_to_end();
    other.join().unwrap().unwrap();
}

#[test]
fn a_server_shuts_down_on_a_signal() {
    let server = soquete::net::create_server(|_| {});
    signals::on(SIGINT, move || server.close()).unwrap();
    support::listening_on(server, "127.0.0.1", |_, _| raise(SIGINT).unwrap());
    support::run_on().unwrap();
    assert_eq!(server.address(), None);
}
