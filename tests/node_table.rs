//! The table of Node's own tests names tests that are there.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_table_names_exists() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let table = fs::read_to_string(tests.join("node_tests.md")).expect("the table");
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let mut checked = 0;
    for row in rows {
        let names = row.split('`').skip(1).step_by(2);
        for (file, test) in names.filter_map(|name| name.split_once("::")) {
            // A path inside of the crate has more than one step, and `::name` stands for the file
            // before.
            if file.is_empty() || test.contains("::") {
                continue;
            }
            let source = fs::read_to_string(tests.join(file).with_extension("rs"));
            let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(
                source.contains(&format!("fn {test}(")),
                "{file} has no {test}"
            );
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked} names");
}
