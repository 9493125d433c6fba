//! What can be done to a framing, whatever its format and its listener.

use std::any::Any;

use super::delivery::Framing;
use crate::error::{Error, Result};
use crate::event;
use crate::events::ListenerId;
use crate::events::closure::Call;
use crate::events::outcome::Verdict;
use crate::framing::{Format, FrameError, Item, Reading};
use crate::machine::Framed;
use crate::net::driver::socket::SocketDriver;
use crate::net::state::framing_memory::FramingMemory;

/// What has arrived and was not read: behind so many other bytes, and from where in the stream on.
pub(super) struct Rest {
    pub(super) bytes: Vec<u8>,
    pub(super) taken: usize,
    pub(super) at: u64,
}

/// A framing that is not delivering. `id` is always its listener's.
pub(super) trait Control: Call<event::Data> {
    /// Delivers what is kept.
    fn go_on(&mut self, driver: &SocketDriver<'_>, id: ListenerId);

    /// Goes on with what a framing before has left.
    fn take_over(&mut self, driver: &SocketDriver<'_>, id: ListenerId, rest: Rest);

    fn format(&mut self) -> &mut dyn Any;

    /// Refuses if bytes have come that were not read.
    fn clean(&self, driver: &SocketDriver<'_>) -> Result<()>;

    /// Ends the framing, for another one to go on.
    fn give_up(&mut self, driver: &SocketDriver<'_>, id: ListenerId) -> Result<Rest>;

    fn close(&mut self, driver: &SocketDriver<'_>, id: ListenerId);
}

impl<F, L> Control for Framing<F, L>
where
    F: Format + 'static,
    L: FnMut(Item<'_>, Reading<'_, F>) -> Verdict + 'static,
{
    fn go_on(&mut self, driver: &SocketDriver<'_>, id: ListenerId) {
        self.deliver(driver, id, &[]);
    }

    fn take_over(&mut self, driver: &SocketDriver<'_>, id: ListenerId, rest: Rest) {
        self.reader.take_over(rest.bytes, rest.taken, rest.at);
        let waits = self.reader.unread() > 0;
        driver.state.duplex.hold(driver, waits);
        if waits {
            driver.deliver_later(id);
        }
    }

    fn format(&mut self) -> &mut dyn Any {
        self.reader.format_mut()
    }

    fn clean(&self, driver: &SocketDriver<'_>) -> Result<()> {
        // With the socket, too, there may be some, if it was paused.
        let have = self.reader.unread() + driver.state.duplex.readable_length();
        let at = self.reader.offset();
        match have {
            0 => Ok(()),
            have => Err(FrameError::UnexpectedRest { at, have }.into()),
        }
    }

    fn give_up(&mut self, driver: &SocketDriver<'_>, id: ListenerId) -> Result<Rest> {
        if let Some(error) = self.reader.why_not_switch() {
            return Err(error.into());
        }
        let at = self.reader.offset();
        let (bytes, taken) = self.reader.take_buffer();
        self.close(driver, id);
        Ok(Rest { bytes, taken, at })
    }

    fn close(&mut self, driver: &SocketDriver<'_>, id: ListenerId) {
        if !self.is_over() {
            self.end(driver, id);
        }
    }
}

pub(super) fn not_now() -> Error {
    let message = "frames are being delivered, or not any more";
    Error::new("ERR_INVALID_STATE", message)
}

/// A framing that is out of its place, to which it goes back in any case.
struct Out<'a> {
    driver: &'a SocketDriver<'a>,
    id: ListenerId,
    framing: Option<Box<dyn Control>>,
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        if let Some(framing) = self.framing.take() {
            self.driver
                .state
                .emitter
                .give_back::<event::Data>(self.id, framing);
        }
    }
}

impl SocketDriver<'_> {
    /// Does something with a framing, unless it is over, or delivers at the moment.
    pub(super) fn with_framing<R>(
        &self,
        id: ListenerId,
        f: impl FnOnce(&mut dyn Control) -> R,
    ) -> Option<R> {
        let framing = self.state.emitter.take_out(event::Data, id);
        let mut out = Out {
            driver: self,
            id,
            framing,
        };
        out.framing.as_deref_mut().map(f)
    }

    /// Has a framing deliver what it keeps.
    pub(super) fn deliver(&self, id: ListenerId) {
        // What its listener puts back meanwhile comes behind that.
        self.state.duplex.hand_on(self, || {
            self.with_framing(id, |framing| {
                self.event_loop.call_now(|| framing.go_on(self, id));
            });
        });
    }

    /// Has all framings of the socket deliver what they keep.
    pub(in crate::net) fn deliver_frames(&self) {
        if self.state.duplex.framed() == Framed::No {
            return;
        }
        for id in self.state.emitter.listeners(event::Data) {
            if self.event_loop.is_interrupted() {
                self.in_next_run(move |driver| driver.deliver(id));
            } else {
                self.deliver(id);
            }
        }
    }

    /// The peer has ended, and with it what was sent of a frame.
    pub(in crate::net) fn end_frames(&self) {
        if self.state.duplex.framed() == Framed::No {
            return;
        }
        for id in self.state.emitter.listeners(event::Data) {
            self.state.framing_memories.of(id, FramingMemory::stop);
        }
        self.deliver_frames();
    }

    /// Framings end with the socket's life: its next one is framed anew, or not at all.
    pub(in crate::net) fn close_frames(&self) {
        if self.state.duplex.framed() == Framed::No {
            return;
        }
        for id in self.state.emitter.listeners(event::Data) {
            self.with_framing(id, |framing| framing.close(self, id));
        }
    }

    /// Has a framing deliver in the next turn what it keeps.
    pub(super) fn deliver_later(&self, id: ListenerId) {
        let key = self.state.key;
        crate::timers::set_immediate(move || {
            SocketDriver::with(key, |driver| driver.deliver(id));
        });
    }

    /// Notes what a framing has of the socket's bytes. The end of a frame that is held may be the peer's end.
    pub(super) fn note_framed(&self, framed: Framed) {
        self.state.duplex.set_framed(framed);
    }

    /// One framing less.
    pub(super) fn framing_is_over(&self) {
        let left = self.state.framings.get().saturating_sub(1);
        self.state.framings.set(left);
        self.note_framed(match left {
            0 => Framed::No,
            _ => Framed::Delivered,
        });
    }
}
