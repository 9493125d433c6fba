//! Messages for a listener of a loop, from any thread. Node's `MessageChannel`.
//!
//! ```text
//!   Sender ─ send ──▶ Queue ──▶ the receiver, in the loop's poll phase ──▶ the listener
//!            (any thread)           (woken for a burst, not for a message)
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::{Key, Loop, Remote};
use crate::error::{Result, node};
use crate::events::Outcome;
use crate::events::outcome::Verdict;

/// Sends messages to the listener of a [`channel`](crate::channel), from any thread. Clones send to
/// the same one.
///
/// As a [`Remote`], it keeps its loop alive until it is dropped or [`unref`](Sender::unref)ed. When
/// the last one is dropped, the listener is called with what was sent, and is dropped, too.
///
/// A channel has [closed](Sender::is_closed) when its listener has returned
/// [`Flow::Stop`](crate::Flow::Stop) or its loop's thread has ended.
pub struct Sender<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    remote: Remote,
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    /// Senders wait here while the queue is full.
    room: Condvar,
    limit: Option<NonZeroUsize>,
    senders: AtomicUsize,
    key: Key,
    owner: ThreadId,
}

struct Queue<T> {
    messages: VecDeque<T>,
    /// How many threads wait for room.
    waiting: usize,
    closed: bool,
}

/// How many messages a queue keeps room for while it is empty.
const KEPT_ROOM: usize = 64;

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

/// Closes the queue when the listener goes, whatever the reason.
struct Closing<T>(Arc<Shared<T>>);

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        let unheard = {
            let mut queue = self.0.lock();
            queue.closed = true;
            std::mem::take(&mut queue.messages)
        };
        self.0.room.notify_all();
        // Their destructors are the user's code.
        drop(unheard);
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self, queue: &Queue<T>) -> bool {
        self.limit
            .is_some_and(|limit| queue.messages.len() >= limit.get())
    }

    fn take(&self) -> Option<T> {
        let mut queue = self.lock();
        let message = queue.messages.pop_front();
        // Half of the room at once, so that waiting senders are woken for a burst. The loop goes on until the queue
        // is empty, and so comes to this point.
        let half = self.limit.map_or(0, |limit| limit.get() / 2);
        let is_awaited = queue.waiting > 0 && queue.messages.len() <= half;
        drop(queue);
        if is_awaited {
            self.room.notify_all();
        }
        message
    }
}

impl<T: Send> Sender<T> {
    /// Sends a message: the listener is called with it on the loop's thread, in its next poll phase.
    /// Messages of one thread arrive in their order.
    ///
    /// Where the channel has a [limit](crate::channel_with) and is full, this waits until there is room. On
    /// the loop's own thread nothing would ever make room meanwhile: there it is an error.
    ///
    /// # Errors
    ///
    /// `ERR_CHANNEL_CLOSED` when the listener has gone; `ERR_CHANNEL_FULL` on the loop's own thread. The
    /// message is dropped then; [`try_send`](Sender::try_send) gives it back.
    #[doc(alias = "postMessage")]
    pub fn send(&self, message: T) -> Result<()> {
        let mut queue = self.shared.lock();
        while !queue.closed && self.shared.is_full(&queue) {
            if thread::current().id() == self.shared.owner {
                return Err(node::channel_full());
            }
            queue.waiting += 1;
            let room = &self.shared.room;
            queue = room.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.waiting -= 1;
        }
        self.push(queue, message)
    }

    /// As [`send`](Sender::send), but never waits: where the channel is full, the message comes back.
    ///
    /// ```
    /// # fn main() -> soquete::Result<()> {
    /// let sender = soquete::channel_with(1, |number: u32| assert_eq!(number, 1))?;
    /// assert_eq!(sender.try_send(1)?, None);
    /// assert_eq!(sender.try_send(2)?, Some(2));
    /// drop(sender);
    /// soquete::run()
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `ERR_CHANNEL_CLOSED` when the listener has gone; the message is dropped then.
    pub fn try_send(&self, message: T) -> Result<Option<T>> {
        let queue = self.shared.lock();
        if !queue.closed && self.shared.is_full(&queue) {
            return Ok(Some(message));
        }
        self.push(queue, message).map(|()| None)
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue<T>>, message: T) -> Result<()> {
        if queue.closed {
            drop(queue);
            return Err(node::channel_closed());
        }
        queue.messages.push_back(message);
        let is_first = queue.messages.len() == 1;
        drop(queue);
        // The call for an earlier message takes this one, too.
        if is_first { self.wake() } else { Ok(()) }
    }

    /// How many messages wait for the listener.
    pub fn len(&self) -> usize {
        self.shared.lock().messages.len()
    }

    /// Whether no message waits for the listener.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the listener has gone.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }

    /// Lets the loop end though this `Sender` exists. What is sent then is heard as long as the loop runs
    /// for other reasons.
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
        f.debug_struct("Sender")
            .field("waiting", &self.len())
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl Loop {
    pub(crate) fn channel<T: Send + 'static, R: Outcome>(
        &self,
        limit: Option<NonZeroUsize>,
        mut listener: impl FnMut(T) -> R + 'static,
    ) -> Result<Sender<T>> {
        let remote = self.remote()?;
        let shared = self.channels.borrow_mut().insert_with(|key| {
            let shared = Arc::new(Shared {
                queue: Mutex::new(Queue {
                    messages: VecDeque::new(),
                    waiting: 0,
                    closed: false,
                }),
                room: Condvar::new(),
                limit,
                senders: AtomicUsize::new(1),
                key,
                owner: thread::current().id(),
            });
            let closing = Closing(Arc::clone(&shared));
            let receive = move |event_loop: &Loop| {
                let queue = &closing.0;
                // Asked first: what was sent before the last sender went is in the queue.
                let is_last = queue.senders.load(Ordering::Acquire) == 0;
                let count = queue.lock().messages.len();
                for _ in 0..count {
                    let Some(message) = queue.take() else { break };
                    let mut verdict = Verdict::Fine;
                    event_loop.call_now(|| verdict = listener(message).verdict());
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
                let messages = &mut queue.lock().messages;
                if !messages.is_empty() {
                    return After::Busy;
                }
                messages.shrink_to(KEPT_ROOM);
                if is_last { After::Closed } else { After::Open }
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
            After::Busy => self.receive_again(key),
            After::Closed => {
                drop(receive);
                let in_table = self.channels.borrow_mut().remove(key);
                // The last of it goes when nothing is borrowed: what the listener has captured is the user's.
                drop(in_table);
                self.discard(receiver);
            }
        }
    }

    /// In the next turn, which keeps the loop alive until then.
    fn receive_again(&self, key: Key) {
        if let Ok(remote) = self.remote() {
            let _gone = remote.post(move || {
                super::with(|event_loop| event_loop.receive(key));
            });
        }
    }
}
