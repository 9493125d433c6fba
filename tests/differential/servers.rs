//! How servers begin to listen, take connections and close.

use soquete::net::{
    self, AbortController, BindOptions, BlockList, BoundSocket, ListenOptions, Server,
    ServerOptions, Socket,
};
use soquete::{event, timers};

use crate::trace::Trace;

crate::family!("servers":
    close_twice_while_there_is_a_connection,
    close_waits_for_the_connections,
    a_port_in_use,
    an_address_that_is_not_ours_with_a_port,
    the_second_of_two_listens_counts,
    a_closed_connection_makes_room,
    blocked_peers_are_closed_with_no_event,
    blocked_peers_in_their_mapped_form,
    a_signal_closes,
    a_signal_that_was_aborted_before,
    a_signal_that_is_aborted_while_the_host_is_looked_up,
    a_server_unreferenced_before_it_listens,
    a_server_that_is_referenced_again,
    ipv6_only_refuses_ipv4,
    every_address_takes_ipv4_in_its_mapped_form,
    a_shared_port,
    a_bound_socket_listens,
    two_bound_sockets_conflict_when_they_listen,
    what_a_bound_socket_refuses,
);

const LOCAL: &str = "127.0.0.1";

fn server(t: Trace, connected: impl FnMut(Socket) + 'static) -> Server {
    server_with(t, ServerOptions::new(), connected)
}

/// Recorded before its own listeners are called, as in JavaScript.
fn server_with(
    t: Trace,
    options: ServerOptions,
    connected: impl FnMut(Socket) + 'static,
) -> Server {
    t.on_server(net::create_server_with(options, connected), "S")
}

fn idle(_: Socket) {}

fn port(server: Server) -> u16 {
    server.address().map_or(0, |address| address.port())
}

fn listening(t: Trace, s: Server) {
    let (listening, address) = (s.listening(), s.address().is_some());
    t.log("S", format!("listening={listening} address={address}"));
}

fn close_twice_while_there_is_a_connection(t: Trace) {
    let s = server(t, move |c| {
        let Some(s) = c.server() else { return };
        s.close_then(t.cb("S", "first"));
        s.close_then(t.cb("S", "second"));
        c.destroy();
        c.on(event::Close, move |_| {
            let same = c.server() == Some(s);
            t.log("S", format!("socket closed, server={same}"));
        });
    });
    s.listen_then((LOCAL, 0), move |_| {
        let c = net::connect((LOCAL, port(s))).resume();
        c.on(event::Error, |_| {});
    });
}

fn close_waits_for_the_connections(t: Trace) {
    let s = server(t, move |c| {
        t.flow(c, "s");
        let Some(s) = c.server() else { return };
        s.close_then(t.cb("S", "close"));
        listening(t, s);
        s.get_connections(move |count| {
            t.log("S", format!("connections={}", count.unwrap_or(99)));
        });
        c.on(event::Data, move |_| t.log("S", "data"));
        c.on(event::End, move |()| t.log("S", "end"));
        c.on(event::Close, move |_| t.log("S", "socket closed"));
    });
    s.listen_then((LOCAL, 0), move |_| {
        t.flow(net::connect((LOCAL, port(s))), "c").end_with("x");
    });
}

fn a_port_in_use(t: Trace) {
    let first = net::create_server(idle);
    first.listen_then((LOCAL, 0), move |_| {
        let s = server(t, idle);
        s.listen_then((LOCAL, port(first)), t.called("S", "failed listen"));
        s.once(event::Error, move |_| {
            listening(t, s);
            first.close();
            s.listen_then((LOCAL, 0), t.called("S", "second listen"));
            s.once(event::Listening, move |()| {
                s.close();
            });
        });
    });
}

fn an_address_that_is_not_ours_with_a_port(t: Trace) {
    server(t, idle).listen(("192.0.2.1", 45678));
}

fn the_second_of_two_listens_counts(t: Trace) {
    let s = server(t, idle);
    s.listen_then((LOCAL, 0), t.called("S", "first"));
    s.listen_then((LOCAL, 0), t.called("S", "second"));
    s.once(event::Listening, move |()| {
        s.close();
    });
}

fn a_closed_connection_makes_room(t: Trace) {
    let s = server(t, |c| {
        c.end_with("hello");
    });
    s.set_max_connections(Some(1));
    s.listen_then((LOCAL, 0), move |_| {
        let port = port(s);
        let first = net::connect((LOCAL, port)).resume();
        first.on(event::Close, move |_| {
            let c = t.flow(net::connect((LOCAL, port)), "c");
            c.on(event::Close, move |_| {
                s.close();
            });
        });
    });
}

fn blocked_peers_are_closed_with_no_event(t: Trace) {
    let list = BlockList::new();
    list.add_address(LOCAL).unwrap();
    blocked(t, &list, ListenOptions::from((LOCAL, 0)));
}

fn blocked_peers_in_their_mapped_form(t: Trace) {
    let list = BlockList::new();
    list.add_subnet("127.0.0.0", 8).unwrap();
    blocked(t, &list, ListenOptions::new(0));
}

fn blocked(t: Trace, list: &BlockList, listen: ListenOptions) {
    let s = server_with(t, ServerOptions::new().block_list(list), idle);
    s.listen_then(listen, move |_| {
        let c = net::connect((LOCAL, port(s))).resume();
        c.on(event::Error, |_| {});
        c.on(event::Close, move |_| {
            s.close();
        });
    });
}

fn a_signal_closes(t: Trace) {
    let controller = AbortController::new();
    let s = server(t, idle);
    s.listen(ListenOptions::new(0).signal(controller.signal()));
    s.once(event::Listening, move |()| {
        controller.abort();
        listening(t, s);
    });
}

fn a_signal_that_was_aborted_before(t: Trace) {
    let controller = AbortController::new();
    controller.abort();
    let s = server(t, idle);
    s.listen(ListenOptions::new(0).signal(controller.signal()));
    listening(t, s);
}

fn a_signal_that_is_aborted_while_the_host_is_looked_up(t: Trace) {
    let controller = AbortController::new();
    let signal = controller.signal();
    server(t, idle).listen(ListenOptions::new(0).host(LOCAL).signal(signal));
    controller.abort();
}

fn a_server_unreferenced_before_it_listens(t: Trace) {
    server(t, idle).unref().listen(0);
}

fn a_server_that_is_referenced_again(t: Trace) {
    let s = server(t, idle).listen(0).unref().ref_();
    timers::set_immediate(move || {
        let close = move || {
            s.close();
        };
        timers::set_timeout(std::time::Duration::from_millis(1), close).unref();
    });
}

fn ipv6_only_refuses_ipv4(t: Trace) {
    let s = server(t, idle);
    let options = ListenOptions::new(0).host("::").ipv6_only(true);
    s.listen_then(options, move |_| {
        let c = t.on(net::connect((LOCAL, port(s))), "c");
        c.on(event::Close, move |_| {
            s.close();
        });
    });
}

fn every_address_takes_ipv4_in_its_mapped_form(t: Trace) {
    let s = server(t, move |c| {
        let (remote, local) = (c.remote_address().unwrap(), c.local_address().unwrap());
        let family = c.remote_family().unwrap().to_string();
        t.log("S", format!("{remote} {family} {local}"));
        c.destroy();
        c.server().map(|s| s.close());
    });
    s.listen_then(0, move |_| {
        let address = s.address().unwrap().ip().unwrap();
        let family = net::Family::from(address).to_string();
        t.log("S", format!("{address} {family}"));
        let c = net::connect((LOCAL, port(s))).resume();
        c.on(event::Error, |_| {});
    });
}

fn a_shared_port(t: Trace) {
    let first = server(t, idle);
    let shared = |port| ListenOptions::new(port).host(LOCAL).reuse_port(true);
    first.listen_then(shared(0), move |_| {
        let second = net::create_server(idle);
        second.listen_then(shared(port(first)), move |_| {
            t.log("S", "both");
            first.close();
            second.close();
        });
    });
}

fn a_bound_socket_listens(t: Trace) {
    let bound = BoundSocket::new(BindOptions::new(0).host(LOCAL)).unwrap();
    let address = bound.address().unwrap();
    let (ip, free) = (address.ip().unwrap(), address.port());
    t.log("S", format!("{ip} {} {}", free > 0, bound.is_pipe()));
    let s = server(t, idle);
    s.listen_then(&bound, t.called("S", "listen"));
    listening(t, s);
    for use_it in [
        bound.address().map(drop),
        bound.fd().map(drop),
        bound.close(),
    ] {
        t.log("S", use_it.unwrap_err().code());
    }
    s.once(event::Listening, move |()| {
        t.log("S", format!("same port {}", port(s) == free));
        s.close();
    });
}

fn two_bound_sockets_conflict_when_they_listen(t: Trace) {
    let first = BoundSocket::new((LOCAL, 0)).unwrap();
    let second = BoundSocket::new((LOCAL, first.address().unwrap().port())).unwrap();
    let s = net::create_server(idle).listen(first);
    server(t, idle).listen(second).on(event::Error, move |_| {
        s.close();
    });
}

fn what_a_bound_socket_refuses(t: Trace) {
    for options in [
        BindOptions::new(0).host("localhost"),
        BindOptions::path("/tmp/x").reuse_port(true),
        BindOptions::new(0).host("192.0.2.1"),
        BindOptions::new(45679).host("192.0.2.1"),
    ] {
        let error = BoundSocket::new(options).unwrap_err();
        let syscall = error.syscall().unwrap_or_default();
        t.log("S", format!("{} {syscall}", error.code()));
    }
}
