//! What a socket is at, for a simulated world that has come to a standstill.

use crate::kernel::Stream;
use crate::machine::Life;
use crate::net::state::socket::SocketState;

impl SocketState {
    /// Whether it waits for something to be read, and for room.
    pub(super) fn awaits(&self) -> (bool, bool) {
        // After ENOBUFS a timer goes on, and no event.
        let rests = self.extras(|extras| extras.write_pause.is_some());
        let writes = self.duplex.is_writing() && rests != Some(true);
        match self.duplex.life() {
            Life::Connecting => (true, true),
            Life::Open => (self.duplex.wants_read(), writes),
            Life::Fresh | Life::Destroyed | Life::Closed => (false, false),
        }
    }

    /// `None` for a socket that is nothing yet.
    pub(super) fn describe(&self) -> Option<String> {
        let duplex = &self.duplex;
        let what = match &*self.transport.borrow() {
            Stream::Sim(descriptor) => descriptor.label()?,
            _ if duplex.life() == Life::Fresh => return None,
            _ => format!("socket {:?}", self.key),
        };
        let reads = match duplex.wants_read() {
            true => "reads",
            false => "does not read",
        };
        let flags = [
            (true, reads),
            (duplex.readable_ended(), "the peer has ended"),
            (duplex.writable_ended(), "has ended"),
            (!self.bits.referenced().get(), "unref"),
        ];
        let counts = [
            (duplex.readable_length(), "bytes unread"),
            (duplex.request_left(), "bytes unsent"),
        ];
        let mut words = vec![format!("{what}: {:?}", duplex.life())];
        words.extend(
            flags
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, word)| (*word).to_owned()),
        );
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        words.extend(counts.map(|(count, what)| format!("{count} {what}")));
        Some(words.join(", "))
    }
}
