//! The TLS example's middle piece, `examples/tls/secure.rs`: against itself, Node's `tls` and
//! `openssl s_client`. What is not on the machine is left out, which is said; with `CI` set a missing Node
//! is a failure.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use soquete::net::{self, Server, Socket};
use soquete::{event, timers};

#[path = "../examples/tls/secure.rs"]
#[allow(dead_code, reason = "the example uses the rest")]
mod secure;
mod support;

use secure::{Plain, PlainEnd, Secure, Secured};
use support::{note, port_of, record, run_to_end};

struct Identity {
    pem: String,
    certificate: CertificateDer<'static>,
    server: Arc<ServerConfig>,
}

impl Identity {
    fn new() -> Identity {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let mut server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        server.alpn_protocols = vec![b"echo".to_vec()];
        Identity {
            pem: made.cert.pem(),
            certificate,
            server: Arc::new(server),
        }
    }

    fn accept(&self) -> impl Fn(Socket) -> Secure + use<> {
        let config = Arc::clone(&self.server);
        move |socket| Secure::server(socket, ServerConnection::new(Arc::clone(&config)).unwrap())
    }

    fn connect(&self, port: u16) -> Secure {
        Secure::client(net::connect(("127.0.0.1", port)), self.client())
    }

    fn client(&self) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"echo".to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        ClientConnection::new(Arc::new(config), name).unwrap()
    }

    /// The certificate as a file, for programs of others.
    fn file(&self, name: &str) -> PathBuf {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

fn echo_server(identity: &Identity) -> Server {
    let accept = identity.accept();
    let server = net::create_server(move |socket| {
        let secure = accept(socket);
        secure.on(Plain, move |bytes| {
            if !secure.write(bytes) {
                secure.pause();
            }
        });
        socket.on(event::Drain, move |()| secure.resume());
        secure.on(PlainEnd, move |()| secure.end());
    });
    server.listen(0)
}

#[test]
fn what_one_side_writes_the_other_reads() {
    const LENGTH: usize = 20 << 20;
    let identity = Identity::new();
    let server = echo_server(&identity);
    let client = identity.connect(port_of(server));
    let came = Rc::new(Cell::new(0));
    let counted = Rc::clone(&came);
    client.on(Secured, move |()| {
        assert_eq!(client.alpn().as_deref(), Some(&b"echo"[..]));
        note(client.protocol().unwrap());
        let sent: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
        client.write(sent);
        client.end();
    });
    client.on(Plain, move |bytes| {
        let at = counted.get();
        let right = bytes
            .iter()
            .zip(at..)
            .all(|(byte, at)| usize::from(*byte) == at % 251);
        assert!(right, "a byte behind {at} is another");
        counted.set(at + bytes.len());
    });
    client.on(PlainEnd, move |()| {
        note("end");
        server.close();
    });
    client
        .socket()
        .on(event::Close, |had_error| note(format!("close {had_error}")));
    run_to_end();
    assert_eq!(came.get(), LENGTH);
    assert_eq!(record(), ["TLSv1_3", "end", "close false"]);
}

#[test]
fn the_writing_half_ends_by_itself() {
    let identity = Identity::new();
    let accept = identity.accept();
    let server = net::create_server(move |socket| {
        let secure = accept(socket);
        secure.on(PlainEnd, move |()| {
            note("server: end");
            secure.write("still here");
            secure.end();
        });
    });
    server.listen(0);
    let client = identity.connect(port_of(server));
    client.on(Secured, move |()| client.end());
    client.on(Plain, |bytes| {
        note(format!("client: {}", String::from_utf8_lossy(bytes)))
    });
    client.on(PlainEnd, move |()| {
        note("client: end");
        server.close();
    });
    run_to_end();
    assert_eq!(
        record(),
        ["server: end", "client: still here", "client: end"]
    );
}

#[test]
fn nothing_is_delivered_while_paused() {
    const RECORD: usize = 16 << 10;
    let identity = Identity::new();
    let accept = identity.accept();
    let server = net::create_server(move |socket| {
        let secure = accept(socket);
        secure.on(Secured, move |()| {
            // Three records, which arrive together.
            secure.write(vec![0; 3 * RECORD]);
            secure.end();
        });
        secure.on(PlainEnd, |()| note("server: end"));
    });
    server.listen(0);
    let client = identity.connect(port_of(server));
    let paused = Rc::new(Cell::new(false));
    let at_end = Rc::clone(&paused);
    client.on(Plain, move |bytes| {
        assert!(!paused.replace(true));
        note(format!("{} bytes", bytes.len()));
        client.pause();
        let paused = Rc::clone(&paused);
        timers::set_immediate(move || {
            paused.set(false);
            client.resume();
        });
    });
    client.on(PlainEnd, move |()| {
        assert!(!at_end.get());
        client.end();
        server.close();
    });
    run_to_end();
    assert_eq!(
        record(),
        ["16384 bytes", "16384 bytes", "16384 bytes", "server: end"]
    );
}

#[test]
fn an_end_without_close_notify_is_an_error() {
    let identity = Identity::new();
    let accept = identity.accept();
    let server = net::create_server(move |socket| {
        let secure = accept(socket);
        secure.on(Secured, move |()| socket.end());
        // The client gives up, without a word of its own.
        socket.on(event::Error, |error| note(format!("server: {error}")));
    });
    server.listen(0);
    let client = identity.connect(port_of(server));
    client.socket().on(event::Error, move |error| {
        note(format!("client: {error}"));
        server.close();
    });
    client.on(PlainEnd, |()| note("end"));
    run_to_end();
    assert_eq!(
        record(),
        [
            "client: unexpected end of file",
            "server: unexpected end of file"
        ]
    );
}

#[test]
fn what_follows_close_notify_is_ignored() {
    let identity = Identity::new();
    let server = echo_server(&identity);
    server.on(event::Connection, move |socket: Socket| {
        socket.on(event::Close, |had_error| note(format!("close {had_error}")));
        server.close();
    });
    let port = port_of(server);
    let mut connection = identity.client();
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).unwrap();
        }
        connection.send_close_notify();
        let mut sent = Vec::new();
        connection.write_tls(&mut sent).unwrap();
        sent.extend([b'x'; 20_000]);
        stream.write_all(&sent).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap()
    });
    run_to_end();
    assert!(client.join().unwrap() > 0, "the answer to close_notify");
    assert_eq!(record(), ["close false"]);
}

#[test]
fn a_client_that_speaks_no_tls_costs_its_own_connection() {
    let identity = Identity::new();
    let accept = identity.accept();
    let server = net::create_server(move |socket| {
        accept(socket);
        socket.on(event::Error, |error| note(error.code()));
    });
    server.listen(0);
    let client = net::connect(("127.0.0.1", port_of(server)));
    client.write("GET / HTTP/1.1\r\n\r\n");
    client.resume();
    client.on(event::Error, |_| note("reset"));
    client.on(event::Close, move |_| server.close());
    run_to_end();
    assert!(record().contains(&"ERR_TLS".to_owned()));
}

/// Fifty clients. Each sends 256 KiB, ends, and says whether the same came back.
const NODE_CLIENT: &str = "
    const [, port, ca, version] = process.argv;
    const sent = Buffer.alloc(256 << 10, 'soquete');
    const options = {
        port, host: '127.0.0.1', servername: 'localhost', ca: require('fs').readFileSync(ca),
        ALPNProtocols: ['echo'], minVersion: version, maxVersion: version,
    };
    for (let client = 0; client < 50; client++) {
        const received = [];
        const socket = require('tls').connect(options, () => socket.end(sent));
        let protocol;
        socket.on('secureConnect', () => protocol = socket.getProtocol());
        socket.on('data', (chunk) => received.push(chunk));
        socket.on('close', (hadError) => {
            const same = sent.equals(Buffer.concat(received));
            console.log(protocol, socket.authorized, same, hadError);
        });
    }";

#[test]
fn a_hundred_clients_of_nodes_are_served() {
    let identity = Identity::new();
    let server = echo_server(&identity);
    let (port, ca) = (port_of(server).to_string(), identity.file("node.pem"));
    let node = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
    let clients = move || {
        let start = |version: &str| {
            let mut command = Command::new(&node);
            command
                .args(["-e", NODE_CLIENT, &port])
                .arg(&ca)
                .arg(version);
            command.output()
        };
        let versions = ["TLSv1.2", "TLSv1.3"];
        versions
            .map(start)
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
    };
    soquete::queue_work(clients, move |outputs| {
        match outputs {
            Ok(outputs) => outputs.iter().for_each(|output| note(said(output))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(std::env::var_os("CI").is_none(), "there is no node");
                left_out("Node");
            }
            Err(error) => panic!("{error}"),
        }
        server.close();
    })
    .unwrap();
    run_to_end();
    let right = |version: &str| format!("{version} true true false\n");
    let record = record();
    assert!(record.is_empty() || record.len() == 2);
    for (said, version) in record.iter().zip(["TLSv1.2", "TLSv1.3"]) {
        assert_eq!(*said, right(version).repeat(50));
    }
}

#[test]
fn openssl_is_served() {
    let identity = Identity::new();
    let server = echo_server(&identity);
    let (port, ca) = (port_of(server), identity.file("openssl.pem"));
    let client = move || {
        let mut child = Command::new("openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
            .args(["-servername", "localhost", "-verify_return_error", "-brief"])
            .arg("-CAfile")
            .arg(ca)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut typed = child.stdin.take().expect("it is piped");
        typed.write_all(b"hello\n")?;
        let mut answer = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().expect("it is piped"), &mut answer)?;
        drop(typed);
        child.wait()?;
        Ok::<_, std::io::Error>(answer)
    };
    soquete::queue_work(client, move |answer| {
        match answer {
            Ok(answer) => assert_eq!(&answer, b"hello\n"),
            Err(error) if error.kind() == ErrorKind::NotFound => left_out("openssl"),
            Err(error) => panic!("{error}"),
        }
        server.close();
    })
    .unwrap();
    run_to_end();
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{}{errors}", String::from_utf8_lossy(&output.stdout))
}

/// Past the test harness, which would keep it to itself.
fn left_out(what: &str) {
    let line = format!("LEFT OUT: TLS with {what}, which is not on this machine\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
