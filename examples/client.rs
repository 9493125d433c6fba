//! The client of every first lesson on Node's `net`, in Rust.
//!
//! `cargo run --release --example client [port]`

use soquete::{event, net};

pub fn main() -> soquete::Result<()> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse().ok())
        .unwrap_or(3000);
    let client = net::connect(port);
    client.on(event::Connect, move |()| {
        println!("Conectado ao servidor!");
        client.write("Olá, servidor!");
    });
    client.on(event::Data, move |chunk| {
        println!("Recebido do servidor: {}", String::from_utf8_lossy(chunk));
        client.end();
    });
    client.on(event::End, |()| println!("Desconectado do servidor."));
    client.on(event::Error, |error| println!("Erro: {error}"));
    soquete::run()
}
