//! Tests that run in simulated worlds besides: the same bodies, with the same assertions, and all that a world
//! looks for. Nothing fails there.

#![allow(
    unused_imports,
    unused_macros,
    reason = "some files have nothing to run in a world"
)]

use soquete::sim::World;

/// One that is like loopback, and one in which events come in another order, and some for nothing.
pub fn in_worlds(body: fn()) {
    in_order(body);
    run(World::seed(2).shuffled().spurious_events(5), body);
}

/// The first of them alone, for a body that expects the events of two sockets in the order of their coming.
pub fn in_order(body: fn()) {
    run(World::seed(1), body);
}

fn run(world: World, body: fn()) {
    let report = world.leaves_nothing().run(body);
    report.check();
    // What a body has not looked at is not the next one's.
    let _rest = super::record();
}

/// Asserts that each test of a file is named, and nothing else.
pub fn assert_complete(file: &str, named: &[&str]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(path).expect("the file of a test can be read");
    let mut lines = text.lines();
    let mut tests = Vec::new();
    while lines.any(|line| line == "#[test]") {
        let name = lines.find_map(|line| line.strip_prefix("fn ")?.split('(').next());
        tests.extend(name);
    }
    let not_named: Vec<_> = tests.iter().filter(|test| !named.contains(test)).collect();
    assert!(
        not_named.is_empty(),
        "in no world, without a reason: {not_named:?}"
    );
    assert_eq!(tests.len(), named.len(), "a test is named twice");
}

/// Runs the tests of a file in worlds besides. Each of them is named: those for all worlds, those for worlds that
/// keep events in their order, and those that are left to the system's kernel, with the reason.
macro_rules! also_in_worlds {
    (
        $($name:ident)*
        $(; in_order: $($ordered:ident)*)?
        $(; left_out: $($(#[$only:meta])* $left_out:ident: $why:literal)*)?
    ) => {
        mod in_worlds {
            use $crate::support::worlds;

            $(
                #[test]
                fn $name() {
                    worlds::in_worlds(super::$name);
                }
            )*
            $($(
                #[test]
                fn $ordered() {
                    worlds::in_order(super::$ordered);
                }
            )*)?

            #[test]
            fn every_test_is_in_worlds_or_has_a_reason() {
                $($(
                    $(#[$only])*
                    let _reason: (fn(), &str) = (super::$left_out, $why);
                )*)?
                let named = [
                    $(stringify!($name),)*
                    $($(stringify!($ordered),)*)?
                    $($(stringify!($left_out),)*)?
                ];
                worlds::assert_complete(file!(), &named);
            }
        }
    };
}
pub(crate) use also_in_worlds;
