//! From the descriptor to the listeners: how much is read at an event, and when to go on.
//!
//! | a read … | then |
//! |---|---|
//! | fills its chunk | the next one, as far as the loop allows it (`reactor/fairness.rs`); then the other sockets have their turn |
//! | comes back short | the socket is empty: no second read is made to find that out |
//! | comes back short, the end being near | the end is read in a turn of its own, as in Node |
//! | comes back short where urgent data is marked, or in IPC with descriptors | there may be more behind the mark, for which no event comes: reads until one would block (always on systems that do not report marks) |

use crate::kernel::{Answer, Call, Received, answer, ledger};
use crate::machine::Life;
use crate::net::driver::current::InData;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::socket::Readiness;
use crate::reactor::Counters;

/// What of the loop's buffer one read may fill, which is the longest chunk that a listener is handed: 64 KiB, as libuv
/// and Node have it. A socket that is piped to others may fill all that it may read in a turn instead.
const CHUNKS: usize = 8;

impl SocketDriver<'_> {
    /// Reads while the descriptor is readable and the stream wants data.
    #[inline(always)]
    pub(super) fn read_ready(&self) {
        let state = self.state;
        if state.readiness.get() == Readiness::Drained || !state.duplex.wants_read() {
            return;
        }
        let mut buffer = self.event_loop.read_buffer.lend();
        let chunk = buffer.capacity() / CHUNKS;
        let mut budget = self.event_loop.fairness.allowance(buffer.capacity());
        while budget > 0 {
            if self.event_loop.is_interrupted() {
                break;
            }
            let filled = if state.duplex.is_unbuffered() {
                // However long the caller's buffer is: a turn too short to empty the socket leaves it full, and each
                // byte out of the cache by the time that it is read.
                budget = budget.saturating_sub(chunk);
                self.read_into_own();
                true
            } else {
                let share = self.share_of(&mut buffer[..budget], chunk);
                budget = budget.saturating_sub(share.len());
                self.read_into(share)
            };
            self.event_loop.settle();
            if state.readiness.get() == Readiness::Drained || !state.duplex.wants_read() {
                return;
            }
            // The end comes in a turn of its own, as in Node: after the immediates of the last data.
            if !filled {
                break;
            }
        }
        self.continue_reading();
    }

    /// Reads once and hands on what there is. False if that has emptied the socket.
    #[inline(always)]
    fn read_into(&self, buffer: &mut [u8]) -> bool {
        let Some(count) = self.receive(buffer) else {
            return true;
        };
        let state = self.state;
        let in_data = InData::begin(state);
        state.duplex.on_data(self, &buffer[..count]);
        drop(in_data);
        // Here rather than where the listeners were called: every function that has to return after a
        // system call costs a mispredicted branch, since the kernel leaves nothing of the processor's
        // stack of return addresses.
        state.duplex.flush(self);
        count == buffer.len()
    }

    /// What the next read may fill. While a pipe waits, what is read is only kept.
    #[inline]
    fn share_of<'b>(&self, buffer: &'b mut [u8], chunk: usize) -> &'b mut [u8] {
        let state = self.state;
        let much = state.bits.reads_much().get() && state.duplex.readable_flowing() == Some(true);
        let most = if much { usize::MAX } else { chunk };
        let most = most.min(buffer.len());
        &mut buffer[..most]
    }

    /// Reads once, and says how much there is for the stream.
    #[inline(always)]
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        let state = self.state;
        let counters = &self.event_loop.counters;
        Counters::add(&counters.reads, 1);
        let outcome = state.transport.borrow().read(buffer);
        match outcome {
            Ok(Received { count: 0, .. }) => {
                state.readiness.set(Readiness::Drained);
                state.duplex.on_eof(self);
            }
            Ok(Received { count, may_go_on }) => {
                debug_assert!(
                    count <= buffer.len(),
                    "the kernel fills no more than there is"
                );
                debug_assert_eq!(
                    state.duplex.life(),
                    Life::Open,
                    "only an open socket is read"
                );
                Counters::add(&counters.bytes_read, count as u64);
                let last_was_long = state.bits.last_read_was_long();
                self.event_loop.fairness.read(count, last_was_long);
                let mark = state.duplex.readable_high_water_mark();
                ledger::received(state.key, &buffer[..count], mark);
                // The socket is empty: no second read is needed to find that out.
                let is_short = count < buffer.len();
                if is_short && !may_go_on && state.readiness.get() == Readiness::Readable {
                    state.readiness.set(Readiness::Drained);
                }
                return Some(count);
            }
            Err(error) => match answer(Call::Read, &error) {
                Answer::Wait => state.readiness.set(Readiness::Drained),
                Answer::Retry => {}
                _ => {
                    state.readiness.set(Readiness::Drained);
                    state.duplex.on_read_error(self, &error);
                }
            },
        }
        None
    }

    #[inline(never)]
    pub(super) fn continue_reading(&self) {
        // Once: each of several would read as much as one may, and ask for another.
        if self.state.bits.continuing().replace(true) {
            return;
        }
        self.event_loop.continue_later(self.task(|event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| {
                driver.state.bits.continuing().set(false);
                driver.read_ready();
            });
        }));
    }
}
