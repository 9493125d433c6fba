//! From the descriptor to the listeners: how much is read at an event, and when to go on.
//!
//! | a read … | then |
//! |---|---|
//! | fills its chunk | the next one, up to so many bytes; then the other sockets have their turn |
//! | comes back short | the socket is empty: no second read to be told so |
//! | comes back short, the end being near | the end is read in a turn of its own, as in Node |

use std::io;

use super::cell::{Readiness, SocketHost};
use super::speaker::InData;
use crate::event;
use crate::reactor::Counters;

/// Bytes per read, and the longest chunk that a listener is handed: libuv's and Node's.
const READ_CHUNK: usize = 64 * 1024;

/// As `READ_CHUNK`, for a socket that is piped to others: an eighth of the system calls, and fewer
/// awakenings at the other ends, carry 1.3 times the bytes.
const PIPE_CHUNK: usize = 512 * 1024;

/// How many bytes one socket may read before the others get their turn: twice libuv's. With several
/// senders at once a quarter of the time is saved by it, and more brings no more.
const READ_BUDGET: usize = 64 * READ_CHUNK;

impl SocketHost<'_> {
    /// Reads while there is something to read and somebody who wants it.
    #[inline(always)]
    pub(super) fn read_ready(&self) {
        let cell = self.cell;
        if cell.readiness.get() == Readiness::Drained || !cell.duplex.wants_read() {
            return;
        }
        let mut buffer = self.event_loop.read_buffer.lend();
        let mut budget = READ_BUDGET;
        while budget > 0 {
            if self.event_loop.is_interrupted() {
                break;
            }
            let buffer = &mut buffer[..self.chunk_size()];
            budget = budget.saturating_sub(buffer.len());
            let mut filled = true;
            if cell.duplex.is_unbuffered() {
                self.read_into_own();
            } else if let Some(count) = self.receive(buffer) {
                filled = count == buffer.len();
                let in_data = InData::begin(cell);
                cell.duplex.on_data(self, &buffer[..count]);
                drop(in_data);
                // Here rather than where the listeners were called: every function that has to return
                // after a system call costs a mispredicted branch, since the kernel leaves nothing of
                // the processor's stack of return addresses.
                cell.duplex.flush(self);
            }
            self.event_loop.settle();
            if cell.readiness.get() == Readiness::Drained || !cell.duplex.wants_read() {
                return;
            }
            // The end comes in a turn of its own, as in Node: after the immediates of the last data.
            if !filled {
                break;
            }
        }
        self.continue_reading();
    }

    /// How much the next read asks for. While a pipe waits, what is read is only kept.
    fn chunk_size(&self) -> usize {
        let cell = self.cell;
        if cell.piped.get() && cell.duplex.readable_flowing() == Some(true) {
            PIPE_CHUNK
        } else {
            READ_CHUNK
        }
    }

    /// Reads once, and says how much there is for the stream.
    #[inline(always)]
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        let cell = self.cell;
        let counters = &self.event_loop.counters;
        Counters::add(&counters.reads, 1);
        let outcome = cell.transport.borrow().read(buffer);
        match outcome {
            Ok(0) => {
                cell.readiness.set(Readiness::Drained);
                cell.duplex.on_eof(self);
            }
            Ok(count) => {
                Counters::add(&counters.bytes_read, count as u64);
                // A short read has emptied the socket, unless its end is near: no second read is
                // needed to be told so.
                if count < buffer.len() && cell.readiness.get() == Readiness::Readable {
                    cell.readiness.set(Readiness::Drained);
                }
                return Some(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cell.readiness.set(Readiness::Drained);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                cell.readiness.set(Readiness::Drained);
                cell.duplex.on_read_error(self, &error);
            }
        }
        None
    }

    #[inline(never)]
    pub(super) fn continue_reading(&self) {
        // Once: each of several would read as much as one may, and ask for another.
        if self.cell.continuing.replace(true) {
            return;
        }
        self.event_loop.continue_later(self.task(|event_loop, key| {
            SocketHost::on(event_loop, key, |host| {
                host.cell.continuing.set(false);
                host.read_ready();
            });
        }));
    }

    /// Calls the listeners of `Data`.
    pub(super) fn emit_data(&self, data: &[u8]) {
        if self.cell.in_data.get() {
            self.emit_to(event::Data, data);
            return;
        }
        // Outside of a run a listener may unwind through here, or run the loop itself: what it writes
        // waits for the loop then, as any write does.
        let in_run = self.event_loop.is_running();
        let in_data = in_run.then(|| InData::begin(self.cell));
        self.emit_to(event::Data, data);
        drop(in_data);
        // What the listeners wrote goes out now that they have returned.
        self.cell.duplex.flush(self);
    }
}
