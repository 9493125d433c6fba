//! Caches the socket whose listeners of `Data` or `Readable` are running, so that calls on it skip the table look-up.

use std::cell::Cell;
use std::rc::Rc;

use crate::net::state::socket::SocketState;
use crate::reactor::{Key, Loop};

thread_local! {
    /// Most calls of such a listener are on its own socket, and the look-up would be a good part of a small write or read.
    static CURRENT: Cell<Option<Rc<SocketState>>> = const { Cell::new(None) };
}

impl SocketState {
    /// The socket that a key names, if it is still there.
    #[inline]
    pub(in crate::net) fn find(event_loop: &Loop, key: Key) -> Option<Rc<SocketState>> {
        current(key).or_else(|| SocketState::look_up(event_loop, key))
    }
}

/// The current socket, if this is its key.
#[inline]
fn current(key: Key) -> Option<Rc<SocketState>> {
    let found = CURRENT.try_with(|current| {
        let state = current.take();
        let found = state.as_ref().filter(|state| state.key == key).cloned();
        // Nothing was put there meanwhile that would have to be dropped.
        std::mem::forget(current.replace(state));
        found
    });
    // A thread on its way out has none.
    found.ok()?
}

/// While listeners of a socket's are called, in a run: it ends before the loop calls anything else, so that the
/// current socket is always in the table.
pub(in crate::net) struct Current {
    before: Option<Rc<SocketState>>,
}

impl Current {
    pub(in crate::net) fn begin(state: &Rc<SocketState>) -> Current {
        let socket = Some(Rc::clone(state));
        let before = CURRENT.try_with(|place| place.replace(socket));
        Current {
            before: before.ok().flatten(),
        }
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        let _ = CURRENT.try_with(|current| current.set(self.before.take()));
    }
}

/// While a chunk is handed to its listeners: what they write waits for their return, which comes before anything else.
pub(in crate::net) struct InData<'a> {
    state: &'a SocketState,
    _current: Current,
}

impl InData<'_> {
    pub(in crate::net) fn begin(state: &Rc<SocketState>) -> InData<'_> {
        debug_assert!(
            !state.bits.in_data().get(),
            "`Data` does not nest: the machine queues what is read inside"
        );
        state.bits.in_data().set(true);
        InData {
            state,
            _current: Current::begin(state),
        }
    }
}

impl Drop for InData<'_> {
    fn drop(&mut self) {
        self.state.bits.in_data().set(false);
    }
}
