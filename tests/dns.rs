//! Looking names up: what is answered at once, what the resolver is asked for, and that nobody waits
//! for somebody else's answer.

mod support;

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use soquete::dns::{self, LookupOptions, Order};
use soquete::net::{self, ConnectOptions, Family};
use soquete::{event, timers};
use support::{note, record, run_to_end};

fn resolve(host: &str, options: LookupOptions) -> soquete::Result<Vec<IpAddr>> {
    let answer = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&answer);
    dns::lookup_with(host, options, move |found| {
        slot.replace(Some(found));
    });
    run_to_end();
    let answer = answer.take();
    answer.expect("an answer")
}

fn threads() -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let mine = tasks.flatten().filter(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        name.starts_with("soquete-work")
    });
    mine.count()
}

#[test]
fn an_ip_address_is_answered_on_the_next_tick_and_by_no_thread() {
    dns::lookup("::1", |found| {
        assert_eq!(found.unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
        note("answer");
    });
    timers::next_tick(|| note("tick"));
    timers::set_immediate(|| note("immediate"));
    note("called");
    run_to_end();
    assert_eq!(record(), ["called", "answer", "tick", "immediate"]);
}

#[test]
fn localhost_is_this_machine() {
    let all = resolve("localhost", LookupOptions::new().all(true)).unwrap();
    assert!(all.iter().all(IpAddr::is_loopback), "{all:?}");
    let one = resolve("localhost", LookupOptions::new()).unwrap();
    assert_eq!(one, all[..1]);
    let v4 = resolve(
        "localhost",
        LookupOptions::new().family(Family::V4).all(true),
    )
    .unwrap();
    assert_eq!(v4, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
}

#[test]
fn an_order_is_asked_for_or_set_for_the_thread() {
    let all = LookupOptions::new().all(true);
    let is_sorted = |addresses: &[IpAddr], v4_first: bool| {
        addresses.is_sorted_by_key(|address| address.is_ipv4() != v4_first)
    };
    assert_eq!(dns::get_default_result_order(), Order::Verbatim);
    let v4 = resolve("localhost", all.order(Order::Ipv4First)).unwrap();
    assert!(is_sorted(&v4, true), "{v4:?}");
    dns::set_default_result_order(Order::Ipv6First);
    assert_eq!(dns::get_default_result_order(), Order::Ipv6First);
    let v6 = resolve("localhost", all).unwrap();
    assert!(is_sorted(&v6, false), "{v6:?}");
    let other = std::thread::spawn(dns::get_default_result_order);
    assert_eq!(
        other.join().unwrap(),
        Order::Verbatim,
        "each thread has its own"
    );
}

#[test]
fn a_name_that_cannot_be_one_has_nodes_error() {
    for (host, problem) in [
        (
            "",
            "The argument 'hostname' must be a non-empty string. Received ''",
        ),
        (
            "a\0b",
            r"The argument 'hostname' must be a string without null bytes. Received 'a\x00b'",
        ),
    ] {
        let error = resolve(host, LookupOptions::new()).unwrap_err();
        assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
        assert_eq!(error.to_string(), problem);
    }
    // Longer than a label may be: no server has to be asked.
    let long = "x".repeat(70);
    let error = resolve(&long, LookupOptions::new()).unwrap_err();
    assert_eq!(error.syscall(), Some("getaddrinfo"));
    assert_eq!(error.hostname(), Some(long.as_str()));
    assert_eq!(
        error.to_string(),
        format!("getaddrinfo {} {long}", error.code())
    );
    assert!(
        ["ENOTFOUND", "EAI_AGAIN"].contains(&error.code()),
        "{error}"
    );
}

#[test]
fn a_failed_lookup_is_told_before_the_error() {
    let long = "x".repeat(70);
    let client = net::connect((long.as_str(), 1));
    client.on(event::Lookup, |found| {
        note(format!("lookup {}", found.address.is_err()));
    });
    client.on(event::Error, |error| {
        assert_eq!((error.address(), error.port()), (None, None));
        note("error");
    });
    client.on(event::Close, |had_error| note(format!("close {had_error}")));
    run_to_end();
    assert_eq!(record(), ["lookup true", "error", "close true"]);
}

#[test]
fn a_thousand_lookups_share_the_threads_of_the_pool() {
    // By itself, for the threads of the whole process are counted.
    let test = "a_thousand_lookups_share_the_threads_of_the_pool";
    if std::env::var_os("SOQUETE_ALONE").is_none() {
        return support::in_a_process(test, ("SOQUETE_ALONE", "1"), None);
    }
    // Each in a spelling of its own.
    let names = (0..1000u32).map(|number| {
        let letter = |(index, letter): (usize, char)| match number >> (index % 9) & 1 {
            0 => letter.to_ascii_uppercase(),
            _ => letter,
        };
        let name: String = "localhost".chars().enumerate().map(letter).collect();
        let options = LookupOptions::new();
        (
            name,
            if number < 512 {
                options.family(Family::V4)
            } else {
                options
            },
        )
    });
    look_up_all(names);
}

#[test]
fn a_thousand_lookups_of_one_name_are_one() {
    let test = "a_thousand_lookups_of_one_name_are_one";
    if std::env::var_os("SOQUETE_ALONE").is_none() {
        return support::in_a_process(test, ("SOQUETE_ALONE", "2"), None);
    }
    look_up_all((0..1000).map(|_| ("localhost".to_owned(), LookupOptions::new())));
}

fn look_up_all(names: impl Iterator<Item = (String, LookupOptions)>) {
    soquete::set_pool_size(3);
    let (answers, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for (name, options) in names {
        let (answers, most) = (Rc::clone(&answers), Rc::clone(&most));
        dns::lookup_with(&name, options, move |found| {
            assert!(found.unwrap()[0].is_loopback());
            answers.set(answers.get() + 1);
            most.set(most.get().max(threads()));
        });
    }
    run_to_end();
    assert_eq!(answers.get(), 1000);
    if cfg!(target_os = "linux") {
        let of_one_name = std::env::var("SOQUETE_ALONE").is_ok_and(|test| test == "2");
        let threads = if of_one_name { 1..=1 } else { 2..=3 };
        assert!(threads.contains(&most.get()), "{} threads", most.get());
    }
}

/// Each of many who wait for one answer gets it by itself, in its options, and ticks come between.
#[test]
fn answers_that_are_shared_are_delivered_one_by_one() {
    for all in [true, false] {
        let options = LookupOptions::new().all(all).order(dns::Order::Ipv4First);
        dns::lookup_with("localhost", options, move |found| {
            let found = found.unwrap();
            assert!(all || found.len() == 1);
            note(format!("{all} {}", found[0].is_ipv4()));
            soquete::timers::next_tick(|| note("tick"));
        });
    }
    dns::lookup("localhost", |_| -> () { panic!("of the user's") });
    dns::lookup("localhost", |_| note("the last"));
    let run = std::panic::AssertUnwindSafe(support::run_on);
    assert!(std::panic::catch_unwind(run).is_err());
    run_to_end();
    let expected = ["true true", "tick", "false true", "tick", "the last"];
    assert_eq!(support::record(), expected);
}

#[test]
fn a_lookup_that_takes_long_does_not_hold_the_loop_up() {
    let begin = Instant::now();
    let slow = ConnectOptions::new(1).host("slow").lookup(|_, _, done| {
        let work = || std::thread::sleep(Duration::from_secs(1));
        let found = vec!["127.0.0.1".parse().unwrap()];
        soquete::queue_work(work, move |()| done(Ok(found))).unwrap();
    });
    net::connect(slow).on(event::Error, move |error| {
        assert_eq!(error.code(), "ECONNREFUSED");
        note(format!(
            "slow after a second: {}",
            begin.elapsed() >= Duration::from_secs(1)
        ));
    });
    support::echo_server(move |server, port| {
        let client = net::connect(("127.0.0.1", port));
        let rounds = Cell::new(0);
        client.write("ping");
        client.on(event::Data, move |_| {
            rounds.set(rounds.get() + 1);
            if rounds.get() < 100 {
                client.write("ping");
            } else {
                note(format!(
                    "100 rounds at once: {}",
                    begin.elapsed() < Duration::from_secs(1)
                ));
                client.end();
                server.close();
            }
        });
    });
    // Another lookup does not wait for the slow one, either.
    dns::lookup("localhost", |_| note("localhost"));
    run_to_end();
    let mut record = record();
    assert_eq!(record.pop().as_deref(), Some("slow after a second: true"));
    record.sort();
    assert_eq!(record, ["100 rounds at once: true", "localhost"]);
}

#[test]
fn a_lookup_that_is_not_waited_for_keeps_the_loop_until_it_is_answered() {
    let client = net::connect(("localhost", 1));
    client.on(event::Lookup, |_| note("lookup"));
    client.on(event::Close, |_| note("close"));
    client.destroy();
    run_to_end();
    assert_eq!(record(), ["close"]);
    // The answer was among what the loop has seen: nothing is left to come.
    let seen = soquete::metrics().events;
    assert!(seen > 0);
    std::thread::sleep(Duration::from_millis(50));
    // A loop that nothing keeps alive would not look.
    soquete::timers::set_immediate(|| ());
    soquete::run_nowait().unwrap();
    assert_eq!(soquete::metrics().events, seen);
}
