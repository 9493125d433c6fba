//! Records of the log that peers or a shortage could bring about as often as they like.

use std::cell::Cell;

use super::Loop;

/// How long a loop keeps quiet about a complaint that it has made.
const QUIET_MS: u64 = 60_000;

/// What a loop complains of, at most once a minute each.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Complaint {
    /// Accepting does not work.
    Accept,
    /// Connections are gone before they are accepted.
    Aborted,
    /// Connections cannot be watched.
    Watch,
    /// Options of connections cannot be set.
    Option,
    /// The pool gets no threads.
    Thread,
}

const KINDS: usize = Complaint::Thread as usize + 1;

/// When each was last made.
#[derive(Default)]
pub(super) struct Complaints([Cell<Option<u64>>; KINDS]);

impl Complaints {
    fn is_due(&self, complaint: Complaint, now: u64) -> bool {
        let made_at = &self.0[complaint as usize];
        let due = made_at.get().is_none_or(|at| now - at >= QUIET_MS);
        if due {
            made_at.set(Some(now));
        }
        due
    }
}

impl Loop {
    /// Whether a complaint is to be logged now. It counts as made then.
    pub(crate) fn complains(&self, complaint: Complaint) -> bool {
        self.complaints.is_due(complaint, self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_made_once_a_minute() {
        let complaints = Complaints::default();
        assert!(complaints.is_due(Complaint::Accept, 0));
        assert!(!complaints.is_due(Complaint::Accept, QUIET_MS - 1));
        assert!(complaints.is_due(Complaint::Accept, QUIET_MS));
        assert!(!complaints.is_due(Complaint::Accept, QUIET_MS + 1));
    }

    #[test]
    fn one_complaint_does_not_silence_another() {
        let complaints = Complaints::default();
        assert!(complaints.is_due(Complaint::Accept, 0));
        assert!(complaints.is_due(Complaint::Thread, 0));
    }
}
