//! Keys, their values, and when they expire.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

/// How many databases a client can [select](https://redis.io/commands/select) from.
pub const DATABASES: usize = 16;

pub enum Value {
    String(Vec<u8>),
    /// Never empty: a list without items is no key.
    List(VecDeque<Box<[u8]>>),
}

struct Entry {
    value: Value,
    deadline: Option<i64>,
}

/// One key space. What has expired is not there, whether it was removed yet or not.
///
/// All times are milliseconds of one clock, which the caller reads.
#[derive(Default)]
pub struct Database {
    entries: HashMap<Rc<[u8]>, Entry>,
    /// Those that expire, the next one first.
    deadlines: BTreeSet<(i64, Rc<[u8]>)>,
    now: i64,
}

/// All databases.
pub struct Store {
    databases: [Database; DATABASES],
}

impl Default for Store {
    fn default() -> Store {
        Store {
            databases: std::array::from_fn(|_| Database::default()),
        }
    }
}

impl Store {
    /// A database, at a time.
    pub fn database(&mut self, index: usize, now: i64) -> &mut Database {
        let database = &mut self.databases[index % DATABASES];
        database.now = now;
        database
    }

    pub fn clear(&mut self) {
        self.databases = Store::default().databases;
    }

    /// Removes up to `most` keys that have expired.
    pub fn sweep(&mut self, now: i64, most: usize) {
        let mut left = most;
        for database in &mut self.databases {
            while left > 0
                && let Some((deadline, key)) = database.deadlines.first()
                && *deadline <= now
            {
                let key = Rc::clone(key);
                database.remove_entry(&key);
                left -= 1;
            }
        }
    }

    /// The databases that have keys: index, keys, and how many of them expire.
    pub fn in_use(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let databases = self.databases.iter().enumerate();
        databases
            .map(|(index, database)| (index, database.len(), database.deadlines.len()))
            .filter(|(_, keys, _)| *keys > 0)
    }
}

impl Database {
    pub fn get(&mut self, key: &[u8]) -> Option<&Value> {
        self.expire(key);
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The value, to be changed. When it expires stays as it is.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.expire(key);
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    pub fn contains(&mut self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// Sets a value that does not expire.
    pub fn set(&mut self, key: &[u8], value: Value) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.value = value;
            if entry.deadline.is_some() {
                self.set_deadline(key, None);
            }
            return;
        }
        let deadline = None;
        self.entries
            .insert(Rc::from(key), Entry { value, deadline });
    }

    /// Whether the key was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.expire(key);
        self.remove_entry(key)
    }

    /// When a key expires; `None` if it does not.
    pub fn deadline(&mut self, key: &[u8]) -> Option<i64> {
        self.expire(key);
        self.entries.get(key)?.deadline
    }

    /// Sets when a key expires. It is gone at once if that has passed.
    pub fn set_deadline(&mut self, key: &[u8], deadline: Option<i64>) {
        let Some((key, _)) = self.entries.get_key_value(key) else {
            return;
        };
        let key = Rc::clone(key);
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        if let Some(before) = std::mem::replace(&mut entry.deadline, deadline) {
            self.deadlines.remove(&(before, Rc::clone(&key)));
        }
        match deadline {
            Some(at) if at <= self.now => {
                self.entries.remove(&key);
            }
            Some(at) => {
                self.deadlines.insert((at, key));
            }
            None => {}
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.deadlines.clear();
        self.entries.shrink_to_fit();
    }

    /// Removes a key whose time has come.
    fn expire(&mut self, key: &[u8]) {
        // Where nothing expires, this costs no look-up.
        if self
            .deadlines
            .first()
            .is_some_and(|(next, _)| *next <= self.now)
            && let Some(deadline) = self.entries.get(key).and_then(|entry| entry.deadline)
            && deadline <= self.now
        {
            self.remove_entry(key);
        }
    }

    fn remove_entry(&mut self, key: &[u8]) -> bool {
        let Some((key, entry)) = self.entries.remove_entry(key) else {
            return false;
        };
        if let Some(deadline) = entry.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(store: &mut Store, now: i64, key: &str, deadline: Option<i64>) {
        let database = store.database(0, now);
        database.set(key.as_bytes(), Value::String(Vec::new()));
        database.set_deadline(key.as_bytes(), deadline);
    }

    #[test]
    fn a_key_is_gone_when_its_time_has_come() {
        let mut store = Store::default();
        set(&mut store, 0, "a", Some(10));
        assert!(store.database(0, 9).contains(b"a"));
        assert!(!store.database(0, 10).contains(b"a"));
        assert_eq!(store.database(0, 10).len(), 0);
    }

    #[test]
    fn a_new_value_does_not_expire() {
        let mut store = Store::default();
        set(&mut store, 0, "a", Some(10));
        store.database(0, 1).set(b"a", Value::String(Vec::new()));
        assert!(store.database(0, 10).contains(b"a"));
    }

    #[test]
    fn sweeping_removes_what_nobody_asks_for_a_share_at_a_time() {
        let mut store = Store::default();
        for (key, deadline) in [("a", Some(1)), ("b", Some(2)), ("c", Some(3)), ("d", None)] {
            set(&mut store, 0, key, deadline);
        }
        store.sweep(2, 1);
        assert_eq!(store.in_use().collect::<Vec<_>>(), [(0, 3, 2)]);
        store.sweep(2, 10);
        assert_eq!(store.in_use().collect::<Vec<_>>(), [(0, 2, 1)]);
    }
}
