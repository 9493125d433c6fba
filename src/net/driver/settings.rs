//! Options of the descriptor: no-delay, keep-alive, type of service. Those that are set before there
//! is a connection are kept until there is one.

use std::io;
use std::net::SocketAddr;

use crate::error::{Error, Result};
use crate::kernel::{Setting, Stream};
use crate::machine::Life;
use crate::net::driver::socket::SocketDriver;
use crate::net::values::keep_alive::KeepAlive;
use crate::reactor::Complaint;

impl SocketDriver<'_> {
    pub(in crate::net) fn set_no_delay(&self, on: bool) {
        let before = self.state.bits.no_delay().replace(on);
        if before != on && self.state.duplex.life() == Life::Open {
            self.apply_no_delay(on);
        }
    }

    pub(in crate::net) fn set_keep_alive(&self, keep_alive: KeepAlive) {
        let before = self
            .state
            .with_extras(|extras| extras.keep_alive.replace(keep_alive));
        if before != Some(keep_alive) && self.state.duplex.life() == Life::Open {
            self.apply_keep_alive(keep_alive);
        }
    }

    pub(in crate::net) fn set_type_of_service(&self, service: u8) -> Result<()> {
        let before = self
            .state
            .with_extras(|extras| extras.type_of_service.replace(service));
        if before == Some(service) || self.state.duplex.life() != Life::Open {
            return Ok(());
        }
        self.apply_type_of_service(service)
    }

    pub(in crate::net) fn type_of_service(&self) -> Result<u8> {
        let stored = self.state.extras(|extras| extras.type_of_service).flatten();
        match self.state.transport.borrow().type_of_service() {
            Some(Ok(service)) => Ok(service),
            Some(Err(error)) => Err(Error::os("getTypeOfService", &error)),
            None => Ok(stored.unwrap_or(0)),
        }
    }

    /// As `apply_stored_options`, where nobody can listen to an error yet: a peer that has reset its connection by now
    /// may be one.
    pub(in crate::net) fn apply_stored_options_unheard(&self) {
        if let Err(error) = self.apply_stored_options()
            && self.event_loop.complains(Complaint::Option)
        {
            log::debug!(target: "soquete::net", "{error}");
        }
    }

    /// Sets what was asked for before there was a connection. An error is one of the type of service, as in Node.
    pub(in crate::net) fn apply_stored_options(&self) -> Result<()> {
        if self.state.bits.no_delay().get() {
            self.apply_no_delay(true);
        }
        let stored = self
            .state
            .extras(|extras| (extras.keep_alive, extras.type_of_service));
        let Some((keep_alive, service)) = stored else {
            return Ok(());
        };
        if let Some(keep_alive) = keep_alive.filter(|keep_alive| keep_alive.is_on()) {
            self.apply_keep_alive(keep_alive);
        }
        service.map_or(Ok(()), |service| self.apply_type_of_service(service))
    }

    fn apply_no_delay(&self, on: bool) {
        let set = self.state.transport.borrow().set(Setting::NoDelay(on));
        self.ignore("TCP_NODELAY", set);
    }

    fn apply_keep_alive(&self, keep_alive: KeepAlive) {
        let set = self.state.transport.borrow().set(keep_alive.setting());
        self.ignore("SO_KEEPALIVE", set);
    }

    fn apply_type_of_service(&self, service: u8) -> Result<()> {
        let transport = self.state.transport.borrow();
        let setting = match transport.local_address() {
            Some(SocketAddr::V6(_)) => Setting::TrafficClass(service),
            _ => Setting::TypeOfService(service),
        };
        match transport.set(setting) {
            Some(Err(error)) => Err(Error::os("setTypeOfService", &error)),
            _ => Ok(()),
        }
    }
}

impl SocketDriver<'_> {
    /// Makes closing the descriptor reset the connection.
    pub(in crate::net) fn reset_on_close(&self, transport: &Stream) {
        self.ignore("SO_LINGER", transport.set(Setting::ResetOnClose));
    }

    /// Node ignores these errors; here they are at least logged.
    fn ignore(&self, option: &str, set: Option<io::Result<()>>) {
        if let Some(Err(error)) = set
            && self.event_loop.complains(Complaint::Option)
        {
            log::debug!(target: "soquete::net", "{option}: {error}");
        }
    }
}
