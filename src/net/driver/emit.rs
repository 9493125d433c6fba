//! How sockets and servers emit their events.

use crate::error::{Error, Result};
use crate::events::{Event, EventEmitter};
use crate::reactor::Loop;

/// Calls the listeners of `E` in a run that nothing has interrupted; true if there are any, also if one
/// of them panics. The first error that one of them returned is for the emitter to deal with.
pub(in crate::net) fn emit_now<E: Event, P: Event>(
    event_loop: &Loop,
    emitter: &EventEmitter<P>,
    event: E,
    payload: E::Payload<'_>,
) -> Result<bool> {
    let mut heard = Ok(true);
    event_loop.call_now(|| heard = emitter.try_emit(event, payload));
    heard
}

/// Logs an error that comes too late for an event: the socket is destroyed.
pub(in crate::net) fn log_late_error(error: &Error) {
    log::warn!(target: "soquete::net", "a listener of a socket that was destroyed has failed: {error}");
}

/// How sockets and servers emit: at once, or in the next run if this one has been interrupted. The payload is then
/// the one that was to be emitted now.
macro_rules! emitting_in_a_run {
    ($driver:ident of $handle:ty) => {
        impl $driver<'_> {
            /// Calls the listeners of `E`; true if there are any.
            pub(in crate::net) fn emit_to<E, V>(&self, event: E, value: V) -> bool
            where
                E: for<'p> $crate::events::Event<Payload<'p> = V> + Copy,
                V: Copy + 'static,
                $handle: $crate::event::Emits<E>,
            {
                if self.event_loop.is_interrupted() {
                    self.in_next_run(move |driver| {
                        driver.emit_to(event, value);
                    });
                    return self.state.emitter.listener_count(event) > 0;
                }
                $crate::kernel::emitted::<E>(stringify!($handle), self.state.key);
                $crate::net::driver::emit::emit_now(
                    self.event_loop,
                    &self.state.emitter,
                    event,
                    value,
                )
                .unwrap_or_else(|error| {
                    self.listener_of_failed::<E>(value, error);
                    true
                })
            }

            /// As `emit_to`, for what is lent to the listeners.
            pub(in crate::net) fn emit_lent<E, T>(&self, event: E, lent: &T) -> bool
            where
                E: for<'p> $crate::events::Event<Payload<'p> = &'p T> + Copy,
                T: ToOwned + ?Sized + 'static,
                $handle: $crate::event::Emits<E>,
            {
                if self.event_loop.is_interrupted() {
                    let kept = lent.to_owned();
                    self.in_next_run(move |driver| {
                        driver.emit_lent(event, std::borrow::Borrow::borrow(&kept));
                    });
                    return self.state.emitter.listener_count(event) > 0;
                }
                $crate::kernel::emitted::<E>(stringify!($handle), self.state.key);
                $crate::net::driver::emit::emit_now(
                    self.event_loop,
                    &self.state.emitter,
                    event,
                    lent,
                )
                .unwrap_or_else(|error| {
                    self.listener_of_failed::<E>(lent, error);
                    true
                })
            }

            /// Emits an error; without a listener it is unhandled.
            pub(in crate::net) fn emit_error(&self, error: &$crate::Error) {
                if self.event_loop.is_interrupted() {
                    let error = error.clone();
                    return self.in_next_run(move |driver| driver.emit_error(&error));
                }
                self.emit_lent($crate::event::ErrorMonitor, error);
                if !self.emit_lent($crate::event::Error, error) {
                    self.event_loop.unhandled_error(error.clone());
                }
            }

            /// Goes on first thing in the next run, though the handle may be stale by then.
            #[cold]
            pub(in crate::net) fn in_next_run(&self, then: impl FnOnce(&$driver<'_>) + 'static) {
                let state = std::rc::Rc::clone(self.state);
                self.event_loop.call_in_next_run(Box::new(move || {
                    $crate::reactor::with(|event_loop| {
                        let driver = $driver {
                            event_loop,
                            state: &state,
                        };
                        then(&driver);
                        driver.update_alive();
                    });
                }));
            }
        }
    };
}
pub(super) use emitting_in_a_run;
