//~ error[E0061]: this function takes 0 arguments but 1 argument was supplied
use soquete::net::{Socket, SocketOptions};

fn main() {
    Socket::new(SocketOptions::new());
}
