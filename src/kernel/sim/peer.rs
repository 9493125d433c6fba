//! Ends of connections without the crate: calls of the kernel, on a host of their own.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};

use super::descriptor::Descriptor;
use super::hosts::Host;
use super::{at_host, with_kernel};
use crate::kernel::Setting;

/// A stream or a listener of a host without a loop.
#[derive(Debug)]
pub(crate) struct Outside {
    descriptor: Option<Descriptor>,
    host: u16,
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(descriptor) = self.descriptor.take() {
            at_host(self.host, || drop(descriptor));
        }
    }
}

/// The host with this address that has no loop. `None` outside of a world.
fn host_of(address: IpAddr) -> Option<io::Result<u16>> {
    with_kernel(|kernel| {
        let found = kernel
            .hosts
            .iter()
            .position(|host| host.addresses.contains(&address));
        match found {
            Some(host) if kernel.hosts[host].has_no_loop() => Ok(host as u16),
            Some(_) => Err(io::ErrorKind::AddrInUse.into()),
            None => {
                let host = u16::try_from(kernel.hosts.len());
                let host = host.map_err(|_| io::ErrorKind::AddrNotAvailable)?;
                kernel.hosts.push(Host::new(vec![address], true));
                Ok(host)
            }
        }
    })
}

impl Outside {
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    pub(super) fn of(descriptor: Descriptor, host: u16) -> Outside {
        let descriptor = Some(descriptor);
        Outside { descriptor, host }
    }

    /// `None` outside of a world, and if the address is that of a host with a loop.
    fn open(address: IpAddr, port: u16) -> Option<Outside> {
        let host = host_of(address)?.ok()?;
        let descriptor = at_host(host, || {
            let descriptor = Descriptor::tcp(address.is_ipv6())?.ok()?;
            descriptor.bind((address, port).into(), true, false).ok()?;
            Some(descriptor)
        });
        Some(Outside {
            descriptor: Some(descriptor?),
            host,
        })
    }

    pub(crate) fn connect(from: SocketAddr, to: SocketAddr) -> Option<Outside> {
        let outside = Outside::open(from.ip(), from.port())?;
        // In progress, in any case.
        let _begun = outside.ask(|descriptor| descriptor.connect(to));
        Some(outside)
    }

    pub(crate) fn listen(at: SocketAddr, backlog: i32) -> Option<Outside> {
        let outside = Outside::open(at.ip(), at.port())?;
        outside.ask(|descriptor| descriptor.listen(backlog)).ok()?;
        Some(outside)
    }

    fn ask<R>(&self, ask: impl FnOnce(&Descriptor) -> io::Result<R>) -> io::Result<R> {
        match &self.descriptor {
            Some(descriptor) => at_host(self.host, || ask(descriptor)),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(crate) fn accept(&self) -> Option<Outside> {
        let (descriptor, _) = self.ask(Descriptor::accept).ok()?;
        Some(Outside {
            descriptor: Some(descriptor),
            host: self.host,
        })
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ask(|descriptor| descriptor.read(buffer))
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.ask(|descriptor| descriptor.write(&[IoSlice::new(bytes)]))
    }

    pub(crate) fn shutdown(&self) -> io::Result<()> {
        self.ask(Descriptor::shutdown)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.ask(Descriptor::peer_address).is_ok()
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.ask(Descriptor::local_address).ok().flatten()
    }

    pub(crate) fn peer_address(&self) -> Option<SocketAddr> {
        self.ask(Descriptor::peer_address).ok().flatten()
    }

    /// Closes it with a reset.
    pub(crate) fn reset(mut self) {
        let _set = self.ask(|descriptor| descriptor.set(Setting::ResetOnClose));
        let descriptor = self.descriptor.take();
        at_host(self.host, || drop(descriptor));
    }
}
