//! Flags of what there are many of, a bit each.

use std::cell::Cell;

/// The place of one flag, used as a `Cell<bool>` is.
#[derive(Clone, Copy)]
pub(crate) struct Bit<'a> {
    bits: &'a Cell<u16>,
    mask: u16,
}

impl<'a> Bit<'a> {
    #[inline(always)]
    pub(crate) fn new(bits: &'a Cell<u16>, place: u32) -> Bit<'a> {
        Bit {
            bits,
            mask: 1 << place,
        }
    }

    #[inline(always)]
    pub(crate) fn get(self) -> bool {
        self.bits.get() & self.mask != 0
    }

    #[inline(always)]
    pub(crate) fn set(self, value: bool) {
        let others = self.bits.get() & !self.mask;
        self.bits
            .set(if value { others | self.mask } else { others });
    }

    #[inline(always)]
    pub(crate) fn replace(self, value: bool) -> bool {
        let before = self.get();
        self.set(value);
        before
    }
}

/// Makes a struct of up to sixteen flags, all false at first, with a method for each.
macro_rules! bits {
    ($(#[$attribute:meta])* $access:vis struct $name:ident { $($(#[$doc:meta])* $flag:ident,)* }) => {
        $(#[$attribute])*
        #[derive(Default)]
        $access struct $name(std::cell::Cell<u16>);

        impl $name {
            $crate::bits::bits!(@ 0, $access, $($(#[$doc])* $flag,)*);
        }
    };
    (@ $place:expr, $access:vis, $(#[$doc:meta])* $flag:ident, $($rest:tt)*) => {
        $(#[$doc])*
        #[inline(always)]
        $access fn $flag(&self) -> $crate::bits::Bit<'_> {
            const { assert!($place < 16) };
            $crate::bits::Bit::new(&self.0, $place)
        }

        $crate::bits::bits!(@ $place + 1, $access, $($rest)*);
    };
    (@ $place:expr, $access:vis,) => {};
}
pub(crate) use bits;

#[cfg(test)]
mod tests {
    bits! {
        struct Few {
            first,
            second,
        }
    }

    #[test]
    fn a_flag_changes_alone() {
        let few = Few::default();
        few.second().set(true);
        assert_eq!((few.first().get(), few.second().get()), (false, true));
        assert!(!few.first().replace(true));
        assert!(few.second().replace(false));
        assert_eq!((few.first().get(), few.second().get()), (true, false));
    }
}
