//! What the seed determines: numbers that depend on where they are drawn, and not on what was drawn
//! before.

use std::cell::Cell;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::RangeInclusive;

/// What a number is drawn for.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Draw {
    Turn = 1,
    Shuffle,
    Spurious,
    SpuriousFile,
    WorkDelay,
    NameDelay,
    SharedPort,
    SendBuffer,
    Window,
    Latency,
    Gap,
    Healing,
    WriteAtMost,
    MemoryShort,
    Segment,
    Swarm,
    Fault,
}

/// Where numbers come from: the seed, or bytes that a fuzzer chose.
#[derive(Debug)]
pub(super) struct Random {
    pub(super) seed: u64,
    tape: Option<Tape>,
    draws: Cell<u64>,
}

#[derive(Debug)]
struct Tape {
    bytes: Vec<u8>,
    at: Cell<usize>,
}

impl Random {
    pub(super) fn new(seed: u64, bytes: Option<Vec<u8>>) -> Random {
        Random {
            seed,
            tape: bytes.map(|bytes| Tape {
                bytes,
                at: Cell::new(0),
            }),
            draws: Cell::new(0),
        }
    }

    /// The number of one place.
    #[inline]
    pub(super) fn at(&self, what: Draw, place: u64, nth: u64) -> u64 {
        match &self.tape {
            None => mix(self.seed, (what as u64) << 52 ^ place, nth),
            Some(tape) => tape.next(),
        }
    }

    /// As `at`; a large number where there are no bytes any more.
    #[inline]
    pub(super) fn rarely(&self, what: Draw, place: u64, nth: u64) -> u64 {
        match &self.tape {
            None => self.at(what, place, nth),
            Some(tape) => !tape.next(),
        }
    }

    /// As `at`, from a range.
    #[inline]
    pub(super) fn within(
        &self,
        range: &RangeInclusive<u64>,
        what: Draw,
        place: u64,
        nth: u64,
    ) -> u64 {
        let (low, high) = (*range.start(), *range.end());
        if low >= high {
            return low;
        }
        let drawn = self.at(what, place, nth) % (high - low).saturating_add(1);
        match &self.tape {
            None => low + drawn,
            // Where there are no bytes any more, streams are cut into the fewest pieces.
            Some(_) => high - drawn,
        }
    }

    /// A number of a sequence, for what depends on the order of the turns in any case.
    pub(super) fn next(&self, what: Draw) -> u64 {
        self.draws.set(self.draws.get() + 1);
        self.at(what, 0, self.draws.get())
    }
}

impl Tape {
    /// Two bytes a number; zeros when there are none left.
    fn next(&self) -> u64 {
        let at = self.at.get();
        self.at.set(at + 2);
        let byte = |at: usize| u64::from(self.bytes.get(at).copied().unwrap_or(0));
        let number = byte(at) << 8 | byte(at + 1);
        // The higher bits decide, too.
        number | number << 20
    }
}

/// For keys that nobody chooses to do harm: quick, and the same on every machine.
#[derive(Default)]
pub(super) struct QuickHasher(u64);

/// A map whose keys are numbers of the world's own.
pub(super) type QuickMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<QuickHasher>>;

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// A number that depends on all of these and on nothing else.
#[inline]
pub(crate) fn mix(seed: u64, a: u64, b: u64) -> u64 {
    const ODD: [u64; 4] = [
        0x9e37_79b9_7f4a_7c15,
        0xc2b2_ae3d_27d4_eb4f,
        0xbf58_476d_1ce4_e5b9,
        0x94d0_49bb_1331_11eb,
    ];
    let mut x = seed ^ a.wrapping_mul(ODD[0]) ^ b.wrapping_mul(ODD[1]);
    x = (x ^ x >> 30).wrapping_mul(ODD[2]);
    x = (x ^ x >> 27).wrapping_mul(ODD[3]);
    x ^= x >> 31;
    x = x.wrapping_add(a ^ b.rotate_left(32));
    x = (x ^ x >> 30).wrapping_mul(ODD[2]);
    x ^ x >> 31
}
