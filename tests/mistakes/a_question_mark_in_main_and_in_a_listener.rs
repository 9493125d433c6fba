//~ compiles
use soquete::{event, net};

fn main() -> soquete::Result<()> {
    let greeting = std::fs::read("greeting")?;
    let server = net::create_server(move |socket| {
        socket.on(event::Text, move |line| {
            let _number: u32 = line.trim().parse()?;
            let _file = std::fs::read(line)?;
            Ok(())
        });
        socket.write(&greeting)
    });
    server.listen(3000);
    soquete::run()
}
