//! What a PROXY header says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::super::super::{FrameError, Malformed};
use super::{UNKNOWN, V1, V2, V2_FIXED, error_of};

/// A header, parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyHeader<'a> {
    /// The connection that the proxy has accepted.
    pub proxied: Proxied<'a>,
    tlvs: &'a [u8],
}

/// The connection between a client and a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxied<'a> {
    /// None: the proxy speaks for itself, for example to see whether the server is alive.
    Local,
    /// One that the proxy cannot describe.
    Unknown,
    /// One over the internet.
    Inet {
        /// TCP or UDP.
        transport: Transport,
        /// The client.
        source: SocketAddr,
        /// Where the client has connected to.
        destination: SocketAddr,
    },
    /// One over a socket of the unix domain. Addresses are paths, without the zeros behind them; an
    /// abstract one starts with a zero.
    Unix {
        /// Stream or datagram.
        transport: Transport,
        /// The client.
        source: &'a [u8],
        /// Where the client has connected to.
        destination: &'a [u8],
    },
}

/// The kind of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Stream: TCP, for the internet.
    Stream,
    /// Datagram: UDP, for the internet.
    Datagram,
}

impl<'a> ProxyHeader<'a> {
    /// Parses a frame that a reader for [`Proxy`](super::Proxy) has handed out, which is known to be
    /// valid then.
    ///
    /// # Errors
    ///
    /// [`FrameError::Malformed`] if it is no such frame, with an offset in it.
    pub fn parse(frame: &'a [u8]) -> Result<Self, FrameError> {
        parse(frame).map_err(error_of)
    }

    /// The additions of version 2: name of the host, TLS, vendors' own. There are none in version 1.
    pub fn tlvs(&self) -> Tlvs<'a> {
        Tlvs(self.tlvs)
    }
}

/// The additions to a header: pairs of a type and its value.
#[derive(Clone, Copy, Debug)]
pub struct Tlvs<'a>(&'a [u8]);

impl<'a> Iterator for Tlvs<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[kind, high, low], rest) = self.0.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(u16::from_be_bytes([high, low]).into())?;
        self.0 = rest;
        Some((kind, value))
    }
}

pub(super) fn parse(frame: &[u8]) -> Result<ProxyHeader<'_>, Malformed> {
    if frame.starts_with(V1) {
        parse_v1(frame)
    } else {
        parse_v2(frame)
    }
}

fn parse_v1(frame: &[u8]) -> Result<ProxyHeader<'_>, Malformed> {
    let wrong = |what| Malformed::new(V1.len(), what);
    let line = frame[V1.len()..]
        .strip_suffix(b"\r\n")
        .ok_or(wrong("PROXY line without CRLF"))?;
    let header = |proxied| Ok(ProxyHeader { proxied, tlvs: &[] });
    // What follows is of no meaning and may be anything.
    if line == b"UNKNOWN" || line.starts_with(UNKNOWN) {
        return header(Proxied::Unknown);
    }
    let line = std::str::from_utf8(line).map_err(|_| wrong("PROXY line that is not ASCII"))?;
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (family, source, destination) = (word(), word(), word());
    let (source_port, destination_port) = (port(word()), port(word()));
    let addresses = match family {
        "TCP4" => address::<Ipv4Addr>(source).zip(address::<Ipv4Addr>(destination)),
        "TCP6" => address::<Ipv6Addr>(source).zip(address::<Ipv6Addr>(destination)),
        _ => return Err(wrong("PROXY line of an unknown family")),
    };
    match (addresses, source_port, destination_port, words.next()) {
        (Some((source, destination)), Some(source_port), Some(destination_port), None) => {
            header(Proxied::Inet {
                transport: Transport::Stream,
                source: SocketAddr::new(source, source_port),
                destination: SocketAddr::new(destination, destination_port),
            })
        }
        _ => Err(wrong("PROXY line without two addresses and two ports")),
    }
}

fn address<A: FromStr + Into<IpAddr>>(word: &str) -> Option<IpAddr> {
    word.parse::<A>().ok().map(Into::into)
}

/// A port as the protocol writes it: no sign, no leading zero.
fn port(word: &str) -> Option<u16> {
    let canonical = word == "0" || word.starts_with(|first: char| ('1'..='9').contains(&first));
    if canonical { word.parse().ok() } else { None }
}

pub(super) fn check_command(byte: u8) -> Result<(), Malformed> {
    match byte {
        LOCAL | 0x21 => Ok(()),
        _ => Err(Malformed::new(
            12,
            "PROXY header of an unknown version or command",
        )),
    }
}

/// How many bytes the addresses take.
pub(super) fn addresses_len(command: u8, family: u8) -> Result<usize, Malformed> {
    // A proxy that speaks for itself need not give addresses, and those it gives are ignored with their
    // family.
    if command == LOCAL {
        return Ok(0);
    }
    Ok(match family {
        0x00 => 0,
        0x11 | 0x12 => 2 * (4 + 2),
        0x21 | 0x22 => 2 * (16 + 2),
        0x31 | 0x32 => 2 * UNIX,
        _ => return Err(Malformed::new(13, "PROXY header of an unknown family")),
    })
}

const UNIX: usize = 108;

/// The command of a proxy that speaks for itself, with the version.
const LOCAL: u8 = 0x20;

fn parse_v2(frame: &[u8]) -> Result<ProxyHeader<'_>, Malformed> {
    let short = Malformed::new(0, "PROXY header that is cut off");
    if frame.len() < V2_FIXED || !frame.starts_with(V2) {
        return Err(short);
    }
    let (command, family) = (frame[12], frame[13]);
    check_command(command)?;
    let addresses_len = addresses_len(command, family)?;
    let (addresses, tlvs) = frame[V2_FIXED..]
        .split_at_checked(addresses_len)
        .ok_or(short)?;
    let transport = if family & 0xf == 1 {
        Transport::Stream
    } else {
        Transport::Datagram
    };
    let proxied = match family >> 4 {
        _ if command == LOCAL => {
            return Ok(ProxyHeader {
                proxied: Proxied::Local,
                tlvs: &[],
            });
        }
        1 => inet::<4>(addresses, transport),
        2 => inet::<16>(addresses, transport),
        3 => {
            let (source, destination) = addresses.split_at(UNIX);
            Proxied::Unix {
                transport,
                source: path(source),
                destination: path(destination),
            }
        }
        _ => Proxied::Unknown,
    };
    let mut pairs = Tlvs(tlvs);
    pairs.by_ref().for_each(drop);
    if !pairs.0.is_empty() {
        let at = frame.len() - pairs.0.len();
        return Err(Malformed::new(
            at,
            "PROXY header with an addition that is cut off",
        ));
    }
    Ok(ProxyHeader { proxied, tlvs })
}

/// Two addresses of `N` bytes, and two ports.
fn inet<const N: usize>(bytes: &[u8], transport: Transport) -> Proxied<'static>
where
    IpAddr: From<[u8; N]>,
{
    let ip = |at: usize| IpAddr::from(std::array::from_fn::<u8, N, _>(|i| bytes[at + i]));
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    Proxied::Inet {
        transport,
        source: SocketAddr::new(ip(0), port(2 * N)),
        destination: SocketAddr::new(ip(N), port(2 * N + 2)),
    }
}

fn path(field: &[u8]) -> &[u8] {
    // The name of an abstract address starts with a zero.
    let skip = usize::from(field.first() == Some(&0));
    let end = field[skip..]
        .iter()
        .position(|byte| *byte == 0)
        .map_or(field.len(), |at| skip + at);
    if end == 1 && skip == 1 {
        &[]
    } else {
        &field[..end]
    }
}
