//~ compiles
use soquete::{event, net};

fn main() -> soquete::Result<()> {
    let server = net::create_server(|socket| socket.on(event::Data, move |chunk| socket.write(chunk)));
    net::connect(1).on(event::Close, move |_| server.close());
    soquete::run()
}
