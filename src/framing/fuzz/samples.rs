//! Formats that use what the others do not: kinds, heads in front of bodies, frames aside, payload that is unpacked in
//! pieces.

use super::super::{Cut, Format, Malformed, Output, Streamable, Unpacked, Window};

/// Messages of several parts, with notices between them, as WebSocket has them; masked, and with escapes.
///
/// ```text
///   flags and kind │ length │ key, if masked │ payload
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packets {
    /// The kind of the message that is open.
    open: u8,
    kind: u8,
    key: Option<u8>,
    /// How much of the part has been unmasked.
    unmasked: u8,
    /// The byte before was an escape.
    escaped: bool,
}

pub(super) const LAST: u8 = 0x80;
pub(super) const MASKED: u8 = 0x40;
pub(super) const KIND: u8 = 0x0f;
/// Kinds from here on are notices.
pub(super) const NOTICE: u8 = 8;
pub(super) const ESCAPE: u8 = 0x1b;
pub(super) const FORBIDDEN: u8 = 0xee;

impl Format for Packets {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some(flags) = window.get(0) else {
            return Ok(Cut::MORE);
        };
        let kind = flags & KIND;
        let (last, goes_on, is_notice) = (flags & LAST != 0, kind == 0, kind >= NOTICE);
        if !is_notice && goes_on != (self.open != 0) {
            return Err(Malformed::new(0, "part of another message"));
        }
        if is_notice && !last {
            return Err(Malformed::new(0, "notice of several parts"));
        }
        let masked = flags & MASKED != 0;
        let head = 2 + usize::from(masked);
        if window.len() < head {
            return Ok(Cut::MORE);
        }
        self.key = if masked { window.get(2) } else { None };
        self.unmasked = 0;
        self.kind = if goes_on { self.open } else { kind };
        let (payload, tail) = (window.get(1).unwrap_or_default().into(), 0);
        if is_notice {
            return Ok(Cut::Aside {
                head,
                payload,
                tail,
            });
        }
        self.open = if last { 0 } else { self.kind };
        Ok(match last {
            true => Cut::Declared {
                head,
                payload,
                tail,
            },
            false => Cut::Part {
                head,
                payload,
                tail,
            },
        })
    }

    fn overhead(&self) -> usize {
        3
    }

    fn kind(&self) -> u8 {
        self.kind
    }

    fn raw_limit(&self, limit: usize) -> usize {
        limit.saturating_mul(2)
    }

    fn unpacks_in_pieces(&self) -> bool {
        true
    }

    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        let is_notice = self.kind >= NOTICE;
        let plain = |byte: &u8| !matches!(*byte, ESCAPE | FORBIDDEN);
        if self.key.is_none() && !self.escaped && raw.iter().all(plain) {
            return Ok(Unpacked::AsIs);
        }
        for (at, byte) in raw.iter().enumerate() {
            let mask = self.key.map_or(0, |key| key.wrapping_add(self.unmasked));
            self.unmasked = self.unmasked.wrapping_add(1);
            match byte ^ mask {
                FORBIDDEN => return Err(Malformed::new(at, "forbidden byte")),
                byte if is_notice => out.push(byte),
                byte if self.escaped => {
                    self.escaped = false;
                    out.push(byte ^ 0x20);
                }
                ESCAPE => self.escaped = true,
                byte => out.push(byte),
            }
        }
        if last && !is_notice && std::mem::take(&mut self.escaped) {
            return Err(Malformed::new(raw.len(), "escape of nothing"));
        }
        Ok(Unpacked::Out)
    }

    fn abandon(&mut self) {
        self.escaped = false;
    }
}

impl Streamable for Packets {}

/// A line that says how long the body is, or that it goes on to the end, and the body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Messages {
    body: Option<Body>,
    kind: u8,
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Of(u64),
    ToTheEnd { begun: bool },
}

pub(super) const HEAD: u8 = 1;
pub(super) const HEAD_ALONE: u8 = 2;
pub(super) const BODY: u8 = 3;
pub(super) const LONGEST_HEAD: usize = 4;

impl Format for Messages {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        match self.body {
            Some(Body::Of(payload)) => {
                (self.kind, self.body) = (BODY, None);
                return Ok(Cut::Declared {
                    head: 0,
                    payload,
                    tail: 0,
                });
            }
            Some(Body::ToTheEnd { .. }) => {
                self.kind = BODY;
                let settled = window.len();
                return Ok(Cut::More { settled });
            }
            None => {}
        }
        self.kind = HEAD;
        let mut length = 0;
        for at in 0..LONGEST_HEAD {
            match window.get(at) {
                None => return Ok(Cut::MORE),
                Some(digit @ b'0'..=b'9') => length = length * 10 + u64::from(digit - b'0'),
                Some(b'*') if at == 0 && window.get(1).is_none_or(|end| end == b'\n') => {
                    if window.len() < 2 {
                        return Ok(Cut::MORE);
                    }
                    self.body = Some(Body::ToTheEnd { begun: false });
                    return Ok(head(1));
                }
                Some(b'\n') if at > 0 => {
                    self.body = (length > 0).then_some(Body::Of(length));
                    self.kind = if length > 0 { HEAD } else { HEAD_ALONE };
                    return Ok(head(at));
                }
                Some(_) => return Err(Malformed::new(at, "no length")),
            }
        }
        Err(Malformed::new(LONGEST_HEAD, "length that is too long"))
    }

    fn overhead(&self) -> usize {
        LONGEST_HEAD
    }

    fn at_end(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        let Some(Body::ToTheEnd { .. }) = self.body else {
            return Ok(Cut::MORE);
        };
        (self.kind, self.body) = (BODY, None);
        Ok(Cut::Frame {
            head: 0,
            payload: window.len(),
            tail: 0,
        })
    }

    fn forget(&mut self, _: usize) {
        self.body = Some(Body::ToTheEnd { begun: true });
    }

    fn kind(&self) -> u8 {
        self.kind
    }

    fn expects_more(&self) -> bool {
        matches!(
            self.body,
            Some(Body::Of(_) | Body::ToTheEnd { begun: false })
        )
    }

    fn may_stream(&self) -> bool {
        self.kind == BODY
    }
}

impl Streamable for Messages {}

fn head(payload: usize) -> Cut {
    Cut::Frame {
        head: 0,
        payload,
        tail: 1,
    }
}
