//! The idle timeout of a socket.

use std::time::Duration;

use crate::event;
use crate::net::driver::log_line;
use crate::net::driver::socket::SocketDriver;

impl SocketDriver<'_> {
    pub(in crate::net) fn set_idle_timeout(&self, timeout: Duration) {
        self.state
            .idle
            .set(self.event_loop, self.state.key, timeout);
    }

    pub(in crate::net) fn idle_timer_fired(&self) {
        let write_left = self.state.duplex.request_left();
        let idle = &self.state.idle;
        if idle.is_over(self.event_loop, self.state.key, write_left) {
            log_line::is_idle(self);
            self.emit_to(event::Timeout, ());
        }
    }
}
