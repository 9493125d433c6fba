//! What a trial has to do, and how far it has come.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::conversation::Conversation;
use super::cut::Cut;
use super::finding::{Finding, TrialReport};

/// How far a trial has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Connections that are over, or not made since their conversation fails as a whole.
    pub done: usize,
    /// All connections.
    pub total: usize,
    /// Findings so far.
    pub findings: usize,
}

type Tell = dyn FnMut(&Progress);

/// A trial in progress.
pub(super) struct Course {
    total: usize,
    jobs: RefCell<VecDeque<(Rc<Conversation>, Cut)>>,
    begun: Instant,
    lasts: Duration,
    report: RefCell<TrialReport>,
    is_off: Cell<bool>,
    tell: RefCell<Box<Tell>>,
}

impl Course {
    pub(super) fn new(
        jobs: VecDeque<(Rc<Conversation>, Cut)>,
        lasts: Duration,
        tell: impl FnMut(&Progress) + 'static,
    ) -> Rc<Course> {
        Rc::new(Course {
            total: jobs.len(),
            jobs: RefCell::new(jobs),
            begun: Instant::now(),
            lasts,
            report: RefCell::default(),
            is_off: Cell::new(false),
            tell: RefCell::new(Box::new(tell)),
        })
    }

    pub(super) fn report(&self) -> TrialReport {
        self.report.take()
    }

    pub(super) fn next(&self) -> Option<(Rc<Conversation>, Cut)> {
        if self.begun.elapsed() >= self.lasts {
            self.call_off("the time is up");
        }
        self.jobs.borrow_mut().pop_front()
    }

    /// Brings the next conversation that was not tried as a whole to the front.
    pub(super) fn is_next_whole(&self) -> bool {
        let mut jobs = self.jobs.borrow_mut();
        let next = jobs.iter().position(|(_, cut)| *cut == Cut::Whole);
        match next.and_then(|at| jobs.remove(at)) {
            Some(job) => {
                jobs.push_front(job);
                true
            }
            None => false,
        }
    }

    pub(super) fn done(&self, talk: &Rc<Conversation>, cut: Cut, found: Option<Finding>) {
        let mut report = self.report.borrow_mut();
        report.runs += 1;
        let mut jobs = self.jobs.borrow_mut();
        if cut == Cut::Whole && found.is_some() {
            let before = jobs.len();
            jobs.retain(|(other, _)| !Rc::ptr_eq(other, talk));
            if before > jobs.len() {
                let (left, name) = (before - jobs.len(), talk.name());
                report
                    .left_out
                    .push(format!("{left} cuts of {name:?}, which fails as a whole"));
            }
        }
        report.findings.extend(found);
        let progress = Progress {
            done: self.total - jobs.len(),
            total: self.total,
            findings: report.findings.len(),
        };
        drop((report, jobs));
        (self.tell.borrow_mut())(&progress);
    }

    pub(super) fn call_off(&self, why: &str) {
        let left = self.jobs.take().len();
        if left > 0 && !self.is_off.replace(true) {
            let mut report = self.report.borrow_mut();
            report.left_out.push(format!("{left} cuts: {why}"));
        }
    }
}
