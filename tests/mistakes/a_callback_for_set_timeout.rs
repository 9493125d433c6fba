//~ error[E0061]: this method takes 1 argument but 2 arguments were supplied
use soquete::net;
use std::time::Duration;

fn main() {
    net::connect(3000).set_timeout(Duration::from_secs(5), || ());
}
