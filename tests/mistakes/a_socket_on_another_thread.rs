//~ error[E0277]: `*const ()` cannot be sent between threads safely
use soquete::net;

fn main() {
    let socket = net::connect(3000);
    std::thread::spawn(move || socket.write("x"));
}
