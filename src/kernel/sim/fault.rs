//! The name of a fault: one call at one place, and the error that it has there.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::errno;
use super::faults::Call;

/// One thing that goes wrong: which call, where, and with which error.
///
/// Its text names it, and can be [parsed](str::parse) again:
///
/// ```
/// use soquete::sim::Fault;
///
/// let fault: Fault = "EINTR at read 2 of client 3 of 10.0.0.9".parse().unwrap();
/// assert_eq!(fault.error(), "EINTR");
/// assert_eq!(fault.to_string(), "EINTR at read 2 of client 3 of 10.0.0.9");
/// ```
///
/// The third connection that the machine with that address has begun is `client 3 of 10.0.0.9`; the
/// other end of it is `served client 3 of 10.0.0.9`. A machine without addresses of its own is `main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(crate) site: Site,
    pub(crate) number: i32,
}

/// A call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) call: Call,
    pub(crate) place: Place,
    /// The so-manieth call of this kind at this place.
    pub(crate) nth: u32,
}

/// Hosts by their first address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Host(Option<IpAddr>),
    Listener(Option<IpAddr>, u32),
    Client(Option<IpAddr>, u32),
    /// The end that was accepted.
    Served(Option<IpAddr>, u32),
}

impl Fault {
    /// The call that fails.
    pub fn call(&self) -> Call {
        self.site.call
    }

    /// The error, under its name.
    pub fn error(&self) -> &'static str {
        errno::name(self.number)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.error(), self.site)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}", self.call.word(), self.nth, self.place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, what) = match self {
            Place::Host(host) => (host, None),
            Place::Listener(host, number) => (host, Some(("listener", number))),
            Place::Client(host, number) => (host, Some(("client", number))),
            Place::Served(host, number) => (host, Some(("served client", number))),
        };
        if let Some((what, number)) = what {
            write!(f, "{what} {number} of ")?;
        }
        match host {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("main"),
        }
    }
}

impl Call {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Call::Socket => "socket",
            Call::Bind => "bind",
            Call::Listen => "listen",
            Call::Connect => "connect",
            Call::Accept => "accept",
            Call::Read => "read",
            Call::Write => "write",
            Call::Shutdown => "shutdown",
            Call::Name => "getsockname",
            Call::PeerName => "getpeername",
            Call::SocketError => "getsockopt",
            Call::Set => "setsockopt",
            Call::Watch => "epoll_ctl",
            Call::Wait => "epoll_wait",
            Call::Open => "open",
            Call::Resolve => "getaddrinfo",
            Call::Segment => "segment",
        }
    }
}

/// Why a text names no [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(&'static str);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for FaultError {}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Fault, FaultError> {
        let (error, site) = text
            .split_once(" at ")
            .ok_or(FaultError("expected `ERROR at CALL N of PLACE`"))?;
        let number = errno::number(error.trim()).ok_or(FaultError("unknown error"))?;
        let (call, place) = site
            .split_once(" of ")
            .ok_or(FaultError("expected `CALL N of PLACE`"))?;
        let (word, nth) = call
            .trim()
            .split_once(' ')
            .ok_or(FaultError("expected the call and its number"))?;
        let call = Call::ALL
            .into_iter()
            .find(|call| call.word() == word)
            .ok_or(FaultError("unknown call"))?;
        if !call.numbers().contains(&number) {
            return Err(FaultError("this call cannot have that error"));
        }
        let site = Site {
            call,
            nth: number_of(nth)?,
            place: place_of(place.trim())?,
        };
        Ok(Fault { site, number })
    }
}

fn number_of(text: &str) -> Result<u32, FaultError> {
    text.trim()
        .parse()
        .map_err(|_| FaultError("expected a number"))
}

fn place_of(text: &str) -> Result<Place, FaultError> {
    let host = |text: &str| match text {
        "main" => Ok(None),
        address => match address.parse() {
            Ok(address) => Ok(Some(address)),
            Err(_) => Err(FaultError("expected an IP address or `main`")),
        },
    };
    let Some((what, address)) = text.split_once(" of ") else {
        return host(text).map(Place::Host);
    };
    let (what, number) = what
        .rsplit_once(' ')
        .ok_or(FaultError("expected `client N of HOST`"))?;
    let (host, number) = (host(address)?, number_of(number)?);
    match what {
        "listener" => Ok(Place::Listener(host, number)),
        "client" => Ok(Place::Client(host, number)),
        "served client" => Ok(Place::Served(host, number)),
        _ => Err(FaultError("unknown kind of place")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_can_be_read_from_its_text() {
        let address = Some(IpAddr::from([10, 0, 0, 9]));
        let places = [
            Place::Host(None),
            Place::Host(address),
            Place::Listener(None, 1),
            Place::Client(address, 17),
            Place::Served(address, 17),
        ];
        for call in Call::ALL {
            for number in call.numbers() {
                for place in places {
                    let site = Site {
                        call,
                        place,
                        nth: 3,
                    };
                    let fault = Fault {
                        site,
                        number: *number,
                    };
                    assert_eq!(fault.to_string().parse(), Ok(fault));
                }
            }
        }
    }

    #[test]
    fn what_is_no_fault_is_refused_with_the_reason() {
        for (text, reason) in [
            ("EINTR", "expected `ERROR at CALL N of PLACE`"),
            ("EWHAT at read 1 of main", "unknown error"),
            ("EINTR at reed 1 of main", "unknown call"),
            (
                "EMFILE at read 1 of main",
                "this call cannot have that error",
            ),
            ("EINTR at read x of main", "expected a number"),
            (
                "EINTR at read 1 of nobody",
                "expected an IP address or `main`",
            ),
            (
                "EINTR at read 1 of guest 1 of main",
                "unknown kind of place",
            ),
        ] {
            assert_eq!(text.parse::<Fault>(), Err(FaultError(reason)), "{text}");
        }
    }
}
