//~ error[E0277]: `Server` has no event `soquete::event::Data`
use soquete::{event, net};

fn main() {
    net::create_server(|_| ()).on(event::Data, |_| ());
}
