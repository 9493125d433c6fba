//! The time that a connect may take, look-up and all attempts together.

use crate::error::node;
use crate::machine::Life;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::connect::ConnectOptions;
use crate::reactor::{self, Task};

impl SocketDriver<'_> {
    pub(super) fn arm_connect_timeout(&self, options: &ConnectOptions) {
        self.clear_connect_timeout();
        let Some(timeout) = options.connect_timeout else {
            return;
        };
        let task = Task::new(self.state.key, |event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| driver.connect_timed_out());
        });
        let timer = self.event_loop.insert_timer(task);
        self.event_loop.arm(timer, reactor::whole_ms(timeout));
        self.state
            .with_extras(|extras| extras.connect_timer = Some(timer));
    }

    pub(super) fn clear_connect_timeout(&self) {
        let timer = self
            .state
            .extras(|extras| extras.connect_timer.take())
            .flatten();
        if let Some(timer) = timer {
            self.event_loop.clear_timer(timer);
        }
    }

    fn connect_timed_out(&self) {
        self.clear_connect_timeout();
        if self.state.duplex.life() == Life::Connecting {
            self.fail(node::connection_timeout());
        }
    }
}
