//! What the guide shows of programs in `examples/from_node` stands there, and its tables can be read.

#[path = "support/sources.rs"]
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use sources::sources;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a page, without the marks of a comment.
fn page(name: &str) -> String {
    let path = package().join("src/guide").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(package().join("src/guide")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The lines of a program as they are compared: their indentation is that of a larger whole.
fn bare(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn each_excerpt_stands_in_its_program() {
    let text = page("from_node.rs");
    let sections = text.split("\n## ").skip(1);
    let mut excerpts = 0;
    for section in sections {
        let heading = section.lines().next().unwrap();
        let program = heading.split('`').nth(1).expect("the program's name");
        for (end, fence) in [("mjs", "```js\n"), ("rs", "```no_run\n")] {
            let from_node = package().join("examples/from_node");
            let path = from_node.join(program).with_extension(end);
            let source = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let excerpt = section.split(fence).nth(1).expect("an excerpt");
            let excerpt = excerpt.split("```").next().unwrap();
            // What rustdoc does not show is around it.
            let shown: Vec<_> = bare(excerpt)
                .into_iter()
                .filter(|line| *line != "#" && !line.starts_with("# "))
                .collect();
            let source = bare(&source);
            assert!(
                source.windows(shown.len()).any(|lines| lines == shown),
                "{} has no such lines:\n{}",
                path.display(),
                shown.join("\n")
            );
            excerpts += 1;
        }
    }
    assert_eq!(excerpts, 10);
}

#[test]
fn each_difference_is_a_row_with_a_reason_and_none_is_long() {
    let text = page("differences.rs");
    let (mut rows, mut columns) = (0, 0);
    for line in text.lines() {
        if !line.starts_with('|') {
            columns = 0;
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        if columns == 0 {
            columns = cells.len();
        }
        assert_eq!(cells.len(), columns, "{line}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{line}");
        for cell in &cells {
            assert!(cell.chars().count() <= 170, "too long to be read: {cell}");
        }
        rows += 1;
    }
    assert!(rows > 90, "{rows} rows");
}

#[test]
fn the_overview_names_each_page() {
    let overview = page("mod.rs");
    let pages = pages();
    assert!(pages.len() > 12);
    for path in pages {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let row = format!("| [`{name}`] |");
        assert!(name == "mod" || overview.contains(&row), "{name}");
    }
}

#[test]
fn the_front_page_stays_short() {
    let text = fs::read_to_string(package().join("src/lib.rs")).unwrap();
    assert!(text.lines().count() < 400);
    let front = text.split("\n#![forbid").next().unwrap();
    let first_table = front.find("//! |---").expect("a table");
    assert!(front[..first_table].contains("# Where to find what"));
}

/// The modules whose own documentation is a page.
const PAGES: [&str; 14] = [
    "activation.rs",
    "lib.rs",
    "dns.rs",
    "event.rs",
    "events/mod.rs",
    "framing/formats/http/mod.rs",
    "framing/formats/websocket.rs",
    "framing/mod.rs",
    "fuzzing.rs",
    "net/mod.rs",
    "signals.rs",
    "sim/mod.rs",
    "stream/mod.rs",
    "timers.rs",
];

/// On a page of 1,280 pixels, a longer line of code has to be scrolled.
const LONGEST_LINE: usize = 92;

#[test]
fn no_line_of_code_runs_out_of_its_page() {
    let mut too_long = Vec::new();
    for (name, text) in sources() {
        let inside = name.trim_start_matches("src/");
        let is_page = PAGES.contains(&inside) || inside.starts_with("guide/");
        let mut in_code = false;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let text = match (line.strip_prefix("///"), line.strip_prefix("//!")) {
                (Some(text), _) => text,
                (_, Some(text)) if is_page => text,
                _ => continue,
            };
            let text = text.strip_prefix(' ').unwrap_or(text);
            if text.trim_start().starts_with("```") {
                in_code = !in_code;
            } else if in_code && !text.starts_with("# ") && text.chars().count() > LONGEST_LINE {
                too_long.push(format!("{name}:{}: {text}", at + 1));
            }
        }
    }
    assert!(too_long.is_empty(), "too long:\n{}", too_long.join("\n"));
}
