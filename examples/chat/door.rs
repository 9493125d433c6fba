//! Which door a connection has come to: its first bytes decide.

use soquete::framing::http::Http;
use soquete::framing::{Cut, Format, Lines, Malformed, Output, Unpacked, WebSocket, Window};

/// What is spoken on a connection.
pub enum Door {
    /// Not known before it has said something.
    Closed,
    Lines(Lines),
    Requests(Http),
    WebSocket(WebSocket),
}

/// The longest head of a request.
pub const LONGEST_HEAD: usize = 8 << 10;

fn requests() -> Http {
    Http::requests().max_head(LONGEST_HEAD)
}

/// An HTTP method has at most so many letters, here.
const LONGEST_METHOD: usize = 7;

/// What targets begin with: a path, or a whole URL, as proxies are sent it.
const TARGETS: [&[u8]; 3] = [b"/", b"http://", b"https://"];

impl Door {
    /// A request begins with a method and a target, `GET /`; anything else is somebody's name.
    fn open(window: Window<'_>) -> Option<Door> {
        for at in 0..=LONGEST_METHOD {
            match window.get(at)? {
                b'A'..=b'Z' => {}
                b' ' if at >= 3 && has_target(window, at + 1)? => {
                    return Some(Door::Requests(requests()));
                }
                _ => break,
            }
        }
        Some(Door::Lines(Lines::new()))
    }
}

/// Whether a target begins there; `None` while more bytes may make it one.
fn has_target(window: Window<'_>, at: usize) -> Option<bool> {
    let mut may_become_one = false;
    for target in TARGETS {
        let differs = |(nth, byte): (usize, &u8)| match window.get(at + nth) {
            Some(here) => !here.eq_ignore_ascii_case(byte),
            None => false,
        };
        if target.iter().enumerate().any(differs) {
            continue;
        }
        if window.len() >= at + target.len() {
            return Some(true);
        }
        may_become_one = true;
    }
    (!may_become_one).then_some(false)
}

/// Has whichever format it is do it; `Closed` is none.
macro_rules! behind {
    ($door:expr, $format:ident => $what:expr, $otherwise:expr) => {
        match $door {
            Door::Closed => $otherwise,
            Door::Lines($format) => $what,
            Door::Requests($format) => $what,
            Door::WebSocket($format) => $what,
        }
    };
}

impl Format for Door {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        if let Door::Closed = self {
            match Door::open(window) {
                Some(door) => *self = door,
                None => return Ok(Cut::MORE),
            }
        }
        behind!(self, format => format.cut(window), Ok(Cut::MORE))
    }

    /// What is behind a closed door may need as much as any.
    fn overhead(&self) -> usize {
        behind!(self, format => format.overhead(), requests().overhead())
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        behind!(self, format => format.at_end(window), Ok(Cut::MORE))
    }

    fn expects_more(&self) -> bool {
        behind!(self, format => format.expects_more(), false)
    }

    fn forget(&mut self, bytes: usize) {
        behind!(self, format => format.forget(bytes), ());
    }

    fn check_tail(&mut self, tail: &[u8]) -> Result<(), Malformed> {
        behind!(self, format => format.check_tail(tail), Ok(()))
    }

    fn raw_limit(&self, limit: usize) -> usize {
        behind!(self, format => format.raw_limit(limit), limit)
    }

    fn kind(&self) -> u8 {
        behind!(self, format => format.kind(), 0)
    }

    fn may_stream(&self) -> bool {
        behind!(self, format => format.may_stream(), true)
    }

    fn unpacks_in_pieces(&self) -> bool {
        behind!(self, format => format.unpacks_in_pieces(), false)
    }

    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        behind!(self, format => format.unpack_piece(raw, last, out), Ok(Unpacked::AsIs))
    }

    fn abandon(&mut self) {
        behind!(self, format => format.abandon(), ());
    }

    fn unpack(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Unpacked, Malformed> {
        behind!(self, format => format.unpack(raw, out), Ok(Unpacked::AsIs))
    }
}
