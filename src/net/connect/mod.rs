//! Connecting: from a name to a connection, by one attempt or several.
//!
//! ```text
//! connect ── path ────────────────────────────────▶ attempt, in the call
//!         ── IP address ── next tick ─────────────▶ attempt
//!         ── name ── lookup ── one address ───────▶ attempt
//!                           └─ several ───────────▶ attempt ── failed, or took too long ──▶ next …
//! ```
//!
//! This file gets from what was asked for to a list of addresses; `attempts.rs` tries them, `racing.rs`
//! lets several go on at a time where that is wanted, and `outcomes.rs` handles their results.
//! A socket that is destroyed on the way, in any listener, leaves nothing behind: its lives have numbers, and
//! a late answer to an earlier life is dropped.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use crate::address::{SocketAddress, is_ip};
use crate::dns::{self, Hints, LookupOptions};
use crate::error::{Error, Result, node};
use crate::event;
use crate::kernel::ledger;
use crate::machine::{Driver, Life};
use crate::net::driver::log_line;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::auto_select::get_default_auto_select_family;
use crate::net::options::connect::{ConnectOptions, Target};
use crate::net::state::connecting::{Connecting, Destination};
use crate::net::values::payload::LookupResult;
use crate::reactor::{Job, Key};

mod attempts;
mod deadline;
mod outcomes;
mod racing;
mod reply;

impl SocketDriver<'_> {
    /// Begins to connect. A socket that is connecting already goes on, but fails in the end.
    pub(super) fn connect(&self, options: ConnectOptions) {
        let state = self.state;
        if state.extras(|extras| extras.is_aborted()) == Some(true) {
            return;
        }
        match state.duplex.life() {
            Life::Open => return self.fail_later(self.already_connected(&options)),
            Life::Destroyed => {
                // The new connect starts once `Close` was emitted, so that events of two connections never mix.
                let key = state.key;
                state.emitter.once(event::Close, move |_| {
                    SocketDriver::with(key, |driver| driver.connect(options));
                });
                return;
            }
            Life::Fresh | Life::Connecting | Life::Closed => {}
        }
        state.duplex.begin_connecting(self);
        ledger::connects(state.key);
        state.set_server(None);
        state.set_remote(None);
        state.bits.remote_was_asked().set(false);
        self.activity();
        self.arm_connect_timeout(&options);
        log_line::connects(self, &options.target);
        let options = Rc::new(options);
        match &options.target {
            Target::Path(path) => self.connect_to_path(path, &options),
            Target::Nowhere(text) => self.fail_later(node::bad_port("Port", text)),
            Target::Tcp { host, port } => match self.check(host, &options) {
                Ok(()) => self.connect_to_host(host, *port, &options),
                Err(error) => self.fail_later(error),
            },
        }
    }

    fn connect_to_host(&self, host: &str, port: u16, options: &Rc<ConnectOptions>) {
        if let Some(address) = dns::literal(host, port) {
            let destination = Destination {
                address,
                text: host.to_owned(),
            };
            let connecting = Connecting::new(options, vec![destination]);
            if self.is_bound() {
                // It has its local address at once, and so is its peer's known at once.
                return self.begin(connecting);
            }
            return self.next_tick(|driver| driver.begin(connecting));
        }
        let all = options
            .auto_select_family
            .unwrap_or_else(get_default_auto_select_family)
            && options.family.is_none()
            && options.local_address.is_none()
            && !self.is_bound();
        let wanted = LookupOptions {
            family: options.family,
            hints: match options.family {
                None if options.hints.is_empty() => Hints::ADDRCONFIG,
                _ => options.hints,
            },
            all,
            order: None,
        };
        let answer = {
            let (key, id) = (self.state.key, self.life_id());
            let (name, options) = (host.to_owned(), Rc::clone(options));
            move |answer| {
                let found = |driver: &SocketDriver<'_>| {
                    driver.looked_up(&name, port, wanted.all, answer, &options);
                };
                resume(key, id, found);
            }
        };
        match &options.lookup {
            Some(lookup) => lookup(host, wanted, Box::new(answer)),
            None => dns::lookup_with(host, wanted, answer),
        }
    }

    fn looked_up(
        &self,
        name: &str,
        port: u16,
        all: bool,
        answer: Result<Vec<IpAddr>>,
        options: &Rc<ConnectOptions>,
    ) {
        let mut addresses = match answer {
            Ok(addresses) if addresses.is_empty() => {
                return self.lookup_failed(name, Error::lookup("ENOTFOUND", name));
            }
            Ok(addresses) => addresses,
            Err(error) => return self.lookup_failed(name, error),
        };
        if !all {
            addresses.truncate(1);
        }
        for address in &addresses {
            let result = LookupResult {
                address: Ok(*address),
                host: name.to_owned(),
            };
            self.emit_lent(event::Lookup, &result);
            if self.state.duplex.life() != Life::Connecting {
                return;
            }
        }
        self.activity();
        let destinations = interleave(&addresses)
            .into_iter()
            .map(|ip| Destination {
                address: SocketAddr::new(ip, port),
                text: SocketAddress::from(ip).address(),
            })
            .collect();
        self.begin(Connecting::new(options, destinations));
    }

    fn lookup_failed(&self, name: &str, error: Error) {
        let result = LookupResult {
            address: Err(error.clone()),
            host: name.to_owned(),
        };
        self.emit_lent(event::Lookup, &result);
        if self.state.duplex.life() == Life::Connecting {
            self.fail_later(error);
        }
    }

    fn check(&self, host: &str, options: &ConnectOptions) -> Result<()> {
        if host.contains('\0') {
            let problem = "must be a string without null bytes";
            return Err(node::invalid_text("options.host", problem, host));
        }
        if self.is_bound() && (options.local_address.is_some() || options.local_port.is_some()) {
            let problem = "localAddress and localPort cannot be used with an adopted bound socket";
            return Err(node::invalid_arg("options", problem));
        }
        match &options.local_address {
            Some(address) if is_ip(address) == 0 => Err(node::invalid_ip(address)),
            _ => Ok(()),
        }
    }

    /// Whether a [`BoundSocket`](super::BoundSocket) waits to be connected.
    fn is_bound(&self) -> bool {
        self.state.extras(|extras| extras.bound.is_some()) == Some(true)
    }

    /// Names the life of a socket that may be connected again when it has closed.
    fn life_id(&self) -> u32 {
        self.state.with_extras(|extras| extras.life_id)
    }

    fn fail(&self, error: Error) {
        self.state.duplex.destroy(self, Some(error));
    }

    fn fail_later(&self, error: Error) {
        self.next_tick(|driver| driver.fail(error));
    }

    /// Goes on on the next tick, if the socket has not been destroyed by then.
    fn next_tick(&self, then: impl FnOnce(&SocketDriver<'_>) + 'static) {
        let (key, id) = (self.state.key, self.life_id());
        let call = move || resume(key, id, then);
        self.event_loop.next_tick(Job::Call(Box::new(call)));
    }
}

/// Goes on with a connect, if the socket is still there and in the same life.
fn resume(key: Key, id: u32, then: impl FnOnce(&SocketDriver<'_>)) {
    SocketDriver::with(key, |driver| {
        if driver.life_id() == id {
            then(driver);
        }
    });
}

/// Each address once, the families in turn, beginning with that of the first.
fn interleave(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let Some(first) = addresses.first() else {
        return Vec::new();
    };
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for address in addresses {
        let list = if address.is_ipv4() == first.is_ipv4() {
            &mut ours
        } else {
            &mut others
        };
        if !list.contains(address) {
            list.push(*address);
        }
    }
    let mut mixed = Vec::with_capacity(ours.len() + others.len());
    for index in 0..ours.len().max(others.len()) {
        mixed.extend(ours.get(index));
        mixed.extend(others.get(index));
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<IpAddr> {
        text.split_whitespace()
            .filter_map(|address| address.parse().ok())
            .collect()
    }

    #[test]
    fn families_take_turns_beginning_with_the_first_named() {
        let found = addresses("::1 ::2 10.0.0.1 ::1 10.0.0.2 10.0.0.3");
        assert_eq!(
            interleave(&found),
            addresses("::1 10.0.0.1 ::2 10.0.0.2 10.0.0.3"),
            "each address once"
        );
        assert_eq!(
            interleave(&addresses("10.0.0.1 ::1")),
            addresses("10.0.0.1 ::1")
        );
        assert!(interleave(&[]).is_empty());
    }
}
