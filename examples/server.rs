//! The server of every first lesson on Node's `net`, in Rust.
//!
//! `cargo run --release --example server [port]`

use soquete::{event, net};

pub fn main() -> soquete::Result<()> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse().ok())
        .unwrap_or(3000);
    let server = net::create_server(|socket| {
        println!("Cliente conectado!");
        socket.on(event::Data, move |chunk| {
            println!("Recebido: {}", String::from_utf8_lossy(chunk));
            socket.write("Olá, cliente!");
        });
        socket.on(event::End, |()| println!("Cliente desconectado."));
        // Without a listener, the first client that resets its connection would end the server.
        socket.on(event::Error, |error| println!("Erro: {error}"));
    });
    server.on(event::Listening, move |()| {
        // Of port 0 the system makes one that is free.
        let port = server.address().map_or(port, |address| address.port());
        println!("Servidor TCP escutando na porta {port}...");
    });
    server.listen(port);
    soquete::run()
}
