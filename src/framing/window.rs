//! The window: the part of a stream that a format sees.

use super::search;

/// The unread bytes from a frame's first byte on, in two slices: what earlier reads left over, and
/// the chunk that has just arrived.
///
/// Positions count from the frame's first byte across both slices, so a format need not know where
/// the boundary is, and the slices are never copied together.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    first: &'a [u8],
    second: &'a [u8],
}

impl<'a> Window<'a> {
    /// A window over two slices, as if they were one after the other.
    ///
    /// ```
    /// use soquete::framing::Window;
    ///
    /// let window = Window::new(b"hel", b"lo");
    /// assert_eq!((window.len(), window.get(3)), (5, Some(b'l')));
    /// ```
    #[inline]
    pub fn new(first: &'a [u8], second: &'a [u8]) -> Self {
        Self { first, second }
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(self) -> usize {
        self.first.len() + self.second.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.first.is_empty() && self.second.is_empty()
    }

    /// The byte at `at`, if it has arrived.
    #[inline]
    pub fn get(self, at: usize) -> Option<u8> {
        work::examined(1);
        match self.first.get(at) {
            Some(&byte) => Some(byte),
            None => self.second.get(at.checked_sub(self.first.len())?).copied(),
        }
    }

    /// The `N` bytes from `at` on, if all have arrived.
    #[inline]
    pub fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        // Nearly always nothing is left over from before; small enough to be inlined.
        if self.first.is_empty() {
            let array = self.second.get(at..)?.first_chunk().copied();
            work::examined(array.map_or(0, |_| N));
            return array;
        }
        self.array_at_boundary(at)
    }

    #[cold]
    #[inline(never)]
    fn array_at_boundary<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        if at.checked_add(N)? > self.len() {
            return None;
        }
        work::examined(N);
        Some(std::array::from_fn(|i| match self.first.get(at + i) {
            Some(&byte) => byte,
            None => self.second[at + i - self.first.len()],
        }))
    }

    /// The position of the first `byte` at or after `from`.
    ///
    /// ```
    /// # use soquete::framing::Window;
    /// let window = Window::new(b"one\ntw", b"o\n");
    /// assert_eq!(window.find(b'\n', 4), Some(7));
    /// ```
    #[inline]
    pub fn find(self, byte: u8, from: usize) -> Option<usize> {
        self.search(from, move |part| search::find(part, byte))
    }

    /// The position of the first byte at or after `from` that is `a` or `b`.
    ///
    /// ```
    /// # use soquete::framing::Window;
    /// let window = Window::new(b"key", b"=value\n");
    /// assert_eq!(window.find_either(b'=', b'\n', 0), Some(3));
    /// ```
    #[inline]
    pub fn find_either(self, a: u8, b: u8, from: usize) -> Option<usize> {
        self.search(from, move |part| search::find_any(part, [a, b]))
    }

    /// The two slices from position `from` on; the second is empty or follows the first.
    ///
    /// For a format that looks at every byte: a loop over two slices is faster than
    /// [`get`](Self::get) by position. It counts as a look at all of them where work is bounded, as in
    /// fuzzing: use `get`, [`array`](Self::array) or [`find`](Self::find) for a head.
    #[inline]
    pub fn slices(self, from: usize) -> [&'a [u8]; 2] {
        work::examined(self.len().saturating_sub(from));
        self.split(from)
    }

    /// As [`slices`](Self::slices), for callers that count the bytes they look at themselves.
    #[inline]
    pub(super) fn split(self, from: usize) -> [&'a [u8]; 2] {
        match self.first.get(from..) {
            Some(first) => [first, self.second],
            None => [
                &[],
                self.second
                    .get(from - self.first.len()..)
                    .unwrap_or_default(),
            ],
        }
    }

    #[inline]
    fn search(self, from: usize, find: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        let [first, second] = self.split(from);
        if !first.is_empty() {
            if let Some(i) = find(first) {
                work::examined(i + 1);
                return Some(from + i);
            }
            work::examined(first.len());
        }
        match find(second) {
            Some(i) => {
                work::examined(i + 1);
                Some(from + first.len() + i)
            }
            None => {
                work::examined(second.len());
                None
            }
        }
    }
}

/// Counts the bytes that formats examine and the calls of `cut`, so that tests can bound the former by the latter.
/// Outside of tests it counts nothing.
pub(super) mod work {
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    thread_local! {
        static EXAMINED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
        static CALLS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    #[inline]
    pub(in crate::framing) fn examined(bytes: usize) {
        #[cfg(any(test, fuzzing, feature = "fuzzing"))]
        EXAMINED.with(|count| count.set(count.get() + bytes as u64));
        #[cfg(not(any(test, fuzzing, feature = "fuzzing")))]
        let _ = bytes;
    }

    #[inline]
    pub(in crate::framing) fn called() {
        #[cfg(any(test, fuzzing, feature = "fuzzing"))]
        CALLS.with(|count| count.set(count.get() + 1));
    }

    /// Resets the counts.
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    pub(in crate::framing) fn begin() {
        EXAMINED.set(0);
        CALLS.set(0);
    }

    /// Bytes and calls.
    #[cfg(any(test, fuzzing, feature = "fuzzing"))]
    pub(in crate::framing) fn done() -> (u64, u64) {
        (EXAMINED.get(), CALLS.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_invisible() {
        let all = b"0123456789";
        for cut in 0..=all.len() {
            let window = Window::new(&all[..cut], &all[cut..]);
            assert_eq!(window.len(), 10);
            for at in 0..12 {
                assert_eq!(window.get(at), all.get(at).copied(), "cut {cut}, at {at}");
                let three = all.get(at..at + 3).and_then(|three| three.try_into().ok());
                assert_eq!(window.array::<3>(at), three, "cut {cut}, at {at}");
                let found = (at <= 7).then_some(7);
                assert_eq!(window.find(b'7', at), found, "cut {cut}, at {at}");
                assert_eq!(
                    window.find_either(b'x', b'7', at),
                    found,
                    "cut {cut}, at {at}"
                );
                let rest = all.get(at..).unwrap_or_default();
                assert_eq!(window.slices(at).concat(), rest, "cut {cut}, at {at}");
            }
        }
    }

    #[test]
    fn positions_near_the_end_of_usize_are_just_absent() {
        let window = Window::new(b"ab", b"cd");
        assert_eq!(window.get(usize::MAX), None);
        assert_eq!(window.array::<2>(usize::MAX), None);
        assert_eq!(window.find(b'a', usize::MAX), None);
    }
}
