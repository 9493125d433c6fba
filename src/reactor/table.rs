//! A slab whose keys never reach a later tenant of their slot.
//!
//! Every insertion gets the next number of one counter as its generation; a key is an index and
//! that number. A stale key finds a vacant slot or another number, and gets nothing. (The counter
//! has 32 bits: a key would have to be kept while exactly a multiple of 2³² insertions go by, and
//! its slot to be taken again by the last of them.)

use slab::Slab;

/// Names one entry of one [`Table`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// A key that no entry ever has: tables do not grow to four thousand million slots.
    pub(crate) const RESERVED: Key = Key {
        index: u32::MAX,
        generation: u32::MAX,
    };

    /// Both halves in one word, which is what the poller hands back with an event.
    pub(crate) fn to_bits(self) -> usize {
        (self.generation as usize) << 32 | self.index as usize
    }

    /// The slot, for lists that link entries of one table.
    pub(super) fn index(self) -> u32 {
        self.index
    }

    pub(crate) fn from_bits(bits: usize) -> Key {
        Key {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

/// Entries by [`Key`].
pub(crate) struct Table<T> {
    slots: Slab<Slot<T>>,
    next_generation: u32,
}

struct Slot<T> {
    generation: u32,
    entry: T,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Table<T> {
        Table::beginning_at(0)
    }

    /// With the generation of the first entry: keys of tables that begin far apart do not meet.
    pub(crate) const fn beginning_at(generation: u32) -> Table<T> {
        Table {
            slots: Slab::new(),
            next_generation: generation,
        }
    }

    /// Inserts what `make` makes of the key that it will have, and returns what else it makes.
    pub(crate) fn insert_with<R>(&mut self, make: impl FnOnce(Key) -> (T, R)) -> R {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let slot = self.slots.vacant_entry();
        let (entry, result) = make(Key {
            index: slot.key() as u32,
            generation,
        });
        slot.insert(Slot { generation, entry });
        result
    }

    pub(crate) fn insert(&mut self, entry: T) -> Key {
        self.insert_with(|key| (entry, key))
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        (slot.generation == key.generation).then_some(&slot.entry)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        (slot.generation == key.generation).then_some(&mut slot.entry)
    }

    /// The tenant of a slot that is known to have one. Panics if it has none.
    pub(super) fn at_mut(&mut self, index: u32) -> (Key, &mut T) {
        let slot = &mut self.slots[index as usize];
        (
            Key {
                index,
                generation: slot.generation,
            },
            &mut slot.entry,
        )
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        Some(self.slots.remove(key.index as usize).entry)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|(_, slot)| &slot.entry)
    }

    pub(crate) fn iter_keyed(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().map(|(index, slot)| {
            let key = Key {
                index: index as u32,
                generation: slot.generation,
            };
            (key, &slot.entry)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_round_trip_through_the_poller() {
        let mut table = Table::new();
        let keys: Vec<Key> = (0..3).map(|n| table.insert(n)).collect();
        for key in keys {
            assert_eq!(Key::from_bits(key.to_bits()), key);
        }
    }

    #[test]
    fn a_stale_key_never_reaches_the_next_tenant() {
        let mut table = Table::new();
        let first = table.insert("first");
        assert_eq!(table.remove(first), Some("first"));
        let second = table.insert("second");
        assert_eq!(first.index, second.index, "the slot is used again");
        assert_eq!(table.get(first), None);
        assert_eq!(table.get_mut(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second), Some(&"second"));
    }
}
