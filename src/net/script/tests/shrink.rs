//! A finding of the fuzzer, made small.
//!
//! ```text
//! SOQUETE_FINDING=fuzz/artifacts/stream_machine/crash-… cargo test shrink -- --ignored --nocapture
//! ```
//!
//! prints the shortest script that still fails. It becomes a test.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::net::script::plan::{Plan, plan};

fn fails(plan: &Plan) -> bool {
    catch_unwind(AssertUnwindSafe(|| plan.run())).is_err()
}

/// Leaves out one step after the other while the script still fails.
fn shrink(mut found: Plan) -> Plan {
    let mut at = 0;
    while at < found.ops.len() {
        let mut shorter = found.clone();
        shorter.ops.remove(at);
        if fails(&shorter) {
            found = shorter;
            at = 0;
        } else {
            at += 1;
        }
    }
    found
}

#[test]
#[ignore = "a tool: it needs a finding"]
fn shrink_a_finding() {
    let file = std::env::var("SOQUETE_FINDING").expect("SOQUETE_FINDING names a file");
    let found = plan(&std::fs::read(file).expect("the file can be read"));
    std::panic::set_hook(Box::new(|_| {}));
    assert!(fails(&found), "the finding fails no more");
    let shortest = shrink(found);
    let _the_default = std::panic::take_hook();
    println!("{shortest:#?}");
    shortest.run();
}
