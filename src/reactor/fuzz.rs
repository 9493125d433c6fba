//! The timer queue against a sorted list.

use super::wheel::TimerQueue;
use crate::fuzzing::Input;
use crate::table::Key;

struct Model {
    timers: Vec<Timer>,
    /// The timers that are due and have not been called, in their order, as they were armed.
    due: Vec<(u64, u64, Key)>,
    now: u64,
    armed: u64,
}

struct Timer {
    key: Key,
    /// The deadline, the moment before which it is not looked at, and the order of the arming.
    armed: Option<(u64, u64, u64)>,
}

/// Arms, cancels and advances as the bytes say, also between the timers that are due.
pub fn timers(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut queue = TimerQueue::new();
    let mut model = Model {
        timers: Vec::new(),
        due: Vec::new(),
        now: 0,
        armed: 0,
    };
    while !input.is_empty() {
        model.step(&mut queue, &mut input);
        model.compare(&queue);
    }
}

impl Model {
    fn step(&mut self, queue: &mut TimerQueue<u64>, input: &mut Input<'_>) {
        let chosen = match self.timers.len() {
            0 => None,
            count => Some(input.below(256) % count),
        };
        match (input.below(8), chosen) {
            (0..2, _) => {
                let deadline = self.deadline(input);
                let armed = self.arming(deadline);
                let key = queue.insert_armed(deadline, deadline);
                self.timers.push(Timer { key, armed });
            }
            (2, _) => {
                let key = queue.insert(0);
                self.timers.push(Timer { key, armed: None });
            }
            (3, Some(index)) => {
                let deadline = self.deadline(input);
                queue.arm(self.timers[index].key, deadline);
                self.timers[index].armed = self.arming(deadline);
            }
            (4, Some(index)) => {
                queue.disarm(self.timers[index].key);
                self.timers[index].armed = None;
            }
            (5, Some(index)) => {
                let timer = self.timers.swap_remove(index);
                assert!(queue.remove(timer.key).is_some());
                assert!(queue.remove(timer.key).is_none(), "removed already");
            }
            (6, _) => self.advance(queue, input),
            _ => self.pop(queue),
        }
    }

    /// From the past to beyond the last wheel.
    fn deadline(&self, input: &mut Input<'_>) -> u64 {
        let spread = 1u64 << input.below(42);
        let ahead = spread.wrapping_mul(1 + u64::from(input.byte())) / 128;
        (self.now + ahead).saturating_sub(u64::from(input.byte() & 3))
    }

    fn arming(&mut self, deadline: u64) -> Option<(u64, u64, u64)> {
        self.armed += 1;
        Some((deadline, deadline.max(self.now + 1), self.armed))
    }

    fn advance(&mut self, queue: &mut TimerQueue<u64>, input: &mut Input<'_>) {
        self.now += (1u64 << input.below(40)) * u64::from(input.byte()) / 128;
        if input.flag()
            && let Some(at) = queue.next_wakeup()
        {
            self.now = self.now.max(at);
        }
        queue.advance(self.now);
        for timer in &self.timers {
            if let Some((deadline, from, order)) = timer.armed
                && from <= self.now
                && !self.due.contains(&(deadline, order, timer.key))
            {
                self.due.push((deadline, order, timer.key));
            }
        }
        self.due.sort();
    }

    fn pop(&mut self, queue: &mut TimerQueue<u64>) {
        let mut expected = None;
        while !self.due.is_empty() && expected.is_none() {
            let (_, order, key) = self.due.remove(0);
            let timer = self.timers.iter_mut().find(|timer| timer.key == key);
            if let Some(timer) = timer.filter(|timer| timer.armed.is_some_and(|a| a.2 == order)) {
                timer.armed = None;
                expected = Some(key);
            }
        }
        assert_eq!(queue.pop_due(), expected);
    }

    fn compare(&self, queue: &TimerQueue<u64>) {
        assert_eq!(queue.len(), self.timers.len());
        for timer in &self.timers {
            assert_eq!(queue.is_armed(timer.key), timer.armed.is_some());
        }
        let earliest = self.timers.iter().filter_map(|timer| timer.armed);
        if let Some(earliest) = earliest.map(|(_, from, _)| from).min() {
            let wakeup = queue.next_wakeup();
            let latest = earliest.max(self.now);
            assert!(wakeup.is_some_and(|at| at <= latest), "woken too late");
        }
    }
}
