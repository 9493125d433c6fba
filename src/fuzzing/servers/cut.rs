//! The ways in which a conversation is cut.

use std::fmt;
use std::str::FromStr;

use super::conversation::Conversation;

/// A way to bring a conversation to a server. A number is an offset in all that the client sends.
///
/// `Display` and `FromStr` write and read it as in the table.
///
/// | written | what the client does |
/// |---|---|
/// | `whole` | each request in one piece, and the next once its answers have come |
/// | `cut@N` | as `whole`, and a request is cut before its byte N: the rest comes separately, at once |
/// | `bytewise` | as `whole`, each byte separately |
/// | `pipelined` | all requests in one piece |
/// | `pipelined@N` | all requests in two pieces |
/// | `dripped` | as `bytewise`, with time between the bytes |
/// | `paused@N` | as `cut@N`, with a long time between the pieces |
/// | `half-closed` | as `whole`, and the client's end follows the last byte at once |
/// | `ended@N` | N bytes, and then the client's end |
/// | `reset@N` | N bytes, and then a reset |
///
/// All but the last two have to lead to the same answers; after `ended@N`, those to the requests that were sent
/// completely must come. And after each of them nothing may stay open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// `whole`
    Whole,
    /// `cut@N`
    Before(usize),
    /// `bytewise`
    Bytewise,
    /// `pipelined`
    Pipelined,
    /// `pipelined@N`
    PipelinedBefore(usize),
    /// `dripped`
    Dripped,
    /// `paused@N`
    PausedBefore(usize),
    /// `half-closed`
    HalfClosed,
    /// `ended@N`
    EndedAfter(usize),
    /// `reset@N`
    ResetAfter(usize),
}

impl Cut {
    /// The place of the cut, if it has one.
    pub fn offset(self) -> Option<usize> {
        match self {
            Cut::Before(at)
            | Cut::PipelinedBefore(at)
            | Cut::PausedBefore(at)
            | Cut::EndedAfter(at)
            | Cut::ResetAfter(at) => Some(at),
            Cut::Whole | Cut::Bytewise | Cut::Pipelined | Cut::Dripped | Cut::HalfClosed => None,
        }
    }

    /// Its name without the place.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Cut::Whole => "whole",
            Cut::Before(_) => "cut",
            Cut::Bytewise => "bytewise",
            Cut::Pipelined | Cut::PipelinedBefore(_) => "pipelined",
            Cut::Dripped => "dripped",
            Cut::PausedBefore(_) => "paused",
            Cut::HalfClosed => "half-closed",
            Cut::EndedAfter(_) => "ended",
            Cut::ResetAfter(_) => "reset",
        }
    }

    pub(super) fn plan(self) -> Plan {
        let plan = Plan::default();
        match self {
            Cut::Whole => plan,
            Cut::Before(at) => plan.cut(at, Pause::Short),
            Cut::Bytewise => plan.everywhere(Pause::Short),
            Cut::Pipelined => plan.pipelined(),
            Cut::PipelinedBefore(at) => plan.pipelined().cut(at, Pause::Short),
            Cut::Dripped => plan.everywhere(Pause::Drip),
            Cut::PausedBefore(at) => plan.cut(at, Pause::Long),
            Cut::HalfClosed => plan.finishing(Finish::HalfClosed),
            Cut::EndedAfter(at) => plan.finishing(Finish::Ended(at)),
            Cut::ResetAfter(at) => plan.finishing(Finish::Reset(at)),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self.offset() {
            Some(at) => write!(f, "@{at}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Cut {
    type Err = UnknownCut;

    fn from_str(text: &str) -> Result<Cut, UnknownCut> {
        let (kind, at) = match text.split_once('@') {
            Some((kind, at)) => (kind, Some(at.parse().map_err(|_| UnknownCut)?)),
            None => (text, None),
        };
        match (kind, at) {
            ("whole", None) => Ok(Cut::Whole),
            ("cut", Some(at)) => Ok(Cut::Before(at)),
            ("bytewise", None) => Ok(Cut::Bytewise),
            ("pipelined", None) => Ok(Cut::Pipelined),
            ("pipelined", Some(at)) => Ok(Cut::PipelinedBefore(at)),
            ("dripped", None) => Ok(Cut::Dripped),
            ("paused", Some(at)) => Ok(Cut::PausedBefore(at)),
            ("half-closed", None) => Ok(Cut::HalfClosed),
            ("ended", Some(at)) => Ok(Cut::EndedAfter(at)),
            ("reset", Some(at)) => Ok(Cut::ResetAfter(at)),
            _ => Err(UnknownCut),
        }
    }
}

/// A text that is no [`Cut`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCut;

impl fmt::Display for UnknownCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a cut is whole, cut@N, bytewise, pipelined, pipelined@N, dripped, paused@N, half-closed, \
             ended@N or reset@N",
        )
    }
}

impl std::error::Error for UnknownCut {}

/// How long nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// So long that the server reads what was sent so far.
    Short,
    Drip,
    Long,
}

/// What the client does when it has said all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Finish {
    /// It ends once the answers have come.
    #[default]
    Answered,
    HalfClosed,
    /// It has not said all.
    Ended(usize),
    Reset(usize),
}

/// How a client goes about a conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) is_pipelined: bool,
    pub(super) each_byte: Option<Pause>,
    /// In order.
    pub(super) cuts: Vec<(usize, Pause)>,
    pub(super) finish: Finish,
}

impl Plan {
    pub(super) fn pipelined(mut self) -> Plan {
        self.is_pipelined = true;
        self
    }

    fn everywhere(mut self, pause: Pause) -> Plan {
        self.each_byte = Some(pause);
        self
    }

    pub(super) fn cut(mut self, at: usize, pause: Pause) -> Plan {
        self.cuts.push((at, pause));
        self.cuts.sort_by_key(|(at, _)| *at);
        self
    }

    pub(super) fn finishing(mut self, finish: Finish) -> Plan {
        self.finish = finish;
        self
    }

    /// How many bytes are sent of so many.
    pub(super) fn most(&self, len: usize) -> usize {
        match self.finish {
            Finish::Answered | Finish::HalfClosed => len,
            Finish::Ended(at) | Finish::Reset(at) => at.min(len),
        }
    }

    /// The next cut behind a place, and the pause there.
    pub(super) fn next(&self, from: usize) -> Option<(usize, Pause)> {
        match self.each_byte {
            Some(pause) => Some((from + 1, pause)),
            None => self.cuts.iter().find(|(at, _)| *at > from).copied(),
        }
    }
}

/// All cuts of a conversation: the whole first, and of each kind with a place at most `most`.
pub(super) fn of(talk: &Conversation, most: usize) -> Vec<Cut> {
    let len = talk.len();
    let mut cuts = vec![Cut::Whole];
    let inside: Vec<usize> = (1..len).filter(|at| !talk.begins_at(*at)).collect();
    let inside = chosen(talk, inside, most);
    let anywhere = chosen(talk, (1..len).collect(), most);
    cuts.extend(inside.iter().copied().map(Cut::Before));
    cuts.push(Cut::Bytewise);
    if talk.is_pipelined && talk.requests.len() > 1 {
        cuts.push(Cut::Pipelined);
        cuts.extend(anywhere.iter().copied().map(Cut::PipelinedBefore));
    }
    cuts.push(Cut::Dripped);
    cuts.extend(inside.iter().copied().map(Cut::PausedBefore));
    if talk.is_half_closed {
        cuts.push(Cut::HalfClosed);
        cuts.extend(anywhere.iter().copied().map(Cut::EndedAfter));
    }
    cuts.push(Cut::ResetAfter(0));
    cuts.extend(anywhere.iter().copied().map(Cut::ResetAfter));
    cuts.push(Cut::ResetAfter(len));
    cuts
}

/// How near to the ends of a request every place is chosen, where not all are.
const NEAR: usize = 24;

/// At most about so many of these places: those near the ends of requests, and others evenly.
fn chosen(talk: &Conversation, places: Vec<usize>, most: usize) -> Vec<usize> {
    if places.len() <= most {
        return places;
    }
    let step = places.len().div_ceil((most / 2).max(1));
    let edges = talk.requests.len().max(1) * 2;
    let near = NEAR.min((most / 2 / edges).max(1));
    let is_near = |at: usize| {
        let (request, inside) = talk.place(at);
        inside <= near || talk.length_of(request) - inside < near
    };
    let all = places.iter().copied().enumerate();
    all.filter(|(number, at)| number % step == 0 || is_near(*at))
        .map(|(_, at)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_is_read_as_it_is_written() {
        let talk = Conversation::new("x").send("ab").send("cd").expect("e");
        let cuts = of(&talk, 100);
        let texts: Vec<String> = cuts.iter().map(Cut::to_string).collect();
        let expected = "whole cut@1 cut@3 bytewise pipelined pipelined@1 pipelined@2 pipelined@3 dripped paused@1 \
            paused@3 half-closed ended@1 ended@2 ended@3 reset@0 reset@1 reset@2 reset@3 reset@4";
        assert_eq!(texts.join(" "), expected);
        for (cut, text) in cuts.iter().zip(&texts) {
            assert_eq!(text.parse(), Ok(*cut));
        }
        for text in ["", "cut", "cut@", "cut@x", "whole@1", "cut@-1", "bite@1"] {
            assert_eq!(text.parse::<Cut>(), Err(UnknownCut), "{text}");
        }
    }

    #[test]
    fn of_long_conversations_some_places_are_chosen() {
        let talk = Conversation::new("x")
            .send(vec![b'x'; 10_000])
            .send(vec![b'x'; 10_000])
            .expect("e");
        let cuts = of(&talk, 500);
        let cut = |at| cuts.contains(&Cut::Before(at));
        assert!((1..24).all(cut) && (9_980..10_000).all(cut) && (10_001..10_020).all(cut));
        let count = cuts.iter().filter(|cut| matches!(cut, Cut::Before(_)));
        assert!((250..700).contains(&count.count()));
    }
}
