//! What becomes of each option of a socket.

use crate::error::node;
use crate::event;
use crate::net::driver::socket::SocketDriver;
use crate::net::options::abort::AbortSignal;
use crate::net::options::socket::SocketOptions;

impl SocketDriver<'_> {
    /// For a socket that is new. So nothing is replaced in here: what the user's options own would be dropped while
    /// the extras are out of their cell.
    pub(in crate::net) fn configure(&self, options: &SocketOptions) {
        debug_assert!(
            self.state.extras(|_| ()).is_none(),
            "a socket is configured once, and first"
        );
        let duplex = &self.state.duplex;
        duplex.set_allow_half_open(options.allow_half_open);
        duplex.set_readable_high_water_mark(options.readable_high_water_mark);
        duplex.set_writable_high_water_mark(options.writable_high_water_mark);
        duplex.set_max_write_queue(options.max_write_queue);
        if let Some(on_read) = &options.on_read {
            duplex.set_unbuffered();
            self.state
                .with_extras(|extras| extras.on_read = Some(on_read.clone()));
        }
        if let Some(prepare) = &options.prepare {
            self.state.bits.was_shown().set(true);
            self.state
                .with_extras(|extras| extras.prepare = Some(prepare.clone()));
        }
        if options.no_delay {
            self.set_no_delay(true);
        }
        if let Some(keep_alive) = options.keep_alive {
            self.set_keep_alive(keep_alive);
        }
        if let Some(service) = options.type_of_service {
            self.state
                .with_extras(|extras| extras.type_of_service = Some(service));
        }
        if let Some(list) = &options.block_list {
            self.state
                .with_extras(|extras| extras.block_list = Some(list.clone()));
        }
        if let Some(signal) = &options.signal {
            self.watch(signal);
        }
    }

    /// Lets the signal destroy the socket. An abort is deliberate, and so handled without a listener of `Error`.
    fn watch(&self, signal: &AbortSignal) {
        let key = self.state.key;
        let listener = signal.on_abort(move |reason| {
            let error = node::aborted(reason.clone());
            SocketDriver::with(key, |driver| {
                let duplex = &driver.state.duplex;
                // What has ended on both sides closes by itself, and there is nothing left to abort.
                if !(duplex.readable_ended() && duplex.writable_finished()) {
                    driver.state.emitter.on(event::Error, |_| {});
                    duplex.destroy(driver, Some(error));
                }
            });
        });
        self.state
            .with_extras(|extras| extras.signal = Some((signal.clone(), listener)));
        if let Some(reason) = signal.reason() {
            let error = node::aborted(reason);
            self.state.duplex.destroy(self, Some(error));
        }
    }
}
