//! The descriptor of a socket, where it is kept.

use std::cell::Cell;
use std::mem;
use std::ops::Deref;

use crate::kernel::Stream;

/// Out of its place while it is used, which takes a word less than to count who does.
pub(in crate::net) struct Transport(Cell<Stream>);

impl Transport {
    pub(in crate::net) fn new(stream: Stream) -> Transport {
        Transport(Cell::new(stream))
    }

    /// The descriptor, to one user at a time: whoever borrows it meanwhile finds none.
    #[inline(always)]
    pub(in crate::net) fn borrow(&self) -> Borrowed<'_> {
        Borrowed {
            place: &self.0,
            stream: self.0.replace(Stream::None),
        }
    }

    pub(in crate::net) fn replace(&self, stream: Stream) -> Stream {
        self.0.replace(stream)
    }
}

/// Goes back to its place when this is dropped.
pub(in crate::net) struct Borrowed<'a> {
    place: &'a Cell<Stream>,
    stream: Stream,
}

impl Deref for Borrowed<'_> {
    type Target = Stream;

    #[inline(always)]
    fn deref(&self) -> &Stream {
        &self.stream
    }
}

impl Drop for Borrowed<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let stream = mem::replace(&mut self.stream, Stream::None);
        let before = self.place.replace(stream);
        debug_assert!(before.is_none(), "put in while it was borrowed");
        // There is nothing to drop, which the compiler cannot know.
        mem::forget(before);
    }
}
