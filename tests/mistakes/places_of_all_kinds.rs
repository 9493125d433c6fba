//~ compiles
use soquete::net;
use std::net::Ipv4Addr;
use std::path::PathBuf;

fn main() -> soquete::Result<()> {
    let host = String::from("localhost");
    net::connect((host, 3000));
    net::connect(&PathBuf::from("/tmp/app.sock"));
    net::create_server(|_| ()).listen((Ipv4Addr::LOCALHOST, 3000));
    net::create_server(|_| ()).listen("localhost:3001");
    soquete::run()
}
