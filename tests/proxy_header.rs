//! Servers behind proxies: who the client is, by the PROXY header, and what becomes of those who send none.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use soquete::framing::{Proxied, ProxyHeader};
use soquete::net::{self, BlockList, DropReason, ProxyProtocol, Server, ServerOptions, Socket};
use soquete::sim::World;
use soquete::{Flow, event, timers};

mod support;

use programs::{Running, free_port};
use support::record::{Record, collect};
use support::{outsider, port_of, reset, run_to_end};

#[path = "support/programs.rs"]
#[allow(dead_code, reason = "no examples are run here")]
mod programs;

const V1: &str = "PROXY TCP4 192.0.2.7 198.51.100.1 5432 80\r\n";
const V1_OF_IPV6: &str = "PROXY TCP6 2001:db8::7 2001:db8::1 5432 80\r\n";

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, family]);
    header.extend((rest.len() as u16).to_be_bytes());
    header.extend(rest);
    header
}

/// 192.0.2.7:5432, of the second version, with an authority and something of 300 bytes.
fn v2_with_additions() -> Vec<u8> {
    let mut rest = vec![192, 0, 2, 7, 198, 51, 100, 1];
    rest.extend(5432_u16.to_be_bytes());
    rest.extend(80_u16.to_be_bytes());
    rest.extend(b"\x02\0\x0bexample.org");
    rest.extend(b"\xe0\x01\x2c");
    rest.extend([7; 300]);
    v2(1, 0x11, &rest)
}

/// A free port of 127.0.0.1, known at once.
fn local() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port is free")
}

fn loopback() -> BlockList {
    let list = BlockList::new();
    list.add_subnet("127.0.0.0", 8).unwrap();
    list
}

/// A server of which every connection begins with a header.
fn behind_a_proxy(
    options: ServerOptions,
    from: impl Into<ProxyProtocol>,
    accepted: impl FnMut(Socket) + 'static,
) -> Server {
    let server = net::create_server_with(options.proxy_protocol(from), accepted);
    server.listen(local());
    server
}

/// Notes why connections are turned away, and whose they were.
fn noting_drops(server: Server, record: &Record) {
    let record = record.clone();
    server.on(event::Drop, move |info| {
        let remote = info.remote.expect("it came by TCP");
        record.note(format!("{}: {}", remote.ip(), info.reason));
    });
}

/// Who it is, and what it has sent.
fn told_of(socket: Socket, record: &Record) {
    let (record, data) = (record.clone(), collect(socket));
    let remote = socket.remote_socket_addr().expect("it is connected");
    assert_eq!(socket.remote_address(), Some(remote.ip()));
    assert_eq!(socket.remote_port(), Some(remote.port()));
    socket.on(event::Close, move |_| {
        let data = String::from_utf8_lossy(&data.borrow()).into_owned();
        record.note(format!("{remote} {data}"));
    });
}

#[test]
fn a_header_that_comes_byte_by_byte_names_the_client() {
    let headers = [
        (V1.as_bytes().to_vec(), "192.0.2.7:5432 hello"),
        (V1_OF_IPV6.as_bytes().to_vec(), "[2001:db8::7]:5432 hello"),
        (v2_with_additions(), "192.0.2.7:5432 hello"),
    ];
    for (header, expected) in headers {
        let bytes = [&header[..], b"hello"].concat();
        let report = World::seed(1)
            .latency(Duration::from_millis(2))
            .run(move || {
                let record = Record::default();
                let seen = record.clone();
                let options = ServerOptions::new().proxy_protocol(ProxyProtocol::from_anybody());
                let server = net::create_server_with(options, move |socket| told_of(socket, &seen));
                server.listen(("10.0.0.1", 80));
                server.on(event::Listening, move |()| {
                    let proxy = net::connect(("10.0.0.1", 80));
                    proxy.resume();
                    let mut left = bytes.clone().into_iter();
                    timers::set_interval(Duration::from_millis(5), move || match left.next() {
                        Some(byte) => {
                            proxy.write(&[byte]);
                            Flow::Continue
                        }
                        None => {
                            proxy.end();
                            Flow::Stop
                        }
                    });
                    let record = record.clone();
                    proxy.on(event::Close, move |_| {
                        assert_eq!(record.text(), expected);
                        server.close();
                    });
                });
            });
        report.check();
    }
}

#[test]
fn what_stands_behind_the_header_is_the_first_data() {
    for header in [V1.as_bytes().to_vec(), v2_with_additions()] {
        let record = Record::default();
        let seen = record.clone();
        let server = behind_a_proxy(ServerOptions::new(), &loopback(), move |socket| {
            assert_eq!(socket.bytes_read(), 0);
            told_of(socket, &seen);
        });
        let mut proxy = outsider(port_of(server));
        proxy
            .write_all(&[&header[..], b"GET / HTTP/1.1"].concat())
            .unwrap();
        proxy.shutdown(Shutdown::Write).unwrap();
        server.on(event::Connection, move |_| server.close());
        run_to_end();
        assert_eq!(record.text(), "192.0.2.7:5432 GET / HTTP/1.1");
    }
}

#[test]
fn a_buffer_of_ones_own_gets_the_first_data_and_nothing_of_the_header() {
    let record = Record::default();
    let seen = record.clone();
    let options = ServerOptions::new().on_read(vec![0; 4], move |_, count, buffer| {
        seen.note(String::from_utf8_lossy(&buffer[..count]));
    });
    let server = behind_a_proxy(options, &loopback(), |_| ());
    let mut proxy = outsider(port_of(server));
    proxy.write_all(format!("{V1}abcdef").as_bytes()).unwrap();
    proxy.shutdown(Shutdown::Write).unwrap();
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    assert_eq!(record.text(), "abcd ef");
}

#[test]
fn a_connection_that_is_handed_on_has_its_first_data_still() {
    let options = ServerOptions::new().pause_on_connect(true);
    let server = behind_a_proxy(options, &loopback(), move |socket| {
        let stream = socket.into_std().expect("nothing was read of its data");
        let mut stream = TcpStream::from(std::os::fd::OwnedFd::from(stream));
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    });
    let mut proxy = outsider(port_of(server));
    proxy.write_all(format!("{V1}hello").as_bytes()).unwrap();
    drop(proxy);
    server.on(event::Connection, move |_| server.close());
    run_to_end();
}

#[test]
fn a_proxy_that_speaks_for_itself_keeps_its_own_address() {
    let unix = [&[0; 216][..]].concat();
    let headers = [
        v2(0, 0, &[]),
        v2(0, 0x11, &[9; 12]),
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN ffff::1 what ever\r\n".to_vec(),
        v2(1, 0, &[]),
        v2(1, 0x31, &unix),
    ];
    for header in headers {
        let record = Record::default();
        let seen = record.clone();
        let server = behind_a_proxy(ServerOptions::new(), &loopback(), move |socket| {
            told_of(socket, &seen);
        });
        let mut proxy = outsider(port_of(server));
        let own = proxy.local_addr().unwrap();
        proxy.write_all(&header).unwrap();
        proxy.shutdown(Shutdown::Write).unwrap();
        server.on(event::Connection, move |_| server.close());
        run_to_end();
        assert_eq!(record.text(), format!("{own} "));
    }
}

#[test]
fn the_header_can_be_had_with_its_additions() {
    let seen = Rc::new(Cell::new(false));
    let told = Rc::clone(&seen);
    let server = behind_a_proxy(ServerOptions::new(), &loopback(), move |socket| {
        let bytes = socket.proxy_header().expect("it came with one");
        assert_eq!(*bytes, v2_with_additions()[..]);
        let header = ProxyHeader::parse(&bytes).unwrap();
        let Proxied::Inet { destination, .. } = header.proxied else {
            panic!("{header:?}");
        };
        assert_eq!(destination, SocketAddr::from(([198, 51, 100, 1], 80)));
        assert_eq!(header.tlvs().next(), Some((2, &b"example.org"[..])));
        assert_eq!(header.tlvs().count(), 2);
        told.set(true);
        socket.destroy();
    });
    let mut proxy = outsider(port_of(server));
    proxy.write_all(&v2_with_additions()).unwrap();
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    assert!(seen.get());
}

#[test]
fn a_socket_of_a_server_that_expects_no_header_has_none() {
    support::pair(|server, client| {
        assert_eq!(server.proxy_header(), None);
        server.destroy();
        client.destroy();
    });
    run_to_end();
}

#[test]
fn who_is_not_trusted_is_closed_and_not_read() {
    let record = Record::default();
    let proxies = BlockList::new();
    proxies.add_subnet("10.0.0.0", 8).unwrap();
    let server = behind_a_proxy(ServerOptions::new(), &proxies, |_| {
        panic!("it is a forgery")
    });
    noting_drops(server, &record);
    let mut forger = outsider(port_of(server));
    forger.write_all(V1.as_bytes()).unwrap();
    server.on(event::Drop, move |_| server.close());
    run_to_end();
    assert_eq!(record.text(), "127.0.0.1: it comes from no trusted proxy");
    assert!(!matches!(forger.read(&mut [0; 1]), Ok(1..)));

    // Clones of a list share its rules.
    let seen = record.clone();
    let server = behind_a_proxy(ServerOptions::new(), &proxies, move |socket| {
        seen.note("trusted");
        socket.destroy();
    });
    proxies.add_address("127.0.0.1").unwrap();
    let mut proxy = outsider(port_of(server));
    proxy.write_all(V1.as_bytes()).unwrap();
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    assert!(record.has("trusted"));
}

#[test]
fn silent_and_slow_peers_are_closed_at_the_deadline() {
    let report = World::seed(2).latency(Duration::from_millis(1)).run(|| {
        let record = Record::default();
        let options = ServerOptions::new().proxy_protocol(ProxyProtocol::from_anybody());
        let server = net::create_server_with(options, |_| panic!("its header never ends"));
        server.listen(("10.0.0.1", 80));
        let drops = record.clone();
        server.on(event::Drop, move |info| {
            assert_eq!(info.reason, DropReason::HeaderTimeout);
            drops.note(format!("{}", soquete::now().as_millis() / 10));
        });
        server.on(event::Listening, move |()| {
            // One says nothing, one a byte from time to time, and one all but the last byte.
            net::connect(("10.0.0.1", 80)).resume();
            let slow = net::connect(("10.0.0.1", 80));
            slow.resume().on(event::Error, |_| ());
            let mut left = V1.bytes();
            let ticks = timers::set_interval(Duration::from_millis(900), move || {
                slow.write(&[left.next().expect("it is cut before")]);
            });
            slow.on(event::Close, move |_| ticks.clear());
            let last = net::connect(("10.0.0.1", 80));
            last.resume().write(&V1[..V1.len() - 1]);
            assert_eq!(server.connections(), 0);
            let record = record.clone();
            timers::set_timeout(Duration::from_secs(6), move || {
                assert_eq!(record.text(), "500 500 500");
                assert_eq!(server.connections(), 0);
                server.close();
            });
        });
    });
    report.check();
}

#[test]
fn the_deadline_is_what_it_is_set_to() {
    let record = Record::default();
    let quick = ProxyProtocol::from_anybody().deadline(Duration::from_millis(20));
    let server = behind_a_proxy(ServerOptions::new(), quick, |_| panic!("nothing was sent"));
    noting_drops(server, &record);
    let silent = outsider(port_of(server));
    server.on(event::Drop, move |_| server.close());
    run_to_end();
    assert_eq!(record.text(), "127.0.0.1: its PROXY header took too long");
    drop(silent);
}

#[test]
fn what_is_no_header_is_told_and_closed() {
    let wrong: [(&[u8], &str); 4] = [
        (b"GET / HTTP/1.1\r\n\r\n", "no PROXY header at offset 0"),
        (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 5432 080\r\nhello",
            "PROXY line without two addresses and two ports at offset 6",
        ),
        (
            &v2(2, 0x11, &[0; 12]),
            "PROXY header of an unknown version or command at offset 12",
        ),
        (
            &v2(1, 0x21, &[0; 12]),
            "PROXY header without room for its addresses at offset 14",
        ),
    ];
    for (bytes, expected) in wrong {
        let record = Record::default();
        let server = behind_a_proxy(ServerOptions::new(), &loopback(), |_| panic!("no header"));
        noting_drops(server, &record);
        let mut peer = outsider(port_of(server));
        peer.write_all(bytes).unwrap();
        server.on(event::Drop, move |_| server.close());
        run_to_end();
        assert_eq!(record.text(), format!("127.0.0.1: {expected}"));
        assert!(!matches!(peer.read(&mut [0; 1]), Ok(1..)));
    }
}

#[test]
fn who_goes_before_the_header_is_complete_is_told_of() {
    for by_reset in [false, true] {
        let record = Record::default();
        let server = behind_a_proxy(ServerOptions::new(), &loopback(), |_| panic!("it has gone"));
        noting_drops(server, &record);
        let mut peer = outsider(port_of(server));
        peer.write_all(b"PROXY TC").unwrap();
        timers::set_timeout(Duration::from_millis(5), move || {
            if by_reset {
                reset(peer).unwrap();
            }
        });
        server.on(event::Drop, move |_| server.close());
        run_to_end();
        let expected = "127.0.0.1: it was over before its PROXY header was complete";
        assert_eq!(record.text(), expected);
    }
}

#[test]
fn whose_header_is_coming_in_counts_among_the_most_that_there_may_be() {
    let record = Record::default();
    let seen = record.clone();
    let server = behind_a_proxy(ServerOptions::new(), &loopback(), move |socket| {
        seen.note("in");
        socket.destroy();
    });
    server.set_max_connections(Some(1));
    noting_drops(server, &record);
    let mut first = outsider(port_of(server));
    first.write_all(&V1.as_bytes()[..10]).unwrap();
    // Its header is there when it is accepted, and tells whose connection it was.
    let mut second = outsider(port_of(server));
    second.write_all(V1_OF_IPV6.as_bytes()).unwrap();
    // Nothing is known of this one's.
    let third = outsider(port_of(server));
    let drops = Cell::new(0);
    server.on(event::Drop, move |_| {
        drops.set(drops.get() + 1);
        if drops.get() == 2 {
            assert_eq!(server.connections(), 0);
            first.write_all(&V1.as_bytes()[10..]).unwrap();
        }
    });
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    let full = "there are as many as there may be";
    assert_eq!(
        record.text(),
        format!("2001:db8::7: {full} 127.0.0.1: {full} in")
    );
    drop((second, third));
}

#[test]
fn a_block_list_is_asked_about_the_client() {
    let blocked = BlockList::new();
    blocked.add_address("192.0.2.7").unwrap();
    blocked.add_address("127.0.0.1").unwrap();
    let record = Record::default();
    let seen = record.clone();
    let options = ServerOptions::new().block_list(&blocked);
    let server = behind_a_proxy(options, &loopback(), move |socket| told_of(socket, &seen));
    let mut peer = outsider(port_of(server));
    peer.write_all(V1.as_bytes()).unwrap();
    let mut other = outsider(port_of(server));
    other.write_all(V1_OF_IPV6.as_bytes()).unwrap();
    other.shutdown(Shutdown::Write).unwrap();
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    assert_eq!(record.text(), "[2001:db8::7]:5432 ");
    assert!(!matches!(peer.read(&mut [0; 1]), Ok(1..)));
}

#[test]
fn a_server_that_closes_takes_those_along_that_are_no_sockets_yet() {
    let server = behind_a_proxy(ServerOptions::new(), &loopback(), |_| {
        panic!("it has closed")
    });
    let mut peer = outsider(port_of(server));
    peer.write_all(b"PROXY").unwrap();
    timers::set_timeout(Duration::from_millis(20), move || {
        assert_eq!(soquete::metrics().open_handles, 2);
        server.close();
        assert_eq!(soquete::metrics().open_handles, 1);
    });
    run_to_end();
    assert!(!matches!(peer.read(&mut [0; 1]), Ok(1..)));
}

#[test]
fn a_server_that_nobody_waits_for_is_kept_by_whose_header_is_coming_in() {
    let record = Record::default();
    let seen = record.clone();
    let server = behind_a_proxy(ServerOptions::new(), &loopback(), move |socket| {
        told_of(socket, &seen);
    });
    let mut peer = outsider(port_of(server));
    peer.write_all(b"PROXY UNKN").unwrap();
    timers::set_timeout(Duration::from_millis(20), move || {
        server.unref();
        timers::set_timeout(Duration::from_millis(20), move || {
            peer.write_all(b"OWN\r\nhi").unwrap();
        })
        .unref();
    });
    soquete::run().unwrap();
    assert!(record.text().ends_with(" hi"), "{}", record.text());
    server.close();
    run_to_end();
}

#[test]
fn clients_of_a_proxy_that_comes_by_a_path_have_addresses() {
    let path = std::env::temp_dir().join(format!("soquete-proxied-{}", std::process::id()));
    let record = Record::default();
    let seen = record.clone();
    let options = ServerOptions::new().proxy_protocol(ProxyProtocol::from_anybody());
    let server = net::create_server_with(options, move |socket| told_of(socket, &seen));
    server.listen_then(path.clone(), move |_| {
        net::connect(Path::new(&path)).end_with(V1).resume();
    });
    server.on(event::Connection, move |_| server.close());
    run_to_end();
    assert_eq!(record.text(), "192.0.2.7:5432 ");
}

#[test]
fn a_list_of_addresses_trusts_nobody_who_comes_by_a_path() {
    let path = std::env::temp_dir().join(format!("soquete-untrusted-{}", std::process::id()));
    let reason = Rc::new(RefCell::new(None));
    let told = Rc::clone(&reason);
    let options = ServerOptions::new().proxy_protocol(&loopback());
    let server = net::create_server_with(options, |_| panic!("nobody vouches for it"));
    server.listen_then(path.clone(), move |_| {
        net::connect(Path::new(&path))
            .resume()
            .on(event::Error, |_| ());
    });
    server.on(event::Drop, move |info| {
        told.replace(Some(info.reason));
        server.close();
    });
    run_to_end();
    assert_eq!(reason.take(), Some(DropReason::UntrustedPeer));
}

/// What a client has sent by a proxy comes back: the client's own address.
fn echoed_by(port: u16) -> Option<SocketAddr> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"through a proxy").ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    (answer == "through a proxy")
        .then(|| stream.local_addr())?
        .ok()
}

/// Debian's `haproxy` in front of a server: each way of sending the header, with its health checks.
#[test]
fn haproxy_tells_the_client_and_checks_the_server() {
    let version = Command::new("haproxy")
        .arg("-v")
        .stdout(Stdio::null())
        .status();
    if version.is_err() {
        eprintln!("left out: there is no haproxy on this machine (Debian's package `haproxy`)");
        return;
    }
    for send in ["send-proxy", "send-proxy-v2"] {
        let clients = Rc::new(RefCell::new(Vec::new()));
        let checks = Rc::new(Cell::new(0));
        let (seen, checked) = (Rc::clone(&clients), Rc::clone(&checks));
        let options = ServerOptions::new().allow_half_open(true);
        let server = behind_a_proxy(options, &loopback(), move |socket| {
            // A check is closed by a reset.
            socket.on(event::Error, |_| ());
            let bytes = socket.proxy_header().expect("it begins with one");
            match ProxyHeader::parse(&bytes).unwrap().proxied {
                Proxied::Local => checked.set(checked.get() + 1),
                // Of the first version the checks look like this, too.
                Proxied::Inet { source, .. } => {
                    assert_eq!(socket.remote_socket_addr(), Some(source));
                    seen.borrow_mut().push(source);
                }
                other => panic!("{other:?}"),
            }
            socket.pipe(socket);
        });
        server.on(event::Drop, |info| panic!("{info:?}"));
        let front = free_port();
        let config = format!(
            "defaults\n mode tcp\n timeout connect 2s\n timeout client 10s\n timeout server 10s\n\
             frontend front\n bind 127.0.0.1:{front}\n default_backend back\n\
             backend back\n server one 127.0.0.1:{} {send} check inter 50ms\n",
            port_of(server)
        );
        let file = std::env::temp_dir().join(format!("soquete-{send}-{}", std::process::id()));
        std::fs::write(&file, config).unwrap();
        let haproxy = Command::new("haproxy")
            .args(["-db", "-q", "-f"])
            .arg(&file)
            .stderr(Stdio::null())
            .spawn();
        let haproxy = Cell::new(Some(Running(haproxy.expect("it is there"))));
        // It takes a moment to listen.
        let client = thread::spawn(move || {
            (0..200).find_map(|_| {
                thread::sleep(Duration::from_millis(20));
                echoed_by(front)
            })
        });
        let mut client = Some(client);
        timers::set_interval(Duration::from_millis(20), move || {
            let is_checked = match send {
                "send-proxy" => clients.borrow().len() > 2,
                _ => checks.get() > 1,
            };
            if !is_checked || !client.as_ref().is_some_and(|client| client.is_finished()) {
                return Flow::Continue;
            }
            let own = client.take().and_then(|client| client.join().unwrap());
            let own = own.expect("it was echoed in time");
            assert!(clients.borrow().contains(&own), "{own} of {clients:?}");
            drop(haproxy.take());
            server.close();
            Flow::Stop
        });
        run_to_end();
        std::fs::remove_file(&file).unwrap();
    }
}
