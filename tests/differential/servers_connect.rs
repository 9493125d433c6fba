//! Which addresses a socket connects to and from, and which it does not.

use std::net::IpAddr;

use soquete::dns::{Hints, LookupOptions};
use soquete::net::{
    self, AbortController, BlockList, BoundSocket, ConnectOptions, Family, ServerOptions, Socket,
};
use soquete::{Error, event, timers};

use crate::trace::Trace;

crate::family!("servers_connect":
    a_blocked_address,
    a_blocked_address_of_a_name,
    the_only_address_of_a_name_is_blocked,
    all_of_several_addresses_are_blocked,
    the_first_of_several_addresses_is_blocked,
    a_mapped_address_is_blocked_by_its_ipv4_rule,
    families_take_turns,
    the_same_address_twice_is_one,
    what_a_lookup_is_asked_for,
    destroyed_while_one_of_several_is_attempted,
    destroyed_while_the_only_one_is_attempted,
    several_from_a_port_that_is_taken,
    refused_from_a_port_of_ours,
    from_an_address_of_the_other_family,
    to_the_port_zero,
    to_an_address_that_the_kernel_refuses_at_once,
    several_that_the_kernel_refuses_at_once,
    an_address_in_an_odd_form_is_shown_as_it_was_written,
    aborted_while_connecting,
    aborted_when_connected,
    aborted_after_the_close,
    a_bound_socket_connects,
    a_bound_socket_connects_by_name,
    the_default_is_to_try_all_addresses,
);

const LOCAL: &str = "127.0.0.1";

/// To a name whose addresses are told in a later turn.
fn named(port: u16, addresses: &'static [&'static str]) -> ConnectOptions {
    ConnectOptions::new(port)
        .host("x")
        .lookup(move |_, _, done| {
            let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
            timers::set_immediate(move || done(Ok(addresses)));
        })
}

fn blocking(addresses: &[&str]) -> BlockList {
    let list = BlockList::new();
    list.add_addresses(addresses.iter().copied()).unwrap();
    list
}

fn attempted(t: Trace, c: Socket) {
    let text = match c.auto_select_family_attempted_addresses() {
        None => "undefined".to_owned(),
        Some(list) => {
            let hosts = list.iter().filter_map(|a| Some(a.rsplit_once(':')?.0));
            hosts.collect::<Vec<_>>().join(" ")
        }
    };
    t.log("c", format!("attempted {text}"));
}

fn attempted_at_the_end(t: Trace, c: Socket) {
    t.on(c, "c");
    c.on(event::Close, move |_| attempted(t, c));
}

fn a_blocked_address(t: Trace) {
    let options = ConnectOptions::from((LOCAL, 1)).block_list(&blocking(&[LOCAL]));
    t.on(net::connect(options), "c");
}

fn a_blocked_address_of_a_name(t: Trace) {
    let options = named(1, &[LOCAL]).family(Family::V4);
    t.on(net::connect(options.block_list(&blocking(&[LOCAL]))), "c");
}

fn the_only_address_of_a_name_is_blocked(t: Trace) {
    let options = named(1, &[LOCAL]).block_list(&blocking(&[LOCAL]));
    t.on(net::connect(options), "c");
}

fn all_of_several_addresses_are_blocked(t: Trace) {
    let options = named(1, &[LOCAL, "::1"]).block_list(&blocking(&[LOCAL, "::1"]));
    attempted_at_the_end(t, net::connect(options));
}

fn the_first_of_several_addresses_is_blocked(t: Trace) {
    t.serve(move |port| {
        let options = named(port, &["127.0.0.2", LOCAL]);
        let c = net::connect(options.block_list(&blocking(&["127.0.0.2"])));
        t.on(c, "c").on(event::Ready, move |()| {
            attempted(t, c);
            c.end();
        });
        c.resume();
    });
}

fn a_mapped_address_is_blocked_by_its_ipv4_rule(t: Trace) {
    let options = ConnectOptions::from(("::ffff:127.0.0.1", 1));
    t.on(net::connect(options.block_list(&blocking(&[LOCAL]))), "c");
}

fn families_take_turns(t: Trace) {
    let addresses = &["127.0.0.2", "127.0.0.3", "::1", "127.0.0.2", "127.0.0.4"];
    attempted_at_the_end(t, net::connect(named(1, addresses)));
}

fn the_same_address_twice_is_one(t: Trace) {
    attempted_at_the_end(t, net::connect(named(1, &[LOCAL, LOCAL])));
}

fn what_a_lookup_is_asked_for(t: Trace) {
    let asked = |change: fn(ConnectOptions) -> ConnectOptions| {
        let lookup = move |host: &str, wanted: LookupOptions, done: Answer| {
            let family = match wanted.family {
                None => 0,
                Some(Family::V4) => 4,
                Some(Family::V6) => 6,
            };
            let flags = [
                (Hints::ADDRCONFIG, 32),
                (Hints::V4MAPPED, 8),
                (Hints::ALL, 16),
            ];
            let hints = flags
                .iter()
                .filter(|(hint, _)| wanted.hints.contains(*hint));
            let hints: i32 = hints.map(|(_, flag)| flag).sum();
            t.log("c", format!("{host} {family} {hints} {}", wanted.all));
            done(Err(Error::new("ENOUGH", "enough")));
        };
        let options = change(ConnectOptions::new(1).host("x").lookup(lookup));
        net::connect(options).on(event::Error, |_| {});
    };
    asked(|options| options);
    asked(|options| options.family(Family::V4));
    asked(|options| options.family(Family::V6));
    asked(|options| options.hints(Hints::V4MAPPED));
    asked(|options| {
        options
            .family(Family::V6)
            .hints(Hints::V4MAPPED | Hints::ALL)
    });
    asked(|options| options.auto_select_family(false));
    asked(|options| options.local_address(LOCAL));
}

type Answer = Box<dyn FnOnce(soquete::Result<Vec<IpAddr>>)>;

fn destroyed_while_one_of_several_is_attempted(t: Trace) {
    destroyed_after_the_attempt(t, &[LOCAL, "127.0.0.2"]);
}

fn destroyed_while_the_only_one_is_attempted(t: Trace) {
    destroyed_after_the_attempt(t, &[LOCAL]);
}

fn destroyed_after_the_attempt(t: Trace, addresses: &'static [&'static str]) {
    let c = t.on(net::connect(named(1, addresses)), "c");
    c.on(event::ConnectionAttempt, move |_| {
        timers::next_tick(move || {
            c.destroy();
        });
    });
}

fn several_from_a_port_that_is_taken(t: Trace) {
    let s = net::create_server(|_| {});
    s.listen_then(0, move |_| {
        let port = s.address().map_or(0, |address| address.port());
        let c = net::connect(named(1, &[LOCAL, "::1"]).local_port(port));
        t.on(c, "c").on(event::Close, move |_| {
            s.close();
        });
    });
}

fn refused_from_a_port_of_ours(t: Trace) {
    let probe = net::create_server(|_| {});
    probe.listen_then((LOCAL, 0), move |_| {
        let port = probe.address().map_or(0, |address| address.port());
        probe.close_then(move |_| {
            let options = ConnectOptions::from((LOCAL, 1)).local_port(port);
            let c = t.on(net::connect(options), "c");
            c.on(event::Error, move |error| {
                let (address, local) = (error.local_address().unwrap(), error.local_port());
                t.log("c", format!("{address} {}", local == Some(port)));
            });
        });
    });
}

fn from_an_address_of_the_other_family(t: Trace) {
    let options = ConnectOptions::from((LOCAL, 1)).local_address("::1");
    t.on(net::connect(options), "c");
}

fn to_the_port_zero(t: Trace) {
    let c = t.on(net::connect((LOCAL, 0)), "c");
    c.on(event::Error, move |error| {
        let port = error
            .port()
            .map_or("undefined".to_owned(), |p| p.to_string());
        t.log("c", format!("{} {port}", error.address().unwrap()));
    });
}

fn to_an_address_that_the_kernel_refuses_at_once(t: Trace) {
    t.on(net::connect(("255.255.255.255", 80)), "c");
}

fn several_that_the_kernel_refuses_at_once(t: Trace) {
    attempted_at_the_end(t, net::connect(named(1, &["255.255.255.255", LOCAL])));
}

fn an_address_in_an_odd_form_is_shown_as_it_was_written(t: Trace) {
    t.on(net::connect(("0:0::1", 1)), "c");
}

/// Connects with a signal to a server that closes when the socket has.
fn with_a_signal(
    t: Trace,
    accepted: fn(Socket),
    then: impl FnOnce(Socket, AbortController, net::Server) + 'static,
) {
    t.listen(ServerOptions::new(), accepted, move |port, server| {
        let controller = AbortController::new();
        let options = ConnectOptions::from((LOCAL, port)).signal(controller.signal());
        let c = t.on(net::connect(options), "c");
        then(c, controller, server);
    });
}

fn aborted_while_connecting(t: Trace) {
    with_a_signal(
        t,
        |_| {},
        move |c, controller, server| {
            c.on(event::Close, move |_| {
                server.close();
            });
            c.on(event::ConnectionAttempt, move |_| {
                let controller = controller.clone();
                timers::next_tick(move || {
                    controller.abort();
                    t.log("c", format!("destroyed={}", c.destroyed()));
                });
            });
        },
    );
}

fn aborted_when_connected(t: Trace) {
    let accepted = |s: Socket| {
        s.on(event::Error, |_| {});
    };
    with_a_signal(t, accepted, move |c, controller, server| {
        c.on(event::Close, move |_| {
            server.close();
        });
        c.on(event::Ready, move |()| controller.abort());
    });
}

fn aborted_after_the_close(t: Trace) {
    let accepted = |s: Socket| {
        s.end();
    };
    with_a_signal(t, accepted, move |c, controller, server| {
        c.on(event::Close, move |_| {
            server.close();
            controller.abort();
        });
    });
}

fn a_bound_socket_connects(t: Trace) {
    t.serve(move |port| {
        let bound = BoundSocket::new((LOCAL, 0)).unwrap();
        let local = Some(bound.address().unwrap().port());
        let c = Socket::from_bound(&bound).unwrap();
        t.flow(c, "c");
        t.log(
            "c",
            format!("{} {}", c.local_port() == local, c.connecting()),
        );
        c.connect((LOCAL, port));
        let (address, same) = (c.local_address().unwrap(), c.local_port() == local);
        t.log("c", format!("{address} {same} {}", c.connecting()));
        c.on(event::Ready, move |()| {
            t.log("c", format!("{}", c.local_port() == local));
            c.end_with("hi");
        });
    });
}

fn a_bound_socket_connects_by_name(t: Trace) {
    t.serve(move |port| {
        let bound = BoundSocket::new((LOCAL, 0)).unwrap();
        let c = Socket::from_bound(&bound).unwrap();
        t.flow(c, "c");
        c.connect(named(port, &[LOCAL, "127.0.0.2"]));
        c.on(event::Ready, move |()| {
            c.end_with("hi");
        });
    });
}

fn the_default_is_to_try_all_addresses(t: Trace) {
    t.log("c", format!("{}", net::get_default_auto_select_family()));
    net::set_default_auto_select_family(false);
    let lookup = move |_: &str, wanted: LookupOptions, done: Answer| {
        t.log("c", format!("{}", wanted.all));
        done(Err(Error::new("ENOUGH", "enough")));
    };
    let c = net::connect(ConnectOptions::new(1).host("x").lookup(lookup));
    c.on(event::Error, |_| {});
    net::set_default_auto_select_family(true);
    let before = net::get_default_auto_select_family_attempt_timeout();
    net::set_default_auto_select_family_attempt_timeout(std::time::Duration::from_millis(3));
    let raised = net::get_default_auto_select_family_attempt_timeout();
    t.log(
        "c",
        format!("{} {}", before.as_millis(), raised.as_millis()),
    );
}
