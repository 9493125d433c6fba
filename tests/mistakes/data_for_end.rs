//~ error[E0061]: this method takes 0 arguments but 1 argument was supplied
use soquete::net;

fn main() {
    net::connect(3000).end("bye");
}
