//! Servers: listening, accepting, closing.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use soquete::net::{self, Address, Server, ServerOptions, Socket};
use soquete::{event, timers};

use crate::trace::{Trace, ignore};

crate::family!("serving":
    listening_on_a_host,
    listening_on_everything,
    closed_in_the_callback_that_listens_on_everything,
    closed_in_the_callback_that_listens_on_a_host,
    closed_without_listening,
    closed_twice,
    closed_again_after_close,
    close_comes_before_that_of_the_last_socket,
    several_connections_close_in_reverse_order,
    closed_in_the_connection_listener,
    socket_destroyed_in_the_connection_listener,
    address_in_use,
    address_in_use_on_everything,
    address_that_is_not_ours,
    error_that_nobody_listens_for,
    listening_twice,
    listening_again_in_the_close_listener,
    listening_again_while_a_connection_is_open,
    too_many_connections_are_dropped,
    no_connections_at_all,
    paused_connections,
    closed_server_refuses,
    unreferenced_server_lets_the_loop_end,
    unreferenced_server_with_a_connection,
    on_a_path,
    on_a_path_in_use,
    on_a_path_whose_directory_is_missing,
    end_in_the_connection_listener,
    connection_listener_and_the_rest_of_the_turn,
    getters_of_an_accepted_socket,
);

const ANY: (&str, u16) = ("127.0.0.1", 0);

fn listening_on_a_host(t: Trace) {
    let server = server(t, |_, _| {});
    server.listen_then(ANY, move |_| {
        t.log("S", "called");
        server.close();
        show(t, server);
    });
    show(t, server);
    timers::next_tick(move || t.log("S", "tick"));
    server.on(event::Listening, move |()| show(t, server));
}

fn listening_on_everything(t: Trace) {
    let server = server(t, |_, _| {});
    server.listen_then(0, move |_| {
        t.log("S", "called");
        server.close();
    });
    show(t, server);
    timers::next_tick(move || t.log("S", "tick"));
}

fn closed_in_the_callback_that_listens_on_everything(t: Trace) {
    let server = server(t, |_, _| {});
    server.listen_then(0, move |_| t.log("S", "called"));
    server.close_then(t.cb("S", "close"));
    show(t, server);
}

fn closed_in_the_callback_that_listens_on_a_host(t: Trace) {
    let server = server(t, |_, _| {});
    server.listen_then(ANY, move |_| t.log("S", "called"));
    server.close_then(t.cb("S", "close"));
    show(t, server);
}

fn closed_without_listening(t: Trace) {
    server(t, |_, _| {}).close_then(t.cb("S", "close"));
}

fn closed_twice(t: Trace) {
    let server = net::create_server(|_| {});
    server.once(event::Close, move |_| t.log("S", "close"));
    server.listen_then(ANY, move |_| {
        server.close_then(t.cb("S", "first"));
        server.close_then(t.cb("S", "second"));
    });
}

fn closed_again_after_close(t: Trace) {
    let server = net::create_server(|_| {});
    server.once(event::Close, move |_| t.log("S", "close"));
    server.listen_then(ANY, move |_| {
        server.close_then(t.cb("S", "first"));
        server.once(event::Close, move |_| {
            timers::set_immediate(move || ignore(server.close_then(t.cb("S", "second"))));
        });
    });
}

fn close_comes_before_that_of_the_last_socket(t: Trace) {
    let server = server(t, move |server, s| {
        s.on(event::Close, move |_| t.log("S", "socket closed"));
        s.resume();
        server.close_then(t.cb("S", "first"));
        show(t, server);
        server.get_connections(move |count| {
            t.log("S", format!("connections {}", count.unwrap_or(0)));
        });
        server.close_then(t.cb("S", "second"));
    });
    server.listen_then(ANY, move |_| {
        let c = net::connect(("127.0.0.1", port(server)));
        server.on(event::Connection, move |_| {
            timers::set_immediate(move || ignore(c.destroy()));
        });
    });
}

fn several_connections_close_in_reverse_order(t: Trace) {
    let sockets = Rc::new(RefCell::new(Vec::new()));
    let server = server(t, move |server, s| {
        sockets.borrow_mut().push(s);
        let name = sockets.borrow().len();
        s.on(event::Close, move |_| t.log("S", format!("closed {name}")));
        if name < 3 {
            join(server);
            return;
        }
        server.close();
        for socket in sockets.borrow().iter() {
            socket.destroy();
        }
    });
    server.listen_then(ANY, move |_| ignore(join(server)));
}

fn closed_in_the_connection_listener(t: Trace) {
    let server = server(t, move |server, s| {
        t.flow(s, "s");
        server.close();
        s.end_with("bye");
    });
    server.listen_then(ANY, move |_| ignore(t.flow(join_quietly(server), "c")));
}

fn socket_destroyed_in_the_connection_listener(t: Trace) {
    let server = server(t, move |server, s| {
        t.on(s, "s");
        s.destroy();
        server.close();
    });
    server.listen_then(ANY, move |_| ignore(t.flow(join_quietly(server), "c")));
}

fn address_in_use(t: Trace) {
    t.listen(
        ServerOptions::new(),
        |_| {},
        move |taken, first| {
            let server = server(t, |_, _| {});
            server.once(event::Error, move |_| {
                show(t, server);
                first.close();
                server.listen_then(ANY, move |_| {
                    t.log("S", "second");
                    server.close();
                });
            });
            server.listen_then(("127.0.0.1", taken), move |_| t.log("S", "first"));
            show(t, server);
        },
    );
}

fn address_in_use_on_everything(t: Trace) {
    let first = net::create_server(|_| {});
    first.listen_then(0, move |_| {
        let server = server(t, |_, _| {});
        server.listen(port(first));
        show(t, server);
        timers::next_tick(move || t.log("S", "tick"));
        server.on(event::Error, move |_| ignore(first.close()));
    });
}

fn address_that_is_not_ours(t: Trace) {
    server(t, |_, _| {}).listen(("192.0.2.1", 0));
}

fn error_that_nobody_listens_for(_: Trace) {
    net::create_server(|_| {}).listen(("192.0.2.1", 0));
}

fn listening_twice(t: Trace) {
    let server = server(t, |_, _| {});
    server.listen_then(0, move |_| ignore(server.close()));
    server.listen(0);
}

fn listening_again_in_the_close_listener(t: Trace) {
    let server = server(t, |_, _| {});
    server.listen_then(ANY, move |_| ignore(server.close()));
    server.once(event::Close, move |_| {
        server.listen_then(ANY, move |_| {
            t.log("S", "again");
            server.close();
        });
    });
}

fn listening_again_while_a_connection_is_open(t: Trace) {
    let server = server(t, move |server, s| {
        server.close_then(t.cb("S", "close"));
        server.listen_then(ANY, move |_| {
            t.log("S", "again");
            s.on(event::Close, move |_| {
                t.log("S", "socket closed");
                server.close();
            });
            s.destroy();
        });
    });
    server.listen_then(ANY, move |_| ignore(join(server)));
}

fn too_many_connections_are_dropped(t: Trace) {
    let server = server(t, move |server, s| {
        t.flow(join_quietly(server), "second");
        server.on(event::Drop, move |_| {
            s.destroy();
            server.close();
        });
    });
    server.set_max_connections(Some(1));
    server.listen_then(ANY, move |_| ignore(t.flow(join_quietly(server), "first")));
}

fn no_connections_at_all(t: Trace) {
    let server = server(t, |_, _| {});
    server.set_max_connections(Some(0));
    server.on(event::Drop, move |_| ignore(server.close()));
    server.listen_then(ANY, move |_| ignore(t.flow(join_quietly(server), "c")));
}

fn paused_connections(t: Trace) {
    let options = ServerOptions::new().pause_on_connect(true);
    let server = server_with(t, options, move |server, s| {
        t.watch(s, "s");
        server.close();
        t.turns(10, move || {
            t.log("s", s.bytes_read().to_string());
            s.resume();
        });
    });
    server.listen_then(ANY, move |_| ignore(join_quietly(server).end_with("hi")));
}

fn closed_server_refuses(t: Trace) {
    let server = server(t, move |server, s| {
        let late = ("127.0.0.1", port(server));
        server.close();
        t.on(net::connect(late), "late")
            .on(event::Close, move |_| ignore(s.destroy()));
    });
    server.listen_then(ANY, move |_| ignore(join(server)));
}

fn unreferenced_server_lets_the_loop_end(t: Trace) {
    server(t, |_, _| {}).unref().listen(ANY);
}

fn unreferenced_server_with_a_connection(t: Trace) {
    let server = server(t, move |server, s| {
        t.flow(s, "s");
        server.unref();
        s.end_with("bye");
    });
    server.listen_then(ANY, move |_| ignore(t.flow(join_quietly(server), "c")));
}

fn on_a_path(t: Trace) {
    let path = fresh_path();
    let server = server(t, move |server, s| {
        t.flow(s, "s");
        server.close();
    });
    let listening_on = path.clone();
    server.listen_then(path.as_path(), move |_| {
        let path = listening_on;
        let same = server.address() == Some(Address::Path(path.clone()));
        t.log("S", format!("{same} {}", path.exists()));
        let c = t.flow(net::connect(path), "c");
        c.on(event::Ready, move |()| ignore(c.end_with("hi")));
    });
    show(t, server);
    server.on(event::Close, move |_| t.log("S", path.exists().to_string()));
}

fn on_a_path_in_use(t: Trace) {
    let path = fresh_path();
    let first = net::create_server(|_| {});
    first.listen_then(path.clone(), move |_| {
        let second = net::create_server(|_| {});
        second
            .listen(path.as_path())
            .on(event::Error, move |error| {
                let same = error.address() == path.to_str();
                let syscall = error.syscall().unwrap_or("undefined");
                t.log("S", format!("{} {syscall} {same}", error.code()));
                first.close();
            });
    });
}

fn on_a_path_whose_directory_is_missing(t: Trace) {
    server(t, |_, _| {}).listen(Path::new("/missing/directory/path.sock"));
}

fn end_in_the_connection_listener(t: Trace) {
    let server = server(t, move |server, s| {
        t.flow(s, "s");
        s.end();
        server.close();
    });
    server.listen_then(ANY, move |_| ignore(t.flow(join_quietly(server), "c")));
}

fn connection_listener_and_the_rest_of_the_turn(t: Trace) {
    let server = server(t, move |server, s| {
        timers::next_tick(move || t.log("S", "tick"));
        timers::set_immediate(move || t.log("S", "immediate"));
        s.on(event::Close, move |_| t.log("S", "socket closed"));
        s.destroy();
        server.close();
    });
    server.listen_then(ANY, move |_| ignore(join(server)));
}

fn getters_of_an_accepted_socket(t: Trace) {
    let server = server(t, move |server, s| {
        t.state(s, "s");
        let text = |address: Option<std::net::IpAddr>| {
            address.map_or("undefined".to_owned(), |address| address.to_string())
        };
        let same = s.local_port() == Some(port(server));
        let (local, remote) = (text(s.local_address()), text(s.remote_address()));
        t.log("s", format!("{local} {same} {remote}"));
        server.close();
        t.watch(s, "s");
        s.end_with("hi");
    });
    server.listen_then(ANY, move |_| ignore(join(server)));
}

/// A server whose events go into lane `S`.
fn server(t: Trace, connected: impl FnMut(Server, Socket) + 'static) -> Server {
    server_with(t, ServerOptions::new(), connected)
}

fn server_with(
    t: Trace,
    options: ServerOptions,
    mut connected: impl FnMut(Server, Socket) + 'static,
) -> Server {
    let server = Server::new_with(options);
    server.on(event::Connection, move |s| connected(server, s));
    t.on_server(server, "S")
}

fn show(t: Trace, server: Server) {
    let (listening, address) = (server.listening(), server.address().is_some());
    t.log("S", format!("listening={listening} address={address}"));
}

fn port(server: Server) -> u16 {
    server.address().map_or(0, |address| address.port())
}

/// A client that throws away what comes.
fn join(server: Server) -> Socket {
    join_quietly(server).resume()
}

fn join_quietly(server: Server) -> Socket {
    net::connect(("127.0.0.1", port(server)))
}

fn fresh_path() -> PathBuf {
    static PATHS: AtomicU32 = AtomicU32::new(0);
    let number = PATHS.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("soquete-serving-{}-{number}", std::process::id()))
}
