//! Messages for a listener of a loop, from any thread. Node's `MessageChannel`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Key, Loop, Remote};
use crate::error::Result;
use crate::events::Outcome;
use crate::events::outcome::Verdict;

/// Sends messages to the listener of a [`channel`](crate::channel), from any thread. Clones send to
/// the same one.
///
/// As a [`Remote`], it keeps its loop alive until it is dropped or [`unref`](Sender::unref)ed. When
/// the last one is dropped, the listener is called with what was sent, and is dropped, too.
pub struct Sender<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    remote: Remote,
}

struct Shared<T> {
    messages: Mutex<VecDeque<T>>,
    senders: AtomicUsize,
    key: Key,
}

/// The listener, with the queue that it is called for.
pub(super) type Receiver = Rc<RefCell<dyn FnMut(&Loop) -> After>>;

/// What becomes of a channel.
pub(super) enum After {
    /// It waits.
    Open,
    /// There is more than one turn may take.
    Busy,
    Closed,
}

impl<T: Send> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send> Sender<T> {
    /// Sends a message: the listener is called with it on the loop's thread, in its next poll phase.
    /// Messages of one thread arrive in their order.
    ///
    /// # Errors
    ///
    /// `ERR_LOOP_CLOSED` when the loop's thread has ended; the message is dropped then.
    pub fn send(&self, message: T) -> Result<()> {
        let is_first = {
            let mut messages = self.shared.lock();
            messages.push_back(message);
            messages.len() == 1
        };
        // Whoever was called for an earlier message finds this one, too.
        if is_first { self.wake() } else { Ok(()) }
    }

    /// Lets the loop end though this `Sender` exists.
    pub fn unref(&self) {
        self.remote.unref();
    }

    /// Takes [`unref`](Sender::unref) back.
    pub fn ref_(&self) {
        self.remote.ref_();
    }

    fn wake(&self) -> Result<()> {
        let key = self.shared.key;
        self.remote.post(move || {
            super::with(|event_loop| event_loop.receive(key));
        })
    }
}

impl<T: Send> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Sender {
            shared: Arc::clone(&self.shared),
            remote: self.remote.clone(),
        }
    }
}

impl<T: Send> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _gone = self.wake();
        }
    }
}

impl<T: Send> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Loop {
    pub(crate) fn channel<T: Send + 'static, R: Outcome>(
        &self,
        mut listener: impl FnMut(T) -> R + 'static,
    ) -> Result<Sender<T>> {
        let remote = self.remote()?;
        let shared = self.channels.borrow_mut().insert_with(|key| {
            let shared = Arc::new(Shared {
                messages: Mutex::default(),
                senders: AtomicUsize::new(1),
                key,
            });
            let queue = Arc::clone(&shared);
            let receive = move |event_loop: &Loop| {
                let closed = queue.senders.load(Ordering::Acquire) == 0;
                let count = queue.lock().len();
                for _ in 0..count {
                    let message = queue.lock().pop_front();
                    let Some(message) = message else { break };
                    let mut verdict = Verdict::Fine;
                    event_loop.call(|| verdict = listener(message).verdict());
                    event_loop.settle();
                    match verdict {
                        Verdict::Fine => {}
                        Verdict::Stop => return After::Closed,
                        Verdict::Failed(error) => event_loop.unhandled_error(error),
                    }
                    if event_loop.is_interrupted() {
                        return After::Busy;
                    }
                }
                if !queue.lock().is_empty() {
                    After::Busy
                } else if closed {
                    After::Closed
                } else {
                    After::Open
                }
            };
            let receiver: Receiver = Rc::new(RefCell::new(receive));
            (receiver, shared)
        });
        Ok(Sender { shared, remote })
    }

    /// Calls a channel's listener.
    fn receive(&self, key: Key) {
        let receiver = self.channels.borrow().get(key).cloned();
        let Some(receiver) = receiver else { return };
        // It cannot be running: no run of the loop is inside another.
        let Ok(mut receive) = receiver.try_borrow_mut() else {
            return;
        };
        match receive(self) {
            After::Open => {}
            After::Busy => {
                if let Ok(remote) = self.remote() {
                    let _gone = remote.post(move || {
                        super::with(|event_loop| event_loop.receive(key));
                    });
                }
            }
            After::Closed => {
                drop(receive);
                let _listener = self.channels.borrow_mut().remove(key);
            }
        }
    }
}
