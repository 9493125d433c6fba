//~ error[E0061]: this function takes 0 arguments but 1 argument was supplied
use soquete::net::{Socket};

fn main() {
    Socket::new();
}
