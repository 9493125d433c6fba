//! The way into a loop from other threads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Loop;
use super::slack::Slack;
use crate::error::{Result, node};
use crate::events::Outcome;
use crate::kernel::Alarm;

type Post = Box<dyn FnOnce() + Send>;

/// Reaches one thread's loop from any thread. Made by [`remote`](crate::remote) on the loop's own
/// thread; clones reach the same loop.
///
/// A `Remote` keeps its loop alive, as an open server does, until it is dropped or
/// [`unref`](Remote::unref)ed.
///
/// ```
/// # fn main() -> soquete::Result<()> {
/// let remote = soquete::remote()?;
/// let worker = std::thread::spawn(move || remote.post(|| println!("on the loop's thread")));
/// soquete::run()?;
/// worker.join().unwrap()
/// # }
/// ```
pub struct Remote {
    mailbox: Arc<Mailbox>,
    referenced: AtomicBool,
}

impl Remote {
    fn new(mailbox: &Arc<Mailbox>) -> Remote {
        mailbox.remotes.fetch_add(1, Ordering::Relaxed);
        Remote {
            mailbox: Arc::clone(mailbox),
            referenced: AtomicBool::new(true),
        }
    }

    /// Calls `call` on the loop's thread, in its next poll phase, and wakes the loop if it sleeps.
    /// Calls of one thread are made in their order.
    ///
    /// # Errors
    ///
    /// `ERR_LOOP_CLOSED` when the loop's thread has ended; `call` is dropped then.
    pub fn post<R: Outcome>(&self, call: impl FnOnce() -> R + Send + 'static) -> Result<()> {
        let call = || super::heed(call());
        if !self.referenced.load(Ordering::Relaxed) {
            return self.mailbox.post(Box::new(call));
        }
        // The call holds on to the loop by itself: this `Remote` may be gone before it is made.
        let hold = self.clone();
        self.mailbox.post(Box::new(move || {
            drop(hold);
            call();
        }))
    }

    /// Lets the loop end though this `Remote` exists. What is posted is called as long as the loop
    /// runs for other reasons.
    pub fn unref(&self) {
        if self.referenced.swap(false, Ordering::Relaxed) {
            self.mailbox.release();
        }
    }

    /// Takes [`unref`](Remote::unref) back.
    pub fn ref_(&self) {
        if !self.referenced.swap(true, Ordering::Relaxed) {
            self.mailbox.remotes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Clone for Remote {
    fn clone(&self) -> Remote {
        let clone = Remote::new(&self.mailbox);
        if !self.referenced.load(Ordering::Relaxed) {
            clone.unref();
        }
        clone
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.unref();
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

/// What other threads have posted to a loop.
pub(super) struct Mailbox {
    /// `None` once the loop is gone.
    posts: Mutex<Option<VecDeque<Post>>>,
    remotes: AtomicUsize,
    alarm: Alarm,
}

impl Mailbox {
    pub(super) fn new(alarm: Alarm) -> Mailbox {
        Mailbox {
            posts: Mutex::new(Some(VecDeque::new())),
            remotes: AtomicUsize::new(0),
            alarm,
        }
    }

    /// How many remotes keep the loop alive.
    pub(super) fn remotes(&self) -> usize {
        self.remotes.load(Ordering::Relaxed)
    }

    pub(super) fn post(&self, post: Post) -> Result<()> {
        let mut posts = self.lock();
        let Some(queue) = posts.as_mut() else {
            drop(posts);
            return Err(node::loop_closed());
        };
        queue.push_back(post);
        // A loop that was woken for an earlier post will find this one too.
        let is_first = queue.len() == 1;
        // A logger of what goes wrong may post, too.
        drop(posts);
        if is_first {
            self.wake();
        }
        Ok(())
    }

    fn release(&self) {
        if self.remotes.fetch_sub(1, Ordering::Relaxed) == 1 {
            // The loop may be asleep, and alive for this remote only.
            self.wake();
        }
    }

    fn wake(&self) {
        if let Err(error) = self.alarm.ring() {
            log::error!(target: "soquete::reactor", "could not wake the loop: {error}");
        }
    }

    fn take(&self) -> Option<Post> {
        let mut posts = self.lock();
        let queue = posts.as_mut()?;
        let post = queue.pop_front();
        if queue.is_empty() {
            queue.trim();
        }
        post
    }

    fn len(&self) -> usize {
        self.lock().as_ref().map_or(0, VecDeque::len)
    }

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<Post>>> {
        // Nothing that could panic is called under the lock.
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loop {
    pub(crate) fn remote(&self) -> Result<Remote> {
        Ok(Remote::new(self.poller.mailbox()?))
    }

    pub(super) fn run_posted(&self) {
        let Some(mailbox) = self.poller.existing_mailbox() else {
            return;
        };
        for _ in 0..mailbox.len() {
            if self.is_interrupted() {
                break;
            }
            let Some(post) = mailbox.take() else { break };
            self.call_now(post);
            self.settle();
        }
        if mailbox.len() > 0 {
            mailbox.wake();
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Some(mailbox) = self.poller.existing_mailbox() {
            // Dropped when the lock is released: they may own remotes.
            let _posts = mailbox.lock().take();
        }
    }
}
