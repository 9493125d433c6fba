//! Settings of the descriptor, and of the handle.

use std::time::Duration;

use crate::error::Result;
use crate::event;
use crate::events::Outcome;
use crate::net::driver::socket::SocketDriver;
use crate::net::values::handle::Socket;
use crate::net::values::keep_alive::KeepAlive;

/// Settings of the descriptor.
impl Socket {
    /// Whether small segments are sent at once (`TCP_NODELAY`). Before there is a connection it is
    /// kept for then. Errors are ignored, as in Node.
    #[doc(alias = "setNoDelay")]
    pub fn set_no_delay(&self, on: bool) -> Socket {
        SocketDriver::with(self.key(), |driver| driver.set_no_delay(on));
        *self
    }

    /// Whether small segments are sent at once, as it was [set](Socket::set_no_delay).
    #[doc(alias = "noDelay")]
    pub fn no_delay(&self) -> bool {
        SocketDriver::with(self.key(), |driver| driver.state.bits.no_delay().get()).unwrap_or(false)
    }

    /// How the connection is probed, as it was [set](Socket::set_keep_alive); `None` where it is not.
    #[doc(alias = "keepAlive")]
    pub fn keep_alive(&self) -> Option<KeepAlive> {
        let asked = SocketDriver::with(self.key(), |driver| {
            driver.state.extras(|extras| extras.keep_alive)
        });
        asked
            .flatten()
            .flatten()
            .filter(|keep_alive| keep_alive.is_on())
    }

    /// Whether, and how, the connection is probed while it is silent (`SO_KEEPALIVE`): a
    /// [`KeepAlive`], a [`Duration`], or `None` for not at all. Before there is a connection it is
    /// kept for then. Errors are ignored, as in Node.
    #[doc(alias = "setKeepAlive")]
    pub fn set_keep_alive(&self, keep_alive: impl Into<KeepAlive>) -> Socket {
        let keep_alive = keep_alive.into();
        SocketDriver::with(self.key(), |driver| driver.set_keep_alive(keep_alive));
        *self
    }

    /// Sets the type of service (`IP_TOS`, for IPv6 the traffic class) that segments are sent with.
    /// Before there is a connection it is kept for then, and what goes wrong then is an
    /// [`Error`](crate::event::Error) that closes nothing. Means nothing to an IPC socket.
    ///
    /// # Errors
    ///
    /// The operating system's, with the [`syscall`](crate::Error::syscall) `setTypeOfService`.
    #[doc(alias = "setTypeOfService")]
    pub fn set_type_of_service(&self, service: u8) -> Result<Socket> {
        let set = SocketDriver::with(self.key(), |driver| driver.set_type_of_service(service));
        set.unwrap_or(Ok(())).map(|()| *self)
    }

    /// The type of service that segments are sent with. The kernel may keep less than was set: of
    /// the two lowest bits, which belong to congestion notification, a TCP socket decides itself.
    ///
    /// # Errors
    ///
    /// The operating system's, with the [`syscall`](crate::Error::syscall) `getTypeOfService`.
    #[doc(alias = "getTypeOfService")]
    pub fn type_of_service(&self) -> Result<u8> {
        let asked = SocketDriver::with(self.key(), |driver| driver.type_of_service());
        asked.unwrap_or(Ok(0))
    }
}

/// Settings.
impl Socket {
    /// Emits [`event::Timeout`] when nothing was received or sent for so long; never, for zero (the
    /// default). The socket is not closed by that. Node's largest timeout, 2³¹ − 1 ms, is the
    /// largest here.
    #[doc(alias = "setTimeout")]
    pub fn set_timeout(&self, timeout: Duration) -> Socket {
        self.with(|driver| {
            if !driver.state.duplex.is_destroyed() {
                driver.set_idle_timeout(timeout);
            }
        });
        *self
    }

    /// As [`set_timeout`](Socket::set_timeout), and calls `callback` with the socket at the next
    /// [`event::Timeout`]; with zero, it is not called.
    ///
    /// ```
    /// use soquete::{event, net};
    /// use std::time::Duration;
    ///
    /// let server = net::create_server(|socket| {
    ///     socket.on(event::Error, |error| eprintln!("{error}"));
    ///     let silence = Duration::from_secs(60);
    ///     // `end` would leave a peer its connection that never closes its own side.
    ///     socket.set_timeout_then(silence, |socket| socket.destroy());
    /// });
    /// # server.close();
    /// ```
    #[doc(alias = "setTimeout")]
    pub fn set_timeout_then<R: Outcome>(
        &self,
        timeout: Duration,
        callback: impl FnOnce(Socket) -> R + 'static,
    ) -> Socket {
        let socket = *self;
        if !timeout.is_zero() && !self.destroyed() {
            self.once(event::Timeout, move |()| callback(socket));
        }
        self.set_timeout(timeout)
    }

    /// Makes the socket keep the loop alive while it reads, as it does by default.
    #[doc(alias = "ref")]
    pub fn ref_(&self) -> Socket {
        self.with(|driver| driver.state.bits.referenced().set(true));
        *self
    }

    /// Lets the loop end though the socket is open. A connection, a write or an end that is under
    /// way keeps it alive all the same.
    pub fn unref(&self) -> Socket {
        self.with(|driver| driver.state.bits.referenced().set(false));
        *self
    }

    /// See [`allow_half_open`](crate::net::SocketOptions::allow_half_open); counts from the peer's end on.
    pub fn set_allow_half_open(&self, allow: bool) -> Socket {
        self.with(|driver| driver.state.duplex.set_allow_half_open(allow));
        *self
    }
}
