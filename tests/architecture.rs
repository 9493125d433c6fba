//! The imports of `src`: each room knows only of rooms below it, and files go round in no circle that is not
//! explained here. The rooms are those of ARCHITECTURE.md.

#[path = "support/sources.rs"]
mod sources;

use std::collections::{BTreeMap, BTreeSet};

/// Rooms, the lowest level first. Rooms of one level know nothing of each other.
const LEVELS: &[&[&str]] = &[
    &["bits.rs", "spare.rs", "table.rs", "thread_bound.rs"],
    &["error"],
    &["address/", "framing/"],
    &["events/", "kernel/"],
    &["machine/", "reactor/"],
    &["this_loop.rs", "timers.rs"],
    &["dns.rs"],
    &["net/values/"],
    &["event.rs"],
    &["net/options/"],
    &["net/state/"],
    &["net/driver/"],
    &["net/connect/", "net/server/"],
    &["net/socket/"],
    &["net/handles/"],
    &["net/frames/"],
    &["net/mod.rs"],
    &["delay.rs", "resources.rs", "stream/", "watch.rs"],
    &["activation.rs", "signals.rs"],
    &["sim/"],
    &["lib.rs"],
    &["guide/"],
];

/// Imports that point upwards all the same: from, to, why.
const UPWARDS: &[(&str, &str, &str)] = &[
    (
        "kernel/absent.rs",
        "reactor/event_loop.rs",
        "says what `kernel/sim` says, and has it never",
    ),
    (
        "kernel/sim/",
        "reactor/event_loop.rs",
        "a simulated world holds the loops that run in it",
    ),
];

/// Files that know of each other: all in one place, and why.
const CIRCLES: &[(&str, &str)] = &[
    (
        "reactor/",
        "the loop owns the queues, and each phase of a turn is a file that extends the loop",
    ),
    (
        "kernel/",
        "each part of the seam has an arm for a type of the simulated kernel, which is made of those parts",
    ),
    (
        "address/",
        "literals are parsed into addresses, addresses are made from literals, and errors quote both",
    ),
    (
        "events/",
        "an event names its listeners' types, and a list of listeners is of one event",
    ),
    (
        "framing/formats/http/",
        "the sections of a head obey the limits, which are options of the format",
    ),
    (
        "framing/formats/websocket",
        "the reasons of a close are texts of the format, which passes the closes on",
    ),
    (
        "net/frames/",
        "the handle controls a framing, whose type it does not know, through a trait",
    ),
];

/// What runs under test only may know of everything.
const TESTING: &[&str] = &["fuzz", "fuzzing", "tests", "script"];

type Module = Vec<String>;

struct File {
    name: String,
    named: Vec<Named>,
}

struct Sources {
    files: BTreeMap<Module, File>,
}

impl Sources {
    /// From names, relative to `src`, and texts.
    fn new(files: impl IntoIterator<Item = (String, String)>) -> Sources {
        let files = files.into_iter().filter_map(|(name, text)| {
            let mut module: Module = name
                .strip_suffix(".rs")?
                .split('/')
                .map(str::to_owned)
                .collect();
            if module.iter().any(|part| TESTING.contains(&part.as_str())) {
                return None;
            }
            let is_parent = matches!(module.last().map(String::as_str), Some("mod" | "lib"));
            module.truncate(module.len() - usize::from(is_parent));
            let named = named(&code(&text));
            Some((module, File { name, named }))
        });
        Sources {
            files: files.collect(),
        }
    }

    fn read() -> Sources {
        let inside = |(name, text): (String, String)| (name["src/".len()..].to_owned(), text);
        Sources::new(sources::sources().into_iter().map(inside))
    }

    /// Which file says what a path names, as seen from a module; `None` if it is not of this crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Module> {
        let mut at = from.to_vec();
        let mut rest = path;
        match path[0].as_str() {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                at.push(first.to_owned());
                if !self.files.contains_key(&at) {
                    return None;
                }
                at.pop();
            }
        }
        while let Some(part) = rest.first() {
            at.push(part.clone());
            if self.files.contains_key(&at) {
                rest = &rest[1..];
                continue;
            }
            at.pop();
            // A name that the module has from elsewhere is said there.
            let names = &self.files.get(&at)?.named;
            let renamed = names.iter().find(|named| {
                named.is_use && named.path.last() == Some(part) && named.path.len() > 1
            });
            return match renamed {
                Some(Named { path, .. }) if depth < 8 => {
                    let elsewhere = self.resolve(&at, path, depth + 1);
                    elsewhere.or(Some(at))
                }
                _ => Some(at),
            };
        }
        Some(at)
    }

    /// The files that each file names, by their names, with the path that does it. What a module passes on from
    /// its own children it does not use itself.
    fn edges(&self) -> BTreeMap<&str, BTreeMap<&str, String>> {
        let mut edges: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for (module, File { name, named }) in &self.files {
            let known = edges.entry(name).or_default();
            for Named {
                path, is_public, ..
            } in named
            {
                let Some(to) = self.resolve(module, path, 0) else {
                    continue;
                };
                if *is_public && to.starts_with(module) {
                    continue;
                }
                let to = &self.files[&to].name;
                if to == name {
                    continue;
                }
                known.entry(to).or_insert_with(|| path.join("::"));
            }
        }
        edges
    }

    fn upward_imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (from, known) in self.edges() {
            let Some(level) = level(from) else {
                found.push(format!("{from} is in no room"));
                continue;
            };
            for (to, path) in known {
                let goes_down = level_and_room(to).is_some_and(|(below, room)| {
                    below < level || room == level_and_room(from).expect("it has a level").1
                });
                if !goes_down && !is_exception(from, to) {
                    found.push(format!("{from} -> {to}: {path}"));
                }
            }
        }
        found
    }

    /// Files that know of each other, in whatever way round.
    fn circles(&self) -> Vec<BTreeSet<&str>> {
        let edges = self.edges();
        let reached = |from: &str| {
            let mut seen = BTreeSet::new();
            let mut left = vec![from];
            while let Some(at) = left.pop() {
                for (to, _) in edges.get(at).into_iter().flatten() {
                    if !is_exception(at, to) && seen.insert(*to) {
                        left.push(to);
                    }
                }
            }
            seen
        };
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            edges.keys().map(|from| (*from, reached(from))).collect();
        let mut circles = BTreeSet::new();
        for (from, seen) in &reach {
            if seen.contains(from) {
                let back = |to: &&&str| reach.get(**to).is_some_and(|seen| seen.contains(from));
                circles.insert(seen.iter().filter(back).copied().collect::<BTreeSet<_>>());
            }
        }
        circles.into_iter().collect()
    }
}

fn level_and_room(file: &str) -> Option<(usize, &'static str)> {
    let rooms = LEVELS.iter().enumerate();
    rooms
        .flat_map(|(level, rooms)| rooms.iter().map(move |room| (level, *room)))
        .find(|(_, room)| file.starts_with(room))
}

fn level(file: &str) -> Option<usize> {
    level_and_room(file).map(|(level, _)| level)
}

fn is_exception(from: &str, to: &str) -> bool {
    UPWARDS
        .iter()
        .any(|(exception, target, _)| from.starts_with(exception) && to == *target)
}

/// A text without its comments, and without what is behind its tests.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("mod tests {"))
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// A `use` of a file, or a path that stands in its code.
struct Named {
    path: Vec<String>,
    is_use: bool,
    is_public: bool,
}

fn path(text: &str) -> Vec<String> {
    let parts = text.split("::").map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The paths that a text names.
fn named(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (is_public, item) = match line.trim_start().strip_prefix("pub") {
            Some(item) => (
                true,
                item.split_once(") ")
                    .map_or(item, |(_, item)| item)
                    .trim_start(),
            ),
            None => (false, line.trim_start()),
        };
        if let Some(tree) = item.strip_prefix("use ") {
            let mut tree = tree.to_owned();
            while !tree.ends_with(';') {
                tree.push_str(lines.next().expect("a `use` ends").trim());
            }
            let mut paths = Vec::new();
            expand("", tree.trim_end_matches(';'), &mut paths);
            found.extend(paths.into_iter().map(|path| Named {
                path,
                is_use: true,
                is_public,
            }));
            continue;
        }
        let words = item.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        found.extend(
            words
                .filter(|word| {
                    ["crate::", "super::", "self::"]
                        .iter()
                        .any(|root| word.starts_with(root))
                })
                .filter(|word| !line.contains(&format!("(in {word})")))
                .map(|word| Named {
                    path: path(word),
                    is_use: false,
                    is_public: false,
                }),
        );
    }
    found
}

/// The paths of a tree of imports.
fn expand(prefix: &str, tree: &str, found: &mut Vec<Vec<String>>) {
    let Some((head, rest)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or(tree).trim();
        let whole = format!("{prefix}{name}");
        if !name.is_empty() {
            found.push(path(whole.strip_suffix("::self").unwrap_or(&whole)));
        }
        return;
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let prefix = format!("{prefix}{}", head.trim());
    let (mut depth, mut start) = (0, 0);
    for (index, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, inside[start..index].trim(), found);
                start = index + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, inside[start..].trim(), found);
}

#[test]
fn imports_point_downwards() {
    let sources = Sources::read();
    assert!(
        sources.files.len() > 100,
        "the sources are not where they were"
    );
    let upwards = sources.upward_imports();
    assert!(upwards.is_empty(), "{}", upwards.join("\n"));
}

#[test]
fn files_go_round_in_no_circle_that_is_not_explained() {
    let sources = Sources::read();
    for circle in sources.circles() {
        let is_explained = CIRCLES
            .iter()
            .any(|(room, _)| circle.iter().all(|file| file.starts_with(room)));
        assert!(is_explained, "{circle:?}");
    }
}

fn made_up(files: &[(&str, &str)]) -> Sources {
    Sources::new(
        files
            .iter()
            .map(|(name, text)| (name.to_string(), text.to_string())),
    )
}

#[test]
fn an_import_that_points_upwards_is_found_however_it_is_written() {
    let reactor = ("reactor/mod.rs", "pub(crate) struct Loop;");
    let upwards = |text: &str| {
        made_up(&[reactor, ("error.rs", text)])
            .upward_imports()
            .len()
    };
    assert_eq!(upwards("use crate::reactor::Loop;"), 1);
    assert_eq!(upwards("use crate::{\n    reactor::{self, Loop},\n};"), 1);
    assert_eq!(upwards("fn f(_: &super::reactor::Loop) {}"), 1);
    assert_eq!(upwards("// use crate::reactor::Loop;"), 0);
    assert_eq!(
        upwards("use std::rc::Rc;\nmod tests {\n    use crate::reactor::Loop;"),
        0
    );
    let passed_on = made_up(&[
        reactor,
        ("error.rs", "use crate::timers::Loop;"),
        ("timers.rs", "pub(crate) use crate::reactor::Loop;"),
    ]);
    assert_eq!(
        passed_on.upward_imports(),
        ["error.rs -> reactor/mod.rs: crate::timers::Loop"]
    );
    assert_eq!(
        made_up(&[("new.rs", "")]).upward_imports(),
        ["new.rs is in no room"]
    );
}

#[test]
fn a_circle_is_found_through_what_a_parent_passes_on() {
    let files = [
        ("machine/mod.rs", "pub use a::A;"),
        ("machine/a.rs", "use super::b::B;"),
        ("machine/b.rs", "use super::A;"),
    ];
    let circle = BTreeSet::from(["machine/a.rs", "machine/b.rs"]);
    assert_eq!(made_up(&files).circles(), [circle]);
}
