//! A program: one server, up to three clients, and what is to be done at which event.
//!
//! ```text
//! tcp watch; c0 half mark=16; c0.connect#1 write 3, end; s0.data#* s0.write 5, c0.destroy
//! ```
//!
//! The first section is the server's (`S`), the others are clients or rules. A rule names a socket
//! (`c0`, or `s0` for the first that was accepted), an event and the how manieth (`*` for each), then
//! operations, by default on the socket itself. `tick`, `immediate` and `timer` are operations that
//! are followed by events of that name, and so are those with a callback.
//!
//! | word | of | means |
//! |---|---|---|
//! | `tcp`, `ipc` | the server | first of all |
//! | `watch` | the server | the getters are asked at every event |
//! | `half`, `mark=N`, `deaf` | both | half-open is allowed; a high-water mark; nobody listens to errors |
//! | `signal` | both | is made with a signal that `abort` aborts |
//! | `pause`, `max=N` | the server | `pause_on_connect`, `max_connections` |
//! | `late` | clients | is not connected at first |
//! | `onread=N` | clients | reads into a buffer of its own |
//! | `at=s:rg`, `noauto` | clients | a lookup of one's own (interpreter.rs), addresses are not selected |

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Program {
    pub(super) server: Vec<String>,
    pub(super) clients: Vec<Client>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) words: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rule {
    /// `c0.data#2`
    pub(super) on: String,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Step {
    /// Whose operation it is, if not that of the rule's own socket.
    pub(super) target: Option<String>,
    pub(super) name: String,
    pub(super) argument: Option<String>,
}

impl Program {
    pub(super) fn parse(text: &str) -> Program {
        let mut sections = text.split(';').map(str::trim);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let server: Vec<String> = words(sections.next().unwrap_or_default());
        let (mut clients, mut rules) = (Vec::new(), Vec::new());
        for section in sections.filter(|section| !section.is_empty()) {
            let (name, rest) = section.split_once(' ').unwrap_or((section, ""));
            let name = name.to_owned();
            if name.contains('.') {
                let steps = rest.split(',').map(Step::parse).collect();
                rules.push(Rule { on: name, steps });
            } else {
                let words = words(rest);
                clients.push(Client { name, words });
            }
        }
        Program {
            server,
            clients,
            rules,
        }
    }

    pub(super) fn is_ipc(&self) -> bool {
        self.server.iter().any(|word| word == "ipc")
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.rules.iter().flat_map(|rule| &rule.steps)
    }

    /// Whether an operation is anywhere in it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.steps().any(|step| step.name == name)
    }
}

impl Step {
    fn parse(text: &str) -> Step {
        let text = text.trim();
        let (verb, argument) = match text.split_once(' ') {
            Some((verb, argument)) => (verb, Some(argument.to_owned())),
            None => (text, None),
        };
        let (target, name) = match verb.split_once('.') {
            Some((target, name)) => (Some(target.to_owned()), name.to_owned()),
            None => (None, verb.to_owned()),
        };
        Step {
            target,
            name,
            argument,
        }
    }
}

/// The value of `name=value` among words; empty if the word is there without one.
pub(super) fn word<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    words
        .iter()
        .filter_map(|word| word.strip_prefix(name))
        .find_map(|rest| match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None => rest.is_empty().then_some(""),
        })
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server.join(" "))?;
        for Client { name, words } in &self.clients {
            write!(f, "; {name}")?;
            words.iter().try_for_each(|word| write!(f, " {word}"))?;
        }
        for Rule { on, steps } in &self.rules {
            write!(f, "; {on} ")?;
            for (index, step) in steps.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                write!(f, "{comma}{step}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(target) = &self.target {
            write!(f, "{target}.")?;
        }
        f.write_str(&self.name)?;
        self.argument
            .iter()
            .try_for_each(|argument| write!(f, " {argument}"))
    }
}

#[test]
fn a_program_is_its_text() {
    let text = "tcp watch; c0 half mark=16; c0.connect#1 write 3, s0.end; s0.data#* pipe c0";
    let program = Program::parse(text);
    assert_eq!(program.to_string(), text);
    assert_eq!(word(&program.clients[0].words, "mark"), Some("16"));
    assert_eq!(word(&program.clients[0].words, "half"), Some(""));
    assert_eq!(word(&program.clients[0].words, "deaf"), None);
    assert!(program.has("end") && !program.has("destroy") && !program.is_ipc());
}
