//! The PROXY protocol's header, versions 1 and 2.

mod header;

pub use header::{Proxied, ProxyHeader, Tlvs, Transport};

use super::super::{Cut, Format, FrameError, Malformed, Unpacked, Window};

/// The header by which a proxy tells a server who the client is (HAProxy's PROXY protocol).
///
/// It stands once, at the beginning of a connection. So the reader is to read one frame, which is the
/// header as it arrived, and then to be [switched](super::super::FrameReader::switch) to what the
/// connection is about, with the bytes that came along:
///
/// ```
/// use soquete::framing::{FrameReader, Lines, Proxied, Proxy, ProxyHeader};
///
/// let mut reader = FrameReader::new(Proxy::new(), Proxy::LONGEST);
/// let mut feed = reader.feed(b"PROXY TCP4 192.0.2.7 192.0.2.1 5432 80\r\nhello\n");
/// let header = feed.next()?.and_then(|item| item.frame()).expect("all of it");
/// let Proxied::Inet { source, .. } = ProxyHeader::parse(header)?.proxied else { panic!() };
/// assert_eq!(source.to_string(), "192.0.2.7:5432");
///
/// drop(feed);
/// let mut reader = reader.switch(Lines::new(), 1024)?;
/// let mut feed = reader.feed(b"");
/// assert_eq!(feed.next()?.and_then(|item| item.frame()), Some(&b"hello"[..]));
/// # Ok::<(), soquete::framing::FrameError>(())
/// ```
///
/// Anything that is not a valid header is an error at the first byte that shows it, as the protocol
/// demands: a server that guesses whether there is a header lets clients forge one. For the same
/// reason, expect a header only from addresses that are known to be proxies'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    scanned: usize,
}

const V1: &[u8] = b"PROXY ";
const UNKNOWN: &[u8; 8] = b"UNKNOWN ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1, its CRLF included.
const V1_LONGEST: usize = 107;

/// The part of version 2 that is always there: signature, command, family, length.
const V2_FIXED: usize = 16;

impl Proxy {
    /// The longest header that there can be. A server that wants no vendor's additions can do with a
    /// limit of 536 bytes.
    pub const LONGEST: usize = V2_FIXED + u16::MAX as usize;

    /// A header of either version.
    pub const fn new() -> Self {
        Self { scanned: 0 }
    }

    /// How many bytes are missing at least of a header of which these have come; 0 if it is whole, and valid. Whoever
    /// reads no more than that never reads what stands behind the header.
    pub(crate) fn missing(bytes: &[u8]) -> Result<usize, FrameError> {
        if bytes.is_empty() {
            return Ok(V1_SHORTEST);
        }
        let mut format = Proxy::new();
        let len = match format.cut(Window::new(bytes, &[])).map_err(error_of)? {
            Cut::Frame { payload, .. } => payload,
            // At most `LONGEST`.
            Cut::Declared { payload, .. } => payload as usize,
            _ if bytes[0] == V1[0] => return Ok(missing_of_v1(bytes)),
            _ => return Ok(V2_FIXED.saturating_sub(bytes.len()).max(1)),
        };
        if let Some(header) = bytes.get(..len) {
            header::parse(header).map_err(error_of)?;
        }
        Ok(len.saturating_sub(bytes.len()))
    }

    /// Goes on with `signature`; `None` if not all of it is there.
    fn signature(&mut self, window: Window<'_>, signature: &[u8]) -> Result<Option<()>, Malformed> {
        while let Some(&expected) = signature.get(self.scanned) {
            match window.get(self.scanned) {
                None => return Ok(None),
                Some(byte) if byte == expected => self.scanned += 1,
                Some(_) => return Err(Malformed::new(self.scanned, "no PROXY header")),
            }
        }
        Ok(Some(()))
    }

    fn cut_v1(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if self.signature(window, V1)?.is_none() {
            return Ok(Cut::MORE);
        }
        loop {
            let at = self.scanned;
            if at + 1 >= V1_LONGEST {
                return Err(Malformed::new(at, "PROXY line of more than 107 bytes"));
            }
            match (window.get(at), window.get(at + 1)) {
                (None, _) | (Some(b'\r'), None) => return Ok(Cut::MORE),
                (Some(b'\r'), Some(b'\n')) => {
                    self.scanned = 0;
                    return Ok(Cut::Frame {
                        head: 0,
                        payload: at + 2,
                        tail: 0,
                    });
                }
                (Some(b'\r' | b'\n'), _) if !is_unknown(window) => {
                    return Err(Malformed::new(at, "PROXY line that does not end with CRLF"));
                }
                (Some(_), _) => self.scanned += 1,
            }
        }
    }

    fn cut_v2(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if self.signature(window, V2)?.is_none() {
            return Ok(Cut::MORE);
        }
        // These bytes are looked at as they arrive, so that the first wrong one is the one reported.
        let Some(command) = window.get(12) else {
            return Ok(Cut::MORE);
        };
        header::check_command(command)?;
        let Some(family) = window.get(13) else {
            return Ok(Cut::MORE);
        };
        let least = header::addresses_len(command, family)?;
        let Some(len) = window.array(14).map(u16::from_be_bytes) else {
            return Ok(Cut::MORE);
        };
        if usize::from(len) < least {
            return Err(Malformed::new(
                14,
                "PROXY header without room for its addresses",
            ));
        }
        self.scanned = 0;
        let payload = V2_FIXED as u64 + u64::from(len);
        Ok(Cut::Declared {
            head: 0,
            payload,
            tail: 0,
        })
    }
}

/// `PROXY UNKNOWN` and its CRLF.
const V1_SHORTEST: usize = 15;

/// At least so much is missing of a line that has begun like this.
fn missing_of_v1(line: &[u8]) -> usize {
    let shortest = match line.get(V1.len()..V1.len() + 4) {
        Some(b"TCP4") => b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".len(),
        Some(b"TCP6") => b"PROXY TCP6 :: :: 0 0\r\n".len(),
        _ => V1_SHORTEST,
    };
    let line_end = if line.ends_with(b"\r") { 1 } else { 2 };
    shortest.saturating_sub(line.len()).max(line_end)
}

fn error_of(Malformed { at, what, .. }: Malformed) -> FrameError {
    FrameError::Malformed {
        at: at as u64,
        what,
    }
}

/// Whether the line is one whose addresses are to be ignored, whatever they are, up to its CRLF. As much of
/// it as a lone line end stands behind has come.
fn is_unknown(window: Window<'_>) -> bool {
    window.array(V1.len()) == Some(*UNKNOWN)
}

impl Format for Proxy {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match window.get(0) {
            None => Ok(Cut::MORE),
            Some(b'P') => self.cut_v1(window),
            Some(_) => self.cut_v2(window),
        }
    }

    fn overhead(&self) -> usize {
        V1_LONGEST
    }

    fn unpack(&mut self, raw: &[u8], _: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        header::parse(raw).map(|_| Unpacked::AsIs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(len: u16, rest: &[u8]) -> Vec<u8> {
        [V2, &[0x21, 0x11], &len.to_be_bytes(), rest].concat()
    }

    #[test]
    fn what_is_missing_never_reaches_behind_the_header() {
        let headers: [&[u8]; 8] = [
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN any \r thing\r\n",
            b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n",
            b"PROXY TCP4 192.168.100.200 10.0.0.1 65535 443\r\n",
            b"PROXY TCP6 :: :: 0 0\r\n",
            b"PROXY TCP6 2001:db8::1 ::1 1024 443\r\n",
            &v2(12, &[1; 12]),
            &v2(17, b"AAAABBBBppqq\x04\0\x02no"),
        ];
        for header in headers {
            for step in [1, 2, usize::MAX] {
                let mut have = 0;
                loop {
                    match Proxy::missing(&header[..have]).expect("it is valid") {
                        0 => break,
                        missing => have += missing.min(step),
                    }
                    assert!(have <= header.len(), "{header:?} is read beyond");
                }
                assert_eq!(have, header.len());
            }
        }
    }

    #[test]
    fn a_wrong_header_is_reported_by_the_bytes_that_show_it() {
        let wrong: [&[u8]; 5] = [
            b"GET / HTTP/1.1\r\n",
            b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
            b"PROXY TCP5 x\r\n",
            &v2(11, &[]),
            &v2(13, &[0; 13]),
        ];
        for header in wrong {
            let found = (1..=header.len()).any(|have| Proxy::missing(&header[..have]).is_err());
            assert!(found, "{header:?}");
        }
    }
}
