//! What is told, in the words of each door.

use std::rc::Rc;
use std::time::SystemTime;

use soquete::framing::Encode;
use soquete::framing::websocket::Outgoing;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Said,
    Came,
    Went,
}

/// How a member is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Lines,
    WebSocket,
}

/// Something that all are told, in bytes that all of them share.
pub struct Notice {
    lines: Rc<[u8]>,
    frame: Rc<[u8]>,
}

impl Notice {
    /// `text` is what was said, or more about who has come or gone. `id` is this notice's own, so that whoever gets it
    /// twice can tell.
    pub fn new(kind: Kind, id: &str, who: &str, text: &str) -> Notice {
        let (word, lines) = match kind {
            Kind::Said => ("said", format!("{who}: {text}\n")),
            Kind::Came => ("came", format!("* {who} is here{text}\n")),
            Kind::Went => ("went", format!("* {who} has gone{text}\n")),
        };
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let fields = format!("{word}\t{id}\t{}\t{who}\t{text}", now.as_millis());
        Notice {
            lines: lines.into_bytes().into(),
            frame: framed(Outgoing::text(), fields.as_bytes()).into(),
        }
    }

    pub fn in_tongue(&self, tongue: Tongue) -> &Rc<[u8]> {
        match tongue {
            Tongue::Lines => &self.lines,
            Tongue::WebSocket => &self.frame,
        }
    }
}

/// Something that one is told.
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
