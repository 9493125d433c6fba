//~ error[E0277]: a listener cannot return `Result<(), std::io::Error>`: end its body with `;` to drop it, or use `?` and end with `Ok(())`
use soquete::{event, net};

fn main() {
    net::connect(3000).on(event::Data, |chunk| std::fs::write("x", chunk));
}
