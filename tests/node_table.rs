//! The table of Node's own tests names tests that are there.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_table_names_exists() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let table = fs::read_to_string(tests.join("node_tests.md")).expect("the table");
    let source_of = |path: &Path| {
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let scenarios = fs::read_dir(tests.join("differential")).expect("the scenarios");
    let scenarios = scenarios.map(|entry| entry.expect("a file").path());
    let scenarios = scenarios.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let scenarios = scenarios.map(|path| source_of(&path)).collect::<String>();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let (mut tests_named, mut scenarios_named) = (0, 0);
    let mut file_before = "";
    for name in rows.flat_map(|row| row.split('`').skip(1).step_by(2)) {
        let (file, source, test) = if let Some(test) = name.strip_prefix("differential ") {
            scenarios_named += 1;
            ("differential", scenarios.clone(), test)
        } else {
            // A path inside of the crate has more than one step, and `::name` stands for the file
            // before.
            let Some((file, test)) = name
                .split_once("::")
                .filter(|(_, test)| !test.contains("::"))
            else {
                continue;
            };
            let file = if file.is_empty() { file_before } else { file };
            file_before = file;
            tests_named += 1;
            (
                file,
                source_of(&tests.join(file).with_extension("rs")),
                test,
            )
        };
        assert!(
            source.contains(&format!("fn {test}(")),
            "{file} has no {test}"
        );
    }
    assert!(tests_named > 50, "{tests_named} tests are named");
    assert!(
        scenarios_named > 50,
        "{scenarios_named} scenarios are named"
    );
}
