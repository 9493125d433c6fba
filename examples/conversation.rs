//! Both programs in one loop: a server and a client that talk to each other, and then everything
//! ends by itself.
//!
//! `cargo run --release --example conversation`

use soquete::{event, net};

pub fn main() -> soquete::Result<()> {
    let server = net::create_server(|socket| {
        println!("Cliente conectado!");
        socket.on(event::Data, move |chunk| {
            println!("Recebido: {}", String::from_utf8_lossy(chunk));
            socket.write("Olá, cliente!");
        });
        socket.on(event::End, |()| println!("Cliente desconectado."));
        socket.on(event::Error, |error| println!("Erro: {error}"));
    });
    // Port 0: whichever is free, so that the example runs beside anything.
    server.listen(0);
    server.on(event::Listening, move |()| {
        let port = server.address().map_or(0, |address| address.port());
        println!("Servidor TCP escutando na porta {port}...");
        converse(port, server);
    });
    soquete::run()
}

fn converse(port: u16, server: net::Server) {
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
    client.on(event::Close, move |_| {
        server.close();
    });
}
