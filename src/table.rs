//! Entries whose keys never reach a later tenant of their slot.
//!
//! Every insertion gets the next number of one counter as its generation; a key is an index and
//! that number. A stale key finds a vacant slot or another number, and gets nothing. (The counter
//! has 32 bits: a key would have to be kept while exactly a multiple of 2³² insertions go by, and
//! its slot to be taken again by the last of them.)
//!
//! Slots come in pages, and the first page with room is filled first. A page that has lost its last
//! tenant is kept for the next ones until [`Table::trim`].

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

/// Slots of a page: as many as a word has bits.
const PAGE: usize = 64;

/// So many empty pages are kept.
const SPARE_PAGES: usize = 4;

/// Entries by [`Key`].
pub(crate) struct Table<T> {
    pages: Vec<Page<T>>,
    /// A bit for each page that has a vacant slot.
    roomy: Vec<u64>,
    /// The first word of `roomy` that may have a bit set.
    first_roomy: usize,
    len: usize,
    /// How many pages have memory and no tenant.
    empty_pages: usize,
    next_generation: u32,
}

struct Page<T> {
    /// A bit for each slot that is taken.
    taken: u64,
    slots: Vec<Option<Slot<T>>>,
}

struct Slot<T> {
    generation: u32,
    entry: T,
}

impl<T> Page<T> {
    fn is_empty_with_memory(&self) -> bool {
        self.taken == 0 && !self.slots.is_empty()
    }
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Table<T> {
        Table::beginning_at(0)
    }

    /// With the generation of the first entry: keys of tables that begin far apart do not meet.
    pub(crate) const fn beginning_at(generation: u32) -> Table<T> {
        Table {
            pages: Vec::new(),
            roomy: Vec::new(),
            first_roomy: 0,
            len: 0,
            empty_pages: 0,
            next_generation: generation,
        }
    }

    /// Inserts what `make` makes of the key that it will have, and returns what else it makes.
    pub(crate) fn insert_with<R>(&mut self, make: impl FnOnce(Key) -> (T, R)) -> R {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let number = self.page_with_room();
        let page = &mut self.pages[number];
        let place = page.taken.trailing_ones() as usize;
        let (entry, result) = make(Key {
            index: (number * PAGE + place) as u32,
            generation,
        });
        let slot = Some(Slot { generation, entry });
        if page.is_empty_with_memory() {
            self.empty_pages -= 1;
        }
        if place < page.slots.len() {
            page.slots[place] = slot;
        } else {
            // Who has filled a page will fill more.
            if number > 0 && page.slots.is_empty() {
                page.slots.reserve_exact(PAGE);
            }
            page.slots.push(slot);
        }
        page.taken |= 1 << place;
        if page.taken == u64::MAX {
            self.roomy[number / PAGE] &= !(1 << (number % PAGE));
        }
        self.len += 1;
        result
    }

    pub(crate) fn insert(&mut self, entry: T) -> Key {
        self.insert_with(|key| (entry, key))
    }

    /// The first page that has a vacant slot. The caller fills one.
    fn page_with_room(&mut self) -> usize {
        while let Some(word) = self.roomy.get(self.first_roomy) {
            if *word != 0 {
                return self.first_roomy * PAGE + word.trailing_zeros() as usize;
            }
            self.first_roomy += 1;
        }
        let number = self.pages.len();
        self.pages.push(Page {
            taken: 0,
            slots: Vec::new(),
        });
        if number / PAGE == self.roomy.len() {
            self.roomy.push(0);
        }
        self.first_roomy = number / PAGE;
        self.roomy[number / PAGE] |= 1 << (number % PAGE);
        number
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        let page = self.pages.get(index as usize / PAGE)?;
        page.slots.get(index as usize % PAGE)?.as_ref()
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        let page = self.pages.get_mut(index as usize / PAGE)?;
        page.slots.get_mut(index as usize % PAGE)?.as_mut()
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slot(key.index)?;
        (slot.generation == key.generation).then_some(&slot.entry)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slot_mut(key.index)?;
        (slot.generation == key.generation).then_some(&mut slot.entry)
    }

    /// The tenant of a slot.
    pub(super) fn at(&self, index: u32) -> Option<(Key, &T)> {
        let slot = self.slot(index)?;
        let generation = slot.generation;
        Some((Key { index, generation }, &slot.entry))
    }

    /// The tenant of a slot that is known to have one. Panics if it has none.
    pub(super) fn at_mut(&mut self, index: u32) -> (Key, &mut T) {
        let Some(slot) = self.slot_mut(index) else {
            unreachable!("a linked slot has a tenant");
        };
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
        let number = key.index as usize / PAGE;
        let place = key.index as usize % PAGE;
        let page = &mut self.pages[number];
        let slot = page.slots[place].take()?;
        page.taken &= !(1 << place);
        if page.taken == 0 {
            self.empty_pages += 1;
        }
        self.roomy[number / PAGE] |= 1 << (number % PAGE);
        self.first_roomy = self.first_roomy.min(number / PAGE);
        self.len -= 1;
        Some(slot.entry)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let slots = self.pages.iter().flat_map(|page| &page.slots);
        slots.flatten().map(|slot| &slot.entry)
    }

    pub(crate) fn iter_keyed(&self) -> impl Iterator<Item = (Key, &T)> {
        let numbered = self.pages.iter().enumerate().flat_map(|(number, page)| {
            let slots = page.slots.iter().enumerate();
            slots.map(move |(place, slot)| (number * PAGE + place, slot))
        });
        numbered.filter_map(|(index, slot)| {
            let slot = slot.as_ref()?;
            let key = Key {
                index: index as u32,
                generation: slot.generation,
            };
            Some((key, &slot.entry))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is memory to give back.
    pub(super) fn is_swollen(&self) -> bool {
        self.empty_pages > SPARE_PAGES
    }

    /// Gives the memory of empty pages back.
    pub(super) fn trim(&mut self) {
        let in_use = self.pages.iter().rposition(|page| page.taken != 0);
        self.pages.truncate(in_use.map_or(0, |last| last + 1));
        self.pages.shrink_to_fit();
        self.roomy.truncate(self.pages.len().div_ceil(PAGE));
        self.roomy.shrink_to_fit();
        if let Some(word) = self.roomy.last_mut() {
            // Pages that are gone have no room.
            *word &= u64::MAX >> ((PAGE - self.pages.len() % PAGE) % PAGE);
        }
        self.first_roomy = 0;
        for page in self.pages.iter_mut().filter(|page| page.taken == 0) {
            page.slots = Vec::new();
        }
        self.empty_pages = 0;
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

    #[test]
    fn what_is_left_of_a_peak_is_found_after_the_memory_is_given_back() {
        let mut table = Table::new();
        let keys: Vec<Key> = (0..100_000).map(|n| table.insert(n)).collect();
        let stays = |n: usize| n.is_multiple_of(10_007);
        for (n, key) in keys.iter().enumerate().filter(|(n, _)| !stays(*n)) {
            assert_eq!(table.remove(*key), Some(n));
        }
        assert!(table.is_swollen());
        table.trim();
        assert!(!table.is_swollen());
        let kept: usize = table.pages.iter().map(|page| page.slots.len()).sum();
        assert!(kept <= 10 * PAGE, "{kept} slots for 10 tenants");
        for (n, key) in keys.iter().enumerate() {
            assert_eq!(table.get(*key), stays(n).then_some(&n));
        }
        assert_eq!(table.iter().count(), table.len());
        // All of it serves again, from the first page on.
        let again: Vec<Key> = (0..100_000).map(|n| table.insert(n)).collect();
        assert!(again.iter().all(|key| key.index < 100_064));
        assert!(again.iter().all(|key| table.remove(*key).is_some()));
        assert_eq!(table.len(), 10);
    }

    #[test]
    fn a_random_life_agrees_with_a_map() {
        let mut seed = 0x5eed_u64;
        let mut below = move |bound: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as usize % bound
        };
        let mut table = Table::new();
        let mut model: Vec<(Key, usize)> = Vec::new();
        for step in 0..50_000 {
            let growing = step / 5_000 % 2 == 0;
            match below(10) {
                0..5 if growing => model.push((table.insert(step), step)),
                0 => model.push((table.insert(step), step)),
                9 if below(500) == 0 => table.trim(),
                _ if !model.is_empty() => {
                    let (key, value) = model.swap_remove(below(model.len()));
                    assert_eq!(table.get_mut(key), Some(&mut value.clone()));
                    assert_eq!(table.remove(key), Some(value));
                    assert_eq!(table.remove(key), None);
                }
                _ => {}
            }
            assert_eq!(table.len(), model.len());
        }
        for (key, value) in model {
            assert_eq!(table.get(key), Some(&value));
        }
    }
}
