//! The calls of [`Driver`]: what the state machine asks of a socket's descriptor, loop and listeners.

use std::cell::Cell;
use std::io::{self, IoSlice};

use crate::event;
use crate::events::outcome::Verdict;
use crate::kernel::{Stream, emitted, ledger};
use crate::machine::{AfterConnect, CloseKind, Driver, Life, Signal, Tick};
use crate::net::driver::current::InData;
use crate::net::driver::log_line;
use crate::net::driver::socket::SocketDriver;
use crate::net::server::connection_left;
use crate::net::state::socket::Readiness;
use crate::reactor::{AfterCall, Counters, Job};

/// How long a write rests for which the kernel had no memory.
const WRITE_PAUSE_MS: u64 = 20;

impl Driver for SocketDriver<'_> {
    fn write_budget(&self) -> u64 {
        self.event_loop.write_budget.get()
    }

    #[inline(always)]
    fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        debug_assert!(
            slices.iter().any(|slice| !slice.is_empty()),
            "a write of nothing"
        );
        let counters = &self.event_loop.counters;
        Counters::add(&counters.writes, 1);
        let written = self.state.transport.borrow().write(slices)?;
        debug_assert!(written <= slices.iter().map(|slice| slice.len()).sum());
        Counters::add(&counters.bytes_written, written as u64);
        ledger::sent(self.state.key, slices, written);
        Ok(written)
    }

    #[inline]
    fn accepts(&self, bytes: &[u8]) {
        ledger::accepted(self.state.key, bytes);
    }

    fn shutdown(&self) -> io::Result<()> {
        ledger::ending(self.state.key);
        if self.closes_next() {
            // That ends the connection as well, and is a system call less.
            return Ok(());
        }
        self.state.transport.borrow().shutdown()
    }

    fn close(&self, how: CloseKind) {
        self.state.idle.clear(self.event_loop, self.state.key);
        self.abandon_attempts();
        self.forget_connect_listeners();
        // Unlinked before the descriptor is closed, as in libuv: late clients get ENOENT, not a dead listener.
        drop(self.state.extras(|extras| extras.bound_path.take()));
        let pause = self.state.extras(|extras| extras.write_pause.take());
        if let Some(timer) = pause.flatten() {
            self.event_loop.clear_timer(timer);
        }
        let mut transport = self.state.transport.replace(Stream::None);
        if how == CloseKind::Reset {
            self.reset_on_close(&transport);
        }
        self.state.readiness.set(Readiness::Drained);
        if self.state.bits.adopted().replace(false) {
            // While a duplicate is open elsewhere, the poll would go on to report this registration.
            let _gone = self.event_loop.deregister(transport.watched());
        }
        drop(transport);
    }

    fn close_later(&self) {
        self.event_loop.close_later(self.task(|event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| driver.close_now());
        }));
    }

    fn start_reading(&self) {
        if self.state.readiness.get() != Readiness::Drained {
            self.continue_reading();
        }
    }

    fn tick(&self, tick: Tick) {
        macro_rules! task {
            ($($name:ident),*) => {
                match tick {
                    $(Tick::$name => self.task(|event_loop, key| {
                        SocketDriver::on(event_loop, key, |driver| {
                            driver.state.duplex.on_tick(driver, Tick::$name);
                        });
                    }),)*
                    Tick::Closed => self.task(|event_loop, key| {
                        SocketDriver::on(event_loop, key, |driver| driver.close_now());
                    }),
                }
            };
        }
        let task = task!(
            AfterWrite,
            Drained,
            WriteFailed,
            FailQueued,
            Finish,
            Resume,
            Readable,
            ReadMore,
            ReadZero,
            ReadableListening,
            EndReadable,
            EndWritable,
            Destroyed,
            Flow
        );
        self.event_loop.next_tick(Job::Task(task));
    }

    #[inline]
    fn flush_later(&self) {
        if self.state.bits.in_data().get() {
            return;
        }
        self.event_loop.flush_later(self.task(|event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| driver.state.duplex.flush(driver));
        }));
    }

    #[inline(never)]
    fn continue_writing(&self) {
        if self.state.bits.continuing_to_write().replace(true) {
            return;
        }
        self.event_loop.continue_later(self.task(|event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| {
                driver.state.bits.continuing_to_write().set(false);
                if driver.state.duplex.life() == Life::Open {
                    driver.state.duplex.on_writable(driver);
                    event_loop.settle();
                }
            });
        }));
    }

    fn write_after_pause(&self) {
        if self
            .state
            .with_extras(|extras| extras.write_pause.is_some())
        {
            return;
        }
        let key = self.state.key;
        let again = move |_| {
            SocketDriver::with(key, |driver| {
                driver.state.extras(|extras| extras.write_pause = None);
                driver.state.duplex.on_writable(driver);
            });
            Verdict::Fine
        };
        let timer = self.event_loop.set_timer(
            WRITE_PAUSE_MS,
            AfterCall::Removed,
            Box::new(again),
            self.state.origin,
        );
        // A write that waits keeps the loop alive by itself.
        self.event_loop.set_timer_referenced(timer, false);
        self.state
            .with_extras(|extras| extras.write_pause = Some(timer));
    }

    fn shutdown_later(&self) {
        self.event_loop.pend(self.task(|event_loop, key| {
            SocketDriver::on(event_loop, key, |driver| {
                driver.state.duplex.on_shutdown(driver)
            });
        }));
    }

    fn on_connect(&self, then: AfterConnect) {
        let key = self.state.key;
        if then == AfterConnect::Write {
            let id = self
                .state
                .emitter
                .add_once_listener(event::Close, move |_| {
                    SocketDriver::with(key, |driver| {
                        driver.state.duplex.on_closed_before_connect()
                    });
                });
            self.state
                .with_extras(|extras| extras.close_listener = Some(id));
        }
        let id = self
            .state
            .emitter
            .add_once_listener(event::Connect, move |()| {
                SocketDriver::with(key, |driver| {
                    driver
                        .state
                        .with_extras(|extras| extras.connect_listeners.clear());
                    if then == AfterConnect::Write
                        && let Some(id) = driver
                            .state
                            .with_extras(|extras| extras.close_listener.take())
                    {
                        driver.state.emitter.remove_listener(id);
                    }
                    driver.state.duplex.on_connected(driver, then);
                });
            });
        self.state
            .with_extras(|extras| extras.connect_listeners.push(id));
    }

    fn activity(&self) {
        self.state.idle.activity(self.event_loop, self.state.key);
    }

    fn lent_to(&self) -> &Cell<(usize, usize)> {
        &self.event_loop.lent_to
    }

    fn emit_data(&self, chunk: &[u8]) {
        if self.event_loop.is_interrupted() {
            let kept = chunk.to_vec();
            return self.in_next_run(move |driver| driver.emit_data(&kept));
        }
        if self.state.bits.in_data().get() {
            return self.call_data_listeners(chunk);
        }
        // Outside of a run a listener may unwind through here, or run the loop itself: what it writes
        // waits for the loop then, as any write does.
        let in_run = self.event_loop.is_running();
        let in_data = in_run.then(|| InData::begin(self.state));
        self.call_data_listeners(chunk);
        drop(in_data);
        // What the listeners wrote goes out now that they have returned.
        self.state.duplex.flush(self);
    }

    // The machine always names the signal: of this, one arm remains wherever it is called.
    #[inline(always)]
    fn emit(&self, signal: Signal<'_>) {
        match signal {
            Signal::Text(text) => {
                self.emit_lent(event::Text, text);
            }
            Signal::Readable => self.emit_readable(),
            Signal::End => {
                log_line::peer_has_ended(self);
                self.end_frames();
                self.emit_value(event::End, ());
            }
            Signal::Prefinish => self.emit_value(event::Prefinish, ()),
            Signal::Finish => {
                log_line::has_finished(self);
                self.emit_value(event::Finish, ());
            }
            Signal::Drain => self.emit_value(event::Drain, ()),
            Signal::Pause => self.emit_value(event::Pause, ()),
            Signal::Resume => {
                self.emit_value(event::Resume, ());
                self.deliver_frames();
            }
            Signal::Error(error) => self.emit_error(error),
            Signal::Close { had_error } => {
                log_line::has_closed(self);
                self.close_frames();
                self.emit_to(event::Close, had_error);
            }
        }
    }

    #[inline]
    fn has_data_listeners(&self) -> bool {
        self.state.emitter.listener_count(event::Data) > 0
    }

    fn has_chunk_listeners(&self) -> bool {
        self.has_data_listeners() || self.state.emitter.listener_count(event::Text) > 0
    }

    fn has_readable_listeners(&self) -> bool {
        self.state.emitter.listener_count(event::Readable) > 0
    }

    fn tick_call(&self, call: Box<dyn FnOnce()>) {
        self.event_loop.next_tick(Job::Call(call));
    }

    fn put_off(&self, tick: Tick) -> bool {
        let interrupted = self.event_loop.is_interrupted();
        if interrupted {
            self.in_next_run(move |driver| driver.state.duplex.on_tick(driver, tick));
        }
        interrupted
    }

    fn left_server(&self) {
        if let Some(server) = self.state.server() {
            connection_left(self.event_loop, server);
        }
    }
}

impl SocketDriver<'_> {
    #[inline(always)]
    fn call_data_listeners(&self, chunk: &[u8]) {
        emitted::<event::Data>("Socket", self.state.key);
        ledger::heard(self.state.key, chunk);
        let mut heard = Ok(true);
        self.event_loop
            .call_now(|| heard = self.state.emitter.try_emit(event::Data, chunk));
        if let Err(error) = heard {
            self.listener_failed(error);
        }
    }
}
