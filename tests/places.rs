//! What names a place: the same spellings for `connect`, `listen` and `BoundSocket`.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use soquete::net::{
    self, Address, BindOptions, BoundSocket, ConnectOptions, Family, ListenOptions, SocketAddress,
};
use soquete::{event, timers};

mod support;
use support::{note, port_of, record, run_to_end};

const LOCAL: &str = "127.0.0.1";

#[test]
fn every_spelling_reaches_the_same_server() {
    let server = net::create_server(|socket| socket.end());
    server.listen_then((LOCAL, 0), |server| {
        let port = port_of(server);
        let ip = Ipv4Addr::LOCALHOST;
        let address = SocketAddr::from((ip, port));
        let places: Vec<ConnectOptions> = vec![
            (LOCAL, port).into(),
            (LOCAL.to_owned(), port).into(),
            (&LOCAL.to_owned(), port).into(),
            (port, LOCAL).into(),
            (port, LOCAL.to_owned()).into(),
            (port, &LOCAL.to_owned()).into(),
            (IpAddr::V4(ip), port).into(),
            (ip, port).into(),
            (port, IpAddr::V4(ip)).into(),
            address.into(),
            SocketAddrV4::new(ip, port).into(),
            SocketAddress::from(address).into(),
            (&SocketAddress::from(address)).into(),
            Address::Tcp(address).into(),
            (&server.address().unwrap()).into(),
            format!("{LOCAL}:{port}").into(),
            (&format!("{LOCAL}:{port}")).into(),
            format!("{LOCAL}:{port}").as_str().into(),
        ];
        let left = Rc::new(Cell::new(places.len()));
        for place in places {
            let left = Rc::clone(&left);
            net::connect(place).resume().on(event::Close, move |_| {
                left.set(left.get() - 1);
                (left.get() == 0).then(|| server.close())
            });
        }
    });
    run_to_end();
}

#[test]
fn ports_names_and_addresses_are_listened_on_and_bound() {
    for place in ["127.0.0.1:0", "localhost:0", "0"] {
        let server = net::create_server(|_| ());
        server.listen_then(place, |server| {
            assert_ne!(port_of(server), 0);
            server.close()
        });
        run_to_end();
    }
    let v6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
    for bound in [
        BoundSocket::new("127.0.0.1:0"),
        BoundSocket::new((LOCAL, 0)),
        BoundSocket::new((Ipv4Addr::LOCALHOST, 0)),
        BoundSocket::new(BindOptions::new(0).host(LOCAL)),
    ] {
        let address = bound.unwrap().address().unwrap();
        assert_eq!(address.ip(), Some(Ipv4Addr::LOCALHOST.into()));
        assert_eq!(address.family(), Some(Family::V4));
    }
    // Not every machine has IPv6.
    if let Ok(bound) = BoundSocket::new(v6) {
        let address = bound.address().unwrap();
        assert_eq!(address.to_string(), format!("[::1]:{}", address.port()));
        assert_eq!(
            BoundSocket::new("[::1]:0").unwrap().address().unwrap().ip(),
            address.ip()
        );
    }
}

#[test]
fn text_without_a_port_is_a_path() {
    let directory = std::env::temp_dir().join(format!("soquete-places-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("app.sock");
    let text = path.to_str().unwrap().to_owned();
    let spellings: Vec<ListenOptions> = vec![
        text.as_str().into(),
        text.clone().into(),
        (&text).into(),
        path.as_path().into(),
        path.clone().into(),
        (&path).into(),
        Address::Path(path.clone()).into(),
    ];
    for place in spellings {
        let server = net::create_server(|socket| socket.end());
        let text = text.clone();
        server.listen_then(place, move |server| {
            let address = server.address().unwrap();
            assert_eq!(
                (address.path(), address.port()),
                (Some(Path::new(&text)), 0)
            );
            assert_eq!((address.to_string(), address.ip()), (text, None));
            net::connect(address)
                .resume()
                .on(event::Close, move |_| server.close());
        });
        run_to_end();
    }
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(Address::Path(PathBuf::from("\0name")).to_string(), "@name");

    net::connect("example.org").on(event::Error, |error| note(error.to_string()));
    run_to_end();
    assert_eq!(record(), ["connect ENOENT example.org"]);
}

#[test]
fn a_port_out_of_range_in_text_is_an_error_as_in_node() {
    for text in ["70000", "", "localhost:65536"] {
        net::connect(text).on(event::Error, |error| note(error.to_string()));
        net::create_server(|_| ())
            .on(event::Error, |error| note(error.to_string()))
            .listen(text)
            .on(event::Error, |_| ())
            .close();
        let error = BoundSocket::new(text).unwrap_err();
        assert_eq!(error.code(), "ERR_SOCKET_BAD_PORT");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        timers::next_tick(|| ());
        run_to_end();
        let range = format!("should be >= 0 and < 65536. Received type string ('{text}').");
        let mut record = record();
        record.sort();
        assert_eq!(
            record,
            [format!("Port {range}"), format!("options.port {range}")]
        );
    }
}

#[test]
fn a_socket_and_a_server_answer_in_the_same_type() {
    let server = net::create_server(move |socket| {
        let server = socket.server().unwrap();
        assert_eq!(socket.address(), server.address());
        assert_eq!(socket.local_family().unwrap().to_string(), "IPv4");
        socket.end()
    });
    server.listen_then((LOCAL, 0), |server| {
        net::connect(server.address().unwrap())
            .resume()
            .on(event::Close, move |_| server.close());
    });
    run_to_end();
}
