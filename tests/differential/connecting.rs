//! How connections are made, and how that fails.

use std::cell::Cell;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::Path;

use soquete::dns::LookupOptions;
use soquete::net::{self, ConnectOptions, Family, ServerOptions, Socket};
use soquete::{event, timers};

use crate::trace::{Trace, ignore};

crate::family!("connecting":
    to_an_address,
    with_a_listener_for_the_connection,
    refused_with_writes_and_an_end,
    refused_without_anything,
    refused_with_an_end_only,
    refused_and_nobody_listens_for_the_error,
    destroyed_in_the_same_callback,
    destroyed_with_an_error_in_the_same_callback,
    destroyed_after_the_attempt,
    destroyed_in_the_connect_listener,
    destroyed_in_the_ready_listener,
    destroyed_while_it_is_looked_up,
    destroyed_in_the_lookup_listener,
    destroyed_in_the_failed_attempt,
    destroyed_between_two_attempts,
    destroyed_without_ever_connecting,
    destroyed_with_an_error_without_ever_connecting,
    by_name_with_one_address,
    by_name_with_a_first_address_that_refuses,
    by_name_with_addresses_that_all_refuse,
    by_name_with_one_family_takes_the_first_address,
    by_name_without_selection_takes_the_first_address,
    by_a_name_that_does_not_exist,
    by_a_lookup_that_answers_at_once,
    to_a_path_that_is_missing,
    to_a_path,
    from_a_port_that_is_taken,
    from_an_address_that_is_not_ours,
    from_an_address_of_ours,
    connected_twice_while_connecting,
    connected_again_in_the_close_listener,
    connected_again_after_a_whole_life,
    addresses_at_each_stage,
    remote_address_is_gone_if_nobody_asked,
    end_before_the_connection_and_a_peer_that_talks,
    unreferenced_while_connecting,
    paused_connection_does_not_keep_the_loop_alive,
);

/// Nobody listens there.
const REFUSED: (&str, u16) = ("127.0.0.1", 1);

fn to_an_address(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        t.state(c, "c");
        t.watch(c, "c");
        c.on(event::Ready, move |()| ignore(c.end_with("hi")));
    });
}

fn with_a_listener_for_the_connection(t: Trace) {
    t.serve(move |port| {
        let c = Socket::new();
        c.once(event::Connect, move |()| {
            t.log("c", "called");
            c.end();
        });
        c.connect(("127.0.0.1", port));
        t.flow(c, "c");
        timers::next_tick(move || t.log("c", "tick"));
    });
}

fn refused_with_writes_and_an_end(t: Trace) {
    let c = net::connect(REFUSED);
    t.flow(c, "c");
    c.on(event::Error, move |_| t.state(c, "c"));
    t.write(c, "c", "one");
    t.write(c, "c", "two");
    t.end(c, "c", "three");
    t.state(c, "c");
}

fn refused_without_anything(t: Trace) {
    t.on(net::connect(REFUSED), "c");
}

fn refused_with_an_end_only(t: Trace) {
    let c = t.on(net::connect(REFUSED), "c");
    t.end(c, "c", "");
}

fn refused_and_nobody_listens_for_the_error(t: Trace) {
    let c = net::connect(REFUSED);
    c.on(event::Close, move |had_error| {
        t.log("c", format!("close({had_error})"))
    });
}

fn destroyed_in_the_same_callback(t: Trace) {
    let connected = move |_| t.log("S", "connection");
    t.listen(ServerOptions::new(), connected, move |port, server| {
        let c = net::connect(("127.0.0.1", port));
        t.on(c, "c");
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        t.end(c, "c", "");
        c.destroy();
        t.state(c, "c");
        server.close();
    });
}

fn destroyed_with_an_error_in_the_same_callback(t: Trace) {
    let connected = move |_| t.log("S", "connection");
    t.listen(ServerOptions::new(), connected, move |port, server| {
        let c = t.on(net::connect(("127.0.0.1", port)), "c");
        t.write(c, "c", "one");
        t.write(c, "c", "two");
        c.destroy_with(t.error("MINE"));
        server.close();
    });
}

fn destroyed_after_the_attempt(t: Trace) {
    t.serve(move |port| {
        let c = t.on(net::connect(("127.0.0.1", port)), "c");
        c.on(event::ConnectionAttempt, move |_| {
            timers::next_tick(move || ignore(c.destroy()))
        });
        t.write(c, "c", "one");
    });
}

fn destroyed_in_the_connect_listener(t: Trace) {
    t.serve(move |port| {
        let c = t.flow(net::connect(("127.0.0.1", port)), "c");
        t.write(c, "c", "one");
        c.prepend_listener(event::Connect, move |()| ignore(c.destroy()));
        t.write(c, "c", "two");
    });
}

fn destroyed_in_the_ready_listener(t: Trace) {
    t.serve(move |port| {
        let c = t.flow(net::connect(("127.0.0.1", port)), "c");
        t.write(c, "c", "one");
        c.on(event::Ready, move |()| {
            ignore(c.destroy_with(t.error("MINE")))
        });
    });
}

fn destroyed_while_it_is_looked_up(t: Trace) {
    let c = net::connect(resolving_to(1, &["127.0.0.1"]));
    t.on(c, "c");
    t.write(c, "c", "one");
    timers::set_immediate(move || t.log("c", "immediate"));
    c.destroy();
}

fn destroyed_in_the_lookup_listener(t: Trace) {
    let c = net::connect(resolving_to(1, &["127.0.0.1", "127.0.0.2"]));
    t.on(c, "c");
    c.on(event::Lookup, move |_| ignore(c.destroy()));
}

fn destroyed_in_the_failed_attempt(t: Trace) {
    let c = t.on(net::connect(REFUSED), "c");
    c.on(event::ConnectionAttemptFailed, move |_| ignore(c.destroy()));
    t.write(c, "c", "one");
}

fn destroyed_between_two_attempts(t: Trace) {
    let c = net::connect(resolving_to(1, &["127.0.0.1", "127.0.0.2"]));
    t.on(c, "c");
    c.on(event::ConnectionAttemptFailed, move |_| {
        ignore(c.destroy_with(t.error("MINE")))
    });
    t.write(c, "c", "one");
}

fn destroyed_without_ever_connecting(t: Trace) {
    let c = t.on(Socket::new(), "c");
    c.destroy();
    t.state(c, "c");
    timers::next_tick(move || t.log("c", "tick"));
    timers::set_immediate(move || t.log("c", "immediate"));
}

fn destroyed_with_an_error_without_ever_connecting(t: Trace) {
    let c = t.on(Socket::new(), "c");
    c.destroy_with(t.error("MINE"));
    timers::next_tick(move || t.log("c", "tick"));
    timers::set_immediate(move || t.log("c", "immediate"));
}

fn by_name_with_one_address(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(resolving_to(port, &["127.0.0.1"]));
        t.watch(c, "c");
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn by_name_with_a_first_address_that_refuses(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(resolving_to(port, &["127.0.0.2", "127.0.0.1"]));
        t.flow(c, "c");
        t.write(c, "c", "one");
        c.on(event::Ready, move |()| {
            let attempted = c.auto_select_family_attempted_addresses();
            let count = attempted.map_or(0, |addresses| addresses.len());
            t.log("c", format!("{count} {}", shown(c.remote_address())));
            c.end();
        });
    });
}

fn by_name_with_addresses_that_all_refuse(t: Trace) {
    let c = net::connect(resolving_to(1, &["127.0.0.1", "127.0.0.2", "127.0.0.3"]));
    t.on(c, "c");
    t.write(c, "c", "one");
    t.end(c, "c", "two");
}

fn by_name_with_one_family_takes_the_first_address(t: Trace) {
    let options = resolving_to(1, &["127.0.0.1", "127.0.0.2"]).family(Family::V4);
    t.on(net::connect(options), "c");
}

fn by_name_without_selection_takes_the_first_address(t: Trace) {
    let options = resolving_to(1, &["127.0.0.1", "127.0.0.2"]).auto_select_family(false);
    t.on(net::connect(options), "c");
}

fn by_a_name_that_does_not_exist(t: Trace) {
    let lookup = move |_: &str, _: LookupOptions, done: Answer| {
        timers::set_immediate(move || done(Err(t.error("ENOTFOUND"))));
    };
    let c = t.on(net::connect(named(1).lookup(lookup)), "c");
    t.write(c, "c", "one");
}

fn by_a_lookup_that_answers_at_once(t: Trace) {
    t.serve(move |port| {
        let lookup = |_: &str, _: LookupOptions, done: Answer| done(Ok(parse(&["127.0.0.1"])));
        let c = t.on(net::connect(named(port).lookup(lookup)), "c");
        t.state(c, "c");
        c.on(event::Ready, move |()| ignore(c.end()));
    });
}

fn to_a_path_that_is_missing(t: Trace) {
    let c = net::connect(Path::new("/missing/path.sock"));
    t.flow(c, "c");
    t.state(c, "c");
    t.write(c, "c", "one");
}

fn to_a_path(t: Trace) {
    let path = std::env::temp_dir().join(format!("soquete-differential-{}", std::process::id()));
    let server = net::create_server(move |s| {
        t.flow(s, "s");
        s.server().map(|server| server.close());
    });
    server.listen(path.as_path());
    server.once(event::Listening, move |()| {
        let c = t.flow(net::connect(path.as_path()), "c");
        t.state(c, "c");
        t.write(c, "c", "one");
        c.on(event::Ready, move |()| {
            t.state(c, "c");
            if let Err(error) = c.reset_and_destroy() {
                t.log("c", error.code());
            }
            t.end(c, "c", "two");
        });
    });
}

fn from_a_port_that_is_taken(t: Trace) {
    t.listen(
        ServerOptions::new(),
        |_| {},
        move |port, server| {
            let options = ConnectOptions::from(REFUSED)
                .local_address("127.0.0.1")
                .local_port(port);
            t.on(net::connect(options), "c")
                .on(event::Close, move |_| ignore(server.close()));
        },
    );
}

fn from_an_address_that_is_not_ours(t: Trace) {
    let options = ConnectOptions::from(REFUSED).local_address("192.0.2.1");
    let c = t.on(net::connect(options), "c");
    t.write(c, "c", "one");
}

fn from_an_address_of_ours(t: Trace) {
    t.serve(move |port| {
        let options = ConnectOptions::from(("127.0.0.1", port)).local_address("127.0.0.3");
        let c = net::connect(options);
        t.flow(c, "c");
        c.on(event::Ready, move |()| {
            t.log("c", shown(c.local_address()));
            c.end();
        });
    });
}

fn connected_twice_while_connecting(t: Trace) {
    let accepted = |s: Socket| ignore(s.destroy());
    t.listen(ServerOptions::new(), accepted, move |port, server| {
        let c = Socket::new();
        for name in ["first", "second"] {
            c.once(event::Connect, move |()| t.log("c", name));
            c.connect(("127.0.0.1", port));
        }
        t.on(c, "c");
        c.on(event::Close, move |_| ignore(server.close()));
    });
}

fn connected_again_in_the_close_listener(t: Trace) {
    let accepted = |s: Socket| ignore(s.end_with("hello"));
    t.listen(ServerOptions::new(), accepted, move |port, server| {
        let c = net::connect_then(REFUSED, move |_| t.log("c", "first"));
        t.flow(c, "c");
        c.once(event::Close, move |_| {
            t.state(c, "c");
            c.once(event::Connect, move |()| t.log("c", "second"));
            c.connect(("127.0.0.1", port));
            t.state(c, "c");
            c.on(event::Close, move |_| ignore(server.close()));
        });
    });
}

fn connected_again_after_a_whole_life(t: Trace) {
    let accepted = |s: Socket| ignore(s.end_with("hello"));
    t.listen(ServerOptions::new(), accepted, move |port, server| {
        let lives = Cell::new(0);
        let c = t.watch(net::connect(("127.0.0.1", port)), "c");
        t.write(c, "c", "one");
        c.on(event::Close, move |_| {
            lives.set(lives.get() + 1);
            if lives.get() == 2 {
                server.close();
                return;
            }
            c.connect(("127.0.0.1", port));
            t.write(c, "c", "two");
        });
    });
}

fn addresses_at_each_stage(t: Trace) {
    t.serve(move |port| {
        let c = net::connect(("127.0.0.1", port));
        let show = move |when: &str| {
            let family = c.remote_family().map(|family| match family {
                Family::V4 => "IPv4",
                Family::V6 => "IPv6",
            });
            let (remote, local) = (shown(c.remote_address()), shown(c.local_address()));
            let same = c.remote_port() == Some(port);
            t.log(
                "c",
                format!("{when} {remote} {} {same} {local}", shown(family)),
            );
        };
        show("connecting");
        t.flow(c, "c");
        c.on(event::Ready, move |()| {
            show("ready");
            c.end();
        });
        c.on(event::End, move |()| show("end"));
        c.on(event::Close, move |_| show("close"));
    });
}

fn remote_address_is_gone_if_nobody_asked(t: Trace) {
    t.pair(move |c, _| {
        c.on(event::Close, move |_| t.log("c", shown(c.remote_address())));
        c.destroy();
    });
}

fn end_before_the_connection_and_a_peer_that_talks(t: Trace) {
    let accepted = move |s: Socket| {
        t.flow(s, "s");
        s.server().map(|server| server.close());
        s.write("hello");
        s.on(event::End, move |()| ignore(s.end_with("bye")));
    };
    t.listen(
        ServerOptions::new().allow_half_open(true),
        accepted,
        move |port, _| {
            let c = t.halves(net::connect(("127.0.0.1", port)), "c");
            t.end(c, "c>", "x");
        },
    );
}

fn unreferenced_while_connecting(t: Trace) {
    let accepted = |s: Socket| ignore(s.unref());
    t.listen(ServerOptions::new(), accepted, move |port, server| {
        server.unref();
        t.on(net::connect(("127.0.0.1", port)), "c").unref();
    });
}

fn paused_connection_does_not_keep_the_loop_alive(t: Trace) {
    let accepted = move |s| ignore(t.on(s, "s"));
    let paused = ServerOptions::new().pause_on_connect(true);
    t.listen(paused, accepted, move |port, server| {
        let c = t.on(net::connect(("127.0.0.1", port)), "c");
        c.pause();
        c.on(event::Ready, move |()| ignore(server.close()));
    });
}

type Answer = Box<dyn FnOnce(soquete::Result<Vec<IpAddr>>)>;

fn named(port: u16) -> ConnectOptions {
    ConnectOptions::new(port).host("example.test")
}

/// A name whose lookup answers in a later turn.
fn resolving_to(port: u16, addresses: &[&str]) -> ConnectOptions {
    let addresses = parse(addresses);
    named(port).lookup(move |_, _, done| {
        let addresses = addresses.clone();
        timers::set_immediate(move || done(Ok(addresses)));
    })
}

fn parse(addresses: &[&str]) -> Vec<IpAddr> {
    addresses
        .iter()
        .flat_map(|address| address.parse())
        .collect()
}

fn shown(value: Option<impl Display>) -> String {
    value.map_or("undefined".to_owned(), |value| value.to_string())
}
