//! The time that a connect may take, look-up and all attempts together.

use super::ConnectOptions;
use crate::error::node;
use crate::machine::Life;
use crate::net::cell::SocketHost;
use crate::reactor::{self, Task};

impl SocketHost<'_> {
    pub(super) fn arm_connect_timeout(&self, options: &ConnectOptions) {
        self.clear_connect_timeout();
        let Some(timeout) = options.connect_timeout else {
            return;
        };
        let task = Task::new(self.cell.key, |event_loop, key| {
            SocketHost::on(event_loop, key, |host| host.connect_timed_out());
        });
        let timer = self.event_loop.insert_timer(task);
        self.event_loop.arm(timer, reactor::whole_ms(timeout));
        self.cell.with_rare(|rare| rare.connect_timer = Some(timer));
    }

    pub(super) fn clear_connect_timeout(&self) {
        let timer = self.cell.rare(|rare| rare.connect_timer.take()).flatten();
        if let Some(timer) = timer {
            self.event_loop.clear_timer(timer);
        }
    }

    fn connect_timed_out(&self) {
        self.clear_connect_timeout();
        if self.cell.duplex.life() == Life::Connecting {
            self.fail(node::connection_timeout());
        }
    }
}
