//! What users keep with a socket or server. Node's `socket.nick = …`.

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;

/// Values of different types, and few of them: a list is searched as fast as a map.
type Values = Vec<Rc<dyn Any>>;

/// A pointer's width while there is none. Out of its cell while it is looked at, where no code of the user's
/// runs.
#[derive(Default)]
pub(in crate::net) struct Attachments(Cell<Option<Box<Values>>>);

impl Attachments {
    /// Keeps a value, and hands back the one of its type that it takes the place of: dropping that is the
    /// user's code.
    pub(in crate::net) fn put<T: 'static>(&self, value: T) -> Option<Rc<dyn Any>> {
        let value: Rc<dyn Any> = Rc::new(value);
        let mut values = self.0.take().unwrap_or_default();
        let old = match values.iter_mut().find(|value| value.is::<T>()) {
            Some(place) => Some(std::mem::replace(place, value)),
            None => {
                values.push(value);
                None
            }
        };
        self.0.set(Some(values));
        old
    }

    pub(in crate::net) fn get<T: 'static>(&self) -> Option<Rc<T>> {
        let values = self.0.take()?;
        let found = values.iter().find(|value| value.is::<T>()).cloned();
        self.0.set(Some(values));
        found?.downcast().ok()
    }
}
