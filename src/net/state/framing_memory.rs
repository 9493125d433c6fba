//! What a framing remembers beside what its reader does: while a frame is open, while the socket is paused
//! in front of some, or because its user has stopped it.
//!
//! The socket has it, by the framing's listener, for whoever asks while that listener runs. One that is at
//! rest and without settings has none.

use std::cell::Cell;
use std::time::Duration;

use crate::events::ListenerId;
use crate::events::outcome::Verdict;
use crate::framing::FrameError;
use crate::spare::Spares;
use crate::timers::Timeout;

/// What is called with an error in place of destroying the socket.
pub(in crate::net) type OnError = Box<dyn FnOnce(FrameError) -> Verdict>;

pub(in crate::net) struct FramingMemory {
    framing: ListenerId,
    pub(in crate::net) deadline: Option<Duration>,
    pub(in crate::net) on_error: Option<OnError>,
    /// So many bytes wait with the socket, which was paused in front of them.
    pub(in crate::net) put_back: usize,
    /// Where in the stream the open frame begins, and when that was noticed.
    pub(in crate::net) open: Option<(u64, Duration)>,
    pub(in crate::net) timer: Option<Timeout>,
    pub(in crate::net) noise: Option<Noise>,
    /// Of another framing of the same socket, while one takes over from the other.
    next: Option<Box<FramingMemory>>,
}

/// Bytes that came since the last frame and belong to none.
#[derive(Clone, Copy)]
pub(in crate::net) struct Noise {
    pub(in crate::net) since: Duration,
    pub(in crate::net) last: Duration,
}

thread_local! {
    static SPARE: Spares<FramingMemory> = const { Spares::new() };
}

impl FramingMemory {
    fn new(framing: ListenerId) -> FramingMemory {
        FramingMemory {
            framing,
            deadline: None,
            on_error: None,
            put_back: 0,
            open: None,
            timer: None,
            noise: None,
            next: None,
        }
    }

    pub(in crate::net) fn is_of(&self, framing: ListenerId) -> bool {
        self.framing == framing
    }

    /// What is timed, no more.
    pub(in crate::net) fn disarm(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.clear();
        }
    }

    /// Whether it is as a new one.
    fn is_idle(&self) -> bool {
        self.deadline.is_none()
            && self.on_error.is_none()
            && self.put_back == 0
            && self.open.is_none()
            && self.noise.is_none()
    }
}

/// A word in each socket. Out of its cell while it is looked at, where no code of the user's runs.
#[derive(Default)]
pub(in crate::net) struct FramingMemories(Cell<Option<Box<FramingMemory>>>);

impl FramingMemories {
    #[inline(always)]
    fn lend<R>(&self, f: impl FnOnce(&mut Option<Box<FramingMemory>>) -> R) -> R {
        let mut first = self.0.take();
        let result = f(&mut first);
        // Nothing was put there meanwhile that would have to be dropped.
        std::mem::forget(self.0.replace(first));
        result
    }

    #[inline(always)]
    pub(in crate::net) fn is_empty(&self) -> bool {
        self.lend(|first| first.is_none())
    }

    /// What a framing remembers, if it does.
    pub(in crate::net) fn of<R>(
        &self,
        framing: ListenerId,
        f: impl FnOnce(&mut FramingMemory) -> R,
    ) -> Option<R> {
        self.lend(|first| {
            let mut next = first.as_deref_mut();
            while let Some(memory) = next {
                if memory.framing == framing {
                    return Some(f(memory));
                }
                next = memory.next.as_deref_mut();
            }
            None
        })
    }

    /// As `of`, from now on in any case.
    pub(in crate::net) fn with<R>(
        &self,
        framing: ListenerId,
        f: impl FnOnce(&mut FramingMemory) -> R,
    ) -> R {
        let known = self.of(framing, |_| ()).is_some();
        self.lend(|first| {
            if !known {
                let mut memory = Spares::take(&SPARE, FramingMemory::new(framing));
                memory.next = first.take();
                *first = Some(memory);
            }
        });
        let mut f = Some(f);
        let result = self.of(framing, |memory| f.take().map(|f| f(memory)));
        match result.flatten() {
            Some(result) => result,
            None => unreachable!("it was known, or is now"),
        }
    }

    /// Forgets what is as new.
    pub(in crate::net) fn settle(&self, framing: ListenerId) {
        if self.of(framing, |memory| memory.is_idle()) == Some(true) {
            Spares::give(&SPARE, self.remove(|memory| memory.framing == framing));
        }
    }

    /// Takes what a framing remembers, the first one that is meant.
    pub(in crate::net) fn remove(
        &self,
        is_meant: impl Fn(&FramingMemory) -> bool,
    ) -> Option<Box<FramingMemory>> {
        self.lend(|first| {
            let mut place = first;
            while place.as_ref().is_some_and(|memory| !is_meant(memory)) {
                match place {
                    Some(memory) => place = &mut memory.next,
                    None => return None,
                }
            }
            let mut memory = place.take()?;
            *place = memory.next.take();
            memory.disarm();
            Some(memory)
        })
    }

    /// As `remove`, for one whose framing is not among these.
    pub(in crate::net) fn remove_orphan(
        &self,
        framings: &[ListenerId],
    ) -> Option<Box<FramingMemory>> {
        self.remove(|memory| !framings.contains(&memory.framing))
    }
}
