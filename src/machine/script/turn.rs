//! The loop of a scripted world: the phases of a turn, in the order of the crate's own.

use std::io;

use super::op::{KernelOp, Moment};
use super::{Job, Readiness, World};
use crate::error::Error;
use crate::machine::{AfterConnect, Life, Tick};

/// Bytes per read.
const READ_CHUNK: usize = 8;
/// How often one event reads.
const READ_BUDGET: usize = 3;
/// How often completions are delivered in one turn.
const PENDING_ROUNDS: usize = 8;
/// More ticks in one go than any script has a reason for.
const TOO_MANY_TICKS: usize = 1000;

impl World {
    pub(super) fn turn(&self) {
        self.settle();
        self.run_pending(1);
        self.poll();
        self.run_pending(PENDING_ROUNDS);
        for _ in 0..self.closing.take() {
            self.close_now();
            self.settle();
        }
    }

    pub(super) fn settle(&self) {
        for _ in 0..TOO_MANY_TICKS {
            for _ in 0..self.unflushed.take() {
                if !self.gone.get() {
                    self.duplex.flush(self);
                }
            }
            let job = self.ticks.borrow_mut().pop_front();
            match job {
                Some(Job::Tick(tick)) => self.run_tick(tick),
                Some(Job::Call(call)) => call(),
                None => return,
            }
        }
        panic!("the ticks never end");
    }

    fn run_tick(&self, tick: Tick) {
        match tick {
            _ if self.gone.get() => {}
            Tick::Closed => self.close_now(),
            tick => self.duplex.on_tick(self, tick),
        }
    }

    fn run_pending(&self, rounds: usize) {
        for _ in 0..rounds {
            for _ in 0..self.pending.take() {
                if !self.gone.get() {
                    self.duplex.on_shutdown(self);
                }
                self.settle();
            }
        }
    }

    fn poll(&self) {
        let unfinished = self.unfinished.get();
        let unfinished_writes = self.unfinished_writes.take();
        self.connection_ready();
        let edges = match self.duplex.life() {
            Life::Open => self.kernel.borrow_mut().take_edges(),
            _ => None,
        };
        if let Some(edges) = edges {
            if edges.closed {
                self.readiness.set(Readiness::Closing);
            } else if edges.readable && self.readiness.get() == Readiness::Drained {
                self.readiness.set(Readiness::Readable);
            }
            self.read_ready();
            if edges.writable && self.duplex.is_writing() && unfinished_writes == 0 {
                self.duplex.on_writable(self);
                self.settle();
            }
        }
        for _ in 0..unfinished {
            self.unfinished.set(self.unfinished.get() - 1);
            self.read_ready();
        }
        if unfinished_writes > 0 && self.duplex.life() == Life::Open {
            self.duplex.on_writable(self);
            self.settle();
        }
    }

    fn connection_ready(&self) {
        if self.duplex.life() != Life::Connecting {
            return;
        }
        match self.attempt.take() {
            Some(KernelOp::Connected) => {
                self.duplex.connected();
                self.witness.borrow_mut().other_event("connect");
                self.react(Moment::Connect);
                for then in self.on_connect.take() {
                    if then == AfterConnect::Write {
                        self.close_listener.set(false);
                    }
                    self.duplex.on_connected(self, then);
                }
                self.duplex.after_connect(self);
            }
            Some(KernelOp::Refused) => {
                let error = Error::new("ECONNREFUSED", "connect ECONNREFUSED");
                self.duplex.destroy(self, Some(error));
            }
            _ => {}
        }
        self.settle();
    }

    fn read_ready(&self) {
        for _ in 0..READ_BUDGET {
            if self.readiness.get() == Readiness::Drained || !self.duplex.wants_read() {
                return;
            }
            let filled = self.read_once();
            self.settle();
            // The end comes in a turn of its own.
            if !filled && self.readiness.get() != Readiness::Drained && self.duplex.wants_read() {
                break;
            }
        }
        self.unfinished.set(self.unfinished.get() + 1);
    }

    /// Reads a chunk; whether there may be more behind it.
    fn read_once(&self) -> bool {
        let mut buffer = [0; READ_CHUNK];
        let outcome = self.kernel.borrow_mut().read(&mut buffer);
        match outcome {
            Ok(0) => {
                self.readiness.set(Readiness::Drained);
                self.witness.borrow_mut().peer_ended();
                self.duplex.on_eof(self);
            }
            Ok(count) => {
                if count < buffer.len() && self.readiness.get() == Readiness::Readable {
                    self.readiness.set(Readiness::Drained);
                }
                self.witness.borrow_mut().was_read(&buffer[..count]);
                self.handing_on(|| self.duplex.on_data(self, &buffer[..count]));
                return count == buffer.len();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness.set(Readiness::Drained);
            }
            Err(error) => {
                self.readiness.set(Readiness::Drained);
                self.duplex.on_read_error(self, &error);
            }
        }
        true
    }

    fn close_now(&self) {
        if self.gone.get() {
            return;
        }
        self.duplex.on_closed(self);
        self.gone.set(self.duplex.life() == Life::Closed);
    }
}
