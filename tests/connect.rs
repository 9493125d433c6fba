//! Connecting: what is refused before it begins, and that nothing is left behind, wherever it ends.

mod support;

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::rc::Rc;
use std::time::Duration;

use soquete::net::{self, AbortController, BoundSocket, ConnectOptions, Socket};
use soquete::{Error, event, timers};
use support::{listening_on, note, open_descriptors, record, run_to_end, watch};

const LOCAL: &str = "127.0.0.1";

/// The error that a socket ends with.
fn error_of(socket: Socket) -> Error {
    let error = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&error);
    watch("c", socket).on(event::Error, move |error| {
        slot.replace(Some(error.clone()));
    });
    run_to_end();
    let error = error.take();
    error.expect("an error")
}

#[test]
fn an_abort_that_nobody_hears_of_is_not_unhandled() {
    let controller = AbortController::new();
    let signal = controller.signal();
    let server = net::create_server(|_| {});
    listening_on(server, "127.0.0.1", move |server, port| {
        let options = ConnectOptions::new(port).host("127.0.0.1").signal(signal);
        let socket = net::connect(options);
        socket.on(event::Close, move |had_error| {
            note(format!("close {had_error}"));
            server.close();
        });
        controller.abort();
        assert_eq!(socket.errored().unwrap().code(), "ABORT_ERR");
    });
    run_to_end();
    assert_eq!(record(), ["close true"]);
}

#[test]
fn an_abort_comes_too_late_for_what_has_ended_on_both_sides() {
    let controller = AbortController::new();
    let signal = controller.signal();
    let server = net::create_server(|socket| {
        socket.end();
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let options = ConnectOptions::new(port).host("127.0.0.1").signal(signal);
        let socket = watch("c", net::connect(options));
        socket.on(event::Finish, move |()| controller.abort());
        socket.on(event::Close, move |_| server.close());
    });
    run_to_end();
    assert_eq!(
        record(),
        ["c connect", "c ready", "c end", "c finish", "c close false"]
    );
}

#[test]
fn a_signal_that_was_aborted_before_does_not_connect() {
    let server = net::create_server(|_| note("connection")).listen(0);
    let controller = AbortController::new();
    controller.abort_with(Error::new("MINE", "enough"));
    let port = support::port_of(server);
    let options = ConnectOptions::from((LOCAL, port)).signal(controller.signal());
    let client = watch("c", net::connect(options));
    client.on(event::Error, |error| {
        assert_eq!(error.code(), "ABORT_ERR");
        let cause = std::error::Error::source(error).unwrap().to_string();
        assert_eq!(cause, "enough");
    });
    client.on(event::Close, move |_| {
        client.connect((LOCAL, port));
        server.close();
    });
    run_to_end();
    assert_eq!(
        record(),
        ["c error The operation was aborted", "c close true"]
    );
}

#[test]
fn a_signal_is_not_held_on_to_by_a_socket_that_has_closed() {
    let controller = AbortController::new();
    let signal = controller.signal();
    let watching = signal.clone();
    let server = support::echo_server(move |server, port| {
        let client = net::connect(ConnectOptions::from((LOCAL, port)).signal(watching.clone()));
        assert_eq!(watching.listener_count(), 1);
        client.end();
        client.on(event::Close, move |_| {
            server.close();
        });
    });
    assert!(!server.listening());
    run_to_end();
    assert_eq!(signal.listener_count(), 0);
}

#[test]
fn a_host_with_a_nul_byte_is_an_invalid_value() {
    let error = error_of(net::connect(("local\0host", 1)));
    assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
    assert!(error.to_string().contains("options.host"));
}

#[test]
fn a_local_address_has_to_be_an_ip_address() {
    let options = ConnectOptions::from((LOCAL, 1)).local_address("localhost");
    let error = error_of(net::connect(options));
    assert_eq!(error.code(), "ERR_INVALID_IP_ADDRESS");
    assert_eq!(error.to_string(), "Invalid IP address: localhost");
}

#[test]
fn an_empty_list_of_addresses_is_not_found() {
    let options = ConnectOptions::new(1)
        .host("x")
        .lookup(|_, _, done| done(Ok(Vec::new())));
    assert_eq!(
        error_of(net::connect(options)).to_string(),
        "getaddrinfo ENOTFOUND x"
    );
}

#[test]
fn an_empty_host_is_localhost() {
    let options = ConnectOptions::new(1).host("").lookup(|host, _, done| {
        note(host);
        done(Err(Error::new("ENOUGH", "enough")));
    });
    error_of(net::connect(options));
    assert_eq!(record()[0], "localhost");
}

#[test]
fn a_bound_socket_takes_no_other_local_address() {
    let bound = BoundSocket::new((LOCAL, 0)).unwrap();
    let socket = Socket::from_bound(&bound).unwrap();
    assert!(Socket::from_bound(&bound).is_err(), "adopted once");
    socket.connect(ConnectOptions::from((LOCAL, 1)).local_port(5));
    assert_eq!(error_of(socket).code(), "ERR_INVALID_ARG_VALUE");
}

#[cfg(target_os = "linux")]
#[test]
fn the_zone_of_a_link_local_address_reaches_the_kernel() {
    // Without an interface the kernel does not know where to; with one it has no route there.
    let error = error_of(net::connect(("fe80::1%lo", 1)));
    assert_eq!(error.address(), Some("fe80::1%lo"));
    assert_ne!(error.code(), "EINVAL");
    let zone = SocketAddrV6::new("fe80::1".parse().unwrap(), 1, 0, 1);
    let error = error_of(net::connect(SocketAddr::from(zone)));
    assert_eq!(error.address(), Some("fe80::1%1"));
    assert_ne!(error.code(), "EINVAL");
    assert_eq!(error_of(net::connect(("fe80::1", 1))).code(), "EINVAL");
}

#[test]
fn connecting_on_an_open_connection_is_an_error() {
    let server = support::echo_server(|server, port| {
        let client = watch("c", net::connect((LOCAL, port)));
        client.on(event::Ready, move |()| {
            client.connect((LOCAL, port));
            server.close();
        });
        client.on(event::Error, |error| assert_eq!(error.code(), "EISCONN"));
    });
    assert!(!server.listening());
    run_to_end();
}

#[test]
fn an_idle_timeout_is_told_of_while_connecting_and_ends_nothing() {
    let options = ConnectOptions::new(1)
        .host("x")
        .timeout(Duration::from_millis(5))
        .lookup(|_, _, _never| {});
    let client = watch("c", net::connect(options));
    client.on(event::Timeout, move |()| {
        assert!(client.connecting());
        client.destroy();
    });
    // A lookup that never answers keeps nothing alive by itself.
    timers::set_timeout(Duration::from_millis(100), || {});
    run_to_end();
    assert_eq!(record(), ["c timeout", "c close false"]);
}

#[test]
fn the_idle_timeout_of_the_options_is_for_the_socket_that_connect_makes() {
    let options = || ConnectOptions::new(1).timeout(Duration::from_millis(50));
    let made = net::connect(options());
    assert_eq!(made.timeout(), Some(Duration::from_millis(50)));
    made.destroy();
    // As in Node, where it is no option of `socket.connect`.
    let own = Socket::new();
    own.connect(options());
    assert_eq!(own.timeout(), None);
    own.destroy();
    run_to_end();
}

#[test]
fn a_connect_of_a_socket_that_has_closed_does_nothing() {
    let socket = net::connect(1);
    socket.on(event::Error, |_| {});
    run_to_end();
    socket.connect(1);
    assert!(socket.destroyed() && !socket.connecting());
    run_to_end();
}

/// Destroys a socket at a step of its connect, and looks what is left.
fn nothing_is_left(destroy_at: impl Fn(Socket) + 'static) {
    let descriptors = open_descriptors();
    let server = net::create_server(|socket| {
        socket.resume();
        socket.on(event::Error, |_| {});
    });
    listening_on(server, LOCAL, move |server, port| {
        let options = ConnectOptions::new(port)
            .host("x")
            .lookup(|_, wanted, done| {
                assert!(wanted.all);
                let addresses = ["127.0.0.1", "127.0.0.2"].map(|a| a.parse::<IpAddr>().unwrap());
                timers::set_immediate(move || done(Ok(addresses.into())));
            });
        let client = net::connect(options);
        client.on(event::Close, move |_| {
            note("close");
            // In its turn, whatever is late has come.
            timers::set_timeout(Duration::from_millis(5), move || {
                server.close();
            });
        });
        let alive = move |step: &str| {
            note(step);
            assert!(!client.destroyed(), "{step} of a destroyed socket");
        };
        client.on(event::Lookup, move |_| alive("lookup"));
        client.on(event::ConnectionAttempt, move |_| alive("attempt"));
        client.on(event::Connect, move |()| alive("connect"));
        destroy_at(client);
    });
    run_to_end();
    assert_eq!(record().iter().filter(|line| *line == "close").count(), 1);
    assert_eq!(open_descriptors(), descriptors);
}

#[test]
fn destroying_at_any_step_leaves_nothing_behind() {
    // By itself, for the descriptors of the whole process are counted.
    if std::env::var_os("SOQUETE_ALONE").is_none() {
        let test = "destroying_at_any_step_leaves_nothing_behind";
        return support::in_a_process(test, ("SOQUETE_ALONE", "1"), None);
    }
    // The loop makes its own descriptors on first use.
    refuse(1);
    net::create_server(|_| {}).listen(0).close();
    run_to_end();
    nothing_is_left(|client| {
        client.destroy();
    });
    nothing_is_left(|client| {
        timers::set_immediate(move || {
            client.destroy();
        });
    });
    nothing_is_left(|client| {
        client.on(event::Lookup, move |_| {
            client.destroy();
        });
    });
    nothing_is_left(|client| {
        client.on(event::ConnectionAttempt, move |_| {
            client.destroy();
        });
    });
    nothing_is_left(|client| {
        client.on(event::ConnectionAttempt, move |_| {
            timers::next_tick(move || {
                client.destroy();
            });
        });
    });
    nothing_is_left(|client| {
        client.on(event::Connect, move |()| {
            client.destroy();
        });
    });
    nothing_is_left(|client| {
        client.on(event::Ready, move |()| {
            client.destroy();
        });
    });
}

#[test]
fn a_late_answer_reaches_neither_the_next_connect_nor_the_next_socket() {
    type Answer = Box<dyn FnOnce(soquete::Result<Vec<IpAddr>>)>;
    let kept: Rc<RefCell<Vec<Answer>>> = Rc::default();
    let keep = Rc::clone(&kept);
    let options = ConnectOptions::new(1).host("x").lookup(move |_, _, done| {
        keep.borrow_mut().push(done);
    });
    let client = net::connect(options);
    client.on(event::Lookup, |_| note("lookup"));
    client.on(event::Error, |error| note(error.to_string()));
    client.destroy();
    let connect_again = Cell::new(true);
    client.on(event::Close, move |_| {
        if connect_again.replace(false) {
            client.connect((LOCAL, 1));
            let late = kept.take().remove(0);
            late(Ok(vec!["127.0.0.3".parse().unwrap()]));
        }
    });
    run_to_end();
    assert_eq!(record(), ["connect ECONNREFUSED 127.0.0.1:1"]);
}

/// So many connects to a port on which nobody listens.
fn refuse(count: usize) {
    let failed = Rc::new(Cell::new(0));
    for _ in 0..count {
        let failed = Rc::clone(&failed);
        net::connect((LOCAL, 1)).on(event::Error, move |error| {
            assert_eq!(error.code(), "ECONNREFUSED");
            failed.set(failed.get() + 1);
        });
    }
    run_to_end();
    assert_eq!(failed.get(), count);
}

#[test]
fn refused_connects_leave_no_handle_behind() {
    refuse(250);
}
