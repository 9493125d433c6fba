//! One connection, on which a client holds a conversation according to a plan.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::conversation::Conversation;
use super::cut::{Finish, Pause, Plan};
use super::expectation::{Hearing, Mismatch};
use crate::net::{self, Address, Socket};
use crate::{event, timers};

/// How long a client pauses, and what it waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) short: Short,
    pub(super) drip: Duration,
    pub(super) long: Duration,
    /// For an answer.
    pub(super) patience: Duration,
    /// For the server's end, after the client's.
    pub(super) closes_within: Duration,
}

/// What makes a server read what was sent so far.
#[derive(Clone, Copy, Debug)]
pub(super) enum Short {
    /// Turns of the loop that it is in.
    Turns(u32),
    Time(Duration),
}

/// What has become of a conversation.
pub(super) struct Outcome {
    /// All that was received, and what is wrong about it. How much had been sent by then.
    pub(super) received: Vec<u8>,
    pub(super) mismatch: Option<(usize, Mismatch)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is more to send, or to be answered.
    Talking,
    /// All was answered, and the server is to end the connection.
    BeingClosed,
    /// The client has ended its half.
    Ending,
    Done,
}

pub(super) struct Talk {
    conversation: Rc<Conversation>,
    plan: Plan,
    pace: Pace,
    /// What comes is collected, and compared with nothing.
    is_free: bool,
    socket: Socket,
    sent: Cell<usize>,
    phase: Cell<Phase>,
    /// A pause is on, or the answers to come before the next request have not come.
    waits: Cell<bool>,
    hearing: RefCell<Hearing>,
    mismatch: RefCell<Option<(usize, Mismatch)>>,
}

impl Talk {
    /// Connects, and calls `done` when the connection is over.
    pub(super) fn begin(
        address: &Address,
        conversation: &Rc<Conversation>,
        plan: Plan,
        pace: Pace,
        is_free: bool,
        done: impl FnOnce(Outcome) + 'static,
    ) {
        let socket = net::connect(address);
        let talk = Rc::new(Talk {
            conversation: Rc::clone(conversation),
            plan,
            pace,
            is_free,
            socket,
            sent: Cell::new(0),
            phase: Cell::new(Phase::Talking),
            waits: Cell::new(false),
            hearing: RefCell::default(),
            mismatch: RefCell::default(),
        });
        socket.set_no_delay(true);
        socket.set_timeout(pace.patience);
        let me = Rc::clone(&talk);
        socket.on(event::Connect, move |()| me.go_on());
        let me = Rc::clone(&talk);
        socket.on(event::Data, move |chunk| me.hear(chunk));
        let me = Rc::clone(&talk);
        socket.on(event::End, move |()| me.ended_by_peer());
        let me = Rc::clone(&talk);
        socket.on(event::Timeout, move |()| me.nothing_comes());
        let me = Rc::clone(&talk);
        socket.on(event::Error, move |error| me.broken(error.code()));
        let done = Cell::new(Some(done));
        socket.on(event::Close, move |_| {
            talk.phase.set(Phase::Done);
            let outcome = Outcome {
                received: talk.hearing.take().into_received(),
                mismatch: talk.mismatch.take(),
            };
            if let Some(done) = done.take() {
                done(outcome);
            }
        });
    }

    /// What must have come before the byte at a place is sent, and after it.
    fn due(&self, at: usize) -> usize {
        match self.is_free {
            true => 0,
            false => self.conversation.due_at(at),
        }
    }

    fn has_heard(&self, count: usize) -> bool {
        self.hearing.borrow().met >= count
    }

    /// Sends the next piece, or does what follows the last one.
    fn go_on(self: &Rc<Talk>) {
        if self.phase.get() != Phase::Talking || self.waits.get() {
            return;
        }
        let sent = self.sent.get();
        let most = self.plan.most(self.conversation.len());
        if sent == most {
            return self.finish();
        }
        // What a server says first is waited for in any case.
        let is_begin = self.conversation.begins_at(sent) && (!self.plan.is_pipelined || sent == 0);
        if is_begin && !self.has_heard(self.due(sent)) {
            return;
        }
        let mut to = most;
        if !self.plan.is_pipelined {
            let next = self.conversation.next_wait(sent);
            to = next
                .filter(|_| !self.is_free)
                .map_or(most, |next| next.min(most));
        }
        let cut = self.plan.next(sent).filter(|(at, _)| *at < to);
        if let Some((at, _)) = cut {
            to = at;
        }
        self.sent.set(to);
        self.socket.write(&self.conversation.stream[sent..to]);
        match cut {
            Some((_, pause)) => self.pause(pause),
            // Out before what is next.
            None if to == most => self.finish(),
            None => self.go_on(),
        }
    }

    fn pause(self: &Rc<Talk>, pause: Pause) {
        self.waits.set(true);
        let me = Rc::clone(self);
        let then = move || {
            me.waits.set(false);
            me.go_on();
        };
        match pause {
            Pause::Short => self.after_short(then),
            Pause::Drip => drop(timers::set_timeout(self.pace.drip, then)),
            Pause::Long => drop(timers::set_timeout(self.pace.long, then)),
        }
    }

    fn after_short(&self, then: impl FnOnce() + 'static) {
        match self.pace.short {
            Short::Time(time) => drop(timers::set_timeout(time, then)),
            Short::Turns(turns) => after_turns(turns, then),
        }
    }

    /// All that is to be sent has been.
    fn finish(self: &Rc<Talk>) {
        match self.plan.finish {
            Finish::Answered => {
                let all = self.due(self.conversation.len());
                if !self.has_heard(all) {
                    return;
                }
                if self.conversation.closes {
                    self.phase.set(Phase::BeingClosed);
                    self.socket.set_timeout(self.pace.closes_within);
                } else if self.is_free {
                    // Nobody knows when all has come.
                    self.waits.set(true);
                    let me = Rc::clone(self);
                    timers::set_timeout(self.pace.long, move || me.end());
                } else {
                    self.end();
                }
            }
            Finish::HalfClosed | Finish::Ended(_) => self.end(),
            Finish::Reset(_) => {
                self.phase.set(Phase::Ending);
                let me = Rc::clone(self);
                self.after_short(move || {
                    // The server may have ended it before.
                    let _gone = me.socket.reset_and_destroy();
                });
            }
        }
    }

    fn end(&self) {
        if self.phase.get() != Phase::Done {
            self.phase.set(Phase::Ending);
            self.socket.set_timeout(self.pace.closes_within);
            self.socket.end();
        }
    }

    /// Of a request that was not sent completely nobody knows what the answer is.
    fn is_cut_short(&self) -> bool {
        self.plan.most(self.conversation.len()) < self.conversation.len()
    }

    fn hear(self: &Rc<Talk>, chunk: &[u8]) {
        self.hearing.borrow_mut().hear(chunk);
        if self.is_free {
            return;
        }
        let known = match self.is_cut_short() {
            true => self.due(self.plan.most(self.conversation.len())),
            false => self.conversation.expectations.len(),
        };
        if self.is_cut_short() && self.has_heard(known) {
            return;
        }
        let compared = {
            let mut hearing = self.hearing.borrow_mut();
            let expectations = &self.conversation.expectations[..known];
            match hearing.compare(expectations) {
                Err(_) if self.is_cut_short() && hearing.met == known => Ok(()),
                compared => compared,
            }
        };
        match compared {
            Ok(()) => self.go_on(),
            Err(mismatch) => self.fail(mismatch),
        }
    }

    fn fail(&self, mismatch: Mismatch) {
        if self.phase.replace(Phase::Done) != Phase::Done {
            *self.mismatch.borrow_mut() = Some((self.sent.get(), mismatch));
            self.socket.destroy();
        }
    }

    fn missing(&self, why: String) {
        let mismatch = {
            let hearing = self.hearing.borrow();
            match self.is_free {
                true => hearing.missing(&[], why),
                false => hearing.missing(&self.conversation.expectations, why),
            }
        };
        self.fail(mismatch);
    }

    fn has_all(&self) -> bool {
        let sent = self.plan.most(self.conversation.len());
        self.has_heard(self.due(sent))
    }

    fn ended_by_peer(&self) {
        match self.phase.get() {
            Phase::Done => {}
            _ if self.is_free => {}
            // A mistake may be told, and the connection ended, before the last byte is there.
            Phase::Talking if self.conversation.closes && self.has_all() => {
                self.phase.set(Phase::Done);
            }
            // A request that is not complete may be refused.
            Phase::Talking if self.is_cut_short() && self.has_all() => {}
            Phase::Talking => self.missing(String::from("the server has ended the connection")),
            Phase::BeingClosed | Phase::Ending if self.has_all() || self.resets() => {}
            Phase::BeingClosed | Phase::Ending => {
                self.missing(String::from(
                    "the server has ended the connection after the client's end",
                ));
            }
        }
    }

    /// Whoever resets does not wait for answers.
    fn resets(&self) -> bool {
        matches!(self.plan.finish, Finish::Reset(_))
    }

    fn broken(&self, code: &str) {
        match self.phase.get() {
            Phase::Done => {}
            Phase::Talking if self.is_free => {}
            Phase::Talking if self.is_cut_short() && self.has_all() => {}
            Phase::Talking if self.conversation.closes && self.has_all() => {}
            Phase::BeingClosed | Phase::Ending if self.has_all() || self.resets() => {}
            _ => self.missing(format!("the connection has failed with {code}")),
        }
    }

    fn nothing_comes(&self) {
        let within = |time: Duration| format!("{} s", time.as_secs_f64());
        let closes = within(self.pace.closes_within);
        match self.phase.get() {
            Phase::Done => {}
            // The pause is the client's own.
            Phase::Talking if self.waits.get() => {}
            Phase::Talking => {
                self.missing(format!(
                    "nothing has come for {}",
                    within(self.pace.patience)
                ));
            }
            Phase::BeingClosed => {
                self.missing(format!(
                    "the server has not ended the connection {closes} after its last answer"
                ));
            }
            Phase::Ending => {
                self.missing(format!(
                    "the server has not ended the connection {closes} after the client's end"
                ));
            }
        }
    }
}

fn after_turns(turns: u32, then: impl FnOnce() + 'static) {
    match turns {
        0 => then(),
        turns => drop(timers::set_immediate(move || after_turns(turns - 1, then))),
    }
}
