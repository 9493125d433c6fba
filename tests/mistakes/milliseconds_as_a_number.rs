//~ error[E0308]: mismatched types
use soquete::net;

fn main() {
    net::connect(3000).set_timeout(5000);
}
