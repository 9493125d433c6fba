//! An echo server and a client over TLS, by rustls.
//!
//! ```text
//! cargo run --release --example tls -- server [port]         writes its certificate to ./soquete-ca.pem
//! cargo run --release --example tls -- client HOST:PORT CA   what is typed goes there, what comes is shown
//! openssl s_client -connect localhost:3443 -CAfile soquete-ca.pem
//! ```
//!
//! The key is made at the start and never leaves the process. [`secure`] is the part between rustls and a
//! socket, for programs of your own.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use secure::{Plain, PlainEnd, Secure, Secured, tls_error};
use soquete::{event, net};

mod secure;

/// The protocol that both sides name by ALPN.
const PROTOCOL: &[u8] = b"echo";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["server"] => server(3443)?,
        ["server", port] => server(port.parse()?)?,
        ["client", address, ca] => client(address, Path::new(ca))?,
        _ => return Err("tls server [PORT] | tls client HOST:PORT CA.pem".into()),
    }
    soquete::run()?;
    Ok(())
}

fn server(port: u16) -> Result<(), Box<dyn Error>> {
    let names = vec!["localhost".into(), "127.0.0.1".into(), "::1".into()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    let config = Arc::new(config);
    std::fs::write("soquete-ca.pem", made.cert.pem())?;

    let server = net::create_server(move |socket| {
        socket.on(event::Error, |error| eprintln!("{error}"));
        let secure = Secure::server(
            socket,
            ServerConnection::new(Arc::clone(&config)).map_err(tls_error)?,
        );
        secure.on(Plain, move |bytes| {
            // The one who does not read is not read from.
            if !secure.write(bytes) {
                secure.pause();
            }
        });
        socket.on(event::Drain, move |()| secure.resume());
        secure.on(PlainEnd, move |()| secure.end());
        Ok(())
    });
    server.listen_then(port, |server| {
        let address = server.address().expect("it listens");
        println!("listening on {address}");
    });
    Ok(())
}

fn client(address: &str, ca: &Path) -> Result<(), Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    let host = address.rsplit_once(':').ok_or("HOST:PORT")?.0;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
    let connection = ClientConnection::new(Arc::new(config), name)?;
    let secure = Secure::client(net::connect(address), connection);
    secure.on(Secured, move |()| {
        let alpn = secure.alpn().unwrap_or_default();
        let protocol = secure.protocol().unwrap_or_default();
        eprintln!("{protocol}, {}", String::from_utf8_lossy(&alpn));
        if let Err(error) = type_into(secure) {
            secure.socket().destroy_with(error);
        }
    });
    secure.on(Plain, |bytes| print!("{}", String::from_utf8_lossy(bytes)));
    secure.on(PlainEnd, move |()| secure.end());
    Ok(())
}

/// Sends the lines of standard input, and ends behind the last.
fn type_into(secure: Secure) -> soquete::Result<()> {
    let lines = soquete::channel(move |line: Option<String>| match line {
        Some(line) => {
            secure.write(line + "\n");
        }
        None => secure.end(),
    })?;
    std::thread::spawn(move || {
        let typed = std::io::stdin().lines().map_while(Result::ok);
        for line in typed.map(Some).chain([None]) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    Ok(())
}
