//! Handles, and what can be queued for them.

use std::rc::Rc;

use super::event_loop::Loop;
use super::handle::{Handle, Job, Ready, Task};
use crate::kernel::Watched;
use crate::table::Key;

impl Loop {
    pub(crate) fn insert<H: Handle>(&self, make: impl FnOnce(Key) -> H) -> Rc<H> {
        self.handles.borrow_mut().insert_with(|key| {
            let handle = Rc::new(make(key));
            (Rc::clone(&handle) as Rc<dyn Handle>, handle)
        })
    }

    pub(crate) fn handle(&self, key: Key) -> Option<Rc<dyn Handle>> {
        self.handles.borrow().get(key).cloned()
    }

    /// All handles that there are now.
    pub(crate) fn handles(&self) -> Vec<Rc<dyn Handle>> {
        self.handles.borrow().iter().cloned().collect()
    }

    /// Removes a handle from the table. Its state is dropped with the last reference that is in use at this moment.
    pub(crate) fn remove(&self, key: Key) {
        let _handle = self.handles.borrow_mut().remove(key);
    }

    pub(crate) fn register(&self, source: Watched<'_>, key: Key) -> std::io::Result<()> {
        self.poller.register(source, key)
    }

    /// Hands an event out again, which came too late in a run that is about to end.
    pub(crate) fn redeliver(&self, key: Key, ready: Ready) {
        self.poller.put_back(key, ready);
    }

    pub(crate) fn deregister(&self, source: Watched<'_>) -> std::io::Result<()> {
        self.poller.deregister(source)
    }

    pub(crate) fn next_tick(&self, job: Job) {
        self.unsettled.set(true);
        self.ticks.borrow_mut().push_back(job);
    }

    /// Calls `task` when the current callback has returned, before the ticks that it queued. The
    /// task must call no listener.
    pub(crate) fn flush_later(&self, task: Task) {
        self.unsettled.set(true);
        self.unflushed.borrow_mut().push(task);
    }

    pub(crate) fn pend(&self, task: Task) {
        self.pending.borrow_mut().push_back(task);
    }

    pub(crate) fn close_later(&self, task: Task) {
        self.closing.borrow_mut().push(task);
    }

    /// Calls `task` in the next poll phase, as if an event had come.
    pub(crate) fn continue_later(&self, task: Task) {
        self.unfinished.borrow_mut().push_back(task);
    }
}
