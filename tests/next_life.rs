//! One life of a socket after the other, and what its listeners read, with real sockets.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use soquete::{event, net};

/// A server that says `greeting` and ends; `client` is connected to it.
fn serve(greeting: &'static str, times: usize, client: impl FnOnce(u16) + 'static) {
    let served = Rc::new(Cell::new(0));
    let server = net::create_server(move |socket| {
        socket.on(event::Error, |_| {});
        socket.end_with(greeting);
        served.set(served.get() + 1);
        if served.get() == times
            && let Some(server) = socket.server()
        {
            server.close();
        }
    });
    server.listen(0);
    let client = Cell::new(Some(client));
    server.on(event::Listening, move |()| {
        if let (Some(client), Some(address)) = (client.take(), server.address()) {
            client(address.port());
        }
    });
    soquete::run().unwrap();
}

#[test]
fn connect_right_after_destroy_begins_a_new_life_after_close() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let add = |log: &Rc<RefCell<Vec<String>>>, what: &str| {
        let (log, what) = (Rc::clone(log), what.to_owned());
        move || log.borrow_mut().push(what.clone())
    };
    let (close, connect, failed) = (
        add(&log, "close"),
        add(&log, "connect"),
        add(&log, "failed"),
    );
    serve("hello", 1, move |port| {
        let client = net::connect(port);
        client.write_then("never sent", move |outcome| {
            assert!(outcome.is_err());
            failed();
        });
        client.on(event::Close, move |_| close());
        client.on(event::Connect, move |()| connect());
        client.resume();
        client.destroy();
        client.connect(port);
    });
    assert_eq!(log.take(), ["failed", "close", "connect", "close"]);
}

#[test]
fn what_a_listener_of_data_reads_comes_next() {
    let text = Rc::new(RefCell::new(Vec::new()));
    let received = Rc::clone(&text);
    serve("abcdef", 1, move |port| {
        let client = net::connect(port);
        let end = client.read();
        assert_eq!(end, None);
        client.once(event::Readable, move |()| {
            assert_eq!(client.read_exactly(2).unwrap().as_deref(), Some(&b"ab"[..]));
            client.unshift("AB");
            client.unshift("xy");
            client.remove_all_listeners_of(event::Readable);
            let once = Cell::new(false);
            client.on(event::Data, move |chunk| {
                received.borrow_mut().extend_from_slice(chunk);
                if !once.replace(true) {
                    client.read();
                }
            });
            client.resume();
        });
    });
    assert_eq!(String::from_utf8_lossy(&text.borrow()), "xyABcdef");
}
