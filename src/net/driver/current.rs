//! The socket whose data is being listened to, at hand for what its listeners do to it.

use std::cell::Cell;
use std::rc::Rc;

use crate::net::state::socket::SocketState;
use crate::reactor::{Key, Loop};

thread_local! {
    /// The socket whose `Data` listeners are running. What they do is mostly done to it, and to be
    /// spared the look-up for each of many small writes is worth a place of its own.
    static SPEAKER: Cell<Option<Rc<SocketState>>> = const { Cell::new(None) };
}

impl SocketState {
    /// The socket that a key names, if it is still there.
    #[inline]
    pub(in crate::net) fn find(event_loop: &Loop, key: Key) -> Option<Rc<SocketState>> {
        speaker(key).or_else(|| SocketState::look_up(event_loop, key))
    }
}

/// The speaker, if it is this socket.
#[inline]
fn speaker(key: Key) -> Option<Rc<SocketState>> {
    let found = SPEAKER.try_with(|speaker| {
        let state = speaker.take();
        let found = state.as_ref().filter(|state| state.key == key).cloned();
        // Nothing was put there meanwhile that would have to be dropped.
        std::mem::forget(speaker.replace(state));
        found
    });
    // A thread on its way out has none.
    found.ok()?
}

/// While a chunk is handed to its listeners, in a run: it ends before the loop calls anything else, so
/// that no write waits for it in vain and the speaker is never a socket that is gone.
pub(in crate::net) struct InData<'a> {
    state: &'a SocketState,
    speaker_before: Option<Rc<SocketState>>,
}

impl InData<'_> {
    pub(in crate::net) fn begin(state: &Rc<SocketState>) -> InData<'_> {
        state.in_data.set(true);
        let speaker = Some(Rc::clone(state));
        InData {
            state,
            speaker_before: SPEAKER
                .try_with(|place| place.replace(speaker))
                .ok()
                .flatten(),
        }
    }
}

impl Drop for InData<'_> {
    fn drop(&mut self) {
        self.state.in_data.set(false);
        let _ = SPEAKER.try_with(|speaker| speaker.set(self.speaker_before.take()));
    }
}
