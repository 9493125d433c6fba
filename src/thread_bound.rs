//! Why a handle cannot go to another thread.

use std::marker::PhantomData;

/// In a handle of one thread's loop, it keeps the handle from being `Send` and `Sync`; its name is what the
/// compiler's message shows for the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StaysOnItsThread(PhantomData<*const ()>);

impl StaysOnItsThread {
    pub(crate) const HERE: StaysOnItsThread = StaysOnItsThread(PhantomData);
}
