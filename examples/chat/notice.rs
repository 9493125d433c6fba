//! What is told, in the words of each door.

use std::rc::Rc;
use std::time::SystemTime;

use soquete::framing::Encode;
use soquete::framing::websocket::Outgoing;

/// What a notice is about: the first of its fields.
pub const SAID: &str = "said";
pub const CAME: &str = "came";
pub const WENT: &str = "went";

/// How a member is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Lines,
    WebSocket,
}

/// Something that all are told, in bytes that all of them share.
pub struct Notice {
    pub fields: String,
    lines: Rc<[u8]>,
    frame: Rc<[u8]>,
}

impl Notice {
    /// Of the fields that instances tell each other, and pages are told; `None` if they are something else.
    pub fn new(fields: &str) -> Option<Notice> {
        let mut parts = fields.splitn(5, '\t');
        let (kind, _, _, who, text) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
        );
        let line = match kind {
            SAID => format!("{who}: {text}\n"),
            CAME => format!("* {who} is here{text}\n"),
            WENT => format!("* {who} has gone{text}\n"),
            _ => return None,
        };
        Some(Notice {
            fields: fields.to_owned(),
            lines: line.into_bytes().into(),
            frame: framed(Outgoing::text(), fields.as_bytes()).into(),
        })
    }

    pub fn id(&self) -> &str {
        self.fields.split('\t').nth(1).unwrap_or_default()
    }

    /// How many bytes it is in the tongue that makes most of it.
    pub fn longest(&self) -> usize {
        self.lines.len().max(self.frame.len())
    }

    pub fn in_tongue(&self, tongue: Tongue) -> &Rc<[u8]> {
        match tongue {
            Tongue::Lines => &self.lines,
            Tongue::WebSocket => &self.frame,
        }
    }
}

/// The kind, an id, by which it is recognized when it comes again, the time, and who; what was said, or more about who
/// has come or gone.
pub fn fields(kind: &str, id: &str, who: &str, text: &str) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{kind}\t{id}\t{}\t{who}\t{text}", now.as_millis())
}

/// Something that is told by the server itself, and not remembered.
pub fn note(tongue: Tongue, text: &str) -> Vec<u8> {
    match tongue {
        Tongue::Lines => format!("* {text}\n").into_bytes(),
        Tongue::WebSocket => framed(Outgoing::text(), format!("note\t\t\t\t{text}").as_bytes()),
    }
}

/// A frame of WebSocket, of a payload that it can have.
pub fn framed(outgoing: Outgoing, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    outgoing
        .encode(payload, &mut frame)
        .expect("a payload of that kind");
    frame
}

/// What was typed, without what terminals obey and what separates fields.
pub fn cleaned(text: &str) -> String {
    let visible = text.chars().filter(|character| !character.is_control());
    visible.collect::<String>().trim().to_owned()
}
