//! A naive decoder of WebSocket, which unmasks byte by byte and keeps all the text of a message.

use super::super::{
    Cut, Encode, Format, FrameError, Malformed, Output, Unpacked, WebSocket, Window,
};
use super::seen::{End, Naive, Part};

#[derive(Clone, Copy, Debug)]
pub(super) struct WebSocketModel {
    /// Frames come from clients.
    pub(super) masked: bool,
    pub(super) each_frame: bool,
    pub(super) max_frame: u64,
    pub(super) max_fragments: u32,
    /// The reader's.
    pub(super) limit: u64,
}

/// What is known of the message that is open.
#[derive(Clone, Default)]
struct Message {
    open: bool,
    fragments: u32,
    /// All of its text; `None` for a message of bytes.
    text: Option<Vec<u8>>,
}

struct Head {
    opcode: u8,
    last: bool,
    /// How many bytes it takes.
    len: usize,
    payload: u64,
    key: [u8; 4],
}

/// Has to be given all the frames of a stream in their order: where each frame is an item, a message is not.
pub(super) fn websocket<'a>(model: WebSocketModel) -> impl FnMut(&'a [u8]) -> Naive<'a> {
    let mut message = Message::default();
    move |rest| {
        if rest.is_empty() {
            return Naive::cut(&[]);
        }
        let mut parts = Vec::new();
        let mut at = 0;
        loop {
            let frame = &rest[at..];
            let head = match head(frame, model, &message) {
                Ok(Some(head)) => head,
                Ok(None) => {
                    return Naive::Frame {
                        parts,
                        end: End::Cut,
                    };
                }
                Err((wrong, what)) => {
                    let end = End::Bad(Malformed::new(at + wrong, what));
                    return Naive::Frame { parts, end };
                }
            };
            let part = Part::announced(&frame[head.len..], head.payload);
            let is_whole = part.is_whole();
            let unmasked: Vec<u8> = part
                .bytes()
                .iter()
                .enumerate()
                .map(|(i, byte)| byte ^ head.key[i % 4])
                .collect();
            let (start, behind) = (at + head.len, at + head.len + unmasked.len());
            let moved = |(wrong, what): (usize, &'static str)| Malformed::new(start + wrong, what);
            if head.opcode >= 8 {
                let wrong = control(head.opcode, &unmasked).map(moved);
                let unfinished =
                    head.opcode == 8 && unmasked.len() > 2 && is_whole && wrong.is_none();
                let unfinished = unfinished && std::str::from_utf8(&unmasked[2..]).is_err();
                let unfinished = unfinished.then_some(Malformed::new(behind, UNFINISHED));
                let part = part.made(unmasked, wrong.or(unfinished));
                if message.open && !model.each_frame {
                    parts.push(part.aside(at));
                    if !is_whole {
                        return Naive::Frame {
                            parts,
                            end: End::Cut,
                        };
                    }
                    at = behind;
                    continue;
                }
                let end = if is_whole {
                    End::Whole(behind)
                } else {
                    End::Cut
                };
                let frame = Naive::Frame {
                    parts: vec![part],
                    end,
                }
                .never_in_pieces();
                return if message.open {
                    frame.and_more()
                } else {
                    frame
                };
            }
            if head.opcode != 0 {
                message = Message {
                    open: true,
                    fragments: 0,
                    text: (head.opcode == 1).then(Vec::new),
                };
            }
            message.fragments += 1;
            message.open = !head.last;
            if model.each_frame && head.payload > model.limit {
                // It is dropped, and what follows cannot be checked.
                message.text = None;
            }
            let (mut made, mut wrong) = (unmasked, None);
            let mut unfinished = false;
            if let Some(text) = &mut message.text {
                let before = text.len();
                text.extend_from_slice(&made);
                if let Some(bad) = first_bad(text) {
                    // What came before has been found good, or the text would not be looked at any more.
                    made.truncate(bad - before);
                    wrong = Some(moved((
                        bad - before,
                        "text that is not UTF-8 (RFC 6455, section 8.1)",
                    )));
                }
                unfinished =
                    head.last && is_whole && wrong.is_none() && std::str::from_utf8(text).is_err();
            }
            parts.push(part.made(made, wrong));
            let ends = head.last || model.each_frame;
            if wrong.is_some() || unfinished {
                message.text = None;
            }
            if !is_whole {
                return Naive::Frame {
                    parts,
                    end: End::Cut,
                };
            }
            at = behind;
            if !ends {
                continue;
            }
            let end = match unfinished {
                true => End::Unpacked(at, Err(Malformed::new(at, UNFINISHED))),
                false => End::Whole(at),
            };
            let frame = Naive::Frame { parts, end };
            return if message.open {
                frame.and_more()
            } else {
                frame
            };
        }
    }
}

const UNFINISHED: &str = "text that ends inside a character (RFC 6455, section 8.1)";

type Wrong = (usize, &'static str);

fn head(frame: &[u8], model: WebSocketModel, message: &Message) -> Result<Option<Head>, Wrong> {
    let Some(first) = frame.first() else {
        return Ok(None);
    };
    let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
    if first & 0x70 != 0 {
        return Err((0, "reserved bit (RFC 6455, section 5.2)"));
    }
    if (3..8).contains(&opcode) || opcode > 10 {
        return Err((0, "reserved opcode (RFC 6455, section 5.2)"));
    }
    if opcode >= 8 && !last {
        return Err((0, "control frame in fragments (RFC 6455, section 5.5)"));
    }
    if opcode == 0 && !message.open {
        return Err((0, "continuation of no message (RFC 6455, section 5.4)"));
    }
    if (opcode == 1 || opcode == 2) && message.open {
        return Err((0, "message inside another one (RFC 6455, section 5.4)"));
    }
    let Some(second) = frame.get(1) else {
        return Ok(None);
    };
    match (second & 0x80 != 0, model.masked) {
        (false, true) => {
            return Err((
                1,
                "frame of a client that is not masked (RFC 6455, section 5.1)",
            ));
        }
        (true, false) => {
            return Err((
                1,
                "frame of a server that is masked (RFC 6455, section 5.1)",
            ));
        }
        _ => {}
    }
    let short = second & 0x7f;
    if opcode >= 8 && short > 125 {
        return Err((
            1,
            "control frame of more than 125 bytes (RFC 6455, section 5.5)",
        ));
    }
    if opcode == 8 && short == 1 {
        return Err((1, "close frame with half a code (RFC 6455, section 5.5.1)"));
    }
    let width = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(field) = frame.get(2..2 + width) else {
        return Ok(None);
    };
    let long = field
        .iter()
        .fold(0, |length, byte| length << 8 | u64::from(*byte));
    let payload = if width == 0 { short.into() } else { long };
    if width == 2 && long < 126 || width == 8 && long < 65_536 {
        return Err((
            2,
            "length in more bytes than necessary (RFC 6455, section 5.2)",
        ));
    }
    if payload > u64::MAX / 2 {
        return Err((2, "length of more than 63 bits (RFC 6455, section 5.2)"));
    }
    if payload > model.max_frame {
        return Err((1, "frame above its limit"));
    }
    if opcode == 0 && message.fragments >= model.max_fragments {
        return Err((0, "message of too many fragments"));
    }
    let mut len = 2 + width;
    let mut key = [0; 4];
    if model.masked {
        let Some(bytes) = frame.get(len..len + 4) else {
            return Ok(None);
        };
        key.copy_from_slice(bytes);
        len += 4;
    }
    Ok(Some(Head {
        opcode,
        last,
        len,
        payload,
        key,
    }))
}

/// What is wrong with as much as there is of a control frame's payload.
fn control(opcode: u8, payload: &[u8]) -> Option<Wrong> {
    let [high, low, reason @ ..] = payload else {
        return None;
    };
    let code = u32::from(*high) * 256 + u32::from(*low);
    let reserved = [1004, 1005, 1006].contains(&code);
    if opcode != 8 {
        None
    } else if !(1000..1015).contains(&code) && !(3000..5000).contains(&code) || reserved {
        Some((1, "close code that may not be sent (RFC 6455, section 7.4)"))
    } else {
        first_bad(reason).map(|at| (2 + at, "text that is not UTF-8 (RFC 6455, section 8.1)"))
    }
}

/// The first byte with which `text` is not the beginning of UTF-8 any more.
fn first_bad(text: &[u8]) -> Option<usize> {
    (0..text.len()).find(|at| {
        std::str::from_utf8(&text[..=*at]).is_err_and(|error| error.error_len().is_some())
    })
}

/// One side's writing, and the other side's reading.
#[derive(Clone, Copy)]
pub(super) struct Written<W>(pub(super) WebSocket, pub(super) W);

impl<W> Format for Written<W> {
    fn cut(&mut self, window: Window<'_>) -> Result<Cut, Malformed> {
        self.0.cut(window)
    }

    fn overhead(&self) -> usize {
        self.0.overhead()
    }

    fn may_stream(&self) -> bool {
        self.0.may_stream()
    }

    fn unpacks_in_pieces(&self) -> bool {
        self.0.unpacks_in_pieces()
    }

    fn unpack_piece(
        &mut self,
        raw: &[u8],
        last: bool,
        out: &mut Output<'_>,
    ) -> Result<Unpacked, Malformed> {
        self.0.unpack_piece(raw, last, out)
    }

    fn abandon(&mut self) {
        self.0.abandon();
    }
}

impl<W: Encode> Encode for Written<W> {
    fn encode(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        self.1.encode(payload, out)
    }

    fn max_payload(&self) -> u64 {
        self.1.max_payload()
    }
}
