//! The timer queue: a hierarchical wheel, pure (it is told what time it is).
//!
//! Time is in milliseconds since the loop began. A wheel has 64 slots; the slots of wheel `n` are
//! 64ⁿ ms wide. A timer waits in the narrowest wheel that reaches its deadline, and moves to a
//! narrower one when its slot comes up, so that arming and cancelling touch one list each and never
//! a tree or a heap:
//!
//! ```text
//! wheel 0   1 ms slots       |-|-|-|-| ...            reaches  64 ms ahead
//! wheel 1   64 ms slots      |----|----| ...          reaches   4 s
//! wheel 2   4 s slots        |---------| ...          reaches   4 min
//! ...
//! wheel 5   12 days slots                             reaches   2 years
//! ```
//!
//! A slot's list is in no useful order after such a move, so the timers that are due together are
//! sorted by deadline, then by the order in which they were armed. That is Node's order.

use std::cmp::Reverse;

use super::slack::Slack;
use crate::table::{Key, Table};

const WHEELS: usize = 6;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// How far ahead the last wheel reaches, less the slot that is passing. A later deadline waits in
/// the farthest slot and is looked at again when that comes up.
const REACH: u64 = (SLOTS as u64 - 1) << (SLOT_BITS * (WHEELS as u32 - 1));
const NONE: u32 = u32::MAX;

/// Timers of payload `T` in the order of their deadlines.
pub(super) struct TimerQueue<T> {
    timers: Table<Timer<T>>,
    /// The first and last timer of every slot.
    slots: Box<[List; WHEELS * SLOTS]>,
    occupied: [u64; WHEELS],
    /// Everything up to and including this moment has been taken out of the wheels.
    elapsed: u64,
    next_sequence: u32,
    /// What the last `advance` found due, the next one last.
    due: Vec<(u64, u32, Key)>,
}

struct Timer<T> {
    payload: T,
    deadline: u64,
    /// Counts the armings, and begins again after 2³² of them: it orders timers of one deadline.
    sequence: u32,
    place: Place,
    previous: u32,
    next: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Slot(u16),
    Due,
    Idle,
}

#[derive(Clone, Copy)]
struct List {
    first: u32,
    last: u32,
}

impl<T> TimerQueue<T> {
    pub(super) fn new() -> TimerQueue<T> {
        TimerQueue {
            timers: Table::new(),
            slots: Box::new(
                [List {
                    first: NONE,
                    last: NONE,
                }; WHEELS * SLOTS],
            ),
            occupied: [0; WHEELS],
            elapsed: 0,
            next_sequence: 0,
            due: Vec::new(),
        }
    }

    /// A new timer that is not armed.
    pub(super) fn insert(&mut self, payload: T) -> Key {
        self.timers.insert(Timer {
            payload,
            deadline: 0,
            sequence: 0,
            place: Place::Idle,
            previous: NONE,
            next: NONE,
        })
    }

    /// A new timer that is armed for `deadline`.
    pub(super) fn insert_armed(&mut self, payload: T, deadline: u64) -> Key {
        let slot = self.slot_for(deadline);
        let sequence = self.sequence();
        let previous = self.slots[slot as usize].last;
        let key = self.timers.insert(Timer {
            payload,
            deadline,
            sequence,
            place: Place::Slot(slot),
            previous,
            next: NONE,
        });
        self.append(slot, previous, key.index());
        key
    }

    /// Arms a timer for `deadline`, whether it was armed before or not.
    pub(super) fn arm(&mut self, key: Key, deadline: u64) {
        self.disarm(key);
        let sequence = self.sequence();
        if let Some(timer) = self.timers.get_mut(key) {
            timer.deadline = deadline;
            timer.sequence = sequence;
            self.link(key);
        }
    }

    /// As `arm`, for a timer that is put off again and again: one that is armed for an earlier moment stays where it
    /// waits, and moves on when that slot comes up.
    pub(super) fn put_off(&mut self, key: Key, deadline: u64) {
        let sequence = self.next_sequence;
        match self.timers.get_mut(key) {
            Some(timer) if matches!(timer.place, Place::Slot(_)) && timer.deadline <= deadline => {
                timer.deadline = deadline;
                timer.sequence = sequence;
                self.next_sequence = sequence.wrapping_add(1);
            }
            _ => self.arm(key, deadline),
        }
    }

    /// Takes a timer off the wheels; it stays, to be armed again.
    pub(super) fn disarm(&mut self, key: Key) {
        let Some(timer) = self.timers.get_mut(key) else {
            return;
        };
        if let Place::Slot(slot) = std::mem::replace(&mut timer.place, Place::Idle) {
            let (previous, next) = (timer.previous, timer.next);
            self.unlink(slot, previous, next);
        }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.disarm(key);
        self.timers.remove(key).map(|timer| timer.payload)
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        self.timers.get(key).map(|timer| &timer.payload)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.timers.get_mut(key).map(|timer| &mut timer.payload)
    }

    /// The timer that is kept there, if there is one.
    pub(super) fn at(&self, index: u32) -> Option<(Key, &T)> {
        let (key, timer) = self.timers.at(index)?;
        Some((key, &timer.payload))
    }

    /// Whether the timer waits for its deadline (or for its turn, being due).
    pub(super) fn is_armed(&self, key: Key) -> bool {
        self.timers
            .get(key)
            .is_some_and(|timer| timer.place != Place::Idle)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let timers = self.timers.iter_keyed();
        timers.map(|(key, timer)| (key, &timer.payload))
    }

    pub(super) fn len(&self) -> usize {
        self.timers.len()
    }

    pub(super) fn is_swollen(&self) -> bool {
        self.timers.is_swollen() || self.due.is_swollen()
    }

    pub(super) fn trim(&mut self) {
        self.timers.trim();
        self.due.trim();
    }

    /// When to look again: never later than the next deadline, and earlier only where a timer has
    /// to move to a narrower wheel first.
    pub(super) fn next_wakeup(&self) -> Option<u64> {
        if !self.due.is_empty() {
            return Some(self.elapsed);
        }
        self.next_slot().map(|(_, start)| start)
    }

    /// Collects what is due at `now`, for [`pop_due`](TimerQueue::pop_due).
    pub(super) fn advance(&mut self, now: u64) {
        while let Some((slot, start)) = self.next_slot() {
            if start > now {
                break;
            }
            self.elapsed = start;
            self.empty_slot(slot, start);
        }
        self.elapsed = self.elapsed.max(now);
        // The last sequence first, the one before it next, and so on back through the beginning.
        let since = |sequence: u32| self.next_sequence.wrapping_sub(sequence);
        self.due
            .sort_unstable_by_key(|&(deadline, sequence, _)| (Reverse(deadline), since(sequence)));
    }

    /// The next timer of those that the last [`advance`](TimerQueue::advance) found due. One that
    /// was disarmed, armed again or removed since then is passed over.
    pub(super) fn pop_due(&mut self) -> Option<Key> {
        while let Some((_, sequence, key)) = self.due.pop() {
            if let Some(timer) = self.timers.get_mut(key)
                && timer.place == Place::Due
                && timer.sequence == sequence
            {
                timer.place = Place::Idle;
                return Some(key);
            }
        }
        None
    }

    /// The occupied slot that comes up first, and the moment at which it does.
    fn next_slot(&self) -> Option<(u16, u64)> {
        let mut next: Option<(u16, u64)> = None;
        for wheel in 0..WHEELS {
            let occupied = self.occupied[wheel];
            if occupied == 0 {
                continue;
            }
            let shift = SLOT_BITS * wheel as u32;
            let position = (self.elapsed >> shift) as u32 % SLOTS as u32;
            let ahead = occupied.rotate_right(position).trailing_zeros();
            let start = ((self.elapsed >> shift) + u64::from(ahead)) << shift;
            let slot = (wheel * SLOTS) as u16 + ((position + ahead) % SLOTS as u32) as u16;
            // At equal moments the wider wheel goes first: what it holds may belong before.
            if next.is_none_or(|(_, earliest)| start <= earliest) {
                next = Some((slot, start));
            }
        }
        next
    }

    fn sequence(&mut self) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        sequence
    }

    fn empty_slot(&mut self, slot: u16, now: u64) {
        let list = std::mem::replace(
            &mut self.slots[slot as usize],
            List {
                first: NONE,
                last: NONE,
            },
        );
        self.occupied[slot as usize / SLOTS] &= !(1 << (slot as usize % SLOTS));
        let mut index = list.first;
        while index != NONE {
            let (key, timer) = self.timers.at_mut(index);
            index = timer.next;
            if timer.deadline <= now {
                timer.place = Place::Due;
                self.due.push((timer.deadline, timer.sequence, key));
            } else {
                self.link(key);
            }
        }
    }

    fn link(&mut self, key: Key) {
        let Some(timer) = self.timers.get(key) else {
            return;
        };
        let slot = self.slot_for(timer.deadline);
        let previous = self.slots[slot as usize].last;
        if let Some(timer) = self.timers.get_mut(key) {
            timer.place = Place::Slot(slot);
            timer.previous = previous;
            timer.next = NONE;
        }
        self.append(slot, previous, key.index());
    }

    /// Makes a timer that names the last of a slot's list as the one before it the last itself.
    fn append(&mut self, slot: u16, previous: u32, index: u32) {
        let list = &mut self.slots[slot as usize];
        list.last = index;
        if previous == NONE {
            list.first = index;
            self.occupied[slot as usize / SLOTS] |= 1 << (slot as usize % SLOTS);
        } else {
            self.timers.at_mut(previous).1.next = index;
        }
    }

    /// A deadline that has passed is due at the next advance, not in the one that may be running.
    fn slot_for(&self, deadline: u64) -> u16 {
        slot_for(self.elapsed, deadline.max(self.elapsed + 1))
    }

    fn unlink(&mut self, slot: u16, previous: u32, next: u32) {
        match previous {
            NONE => self.slots[slot as usize].first = next,
            previous => self.timers.at_mut(previous).1.next = next,
        }
        match next {
            NONE => self.slots[slot as usize].last = previous,
            next => self.timers.at_mut(next).1.previous = previous,
        }
        if self.slots[slot as usize].first == NONE {
            self.occupied[slot as usize / SLOTS] &= !(1 << (slot as usize % SLOTS));
        }
    }
}

/// The slot for a deadline later than `elapsed`: in the wheel of the highest digit (in base 64) in
/// which the two differ.
fn slot_for(elapsed: u64, deadline: u64) -> u16 {
    let deadline = deadline.min(elapsed.saturating_add(REACH));
    let differing = (elapsed ^ deadline) | (SLOTS as u64 - 1);
    let wheel = ((63 - differing.leading_zeros()) / SLOT_BITS).min(WHEELS as u32 - 1);
    let slot = (deadline >> (SLOT_BITS * wheel)) as usize % SLOTS;
    (wheel as usize * SLOTS + slot) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of numbers, the same ones in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    fn fire(queue: &mut TimerQueue<u64>, now: u64) -> Vec<u64> {
        queue.advance(now);
        let mut fired = Vec::new();
        while let Some(key) = queue.pop_due() {
            fired.extend(queue.remove(key));
        }
        fired
    }

    #[test]
    fn equal_deadlines_fire_in_the_order_they_were_armed() {
        let mut queue = TimerQueue::new();
        // The first waits in a wide wheel, the others come to the same deadline from nearer by.
        for (payload, at) in [(0, 0), (1, 4_000), (2, 4_090)] {
            assert!(fire(&mut queue, at).is_empty());
            let key = queue.insert(payload);
            queue.arm(key, 4_100);
        }
        assert!(fire(&mut queue, 4_099).is_empty());
        assert_eq!(fire(&mut queue, 4_100), [0, 1, 2]);
    }

    #[test]
    fn the_order_holds_when_the_count_of_armings_begins_again() {
        let mut queue = TimerQueue::new();
        queue.next_sequence = u32::MAX - 1;
        for payload in 0..4 {
            queue.insert_armed(payload, 10);
        }
        assert_eq!(queue.next_sequence, 2);
        assert_eq!(fire(&mut queue, 10), [0, 1, 2, 3]);
    }

    #[test]
    fn a_due_timer_that_is_removed_by_an_earlier_one_does_not_fire() {
        let mut queue = TimerQueue::new();
        let keys: Vec<Key> = (0..3).map(|n| queue.insert(n)).collect();
        keys.iter().for_each(|key| queue.arm(*key, 10));
        queue.advance(10);
        assert_eq!(queue.pop_due(), Some(keys[0]));
        queue.remove(keys[1]);
        queue.arm(keys[2], 20);
        assert_eq!(queue.pop_due(), None, "one is gone and one was armed anew");
        queue.advance(20);
        assert_eq!(queue.pop_due(), Some(keys[2]));
    }

    #[test]
    fn what_is_put_off_fires_once_at_its_last_deadline_behind_who_was_armed_for_it_before() {
        let mut queue = TimerQueue::new();
        let [put_off, other] = [0, 1].map(|payload| queue.insert_armed(payload, 100));
        queue.arm(other, 5_000);
        for deadline in [100, 700, 5_000] {
            queue.put_off(put_off, deadline);
        }
        assert!(queue.next_wakeup() <= Some(5_000));
        assert!(fire(&mut queue, 4_999).is_empty());
        assert_eq!(fire(&mut queue, 5_000), [1, 0]);
        assert_eq!(queue.next_wakeup(), None);
    }

    #[test]
    fn what_is_put_off_to_an_earlier_moment_or_not_armed_is_armed() {
        let mut queue = TimerQueue::new();
        let [earlier, new] = [0, 1].map(|payload| queue.insert(payload));
        queue.arm(earlier, 5_000);
        queue.put_off(earlier, 100);
        queue.put_off(new, 200);
        assert_eq!(fire(&mut queue, 100), [0]);
        assert_eq!(fire(&mut queue, 200), [1]);
    }

    #[test]
    fn what_is_due_and_put_off_before_its_turn_waits_again() {
        let mut queue = TimerQueue::new();
        let [first, second] = [0, 1].map(|payload| queue.insert_armed(payload, 10));
        queue.advance(10);
        assert_eq!(queue.pop_due(), Some(first));
        queue.put_off(second, 20);
        assert_eq!(queue.pop_due(), None);
        queue.advance(20);
        assert_eq!(queue.pop_due(), Some(second));
    }

    #[test]
    fn a_deadline_beyond_the_last_wheel_is_reached_in_the_end() {
        let mut queue = TimerQueue::new();
        let key = queue.insert(7);
        let deadline = 5 * REACH + 12_345;
        queue.arm(key, deadline);
        let mut wakeups = 0;
        while let Some(at) = queue.next_wakeup().filter(|at| *at < deadline) {
            assert!(fire(&mut queue, at).is_empty());
            wakeups += 1;
        }
        assert!(wakeups < 40, "{wakeups} wake-ups for one timer");
        assert_eq!(fire(&mut queue, deadline), [7]);
    }

    #[test]
    fn agrees_with_a_sorted_list() {
        let mut numbers = Numbers(0x5eed);
        for _ in 0..50 {
            let mut queue = TimerQueue::new();
            let mut model: Vec<(u64, u64, Key)> = Vec::new();
            let (mut now, mut order) = (0, 0);
            for step in 0..400 {
                match numbers.below(5) {
                    4 if !model.is_empty() => {
                        let index = numbers.below(model.len() as u64) as usize;
                        let spread = 1 << numbers.below(34);
                        let deadline = now + 1 + numbers.below(spread);
                        queue.put_off(model[index].2, deadline);
                        (model[index].0, model[index].1) = (deadline, order);
                        order += 1;
                    }
                    0 | 1 => {
                        let key = queue.insert(step);
                        let spread = 1 << numbers.below(34);
                        let deadline = now + 1 + numbers.below(spread);
                        queue.arm(key, deadline);
                        model.push((deadline, order, key));
                        order += 1;
                    }
                    2 if !model.is_empty() => {
                        let index = numbers.below(model.len() as u64) as usize;
                        let (_, _, key) = model.swap_remove(index);
                        assert!(queue.remove(key).is_some());
                    }
                    _ => {
                        let reach = 1 << numbers.below(30);
                        now += numbers.below(reach);
                        queue.advance(now);
                        model.sort();
                        while model.first().is_some_and(|(deadline, ..)| *deadline <= now) {
                            let (.., key) = model.remove(0);
                            assert_eq!(queue.pop_due(), Some(key));
                            queue.remove(key);
                        }
                        assert_eq!(queue.pop_due(), None);
                    }
                }
                let earliest = model.iter().map(|(deadline, ..)| *deadline).min();
                match (queue.next_wakeup(), earliest) {
                    (None, None) => {}
                    (Some(at), Some(earliest)) => assert!(at <= earliest && at > now),
                    (at, earliest) => panic!("wake-up {at:?}, earliest {earliest:?}"),
                }
                assert_eq!(queue.len(), model.len());
            }
        }
    }
}
