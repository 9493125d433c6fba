//! A port scanner: which ports of a host take connections?
//!
//! `cargo run --example scan host first last`; `scan.mjs` beside it is the same in Node.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use soquete::{event, net};

const AT_ONCE: usize = 100;
const PATIENCE: Duration = Duration::from_millis(500);

struct Scan {
    host: String,
    left: std::ops::RangeInclusive<u16>,
    running: usize,
    open: Vec<u16>,
}

fn scan(shared: &Rc<RefCell<Scan>>) {
    let mut state = shared.borrow_mut();
    while state.running < AT_ONCE {
        let Some(port) = state.left.next() else { break };
        state.running += 1;
        let (opened, closed) = (shared.clone(), shared.clone());
        net::connect_then((&state.host, port), move |socket| {
            opened.borrow_mut().open.push(port);
            socket.destroy()
        })
        .set_timeout_then(PATIENCE, |socket| socket.destroy())
        .on(event::Error, |_| ())
        .on(event::Close, move |_| {
            closed.borrow_mut().running -= 1;
            scan(&closed)
        });
    }
    if state.running == 0 {
        state.open.sort();
        let open: Vec<_> = state.open.iter().map(u16::to_string).collect();
        println!("open: {}", open.join(" "));
    }
}

fn main() -> soquete::Result<()> {
    let [host, first, last] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let left = first.parse()?..=last.parse()?;
    scan(&Rc::new(RefCell::new(Scan {
        host,
        left,
        running: 0,
        open: Vec::new(),
    })));
    soquete::run()
}
