//! One program, in Node and here.

use super::interpreter::{self, Sending};
use super::pool::Node;
use super::program::Program;

/// How often a difference has to be the same.
const REPEATED: usize = 3;

pub(super) enum Verdict {
    Same,
    /// Node does one thing now, and another one then: nothing can be said.
    NodeVaries,
    /// It never comes to rest: how far it is when it is stopped says nothing.
    Restless,
    /// We do, where Node does not.
    WeVary,
    Differs {
        theirs: String,
        ours: String,
    },
}

pub(super) fn compare(node: &mut Node, program: &Program) -> Verdict {
    let theirs = node.run(program);
    if theirs.starts_with("!: restless") {
        return Verdict::Restless;
    }
    let ours = interpreter::run(program, Sending::Together);
    if theirs == ours {
        return Verdict::Same;
    }
    let mut varies = false;
    for _ in 0..REPEATED {
        if node.run(program) != theirs {
            return Verdict::NodeVaries;
        }
        varies |= interpreter::run(program, Sending::Together) != ours;
    }
    if varies {
        return Verdict::WeVary;
    }
    Verdict::Differs { theirs, ours }
}
