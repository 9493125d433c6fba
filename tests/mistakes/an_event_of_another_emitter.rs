//~ error[E0277]: `soquete::net::Server` has no event `soquete::event::Data`
use soquete::{event, net};

fn main() {
    net::create_server(|_| ()).on(event::Data, |_| ());
}
