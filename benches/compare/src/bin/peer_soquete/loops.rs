//! Two loops, each on a thread of its own, and the two ways to bring connections to them.

use std::sync::mpsc;
use std::thread;

use soquete::net::{
    BindOptions, BoundSocket, ListenOptions, ServerOptions, Socket, SocketOptions, StdStream,
};
use soquete::{event, net};
use soquete_compare::peer;

use super::echo;

/// Each listens at the same port, and the kernel chooses.
pub fn that_listen() -> soquete::Result<()> {
    let mut port = 0;
    for _ in 0..peer::LOOPS {
        let place = BindOptions::new(port).host("127.0.0.1").reuse_port(true);
        let place = BoundSocket::new(place)?;
        port = place.address()?.port();
        thread::spawn(move || {
            let options = ServerOptions::new().no_delay(true);
            let place = ListenOptions::from(place).backlog(peer::BACKLOG);
            net::create_server_with(options, serve).listen(place);
            soquete::run()
        });
    }
    peer::announce(port);
    Ok(())
}

/// This thread's accepts, and hands them over in turn.
pub fn that_are_handed_connections() -> soquete::Result<()> {
    let (started, senders) = mpsc::channel();
    for _ in 0..peer::LOOPS {
        let started = started.clone();
        thread::spawn(move || {
            let sender = soquete::channel(|stream: StdStream| {
                let options = SocketOptions::new();
                Socket::from_std_with(stream, options).map(serve)
            });
            // The other end waits for it.
            let _ = started.send(sender);
            soquete::run()
        });
    }
    let senders = senders.iter().take(peer::LOOPS);
    let senders = senders.collect::<soquete::Result<Vec<_>>>()?;
    let mut turn = 0;
    // Paused, so that nothing is read here of what another loop is to read.
    let options = ServerOptions::new().no_delay(true).pause_on_connect(true);
    let server = net::create_server_with(options, move |socket| {
        turn = (turn + 1) % senders.len();
        senders[turn].send(socket.into_std()?)
    });
    super::listen(server, &soquete_compare::address::Address::Port(0));
    Ok(())
}

fn serve(socket: Socket) {
    // A client that is gone is no one's concern.
    socket.on(event::Error, |_| {});
    echo(socket);
}
