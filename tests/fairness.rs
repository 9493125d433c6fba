//! What a light client waits for beside those that flood, counted in bytes that the loop reads meanwhile: a clock would
//! measure the machine.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use soquete::net::{self, Socket};
use soquete::{event, metrics};

mod support;

use support::{listening_on, run_to_end};

const CHUNK: usize = 256 * 1024;
const ANSWERS: usize = 60;

/// How many bytes the loop has read between a request and its answer, for each request of a light client beside `floods`
/// clients that send without a pause and read all that comes back. Both ends are this loop's.
fn read_meanwhile(floods: usize) -> Vec<u64> {
    let waited = Rc::new(RefCell::new(Vec::new()));
    let told = waited.clone();
    let server = net::create_server(|socket| {
        // Those that flood are destroyed in the middle of it.
        socket.on(event::Error, |_| {});
        socket.pipe(socket);
    });
    listening_on(server, "127.0.0.1", move |server, port| {
        let flooding: Vec<Socket> = (0..floods).map(|_| flood(port)).collect();
        let light = net::connect(("127.0.0.1", port));
        let asked = Rc::new(Cell::new(0));
        let ask = move |light: Socket| {
            light.write(&[b'?'; 64]);
            metrics().bytes_read
        };
        let first = asked.clone();
        light.on(event::Ready, move |()| first.set(ask(light)));
        let arrived = Cell::new(0);
        light.on(event::Data, move |data| {
            arrived.set(arrived.get() + data.len());
            if arrived.get() < 64 {
                return;
            }
            arrived.set(0);
            told.borrow_mut().push(metrics().bytes_read - asked.get());
            if told.borrow().len() < ANSWERS {
                return asked.set(ask(light));
            }
            light.destroy();
            for flood in &flooding {
                flood.destroy();
            }
            server.close();
        });
    });
    run_to_end();
    waited.take()
}

fn flood(port: u16) -> Socket {
    let chunk: Rc<[u8]> = vec![b'.'; CHUNK].into();
    let socket = net::connect(("127.0.0.1", port));
    let fill = move || while socket.write(chunk.clone()) {};
    let again = fill.clone();
    socket.on(event::Drain, move |()| again());
    socket.on(event::Ready, move |()| fill());
    socket.resume()
}

#[test]
fn a_light_client_waits_for_two_turns_of_a_quarter_mebibyte_beside_one_and_eight_that_flood() {
    for floods in [1, 8] {
        let mut waited = read_meanwhile(floods);
        assert_eq!(waited.len(), ANSWERS);
        waited.sort_unstable();
        // The floods begin before there is a light client, and the first requests meet what they have sent.
        let usual = waited[ANSWERS / 2];
        assert!(usual <= 640 * 1024, "{floods} floods: {waited:?}");
    }
}
