//! How an emit calls listeners, one after the other, while lists change.

use super::closure::Call;
use super::entry::Unusual;
use super::listeners::List;
use super::lists::{Heard, Lists, Taken};
use super::outcome::Verdict;
use super::{Event, EventEmitter, ListenerId};
use crate::error::{Error, Result};

impl<Preferred: Event> EventEmitter<Preferred> {
    /// Calls the listeners of `E`; true if there are any. What is not as usual is elsewhere, so that nothing stands
    /// in the way of what is.
    #[inline(always)]
    pub(super) fn call<E: Event>(&self, payload: E::Payload<'_>) -> Result<bool> {
        match self.lists.open::<E>() {
            Heard::Nobody => Ok(false),
            Heard::One(taken, closure) => self.call_one(taken, closure, payload),
            Heard::Unusual => self.call_unusual::<E>(payload),
        }
    }

    /// Calls a listener that was taken out, and gives it back.
    #[inline(always)]
    fn call_one<E: Event>(
        &self,
        taken: Taken,
        closure: Box<dyn Call<E>>,
        payload: E::Payload<'_>,
    ) -> Result<bool> {
        let mut out = Out {
            lists: &self.lists,
            taken,
            closure: Some(closure),
        };
        let verdict = out.call(payload);
        out.returned();
        match verdict {
            Verdict::Fine => Ok(true),
            verdict => self.heeded(verdict, taken.id),
        }
    }

    #[inline(never)]
    fn call_unusual<E: Event>(&self, payload: E::Payload<'_>) -> Result<bool> {
        match self.lists.open_unusual::<E>() {
            None => Ok(false),
            Some(Unusual::Running) => Ok(true),
            Some(Unusual::Only(id, closure)) if !id.is_once() => {
                self.call_one(Taken::from_somewhere(id), closure, payload)
            }
            Some(Unusual::Only(id, mut closure)) => {
                self.remove_listener(id);
                let verdict = closure.call(id, payload);
                self.heeded(verdict, id)
            }
            Some(Unusual::Several(list)) => self.call_each(&list, payload),
        }
    }

    fn call_each<E: Event>(&self, list: &List<E>, payload: E::Payload<'_>) -> Result<bool> {
        let mut failed = None;
        for listener in list.iter() {
            let id = listener.id();
            if id.is_once() {
                self.remove_listener(id);
            }
            match listener.call(payload) {
                Verdict::Fine => {}
                verdict => self.heed(verdict, id, &mut failed),
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// The only listener has returned something.
    #[inline(never)]
    fn heeded(&self, verdict: Verdict, id: ListenerId) -> Result<bool> {
        let mut failed = None;
        self.heed(verdict, id, &mut failed);
        failed.map_or(Ok(true), Err)
    }

    /// A listener has returned something that is not nothing.
    #[cold]
    fn heed(&self, verdict: Verdict, id: ListenerId, failed: &mut Option<Error>) {
        match verdict {
            Verdict::Fine => {}
            Verdict::Stop => {
                self.remove_listener(id);
            }
            Verdict::Failed(error) => *failed = failed.take().or(Some(error)),
        }
    }
}

/// A listener that is out of its place, to which it returns when it does, also by a panic.
struct Out<'a, P: Event, E: Event> {
    lists: &'a Lists<P>,
    taken: Taken,
    closure: Option<Box<dyn Call<E>>>,
}

impl<P: Event, E: Event> Out<'_, P, E> {
    #[inline(always)]
    fn call(&mut self, payload: E::Payload<'_>) -> Verdict {
        match &mut self.closure {
            Some(closure) => closure.call(self.taken.id, payload),
            None => Verdict::Fine,
        }
    }

    /// Nothing has panicked.
    #[inline(always)]
    fn returned(mut self) {
        self.give_back();
        // It has nothing left, and its destructor would be asked for that.
        std::mem::forget(self);
    }

    #[inline(always)]
    fn give_back(&mut self) {
        let closure = self.closure.take();
        let give_back = |closure| self.lists.give_back(self.taken, closure);
        if let Some(removed) = closure.and_then(give_back) {
            removed.let_go();
        }
    }
}

impl<P: Event, E: Event> Drop for Out<'_, P, E> {
    fn drop(&mut self) {
        self.give_back();
    }
}
