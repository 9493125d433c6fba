//~ compiles
use soquete::net;

fn main() -> soquete::Result<()> {
    net::connect_then(3000, |socket| socket.write("x"));
    soquete::run()
}
