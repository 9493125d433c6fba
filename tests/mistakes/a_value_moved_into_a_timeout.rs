//~ compiles
use soquete::timers::set_timeout;

fn main() -> soquete::Result<()> {
    let name = String::from("ana");
    set_timeout(std::time::Duration::from_secs(1), move || drop(name));
    soquete::run()
}
