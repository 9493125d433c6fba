//! The idle timeout of a socket.

use std::time::Duration;

use crate::event;
use crate::net::driver::log_line;
use crate::net::driver::socket::SocketDriver;

impl SocketDriver<'_> {
    pub(in crate::net) fn set_idle_timeout(&self, timeout: Duration) {
        let task = self.task(|event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| driver.idle_timer_fired());
        });
        self.state.idle_or_new().set(self.event_loop, task, timeout);
    }

    fn idle_timer_fired(&self) {
        let write_left = self.state.duplex.request_left();
        let idle = self.state.idle();
        if idle.is_some_and(|idle| idle.is_over(self.event_loop, write_left)) {
            log_line::is_idle(self);
            self.emit_to(event::Timeout, ());
        }
    }
}
