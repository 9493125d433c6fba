//~ compiles
use soquete::{event, net};

fn main() -> soquete::Result<()> {
    let socket = net::connect(3000);
    socket.once(event::Connect, |()| ()).on(event::Data, |_| ());
    soquete::run()
}
