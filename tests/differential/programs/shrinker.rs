//! Makes a program smaller as long as what is looked for stays.

use super::program::Program;

/// The smallest that is found by leaving out one thing after the other.
pub(super) fn shrink(program: Program, mut holds: impl FnMut(&Program) -> bool) -> Program {
    let mut smallest = program;
    'again: loop {
        for smaller in smaller(&smallest) {
            if holds(&smaller) {
                smallest = smaller;
                continue 'again;
            }
        }
        return smallest;
    }
}

/// All programs that are one step smaller, those that have lost most first.
fn smaller(program: &Program) -> Vec<Program> {
    let mut found = Vec::new();
    let mut with = |change: &mut dyn FnMut(&mut Program)| {
        let mut smaller = program.clone();
        change(&mut smaller);
        if smaller != *program {
            found.push(smaller);
        }
    };
    let half = program.rules.len() / 2;
    if half > 1 {
        with(&mut |smaller| smaller.rules.truncate(half));
        with(&mut |smaller| drop(smaller.rules.drain(..half)));
    }
    for index in (0..program.rules.len()).rev() {
        with(&mut |smaller| drop(smaller.rules.remove(index)));
    }
    if program.clients.len() > 1 {
        with(&mut |smaller| drop(smaller.clients.pop()));
    }
    for (rule, steps) in program.rules.iter().map(|rule| &rule.steps).enumerate() {
        for (step, argument) in steps.iter().map(|step| &step.argument).enumerate() {
            if steps.len() > 1 {
                with(&mut |smaller| drop(smaller.rules[rule].steps.remove(step)));
            }
            let bytes = argument
                .as_ref()
                .and_then(|argument| argument.parse::<usize>().ok());
            for less in [1, 3, 70_000]
                .into_iter()
                .filter(|less| Some(*less) < bytes)
            {
                let argument = Some(less.to_string());
                with(&mut |smaller| {
                    smaller.rules[rule].steps[step]
                        .argument
                        .clone_from(&argument)
                });
            }
        }
    }
    for word in (1..program.server.len()).rev() {
        with(&mut |smaller| drop(smaller.server.remove(word)));
    }
    for client in 0..program.clients.len() {
        for word in (0..program.clients[client].words.len()).rev() {
            with(&mut |smaller| drop(smaller.clients[client].words.remove(word)));
        }
    }
    found
}

#[test]
fn what_is_looked_for_stays_and_nothing_else() {
    let program = "tcp watch; c0 half; c1; c0.start#1 write 300, end; s0.data#1 pause, destroy";
    let shrunk = shrink(Program::parse(program), |program| program.has("destroy"));
    assert_eq!(shrunk.to_string(), "tcp; c0; s0.data#1 destroy");
}
