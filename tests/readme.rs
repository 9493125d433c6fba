//! The README: what it names exists, and the Portuguese one says the same.

#[path = "support/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sources::sources;

const ENGLISH: &str = "README.md";
const PORTUGUESE: &str = "README.pt-BR.md";

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let path = package().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A heading and what stands below it, up to the next.
#[derive(Default)]
struct Section {
    level: usize,
    heading: String,
    /// With their fences.
    blocks: Vec<String>,
    /// Rows of each table.
    tables: Vec<Vec<String>>,
    prose: String,
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut block: Option<String> = None;
    let mut in_table = false;
    for line in text.lines() {
        let section = sections.last_mut().unwrap();
        if let Some(open) = &mut block {
            *open += "\n";
            *open += line;
            if line == "```" {
                section.blocks.extend(block.take());
            }
        } else if line.starts_with("```") {
            block = Some(line.to_owned());
        } else if line.starts_with('|') {
            if !in_table {
                section.tables.push(Vec::new());
            }
            section.tables.last_mut().unwrap().push(line.to_owned());
        } else if line.starts_with('#') {
            sections.push(Section {
                level: line.bytes().take_while(|byte| *byte == b'#').count(),
                heading: line.to_owned(),
                ..Section::default()
            });
        } else {
            section.prose += line;
            section.prose += "\n";
        }
        in_table = block.is_none() && line.starts_with('|');
    }
    assert_eq!(block, None, "a code block has no end");
    sections
}

/// What stands between backquotes.
fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Where the links of a text lead.
fn links(text: &str) -> Vec<&str> {
    let inline = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let by_name = text.lines().filter_map(|line| line.strip_prefix('['));
    let by_name = by_name.filter_map(|line| line.split_once("]: ").map(|(_, to)| to));
    inline.chain(by_name).collect()
}

/// The digits of each figure: the two languages separate thousands and fractions by each other's marks.
fn figures(text: &str) -> Vec<String> {
    let mut figures = vec![String::new()];
    let letters: Vec<char> = text.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let next_is_digit = letters.get(at + 1).is_some_and(char::is_ascii_digit);
        let figure = figures.last_mut().unwrap();
        match letter {
            digit if digit.is_ascii_digit() => figure.push(*digit),
            '.' | ',' if next_is_digit && !figure.is_empty() => {}
            _ if figure.is_empty() => {}
            _ => figures.push(String::new()),
        }
    }
    figures.retain(|figure| !figure.is_empty());
    figures
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values
}

/// Where the second README does not say what the first one says.
fn out_of_step(english: &str, portuguese: &str) -> Vec<String> {
    let (ours, theirs) = (sections(english), sections(portuguese));
    let outline = |sections: &[Section]| sections.iter().map(|s| s.level).collect::<Vec<_>>();
    if outline(&ours) != outline(&theirs) {
        let headings = |sections: &[Section]| {
            let headings = sections.iter().map(|section| section.heading.as_str());
            headings.collect::<Vec<_>>().join("\n  ")
        };
        return vec![format!(
            "the headings, or their levels, differ:\n {ENGLISH}{}\n {PORTUGUESE}{}",
            headings(&ours),
            headings(&theirs)
        )];
    }
    let mut differences = Vec::new();
    for (english, portuguese) in ours.iter().zip(&theirs) {
        let place = format!("under \"{}\" / \"{}\"", english.heading, portuguese.heading);
        if english.blocks != portuguese.blocks {
            differences.push(format!("{place}: the code blocks differ"));
        }
        let rows = |section: &Section| section.tables.iter().map(Vec::len).collect::<Vec<_>>();
        if rows(english) != rows(portuguese) {
            differences.push(format!(
                "{place}: the rows of the tables are {:?} in {ENGLISH} and {:?} in {PORTUGUESE}",
                rows(english),
                rows(portuguese)
            ));
            continue;
        }
        let parts = english.tables.iter().flatten();
        let parts = parts.zip(portuguese.tables.iter().flatten());
        for (english, portuguese) in parts.chain([(&english.prose, &portuguese.prose)]) {
            let mut compare = |what: &str, english: Vec<String>, portuguese: Vec<String>| {
                let (english, portuguese) = (sorted(english), sorted(portuguese));
                if english != portuguese {
                    differences.push(format!(
                        "{place}: the {what} differ:\n  {english:?} in {ENGLISH}\n  {portuguese:?} in {PORTUGUESE}"
                    ));
                }
            };
            let owned = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
            // Each has a link to the other.
            let to_others = |text| {
                let mut links = links(text);
                links.retain(|link| *link != ENGLISH && *link != PORTUGUESE);
                owned(links)
            };
            compare("links", to_others(english), to_others(portuguese));
            compare("figures", figures(english), figures(portuguese));
            compare(
                "names in code",
                owned(code_spans(english)),
                owned(code_spans(portuguese)),
            );
        }
    }
    differences
}

#[test]
fn the_portuguese_readme_says_the_same() {
    let differences = out_of_step(&read(ENGLISH), &read(PORTUGUESE));
    assert!(
        differences.is_empty(),
        "{PORTUGUESE} is not in step with {ENGLISH}: change both.\n\n{}",
        differences.join("\n")
    );
}

/// The comparison finds what it is for.
#[test]
fn a_readme_that_is_out_of_step_is_told_of() {
    let text = read(ENGLISH);
    for (from, to, told) in [
        ("\n## Programs\n", "\n### Programs\n", "headings"),
        ("\n## Programs\n", "\n", "headings"),
        ("cargo test\n", "cargo test \n", "code blocks"),
        (
            "\n| ping-pong, 500 connections",
            "\nping-pong, 500 connections",
            "rows of the tables",
        ),
        ("2,242k", "2,243k", "figures"),
        ("2,508", "2,509", "figures"),
        ("](SECURITY.md)", "](LICENSE)", "links"),
        ("`errorMonitor`", "`errorMonitors`", "names in code"),
    ] {
        assert!(text.contains(from), "{from}");
        let differences = out_of_step(&text, &text.replacen(from, to, 1));
        let all = differences.join("\n");
        assert!(all.contains(told), "{from} -> {to}: {all}");
    }
}

/// Whether a path of the repository that is not here is left out of the published package.
fn is_left_out(path: &str) -> bool {
    let manifest = read("Cargo.toml");
    let left_out = manifest
        .split('"')
        .filter_map(|part| part.strip_prefix('/'));
    let is_repository = package().join(".ci").exists();
    !is_repository && { left_out }.any(|start| !start.is_empty() && path.starts_with(start))
}

fn assert_exists(path: &str, named_by: &str) {
    let path = path.split('#').next().unwrap();
    assert!(
        package().join(path).exists() || is_left_out(path),
        "{ENGLISH} has {named_by}, and there is no {path}"
    );
}

/// Examples by name, with where their source is.
fn examples() -> BTreeMap<String, String> {
    let mut examples = BTreeMap::new();
    for entry in fs::read_dir(package().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let main = path.join("main.rs");
        let source = if path.is_dir() { &main } else { &path };
        if source.is_file() {
            examples.insert(name, source.display().to_string());
        }
    }
    let manifest = read("Cargo.toml");
    for target in manifest.split("[[example]]").skip(1) {
        let target = target.split("\n[").next().unwrap();
        let value = |key: &str| {
            let line = target.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.split('"').nth(1))
                .map(str::to_owned)
        };
        if let (Some(name), Some(path)) = (value("name = "), value("path = ")) {
            examples.insert(name, path);
        }
    }
    examples
}

/// The lines of `sh` blocks, and what stands in tables and prose as code.
fn commands(text: &str) -> Vec<String> {
    let sections = sections(text);
    let blocks = sections.iter().flat_map(|section| &section.blocks);
    let in_blocks = blocks.filter_map(|block| block.strip_prefix("```sh\n"));
    let in_blocks = in_blocks.flat_map(str::lines).map(str::to_owned);
    let in_text = sections.iter().flat_map(|section| {
        let rows = section.tables.iter().flatten();
        rows.chain([&section.prose])
            .flat_map(|text| code_spans(text))
    });
    let all = in_blocks.chain(in_text.map(str::to_owned));
    all.filter(|line| line.starts_with("cargo ")).collect()
}

#[test]
fn each_command_names_what_is_there() {
    let (examples, text) = (examples(), read(ENGLISH));
    let commands = commands(&text);
    assert!(commands.len() > 10, "{commands:?}");
    for command in &commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        for pair in words.windows(2) {
            match pair {
                ["--example", name] => assert!(
                    examples.contains_key(*name),
                    "{ENGLISH} has `{command}`, and there is no such example: {:?}",
                    examples.keys()
                ),
                ["--manifest-path", path] => assert_exists(path, command),
                ["--test", name] => assert_exists(&format!("tests/{name}.rs"), command),
                ["--bench", name] => assert_exists(&format!("benches/{name}.rs"), command),
                _ => {}
            }
        }
    }
}

/// What is there is shown, too.
#[test]
fn each_example_has_a_command() {
    let commands = commands(&read(ENGLISH));
    let is_started = |name: &str| {
        let mut words = commands
            .iter()
            .flat_map(|command| command.split_whitespace());
        words.any(|word| word == name)
    };
    // The other half of the server, and what the chat's cluster is driven by: others' rows name them.
    let beside = ["client", "chat_crowd"];
    for name in examples().keys() {
        assert!(
            is_started(name) || beside.contains(&name.as_str()),
            "{ENGLISH} has no command that starts the example {name}"
        );
    }
}

#[test]
fn each_link_leads_somewhere() {
    for name in [ENGLISH, PORTUGUESE] {
        let text = read(name);
        let links = links(&text);
        assert!(links.len() > 20);
        for link in links {
            if !link.starts_with("https://") {
                assert_exists(link, link);
            }
        }
        let paths = code_spans(&text).into_iter();
        let folders = ["benches/", "examples/", "tests/"];
        let paths = paths.filter(|span| folders.iter().any(|folder| span.starts_with(folder)));
        for path in paths {
            assert_exists(path, path);
        }
    }
}

/// As the README, the documentation starts only examples that are there.
#[test]
fn the_documentation_starts_examples_that_are_there() {
    let mut files = sources();
    let texts = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];
    files.extend(texts.map(|name| (name.to_owned(), read(name))));
    let (examples, mut named) = (examples(), 0);
    for (file, text) in files {
        for rest in text.split("--example ").skip(1) {
            let is_name = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
            let name: String = rest.chars().take_while(is_name).collect();
            named += 1;
            assert!(
                examples.contains_key(&name),
                "{file}: there is no example {name}"
            );
        }
    }
    assert!(named > 0);
}

/// Each name in the right column of Node's table is public. (The list of what is public is not in the package.)
#[test]
fn what_stands_beside_nodes_names_is_public() {
    let Ok(surface) = fs::read_to_string(package().join("tests/public_api.txt")) else {
        return assert!(!package().join(".ci").exists(), "the list is missing");
    };
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let public: BTreeSet<&str> = surface.split(|letter| !is_part(letter)).collect();
    let text = read(ENGLISH);
    let sections = sections(&text);
    let table = sections
        .iter()
        .find(|section| section.heading.contains("From Node"));
    let rows = table.unwrap().tables[0].iter().skip(2);
    let mut names = 0;
    for row in rows {
        let ours = row.rsplit(" | ").next().unwrap();
        for span in code_spans(ours) {
            // What is called, or named with its module.
            let calls = span.match_indices('(').map(|(at, _)| &span[..at]);
            let is_path = |part: &&str| part.contains("::");
            let paths = span
                .split(|letter| !is_part(letter) && letter != ':')
                .filter(is_path);
            for path in calls.chain(paths) {
                let name = path.rsplit(|letter| !is_part(letter)).next().unwrap();
                if name.is_empty() || ["Some", "from_secs"].contains(&name) {
                    continue;
                }
                names += 1;
                assert!(public.contains(name), "`{span}`: there is no {name}");
            }
        }
    }
    assert!(names > 100, "{names} names");
}
