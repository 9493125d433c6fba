//~ error[E0277]: a listener cannot return `{async block@
use soquete::{event, net};

fn main() {
    net::connect(3000).on(event::Data, |_| async move {});
}
