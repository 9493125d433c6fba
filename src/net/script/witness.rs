//! The witness of a script: what it saw, and what must never be seen.
//!
//! | promise | where it is checked |
//! |---|---|
//! | `Close` exactly once, after `Error`, and nothing after either | every event |
//! | what is sent is what was written; all of it, where `Finish` comes | the peer; `Finish` |
//! | callbacks of writes in Node's order, each exactly once, never inside a call | every callback |
//! | no success before the kernel has the bytes | every callback |
//! | `Drain` only after a `write` that returned false, and once for it | `Drain`, `write` |
//! | `Data` is what arrived, in order; not while paused; `End` after the last, once | `Data`, `End` |

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::error::Result;

#[derive(Default)]
pub(super) struct Witness {
    trace: Vec<Cow<'static, str>>,
    /// Bytes of the writes that were not refused.
    accepted: u64,
    /// Callbacks of writes that were not refused, and where their bytes end.
    waiting: VecDeque<(u32, u64)>,
    /// Callbacks that wait for the end, or were refused: their order is not that of the writes.
    other: Vec<u32>,
    last_ended: Option<u32>,
    last_failed: Option<u32>,
    next_id: u32,
    owes_drain: bool,
    /// What the peer has sent, or was put back, and has not been seen as `Data`.
    expected: VecDeque<u8>,
    /// `expected` says nothing any more.
    lost: bool,
    peer_ended: bool,
    ended: bool,
    prefinished: bool,
    finished: bool,
    errored: bool,
    closed: bool,
}

/// What a callback was handed over with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Write,
    Refused,
    End,
}

impl Witness {
    /// The socket begins a new life; callbacks of the old one may still be to come.
    pub(super) fn begin_again(&mut self) {
        let earlier = self.waiting.drain(..).map(|(id, _)| id);
        *self = Witness {
            trace: std::mem::take(&mut self.trace),
            other: self.other.drain(..).chain(earlier).collect(),
            last_ended: self.last_ended,
            next_id: self.next_id,
            ..Witness::default()
        };
    }

    /// What was seen since the last time, in words.
    #[cfg(test)]
    pub(super) fn take_trace(&mut self) -> String {
        std::mem::take(&mut self.trace).join(" ")
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    pub(super) fn accept(&mut self, len: usize) {
        self.accepted += len as u64;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn owes_drain(&self) -> bool {
        self.owes_drain
    }

    pub(super) fn owe_drain(&mut self) {
        self.owes_drain = true;
    }

    /// Whether everything that was read has been seen.
    pub(super) fn has_seen_all(&self) -> bool {
        self.lost || self.expected.is_empty()
    }

    pub(super) fn waiting_callbacks(&self) -> usize {
        self.waiting.len() + self.other.len()
    }

    pub(super) fn was_sent(&mut self, bytes: &[u8]) {
        self.expected.extend(bytes);
    }

    /// So much is left. What came before it was not listened for.
    pub(super) fn expects(&mut self, left: usize) {
        if self.lost {
            return;
        }
        let missed = self.expected.len().checked_sub(left);
        let missed = missed.expect("more is left than has come");
        self.expected.drain(..missed);
    }

    pub(super) fn was_put_back(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().rev() {
            self.expected.push_front(*byte);
        }
    }

    pub(super) fn peer_ended(&mut self) {
        self.peer_ended = true;
    }

    /// A callback is handed over; its number tells it from the others.
    pub(super) fn expect_callback(&mut self, kind: Kind) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        match kind {
            Kind::Write => self.waiting.push_back((id, self.accepted)),
            Kind::Refused | Kind::End => self.other.push(id),
        }
        id
    }

    pub(super) fn callback(&mut self, kind: Kind, id: u32, outcome: &Result<()>, sent: u64) {
        match kind {
            // One of an earlier life is among the others.
            Kind::Write if !self.other.contains(&id) => {
                let index = self.waiting.iter().position(|(other, _)| *other == id);
                let Some((_, position)) = index.and_then(|at| self.waiting.remove(at)) else {
                    panic!("callback {id} was called twice");
                };
                self.check_order(id, index == Some(0), outcome.is_ok());
                assert!(
                    outcome.is_err() || sent >= position,
                    "callback {id} is told that {position} bytes are out, but {sent} are"
                );
            }
            _ => {
                let index = self.other.iter().position(|other| *other == id);
                let Some(index) = index else {
                    panic!("callback {id} was called twice");
                };
                self.other.swap_remove(index);
            }
        }
        if kind == Kind::Refused {
            assert!(outcome.is_err(), "a refused write succeeds");
        }
        if kind == Kind::End && outcome.is_ok() {
            assert!(
                self.last_ended < Some(id),
                "callbacks of the end out of order"
            );
            self.last_ended = Some(id);
        }
        self.trace.push(match outcome {
            Ok(()) => format!("cb{id}").into(),
            Err(error) => format!("cb{id}:{}", error.code()).into(),
        });
    }

    /// As in Node, a write that fails because the socket was destroyed does not wait for the ticks
    /// of those that were handed over before. Otherwise the order is that of the writes.
    fn check_order(&mut self, id: u32, is_next: bool, succeeds: bool) {
        if succeeds {
            assert!(is_next, "success of callback {id} out of order");
            assert!(self.last_failed.is_none_or(|failed| id < failed));
        } else {
            assert!(
                self.last_failed < Some(id),
                "failure of callback {id} out of order"
            );
            self.last_failed = Some(id);
        }
    }

    fn event(&mut self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        assert!(!self.closed, "{name} after Close");
        // As in Node, what destroys a socket between the two does not stop `Finish`.
        let finishes = name == "finish" && self.prefinished;
        assert!(!self.errored || finishes, "{name} after Error");
        self.trace.push(name);
    }

    pub(super) fn data(&mut self, chunk: &[u8], allowed: bool) {
        self.event(format!("data({})", chunk.len()));
        assert!(allowed, "Data while paused");
        assert!(!self.ended, "Data after End");
        assert!(!chunk.is_empty(), "empty Data");
        self.has_come(chunk);
    }

    /// A call of `read` without a listener of `Data` has returned this.
    pub(super) fn read(&mut self, chunk: &[u8]) {
        self.trace.push(format!("read({})", chunk.len()).into());
        self.has_come(chunk);
    }

    /// What has come is not known any more, until the next life.
    pub(super) fn lose_track(&mut self) {
        self.lost = true;
    }

    fn has_come(&mut self, chunk: &[u8]) {
        if self.lost {
            return;
        }
        for byte in chunk {
            let expected = self.expected.pop_front();
            assert_eq!(expected, Some(*byte), "what is read is not what arrived");
        }
    }

    pub(super) fn end(&mut self) {
        self.event("end");
        assert!(!std::mem::replace(&mut self.ended, true), "a second End");
        assert!(self.peer_ended, "End, but the peer has not ended");
        assert!(self.has_seen_all(), "End before the last Data");
    }

    pub(super) fn prefinish(&mut self) {
        self.event("prefinish");
        self.prefinished = true;
    }

    pub(super) fn finish(&mut self, sent: u64) {
        self.event("finish");
        assert!(
            !std::mem::replace(&mut self.finished, true),
            "a second Finish"
        );
        assert_eq!(sent, self.accepted, "Finish, but not everything is out");
        assert!(self.waiting.is_empty(), "Finish before a write's callback");
    }

    pub(super) fn drain(&mut self) {
        self.event("drain");
        assert!(
            std::mem::take(&mut self.owes_drain),
            "Drain, but no write returned false"
        );
    }

    pub(super) fn other_event(&mut self, name: &'static str) {
        self.event(name);
    }

    pub(super) fn error(&mut self, code: &str) {
        self.event(format!("error:{code}"));
        self.errored = true;
    }

    pub(super) fn close(&mut self, had_error: bool) {
        assert!(!self.closed, "a second Close");
        self.closed = true;
        self.trace.push(match had_error {
            true => "close:true".into(),
            false => "close".into(),
        });
    }
}
