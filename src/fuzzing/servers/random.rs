//! Conversations and cuts out of a fuzzer's bytes.

use std::rc::Rc;

use super::conversation::Conversation;
use super::cut::{Finish, Pause, Plan};
use super::expectation::quoted;
use super::trial::{ServerTrial, Subject};
use crate::fuzzing::Input;

/// Requests of a conversation.
const REQUESTS: usize = 12;

/// Cuts of it.
const CUTS: usize = 12;

impl ServerTrial {
    /// Holds a conversation that these bytes choose, cut where they say, and panics if the answers are not those
    /// to the same bytes in one piece, or if anything stays open.
    ///
    /// A fuzz target is one line of it:
    ///
    /// ```
    /// # use soquete::fuzzing::{Conversation, ServerTrial};
    /// # use soquete::{event, net};
    /// # fn make() -> net::Server {
    /// #     net::create_server(|socket| {
    /// #         socket.on(event::Error, |_| {});
    /// #         socket.pipe(socket);
    /// #     })
    /// # }
    /// // libfuzzer_sys::fuzz_target!(|data: &[u8]| …);
    /// let target = |data: &[u8]| {
    ///     let ping = Conversation::new("ping").send("PING\r\n");
    ///     ServerTrial::new(make).conversation(ping).fuzz(data)
    /// };
    /// # target(b"\x03\x00\x40\x05hello\x01\x07\x00\x01\x60\x01");
    /// ```
    ///
    /// The requests of the trial's conversations are what random ones are made of, besides bytes of the fuzzer's
    /// own; what is expected in them does not matter here. All requests are sent without waiting for answers.
    ///
    /// | bytes | what they decide |
    /// |---|---|
    /// | 1 | how it finishes: the client half-closes, waits, resets |
    /// | 1 | how many requests, up to 12 |
    /// | each: 1, and perhaps more | a request of the conversations', or a length and so many bytes that follow |
    /// | 1 | how many cuts, up to 12 |
    /// | each: 2 | where, and how long the pause is there |
    /// | 1 | where a reset comes |
    ///
    /// # Panics
    ///
    /// See above; for a server elsewhere.
    #[track_caller]
    pub fn fuzz(&self, data: &[u8]) {
        let Subject::Made(make) = &self.subject else {
            panic!("a server elsewhere is not the same each time");
        };
        let mut input = Input::new(data);
        let finish = input.below(4);
        let talk = Rc::new(self.drawn(&mut input));
        if talk.len() == 0 {
            return;
        }
        let end = match finish {
            0 | 1 => Finish::HalfClosed,
            _ => Finish::Answered,
        };
        let plan = Plan::default().pipelined().finishing(end);
        let whole = self.once(make, &talk, plan.clone(), true);
        let whole = self.answer(&talk, &[], whole);

        let mut plan = plan;
        let mut cuts = Vec::new();
        for _ in 0..input.below(CUTS + 1) {
            let at = input.byte() as usize * talk.len() / 256;
            let pause = input.choose(&[Pause::Short, Pause::Short, Pause::Drip, Pause::Long]);
            if at > 0 {
                cuts.push(at);
                plan = plan.cut(at, pause);
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        let is_reset = finish == 3;
        if is_reset {
            let at = input.byte() as usize * (talk.len() + 1) / 256;
            plan = plan.finishing(Finish::Reset(at));
        }
        let cut = self.once(make, &talk, plan, true);
        let cut = self.answer(&talk, &cuts, cut);
        let is_same = match is_reset {
            true => whole.starts_with(&cut),
            false => whole == cut,
        };
        if !is_same {
            let same = whole.iter().zip(&cut).take_while(|(a, b)| a == b).count();
            panic!(
                "the answers to {} depend on how it is cut\n    whole     {}\n    cut at {cuts:?}  {}",
                quoted(&talk.stream, 0),
                quoted(&whole, same),
                quoted(&cut, same)
            );
        }
    }

    fn answer(&self, talk: &Conversation, cuts: &[usize], once: super::once::Once) -> Vec<u8> {
        let wrong = once.mismatch.map(|(_, mismatch)| mismatch.why);
        if let Some(what) = wrong.or(once.problem) {
            panic!("{} cut at {cuts:?}: {what}", quoted(&talk.stream, 0));
        }
        let mut received = once.received;
        if let Some(mask) = &self.mask {
            mask(&mut received);
        }
        received
    }

    fn drawn(&self, input: &mut Input<'_>) -> Conversation {
        let mut requests = Vec::new();
        for talk in &self.conversations {
            for number in 0..talk.requests.len() {
                let from = talk.requests[number].0;
                requests.push(&talk.stream[from..from + talk.length_of(number)]);
            }
        }
        let mut drawn = Conversation::new("drawn");
        for _ in 0..input.below(REQUESTS + 1) {
            // One in four is the fuzzer's own.
            let choice = input.byte();
            drawn = match choice & 3 {
                0 => {
                    let most = input.byte();
                    drawn.send(input.bytes(most.into()))
                }
                _ if requests.is_empty() => drawn,
                _ => drawn.send(requests[usize::from(choice >> 2) % requests.len()]),
            };
        }
        drawn
    }
}
