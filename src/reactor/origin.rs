//! Where the user's code has made something.

use std::panic::Location;

/// A place in the user's code, in debug builds; nothing in others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    #[cfg(debug_assertions)]
    location: &'static Location<'static>,
}

impl Origin {
    /// Where the function was called from that calls this, if each on the way is `#[track_caller]`.
    #[track_caller]
    pub(crate) fn here() -> Origin {
        Origin {
            #[cfg(debug_assertions)]
            location: Location::caller(),
        }
    }

    pub(crate) fn location(self) -> Option<&'static Location<'static>> {
        #[cfg(debug_assertions)]
        return Some(self.location);
        #[cfg(not(debug_assertions))]
        return None;
    }
}
