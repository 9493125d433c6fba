//! Connecting: from a name to a connection, by one attempt or several.
//!
//! ```text
//! connect ── path ────────────────────────────────▶ attempt, in the call
//!         ── IP address ── next tick ─────────────▶ attempt
//!         ── name ── lookup ── one address ───────▶ attempt
//!                           └─ several ───────────▶ attempt ── failed, or took too long ──▶ next …
//! ```
//!
//! Several addresses are tried as Node tries them: one after the other, never two at once, IPv6 and
//! IPv4 in turn, beginning with the family that the resolver named first. Whoever is destroyed on
//! the way, in whichever listener, leaves nothing behind: a late answer finds that the socket is
//! gone or is at another attempt.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use super::cell::SocketHost;
use super::options::{ConnectOptions, Target};
use super::transport::Transport;
use crate::address::Family;
use crate::dns::{self, LookupOptions};
use crate::error::{Endpoint, Error, Result, node};
use crate::event;
use crate::machine::{Host, Life};
use crate::reactor::{Job, Key, Ready, Task};

/// What [`event::Lookup`] tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LookupResult {
    /// An address of the host, or what went wrong.
    pub address: Result<IpAddr>,
    /// The name that was looked up.
    pub host: String,
}

/// What [`event::ConnectionAttempt`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The IP address, or the path.
    pub address: String,
    /// The port; `None` for a path.
    pub port: Option<u16>,
    /// The address's family; `None` for a path.
    pub family: Option<Family>,
}

/// What [`event::ConnectionAttemptFailed`] tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// What was attempted.
    pub attempt: Attempt,
    /// Why it failed.
    pub error: Error,
}

/// A connect under way.
pub(crate) struct Connecting {
    options: Rc<ConnectOptions>,
    /// Where to: all of it is tried in this order.
    addresses: Vec<SocketAddr>,
    next: usize,
    errors: Vec<Error>,
    timer: Option<Key>,
    current: Attempt,
    /// The kernel refused at once; that is told in the next pending phase.
    refused: Option<io::Error>,
}

thread_local! {
    static AUTO_SELECT_FAMILY: Cell<bool> = const { Cell::new(true) };
    static ATTEMPT_TIMEOUT: Cell<Duration> = const { Cell::new(Duration::from_millis(500)) };
}

/// The least that an attempt is given.
const MIN_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(10);

/// Whether connects of this thread try all addresses of a name, unless told otherwise. True at
/// first.
pub fn get_default_auto_select_family() -> bool {
    AUTO_SELECT_FAMILY.get()
}

/// Sets what [`get_default_auto_select_family`] returns.
pub fn set_default_auto_select_family(on: bool) {
    AUTO_SELECT_FAMILY.set(on);
}

/// How long connects of this thread try one address before the next, unless told otherwise. 500 ms
/// at first.
pub fn get_default_auto_select_family_attempt_timeout() -> Duration {
    ATTEMPT_TIMEOUT.get()
}

/// Sets what [`get_default_auto_select_family_attempt_timeout`] returns; at least 10 ms.
pub fn set_default_auto_select_family_attempt_timeout(timeout: Duration) {
    ATTEMPT_TIMEOUT.set(timeout.max(MIN_ATTEMPT_TIMEOUT));
}

impl Connecting {
    fn new(options: Rc<ConnectOptions>) -> Connecting {
        Connecting {
            options,
            addresses: Vec::new(),
            next: 0,
            errors: Vec::new(),
            timer: None,
            current: Attempt {
                address: String::new(),
                port: None,
                family: None,
            },
            refused: None,
        }
    }

    fn has_several(&self) -> bool {
        self.addresses.len() > 1
    }

    /// The error of the attempt under way.
    fn error(&self, error: &io::Error) -> Error {
        let local = match (&self.options.local_address, self.options.local_port) {
            (Some(address), Some(port)) if !self.has_several() => Some((address.clone(), port)),
            _ => None,
        };
        let Attempt { address, port, .. } = self.current.clone();
        Error::endpoint(
            "connect",
            error,
            &Endpoint {
                address,
                port,
                local,
            },
        )
    }
}

impl SocketHost<'_> {
    /// Begins to connect. A socket that is connecting already goes on, but fails in the end.
    pub(crate) fn connect(&self, options: ConnectOptions) {
        let cell = self.cell;
        if let Some(timeout) = options.timeout {
            cell.idle_or_new().set(self.event_loop, cell.key, timeout);
        }
        if cell.duplex.life() == Life::Open {
            // As connect(2) on a descriptor that has its connection.
            return self.fail_later(Error::new("EISCONN", "connect EISCONN"));
        }
        if cell.duplex.life() == Life::Destroyed {
            // One life after the other: what the old one still owes comes before the new one.
            let socket = cell.handle();
            cell.emitter.once(event::Close, move |_| {
                socket.connect(options);
            });
            return;
        }
        cell.duplex.begin_connecting(self);
        let options = Rc::new(options);
        let id = cell.with_rare(|rare| {
            rare.remote = None;
            // A second connect while the first is under way is a second step of the same attempt.
            if rare.connecting.is_none() {
                rare.attempt = rare.attempt.wrapping_add(1);
                rare.connecting = Some(Box::new(Connecting::new(Rc::clone(&options))));
            }
            rare.attempt
        });
        self.activity();
        match &options.target {
            Target::Path(path) => self.attempt_path(path.clone()),
            Target::Tcp { host, port } => {
                if let Err(error) = check(host, &options) {
                    return self.fail_later(error);
                }
                self.connect_to_host(host, *port, &options, id);
            }
        }
    }

    fn connect_to_host(&self, host: &str, port: u16, options: &Rc<ConnectOptions>, id: u32) {
        let key = self.cell.key;
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = SocketAddr::new(address, port);
            let call = move || resume(key, id, |host| host.try_addresses(vec![address]));
            return self.event_loop.next_tick(Job::Call(Box::new(call)));
        }
        let mut wanted = LookupOptions::new();
        wanted.family = options
            .family
            .or_else(|| family_of(options.local_address.as_deref()));
        let name = host.to_owned();
        let several = options
            .auto_select_family
            .unwrap_or_else(get_default_auto_select_family)
            && wanted.family.is_none();
        let answer = move |answer| {
            resume(key, id, |host| host.looked_up(&name, port, several, answer));
        };
        match &options.lookup {
            Some(lookup) => lookup(host, wanted, Box::new(answer)),
            None => dns::lookup(host, wanted, answer),
        }
    }

    fn looked_up(&self, name: &str, port: u16, several: bool, answer: Result<Vec<IpAddr>>) {
        let found = answer.and_then(|addresses| match addresses.is_empty() {
            true => Err(Error::lookup("ENOTFOUND", name)),
            false => Ok(addresses),
        });
        let addresses = match found {
            Ok(addresses) => addresses,
            Err(error) => {
                let result = LookupResult {
                    address: Err(error.clone()),
                    host: name.to_owned(),
                };
                self.emit_to(event::Lookup, &result);
                return self.fail_later(error);
            }
        };
        let count = if several { addresses.len() } else { 1 };
        for address in &addresses[..count] {
            let result = LookupResult {
                address: Ok(*address),
                host: name.to_owned(),
            };
            self.emit_to(event::Lookup, &result);
            if self.cell.duplex.life() != Life::Connecting {
                return;
            }
        }
        self.activity();
        let addresses = interleave(&addresses[..count]);
        if addresses.len() > 1 {
            self.cell
                .with_rare(|rare| rare.attempted = Some(Vec::new()));
        }
        self.try_addresses(
            addresses
                .into_iter()
                .map(|ip| SocketAddr::new(ip, port))
                .collect(),
        );
    }

    fn try_addresses(&self, addresses: Vec<SocketAddr>) {
        if !self.cell.transport.borrow().is_none() {
            // A second connect while the first is under way: the kernel's answer would be this.
            let error = io::Error::from_raw_os_error(EALREADY);
            let target = addresses.first().map(|address| attempt_to(*address));
            let attempt = target.unwrap_or_else(|| self.current_attempt());
            self.emit_to(event::ConnectionAttempt, &attempt);
            let Attempt { address, port, .. } = attempt;
            let local = self.cell.transport.borrow().local_address();
            let local = local.map(|address| (address.ip().to_string(), address.port()));
            let at = Endpoint {
                address,
                port,
                local,
            };
            return self.fail(Error::endpoint("connect", &error, &at));
        }
        self.with_connecting(|connecting| {
            connecting.addresses = addresses;
            connecting.next = 0;
        });
        self.try_next_address();
    }

    fn try_next_address(&self) {
        let next = self.with_connecting(|connecting| {
            let address = connecting.addresses.get(connecting.next).copied();
            connecting.next += 1;
            if let Some(address) = address {
                connecting.current = attempt_to(address);
            }
            address
        });
        match next {
            Some(Some(address)) => self.attempt(address),
            Some(None) => self.all_failed(),
            None => {}
        }
    }

    fn all_failed(&self) {
        let errors = self.with_connecting(|connecting| std::mem::take(&mut connecting.errors));
        let error = match errors {
            Some(errors) if !errors.is_empty() => Error::aggregate(errors),
            _ => node::connection_timeout(),
        };
        self.fail(error);
    }

    fn attempt(&self, address: SocketAddr) {
        let Some((options, several)) =
            self.with_connecting(|c| (Rc::clone(&c.options), c.has_several()))
        else {
            return;
        };
        let socket = match open(address, &options, several) {
            Ok(socket) => socket,
            Err(error) if several => return self.attempt_failed(error),
            Err(error) => return self.fail(error),
        };
        let attempt = attempt_to(address);
        self.emit_to(event::ConnectionAttempt, &attempt);
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        if several {
            self.cell.with_rare(|rare| {
                let attempted = rare.attempted.get_or_insert_default();
                attempted.push(format!("{}:{}", address.ip(), address.port()));
            });
        }
        let started = socket.connect(&address.into());
        let stream = TcpStream::from_std(socket.into());
        self.started(Transport::Tcp(stream), started);
        self.arm_attempt_timer();
    }

    #[cfg(unix)]
    fn attempt_path(&self, path: std::path::PathBuf) {
        if !self.cell.transport.borrow().is_none() {
            return self.try_addresses(Vec::new());
        }
        let attempt = Attempt {
            address: super::unix::display(&path),
            port: None,
            family: None,
        };
        self.with_connecting(|connecting| connecting.current = attempt.clone());
        self.emit_to(event::ConnectionAttempt, &attempt);
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        match super::unix::connect(&path) {
            Ok((stream, started)) => self.started(Transport::Unix(stream), started),
            Err(error) => self.started_without(error),
        }
    }

    #[cfg(not(unix))]
    fn attempt_path(&self, path: std::path::PathBuf) {
        let what = format!("connect ENOTSUP {}", path.display());
        self.fail_later(Error::new("ENOTSUP", what));
    }

    /// The kernel has been asked to connect. What it answered is heard of in the poll phase.
    fn started(&self, transport: Transport, answer: io::Result<()>) {
        self.cell.transport.replace(transport);
        let refused = match answer {
            Ok(()) => None,
            Err(error) if in_progress(&error) => None,
            Err(error) => Some(error),
        };
        let registered = self.cell.register(self.event_loop).err();
        if let Some(error) = refused.or(registered) {
            self.started_without(error);
        }
    }

    fn started_without(&self, error: io::Error) {
        self.with_connecting(|connecting| connecting.refused = Some(error));
        let task = Task::new(self.cell.key, |event_loop, key| {
            SocketHost::on(event_loop, key, |host| {
                let refused = host.with_connecting(|connecting| connecting.refused.take());
                if let Some(Some(error)) = refused {
                    host.connection_failed(&error);
                }
            });
        });
        self.event_loop.pend(task);
    }

    fn arm_attempt_timer(&self) {
        let Some(delay) = self.with_connecting(|connecting| {
            let is_last = connecting.next >= connecting.addresses.len();
            let timeout = connecting
                .options
                .auto_select_family_attempt_timeout
                .map_or_else(get_default_auto_select_family_attempt_timeout, |timeout| {
                    timeout.max(MIN_ATTEMPT_TIMEOUT)
                });
            (!is_last && connecting.refused.is_none()).then_some(timeout)
        }) else {
            return;
        };
        let Some(delay) = delay else { return };
        let timer = self
            .event_loop
            .insert_timer(Task::new(self.cell.key, |event_loop, key| {
                SocketHost::on(event_loop, key, |host| host.attempt_timed_out());
            }));
        self.event_loop.arm(timer, delay.as_millis() as u64);
        self.with_connecting(|connecting| connecting.timer = Some(timer));
    }

    fn attempt_timed_out(&self) {
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        self.clear_attempt_timer();
        let attempt = self.current_attempt();
        self.emit_to(event::ConnectionAttemptTimeout, &attempt);
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        let timed_out = io::Error::from_raw_os_error(ETIMEDOUT);
        self.with_connecting(|connecting| {
            let error = connecting.error(&timed_out);
            connecting.errors.push(error);
        });
        self.cell.transport.replace(Transport::None);
        self.try_next_address();
    }

    /// The poll has something to say of the attempt under way.
    pub(crate) fn connection_ready(&self, ready: Ready) {
        let outcome = {
            let transport = self.cell.transport.borrow();
            match transport.take_error() {
                Ok(Some(error)) | Err(error) => Err(error),
                Ok(None) if transport.is_connected() => Ok(()),
                // Writable, but not connected: an event that was not meant for this.
                Ok(None) if !ready.closed => return,
                Ok(None) => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        };
        match outcome {
            Ok(()) => self.connection_established(),
            Err(error) => self.connection_failed(&error),
        }
    }

    fn connection_established(&self) {
        self.clear_attempt_timer();
        self.cell.with_rare(|rare| rare.connecting = None);
        self.cell.duplex.connected();
        self.activity();
        self.apply_stored_options();
        // Each of the two may destroy the socket or connect it anew; Node emits them all the same.
        self.emit_to(event::Connect, ());
        self.emit_to(event::Ready, ());
        self.cell.duplex.after_connect(self);
    }

    fn connection_failed(&self, error: &io::Error) {
        self.clear_attempt_timer();
        let Some(error) = self.with_connecting(|connecting| connecting.error(error)) else {
            return;
        };
        self.attempt_failed(error);
    }

    fn attempt_failed(&self, error: Error) {
        let attempt = self.current_attempt();
        self.cell.transport.replace(Transport::None);
        let several = self.with_connecting(|connecting| {
            connecting.errors.push(error.clone());
            connecting.has_several()
        });
        let failed = FailedAttempt {
            attempt,
            error: error.clone(),
        };
        self.emit_to(event::ConnectionAttemptFailed, &failed);
        if self.cell.duplex.life() != Life::Connecting {
            return;
        }
        match several {
            Some(true) => self.try_next_address(),
            _ => self.fail(error),
        }
    }

    /// Gives up whatever is under way, because the socket is destroyed.
    pub(crate) fn abandon_attempts(&self) {
        self.clear_attempt_timer();
        self.cell.rare(|rare| {
            rare.connecting = None;
            rare.attempt = rare.attempt.wrapping_add(1);
        });
    }

    fn fail(&self, error: Error) {
        self.cell.duplex.destroy(self, Some(error));
    }

    fn fail_later(&self, error: Error) {
        let (key, id) = (self.cell.key, self.cell.with_rare(|rare| rare.attempt));
        let call = move || resume(key, id, |host| host.fail(error));
        self.event_loop.next_tick(Job::Call(Box::new(call)));
    }

    fn clear_attempt_timer(&self) {
        if let Some(Some(timer)) = self.with_connecting(|connecting| connecting.timer.take()) {
            self.event_loop.clear_timer(timer);
        }
    }

    fn current_attempt(&self) -> Attempt {
        let nowhere = Attempt {
            address: String::new(),
            port: None,
            family: None,
        };
        self.with_connecting(|connecting| connecting.current.clone())
            .unwrap_or(nowhere)
    }

    fn with_connecting<R>(&self, f: impl FnOnce(&mut Connecting) -> R) -> Option<R> {
        self.cell
            .rare(|rare| rare.connecting.as_deref_mut().map(f))
            .flatten()
    }
}

/// Goes on with a connect, if the socket is still there and at the same one.
fn resume(key: Key, id: u32, then: impl FnOnce(&SocketHost<'_>)) {
    SocketHost::with(key, |host| {
        let same = host.cell.rare(|rare| rare.attempt) == Some(id);
        if same {
            then(host);
        }
    });
}

fn check(host: &str, options: &ConnectOptions) -> Result<()> {
    if host.contains('\0') {
        return Err(node::invalid_arg(
            "options.host",
            "must be a string without null bytes",
        ));
    }
    match &options.local_address {
        Some(address) if address.parse::<IpAddr>().is_err() => Err(node::invalid_ip(address)),
        _ => Ok(()),
    }
}

/// A socket that is bound where the options say.
fn open(address: SocketAddr, options: &ConnectOptions, several: bool) -> Result<RawSocket> {
    let make = || -> io::Result<RawSocket> {
        let socket = RawSocket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let attempt = attempt_to(address);
    let at = Endpoint {
        address: attempt.address,
        port: attempt.port,
        local: None,
    };
    let socket = make().map_err(|error| Error::endpoint("connect", &error, &at))?;
    let wanted = options.local_address.as_deref().filter(|_| !several);
    if wanted.is_some() || options.local_port.is_some_and(|port| port > 0) {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let local = wanted
            .and_then(|address| address.parse().ok())
            .unwrap_or(any);
        let port = options.local_port.unwrap_or(0);
        let bound = bind(&socket, SocketAddr::new(local, port));
        let at = Endpoint {
            address: local.to_string(),
            port: options.local_port,
            local: None,
        };
        bound.map_err(|error| Error::endpoint("bind", &error, &at))?;
    }
    Ok(socket)
}

fn bind(socket: &RawSocket, local: SocketAddr) -> io::Result<()> {
    // As libuv: a port whose last connection still lingers can be used again.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&local.into())
}

fn attempt_to(address: SocketAddr) -> Attempt {
    Attempt {
        address: address.ip().to_string(),
        port: Some(address.port()),
        family: Some(if address.is_ipv4() {
            Family::V4
        } else {
            Family::V6
        }),
    }
}

fn family_of(address: Option<&str>) -> Option<Family> {
    let address: IpAddr = address?.parse().ok()?;
    Some(if address.is_ipv4() {
        Family::V4
    } else {
        Family::V6
    })
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

fn in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || error.kind() == io::ErrorKind::Interrupted
        || error.raw_os_error() == Some(EINPROGRESS)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const EINPROGRESS: i32 = 115;
#[cfg(any(target_os = "linux", target_os = "android"))]
const EALREADY: i32 = 114;
#[cfg(any(target_os = "linux", target_os = "android"))]
const ETIMEDOUT: i32 = 110;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const EINPROGRESS: i32 = 36;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const EALREADY: i32 = 37;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const ETIMEDOUT: i32 = 60;
#[cfg(windows)]
const EINPROGRESS: i32 = 10036;
#[cfg(windows)]
const EALREADY: i32 = 10037;
#[cfg(windows)]
const ETIMEDOUT: i32 = 10060;

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
