//! What a program keeps with a socket or a server.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use soquete::net::{self, Socket};
use soquete::{event, timers};

mod support;
use support::{note, port_of, record, run_to_end};

#[derive(Default)]
struct Client {
    nick: RefCell<String>,
    lines: Cell<u32>,
}

#[test]
fn the_listeners_of_a_connection_share_what_is_attached_to_it() {
    let server = net::create_server(|socket| {
        socket.attach(Client::default());
        socket.on(event::Text, move |nick| {
            let client = socket.attachment::<Client>().unwrap();
            client.nick.replace(nick.to_owned());
            client.lines.set(client.lines.get() + 1);
        });
        socket.on(event::Close, move |_| {
            let client = socket.attachment::<Client>().unwrap();
            note(format!("{} {}", client.nick.borrow(), client.lines.get()));
            socket.server().map(|server| server.close())
        });
    });
    server.attach("the server's own").attach(7_u16);
    server.listen_then(0, |server| {
        net::connect(("127.0.0.1", port_of(server))).end_with("ana")
    });
    server.on(event::Close, move |_| {
        note(*server.attachment::<&str>().unwrap());
        assert_eq!(server.attachment::<u16>().as_deref(), Some(&7));
    });
    run_to_end();
    assert_eq!(record(), ["ana 1", "the server's own"]);
    assert!(server.attachment::<u16>().is_none());
}

#[test]
fn a_value_takes_the_place_of_one_of_its_type_and_goes_after_close() {
    struct Drops(&'static str, Socket);
    impl Drop for Drops {
        fn drop(&mut self) {
            // What a destructor does to the socket meets no borrow.
            let others = self.1.attachment::<u8>();
            self.1.attach(8_u8);
            note(format!("{} {}", self.0, others.is_some()));
        }
    }
    let socket = Socket::new();
    socket.attach(1_u8).attach(Drops("first", socket));
    assert!(socket.attachment::<u16>().is_none());
    socket.attach(Drops("second", socket));
    assert_eq!(socket.attachment::<u8>().as_deref(), Some(&8));
    let kept = socket.attachment::<u8>();
    socket.on(event::Close, move |_| {
        assert!(socket.attachment::<Drops>().is_some());
        timers::set_immediate(|| note("later"));
    });
    socket.destroy();
    run_to_end();
    assert_eq!(record(), ["first true", "second false", "later"]);
    assert_eq!(kept.as_deref(), Some(&8), "an Rc outlives the socket");
}

#[test]
fn a_stale_handle_keeps_nothing() {
    let socket = Socket::new();
    socket.destroy();
    run_to_end();
    let value = Rc::new(());
    assert_eq!(socket.attach(Rc::clone(&value)), socket);
    assert!(socket.attachment::<Rc<()>>().is_none());
    assert_eq!(Rc::strong_count(&value), 1);
}
