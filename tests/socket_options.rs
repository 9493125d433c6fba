//! Options of the descriptor, before and after there is one, as the kernel sees them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use soquete::net::{ConnectOptions, KeepAlive, ServerOptions, Socket, SocketOptions, StdStream};
use soquete::{event, net};

mod support;

use support::record::one_shot_server;
use support::{pair, pair_of, port_of, run_to_end};

const MINUTE: Duration = Duration::from_secs(60);

/// Whether and how a socket is probed: on, delay and interval in seconds, count. Ends it.
fn keep_alive(socket: Socket) -> (bool, u64, u64, u32) {
    let stream = socket.into_std().expect("nothing is under way");
    let StdStream::Tcp(stream) = stream else {
        panic!("it was TCP");
    };
    let socket = SockRef::from(&stream);
    (
        socket.keepalive().unwrap(),
        socket.tcp_keepalive_time().unwrap().as_secs(),
        socket.tcp_keepalive_interval().unwrap().as_secs(),
        socket.tcp_keepalive_retries().unwrap(),
    )
}

fn check_keep_alive(
    options: impl FnOnce(ConnectOptions) -> ConnectOptions + 'static,
    then: impl FnOnce(Socket) + 'static,
    check: impl FnOnce((bool, u64, u64, u32)) + 'static,
) {
    pair_of(ServerOptions::new(), options, |_, socket| {
        then(socket);
        check(keep_alive(socket));
    });
    run_to_end();
}

#[test]
fn keep_alive_after_connect_sets_delay_interval_and_count() {
    let probes = KeepAlive::after(MINUTE)
        .interval(Duration::from_secs(7))
        .count(3);
    check_keep_alive(
        |options| options,
        move |socket| {
            socket.set_keep_alive(probes);
        },
        |got| assert_eq!(got, (true, 60, 7, 3)),
    );
}

#[test]
fn keep_alive_by_a_delay_alone_has_nodes_interval_and_count() {
    check_keep_alive(
        |options| options.keep_alive(Duration::from_millis(5999)),
        |_| {},
        |got| assert_eq!(got, (true, 5, 1, 10)),
    );
}

#[test]
fn keep_alive_set_while_connecting_is_kept_for_then() {
    let server = one_shot_server(ServerOptions::new(), |_| {});
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.set_keep_alive(Some(MINUTE));
    client.on(event::Connect, move |()| {
        assert_eq!(keep_alive(client), (true, 60, 1, 10));
    });
    run_to_end();
}

#[test]
fn what_is_less_than_a_second_leaves_the_systems_times() {
    for probes in [
        KeepAlive::after(Duration::from_millis(900)),
        KeepAlive::after(MINUTE).interval(Duration::from_millis(900)),
        KeepAlive::after(MINUTE).count(0),
    ] {
        check_keep_alive(
            move |options| options.keep_alive(probes),
            |_| {},
            |(on, delay, ..)| {
                assert!(on);
                assert!(delay > 60, "the system's own, not {delay}");
            },
        );
    }
}

#[test]
fn keep_alive_can_be_turned_off() {
    check_keep_alive(
        |options| options.keep_alive(MINUTE),
        |socket| {
            socket.set_keep_alive(None);
        },
        |(on, ..)| assert!(!on),
    );
}

#[test]
fn a_server_gives_its_options_to_the_sockets_it_accepts() {
    let options = ServerOptions::new()
        .keep_alive(MINUTE)
        .no_delay(true)
        .type_of_service(0x20);
    let server = one_shot_server(options, |socket| {
        assert_eq!(socket.type_of_service().unwrap(), 0x20);
        let StdStream::Tcp(stream) = socket.into_std().unwrap() else {
            panic!("it was TCP");
        };
        assert!(stream.nodelay().unwrap());
        assert!(SockRef::from(&stream).keepalive().unwrap());
    });
    net::connect(("127.0.0.1", port_of(server)));
    run_to_end();
}

#[test]
fn no_delay_before_and_after_connect() {
    let server = one_shot_server(ServerOptions::new(), |_| {});
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.set_no_delay(true);
    client.on(event::Connect, move |()| {
        let StdStream::Tcp(stream) = client.into_std().unwrap() else {
            panic!("it was TCP");
        };
        assert!(stream.nodelay().unwrap());
    });
    pair(|_, client| {
        client.set_no_delay(true).set_no_delay(false);
        let StdStream::Tcp(stream) = client.into_std().unwrap() else {
            panic!("it was TCP");
        };
        assert!(!stream.nodelay().unwrap());
    });
    run_to_end();
}

#[test]
fn type_of_service_goes_to_the_kernel_and_comes_back_from_it() {
    for host in ["127.0.0.1", "::1"] {
        let seen = Rc::new(Cell::new(0));
        let result = Rc::clone(&seen);
        let server = one_shot_server(ServerOptions::new(), |socket| {
            socket.resume();
        });
        let client = net::connect((host, port_of(server)));
        client.on(event::Connect, move |()| {
            client
                .set_type_of_service(0x10)
                .expect("one of the old ones");
            result.set(client.type_of_service().expect("it is set"));
            client.destroy();
            assert_eq!(client.type_of_service().unwrap(), 0x10, "as last set");
        });
        run_to_end();
        assert_eq!(seen.get(), 0x10, "{host}");
    }
}

#[test]
fn type_of_service_before_connect_is_kept_for_then() {
    let socket = Socket::new_with(SocketOptions::new().type_of_service(0x08));
    assert_eq!(socket.type_of_service().unwrap(), 0x08);
    socket.set_type_of_service(0x10).unwrap();
    let server = one_shot_server(ServerOptions::new(), |_| {});
    socket.connect(("127.0.0.1", port_of(server)));
    socket.on(event::Connect, move |()| {
        assert_eq!(socket.type_of_service().unwrap(), 0x10);
        let StdStream::Tcp(stream) = socket.into_std().unwrap() else {
            panic!("it was TCP");
        };
        assert_eq!(SockRef::from(&stream).tos_v4().unwrap(), 0x10);
    });
    run_to_end();
}

#[test]
fn an_unset_type_of_service_is_zero_and_an_ipc_socket_only_remembers_it() {
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = Socket::from_std(ours).unwrap();
    assert_eq!(socket.type_of_service().unwrap(), 0);
    socket.set_type_of_service(0x10).unwrap();
    assert_eq!(socket.type_of_service().unwrap(), 0x10);
    socket.destroy();
    run_to_end();
}

#[test]
fn what_was_set_can_be_asked() {
    let probes = KeepAlive::after(MINUTE).count(3);
    let socket = Socket::new_with(SocketOptions::new().no_delay(true).keep_alive(probes));
    assert!(socket.no_delay() && !socket.closed());
    assert_eq!(socket.keep_alive(), Some(probes));
    socket.set_no_delay(false).set_keep_alive(None);
    assert_eq!((socket.no_delay(), socket.keep_alive()), (false, None));
    assert_eq!(
        socket.set_keep_alive(MINUTE).keep_alive(),
        Some(MINUTE.into())
    );
    socket.on(event::Close, move |_| assert!(socket.closed()));
    assert!(!socket.destroy().closed(), "not before Close");
    run_to_end();
    assert!(socket.closed() && !socket.no_delay() && socket.keep_alive().is_none());
}

#[test]
fn a_descriptor_has_a_number_while_it_is_open_and_can_be_duplicated() {
    use std::os::fd::AsRawFd;
    assert_eq!(Socket::new().destroy().fd(), None);
    pair(|served, client| {
        let fd = served.fd().unwrap();
        let duplicate = served.try_clone_fd().unwrap();
        assert_ne!(duplicate.as_raw_fd(), fd);
        SockRef::from(&duplicate).set_tcp_nodelay(true).unwrap();
        assert!(SockRef::from(&duplicate).tcp_nodelay().unwrap());
        drop(duplicate);
        client.resume();
        served.destroy();
        assert_eq!(served.fd(), None);
        assert_eq!(
            served.try_clone_fd().unwrap_err().code(),
            "ERR_SOCKET_CLOSED"
        );
    });
    run_to_end();
}

#[test]
fn a_descriptor_becomes_a_socket_if_it_is_a_stream() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    Socket::from_fd(ours.into()).unwrap().end_with("over");
    let other = Socket::from_fd(theirs.into()).unwrap();
    other.on(event::Data, |chunk| {
        support::note(String::from_utf8_lossy(chunk))
    });
    run_to_end();
    assert_eq!(support::record(), ["over"]);
    let file = std::fs::File::open("/dev/null").unwrap();
    let error = Socket::from_fd(file.into()).unwrap_err();
    assert_eq!(error.code(), "ERR_INVALID_FD_TYPE");
}
