//! Handshakes: requests, answers, and the queue of a listener.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::end::{EndId, State};
use super::errno::*;
use super::faults::{At, Call};
use super::file::{FileId, Listening, Name, Open};
use super::hosts::NOBODY;
use super::kernel::Kernel;
use super::schedule::What;

/// How often a request is sent again, after 1, 2, 4 … s, as Linux does it.
const RETRIES: u32 = 6;

const SECOND: u64 = 1_000_000_000;

/// Bytes of a segment without data.
pub(super) const HEADER: usize = 40;

impl Kernel {
    pub(super) fn connect(&mut self, file: u32, to: SocketAddr) -> Result<(), i32> {
        let entered = self.enter(Call::Connect, Some(file));
        // Interrupted, it goes on all the same.
        if let Err(number) = entered
            && number != EINTR
        {
            return Err(number);
        }
        if to.ip() == Ipv4Addr::BROADCAST {
            return Err(ENETUNREACH);
        }
        let bound = match &self.file(file)?.what {
            Open::Fresh(fresh) => fresh.bound.clone(),
            Open::Stream(end) => {
                let end = *end;
                return Err(match self.ends[end as usize].state {
                    State::Connecting => EALREADY,
                    _ => EISCONN,
                });
            }
            _ => return Err(EINVAL),
        };
        let source = match bound {
            Name::Ip(at) if !at.ip().is_unspecified() => at,
            Name::Ip(at) => SocketAddr::new(self.source_for(to.ip()), at.port()),
            _ => SocketAddr::new(self.source_for(to.ip()), self.free_port()?),
        };
        let to = match to.ip().is_unspecified() {
            true => SocketAddr::new(self.source_for(to.ip()), to.port()),
            false => to,
        };
        let end = self.new_client(true, Name::Ip(source), Name::Ip(to));
        self.end(end).file = Some(file);
        self.file(file)?.what = Open::Stream(end);
        self.seal(Call::Connect, file, Ok(usize::from(to.port())));
        if self.account.trace.is_some() {
            let label = self.file_label(file);
            self.note(|| format!("connect {label} {source} → {to}"));
        }
        self.send_request(end, 0);
        Err(match entered {
            Err(number) => number,
            Ok(()) => EINPROGRESS,
        })
    }

    /// The connecting end of this host's next connection.
    fn new_client(&mut self, is_tcp: bool, local: Name, remote: Name) -> EndId {
        self.account.connections += 1;
        let host = self.here;
        self.host().connections += 1;
        let place = At::client(host, self.host().connections);
        self.new_end(place, is_tcp, local, remote, host)
    }

    fn send_request(&mut self, end: EndId, attempt: u32) {
        #[cfg(any(test, fuzzing, feature = "fuzzing"))]
        if self.waits_for_script(end) {
            return;
        }
        if self.is_held(end) {
            return self.request_lost(end, attempt);
        }
        match self.arrival(end, HEADER) {
            None => self.request(end, attempt),
            Some(at) => self.schedule.at(at, What::Syn(end, attempt)),
        }
    }

    fn request_lost(&mut self, end: EndId, attempt: u32) {
        let at = self.now.saturating_add(SECOND << attempt);
        let what = match attempt {
            RETRIES => What::Answer(end, false),
            _ => What::Syn(end, attempt + 1),
        };
        self.schedule.at(at, what);
    }

    /// A request arrives, if anybody is there.
    pub(super) fn request(&mut self, end: EndId, attempt: u32) {
        let client = &self.ends[end as usize];
        if client.state != State::Connecting || client.file.is_none() {
            return;
        }
        let (Name::Ip(from), Name::Ip(to)) = (&client.local, &client.remote) else {
            return;
        };
        let (from, to, place) = (*from, *to, client.place);
        let host = match to.ip().is_loopback() {
            true => client.host,
            false => self.host_of(to.ip()),
        };
        if host == NOBODY || self.is_held(end) {
            return self.request_lost(end, attempt);
        }
        let Some(listener) = self.listener_at(to, host, place) else {
            self.end(end).error = ECONNREFUSED;
            return self.send(end, HEADER, What::Answer(end, false));
        };
        let Some((id, listening)) = self.listening(listener) else {
            return;
        };
        if listening.is_full() {
            return self.request_lost(end, attempt);
        }
        listening.coming += 1;
        // A socket of both families sees IPv4 peers as IPv6 addresses.
        let is_mapped = matches!(listening.at, Name::Ip(at) if at.is_ipv6()) && to.is_ipv4();
        let shown = |at: SocketAddr| match at.ip() {
            IpAddr::V4(ip) if is_mapped => SocketAddr::new(ip.to_ipv6_mapped().into(), at.port()),
            _ => at,
        };
        let (local, remote) = (Name::Ip(shown(to)), Name::Ip(shown(from)));
        let other = self.new_end(place.served(), true, local, remote, host);
        let server = self.end(other);
        server.state = State::Open;
        server.peer = Some(end);
        server.listener = Some(id);
        self.end(end).peer = Some(other);
        self.send(other, HEADER, What::Answer(end, true));
    }

    fn listening(&mut self, number: u32) -> Option<(FileId, &mut Listening)> {
        let file = self.files.at_mut(number)?;
        let ordinal = file.ordinal;
        match &mut file.what {
            Open::Listening(listening) => Some((FileId { number, ordinal }, listening)),
            _ => None,
        }
    }

    /// The answer to a request arrives.
    pub(super) fn answer(&mut self, end: EndId, is_accepted: bool) {
        let client = self.end(end);
        if client.state != State::Connecting {
            return;
        }
        if !is_accepted {
            if client.error == 0 {
                client.error = ETIMEDOUT;
            }
            client.state = State::Dead;
            return self.edge_of(end);
        }
        client.state = State::Open;
        // The other end is in the listener's queue before anything that this one sends.
        if let Some(peer) = client.peer {
            self.send(end, HEADER, What::Joined(peer));
        }
        self.edge_of(end);
        self.pump(end);
    }

    /// A connection is complete, and waits for an accept.
    pub(super) fn join(&mut self, end: EndId) {
        let now = self.now;
        let listener = self.ends[end as usize].listener;
        let Some(id) = listener.filter(|id| self.files.get(*id).is_some()) else {
            return self.refuse(end);
        };
        if let Some((_, listening)) = self.listening(id.number) {
            listening.coming -= 1;
            if listening.queue.is_empty() {
                listening.unasked_since = now;
            }
            listening.queue.push_back(end);
            self.edge(id.number);
        }
    }

    /// A connection that nobody will accept.
    pub(super) fn refuse(&mut self, end: EndId) {
        self.end(end).state = State::Dead;
        if let Some(peer) = self.ends[end as usize].peer {
            self.send(end, HEADER, What::Reset(peer));
        }
    }

    /// Connects to a Unix domain socket, which is done at once.
    pub(super) fn connect_path(&mut self, file: u32, path: &Path) -> Result<(), i32> {
        self.enter(Call::Connect, Some(file))?;
        let bound = match &self.file(file)?.what {
            Open::Fresh(fresh) => fresh.bound.clone(),
            _ => return Err(EISCONN),
        };
        let listener = self.listener_of_path(path)?;
        let host = self.files.at(listener).map_or(self.here, |file| file.host);
        let now = self.now;
        let Some((id, listening)) = self.listening(listener) else {
            return Err(ECONNREFUSED);
        };
        if listening.is_full() {
            return Err(EAGAIN);
        }
        if listening.queue.is_empty() {
            listening.unasked_since = now;
        }
        let remote = Name::Path(path.to_owned());
        let end = self.new_client(false, bound.clone(), remote.clone());
        let place = self.ends[end as usize].place.served();
        let other = self.new_end(place, false, remote, bound, host);
        self.end(other).listener = Some(id);
        for (one, two) in [(end, other), (other, end)] {
            let one = self.end(one);
            one.state = State::Open;
            one.peer = Some(two);
        }
        self.end(end).file = Some(file);
        self.file(file)?.what = Open::Stream(end);
        if let Some((_, listening)) = self.listening(listener) {
            listening.queue.push_back(other);
        }
        self.edge(listener);
        Ok(())
    }
}
