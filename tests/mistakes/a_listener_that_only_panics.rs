//~ compiles
use soquete::{event, net};

fn main() -> soquete::Result<()> {
    net::connect(3000).on(event::Error, |error| panic!("{error}"));
    soquete::run()
}
