//! Random programs: the same seed is the same program.

use super::program::{Client, Program, Rule, Step};
use super::table::{Argument, OPERATIONS, SERVER_OPERATIONS};
use crate::prng::Prng;

/// The events that a rule may wait for, and how often it does.
const EVENTS: &[(&str, usize)] = &[
    ("start", 16),
    ("connect", 10),
    ("ready", 2),
    ("data", 16),
    ("end", 10),
    ("finish", 6),
    ("prefinish", 1),
    ("close", 6),
    ("drain", 3),
    ("error", 3),
    ("pause", 1),
    ("resume", 2),
    ("written", 6),
    ("ended", 4),
    ("tick", 6),
    ("immediate", 6),
    ("timer", 2),
    ("readable", 6),
    ("pipe", 1),
    ("unpipe", 1),
    ("finished", 2),
    ("pipelined", 1),
    ("timeout", 1),
    ("lookup", 1),
    ("connectionAttempt", 1),
    ("connectionAttemptFailed", 1),
];

const SERVER_EVENTS: &[(&str, usize)] = &[
    ("connection", 4),
    ("listening", 1),
    ("drop", 1),
    ("close", 1),
    ("tick", 1),
    ("immediate", 1),
];

/// What may be interrupted by a listener that throws.
const INTERRUPTED: &[&str] = &["tick", "immediate", "timer", "data", "written"];

/// Bytes of a write. What a kernel's buffers do not hold is rare: it takes long.
const SIZES: &[(usize, usize)] = &[
    (0, 4),
    (1, 6),
    (2, 4),
    (3, 6),
    (7, 6),
    (20, 6),
    (300, 4),
    (5000, 4),
    (20_000, 2),
    (70_000, 2),
    (300_000, 1),
    (5_000_000, 1),
];

pub(super) fn program(seed: u64) -> Program {
    let mut prng = Prng::new(seed);
    // Each program leaves out some of what there is and has more of something else.
    let mut mood = || [0, 1, 1, 4][prng.below(4)];
    let operations = OPERATIONS
        .iter()
        .map(|operation| operation.weight * mood())
        .collect();
    let events = EVENTS.iter().map(|event| event.1 * mood()).collect();
    let generator = Generator {
        prng,
        operations,
        events,
    };
    generator.program()
}

struct Generator {
    prng: Prng,
    /// The weights of the tables' rows in this program.
    operations: Vec<usize>,
    events: Vec<usize>,
}

impl Generator {
    fn program(mut self) -> Program {
        let transport = if self.prng.one_in(4) { "ipc" } else { "tcp" };
        let clients = [1, 1, 1, 2, 2, 3][self.prng.below(6)];
        let mut server = vec![transport.to_owned()];
        self.words(
            &mut server,
            &[
                ("watch", 2),
                ("half", 4),
                ("deaf", 10),
                ("pause", 8),
                ("signal", 10),
            ],
        );
        self.marked(&mut server);
        if self.prng.one_in(12) {
            server.push(format!("max={}", self.prng.below(3)));
        }
        let rules = 2 + self.prng.below(4 + 3 * clients);
        Program {
            server,
            clients: (0..clients).map(|index| self.client(index)).collect(),
            rules: (0..rules)
                .map(|_| self.rule(clients))
                .filter(|rule| !rule.steps.is_empty())
                .collect(),
        }
    }

    fn words(&mut self, words: &mut Vec<String>, choice: &[(&str, usize)]) {
        for (word, one_in) in choice {
            if self.prng.one_in(*one_in) {
                words.push((*word).to_owned());
            }
        }
    }

    fn marked(&mut self, words: &mut Vec<String>) {
        if self.prng.one_in(5) {
            let mark = [1, 4, 16, 1000, 16384][self.prng.below(5)];
            words.push(format!("mark={mark}"));
        }
    }

    fn client(&mut self, index: usize) -> Client {
        let mut words = Vec::new();
        self.words(
            &mut words,
            &[("half", 4), ("deaf", 10), ("signal", 8), ("late", 10)],
        );
        self.marked(&mut words);
        if self.prng.one_in(12) {
            words.push(format!("onread={}", [1, 7, 100, 65536][self.prng.below(4)]));
        }
        if self.prng.one_in(8) {
            let when = ["s", "t", "i"][self.prng.below(3)];
            let addresses =
                ["g", "gr", "rg", "r", "6g", "r6", "r6g", "e", "rr"][self.prng.below(9)];
            words.push(format!("at={when}:{addresses}"));
            self.words(&mut words, &[("noauto", 4)]);
        }
        let name = format!("c{index}");
        Client { name, words }
    }

    fn rule(&mut self, clients: usize) -> Rule {
        let of_server = self.prng.one_in(15);
        let subject = if of_server {
            "S".to_owned()
        } else {
            self.socket(clients)
        };
        let event = if of_server {
            SERVER_EVENTS[self.weighted(SERVER_EVENTS.iter().map(|event| event.1))]
        } else {
            EVENTS[self.weighted(self.events.clone().into_iter())]
        };
        let count = match self.prng.below(12) {
            0..8 => "1",
            8 => "2",
            9 => "3",
            _ => "*",
        };
        let steps = 1 + self.prng.below(4);
        let mut steps: Vec<Step> = (0..steps).map(|_| self.step(&subject, clients)).collect();
        // What else a listener that throws stops in Node, and not here, is a row of the table.
        if !INTERRUPTED.contains(&event.0) {
            steps.retain(|step| step.name != "throw");
        }
        let on = format!("{subject}.{}#{count}", event.0);
        Rule { on, steps }
    }

    fn step(&mut self, subject: &str, clients: usize) -> Step {
        let target = match self.prng.below(20) {
            0 => "S".to_owned(),
            1 => self.socket(clients),
            _ => subject.to_owned(),
        };
        let (name, argument) = if target == "S" {
            let weights = SERVER_OPERATIONS.iter().map(|operation| operation.weight);
            let operation = &SERVER_OPERATIONS[self.weighted(weights)];
            (operation.name, self.argument(operation.argument, clients))
        } else {
            let operation = &OPERATIONS[self.weighted(self.operations.clone().into_iter())];
            (operation.name, self.argument(operation.argument, clients))
        };
        Step {
            target: Some(target).filter(|target| target != subject),
            name: name.to_owned(),
            argument,
        }
    }

    fn argument(&mut self, argument: Argument, clients: usize) -> Option<String> {
        match argument {
            Argument::Nothing => None,
            Argument::Bytes => {
                let size = self.weighted(SIZES.iter().map(|size| size.1));
                Some(SIZES[size].0.to_string())
            }
            Argument::OneOf(values) => Some(values[self.prng.below(values.len())].to_string()),
            Argument::Socket => Some(self.socket(clients)),
        }
    }

    fn socket(&mut self, clients: usize) -> String {
        let side = if self.prng.one_in(2) { "c" } else { "s" };
        format!("{side}{}", self.prng.below(clients))
    }

    /// One of so many, each as often as its weight says; the first if none has any.
    fn weighted(&mut self, weights: impl Iterator<Item = usize> + Clone) -> usize {
        let mut at = self.prng.below(weights.clone().sum::<usize>().max(1));
        let chosen = weights.clone().position(|weight| {
            let is_it = at < weight;
            at = at.saturating_sub(weight);
            is_it
        });
        chosen.unwrap_or(0)
    }
}
