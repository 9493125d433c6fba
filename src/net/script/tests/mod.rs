//! Sockets step by step on a scripted kernel: one scenario for each row of the tables in the modules'
//! documentation, and every sequence of operations up to a bounded length.
//!
//! A trace has one word for each event and callback: `data(5)`, `cb0` for the success of callback
//! number 0, `cb0:EPIPE` for its failure.

use crate::net::script::{Conclusion, KernelOp, Op, UserOp, World};

mod ending;
mod explore;
mod lives;
mod reading;
mod shrink;
mod writing;

/// A call of the user's.
const fn user(call: UserOp) -> Op {
    Op::User(call)
}

/// Something that happens in the kernel; the next poll tells the loop.
const fn kernel(op: KernelOp) -> Op {
    Op::Kernel(op)
}

/// The events and callbacks that the steps bring about.
fn trace(world: &World, ops: &[Op]) -> String {
    world.run(ops);
    world.trace()
}

/// Ends whatever is left, in all the ways there are, after the same steps.
fn conclude_each(start: fn() -> std::rc::Rc<World>, ops: &[Op]) {
    for conclusion in Conclusion::ALL {
        let world = start();
        world.run(ops);
        world.conclude(conclusion);
    }
}
