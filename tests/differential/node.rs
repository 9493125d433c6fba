//! Node's traces: by a real Node if there is one, else those that one has left.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// A family's traces by the scenarios' names.
type Traces = BTreeMap<String, String>;

/// The first version whose order of events is ours.
const OLDEST_NODE: u32 = 26;

/// What Node says of a scenario.
pub(crate) fn trace(family: &'static str, name: &str) -> String {
    with_family(family, |traces| traces.get(name).cloned())
        .unwrap_or_else(|| panic!("{family}.mjs exports no {name}, or it was not recorded"))
}

/// The names of a family's scenarios, sorted.
pub(crate) fn names(family: &'static str) -> Vec<String> {
    with_family(family, |traces| traces.keys().cloned().collect())
}

/// A family is run once, whichever of its tests comes first.
fn with_family<R>(family: &'static str, look: impl FnOnce(&Traces) -> R) -> R {
    static FAMILIES: Mutex<Option<HashMap<&'static str, Traces>>> = Mutex::new(None);
    // A test that fails in here must not fail the others, so its poison is ignored.
    let mut families = FAMILIES.lock().unwrap_or_else(|poison| poison.into_inner());
    let traces = families
        .get_or_insert_default()
        .entry(family)
        .or_insert_with(|| load(family));
    look(traces)
}

fn load(family: &str) -> Traces {
    let path = here().join("expected").join(format!("{family}.txt"));
    let stored = || std::fs::read_to_string(&path).unwrap_or_default();
    let Some(node) = node() else {
        return parse(&stored());
    };
    let lived = ask(node, family);
    if std::env::var_os("SOQUETE_RECORD").is_some() {
        std::fs::write(&path, &lived).expect("expected/ can be written");
    }
    assert!(
        stored() == lived,
        "expected/{family}.txt is not what this Node does (SOQUETE_RECORD=1 stores that):\n{}",
        crate::differences(&stored(), &lived)
    );
    parse(&lived)
}

fn ask(node: &Path, family: &str) -> String {
    let output = Command::new(node)
        .arg(here().join("driver.mjs"))
        .arg(family)
        .output()
        .expect("Node can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "Node failed in {family}.mjs:\n{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn parse(text: &str) -> Traces {
    let scenarios = text.split("== ").skip(1);
    scenarios
        .filter_map(|scenario| scenario.split_once('\n'))
        .map(|(name, lines)| (name.to_owned(), lines.to_owned()))
        .collect()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

/// A Node that is new enough, if there is one.
pub(crate) fn node() -> Option<&'static Path> {
    static NODE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = NODE.get_or_init(|| {
        let node = std::env::var_os("SOQUETE_NODE").unwrap_or_else(|| "node".into());
        let major = major_version(Path::new(&node));
        if major.is_some_and(|major| major >= OLDEST_NODE) {
            return Some(PathBuf::from(node));
        }
        let found = major.map_or("no Node".to_owned(), |major| format!("Node {major}"));
        // Not by eprintln!, which is not shown for a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "LEFT OUT: the comparison with a real Node. There is {found} here, and {OLDEST_NODE} is \
             needed (in the PATH, or as SOQUETE_NODE). Compared with the stored traces instead."
        );
        None
    });
    found.as_deref()
}

fn major_version(node: &Path) -> Option<u32> {
    let output = Command::new(node).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}
