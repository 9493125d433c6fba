//! The comparison's command line.

use std::path::PathBuf;
use std::time::Duration;

pub const HELP: &str = "\
Compares soquete with Node, Bun, Deno, libuv, tokio, mio and epoll, side by side.

  cargo run --release --manifest-path benches/compare/Cargo.toml -- [options]

  --quick             few workloads, short rounds: a few minutes, and rougher
  --only a,b          only these workloads (see --list)
  --peers a,b         only these peers (see --list)
  --rounds n          rounds per workload
  --seconds s         measured seconds per round and peer
  --every-parameter   all that Node's own programs can be given (see README.md)
  --out directory     where results.md, results.svg and results.json go
  --list              name the workloads and the peers, and stop";

/// What to compare, and how thoroughly.
#[derive(Debug)]
pub struct Options {
    pub only: Vec<String>,
    pub peers: Vec<String>,
    pub effort: Effort,
    pub out: PathBuf,
    pub list: bool,
}

/// How much time and load a run may spend.
#[derive(Clone, Debug)]
pub struct Effort {
    pub quick: bool,
    /// Node's own programs with all of their parameters.
    pub every_parameter: bool,
    pub rounds: usize,
    pub seconds: Duration,
    pub warm_up: Duration,
    /// Connections of the memory workload.
    pub idle: usize,
    /// Timers armed and cancelled.
    pub timers: u64,
    /// Requests traced or simulated, where each costs thousands of times the real thing.
    pub traced: u64,
}

impl Effort {
    const fn full() -> Self {
        Self {
            quick: false,
            every_parameter: false,
            rounds: 5,
            seconds: Duration::from_millis(1000),
            warm_up: Duration::from_millis(300),
            idle: 10_000,
            timers: 1_000_000,
            traced: 4_000,
        }
    }

    const fn quick() -> Self {
        Self {
            quick: true,
            every_parameter: false,
            rounds: 2,
            seconds: Duration::from_millis(120),
            warm_up: Duration::from_millis(50),
            idle: 1_000,
            timers: 100_000,
            traced: 400,
        }
    }
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<String> = arguments.collect();
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let mut options = Self {
            only: Vec::new(),
            peers: Vec::new(),
            effort: if quick {
                Effort::quick()
            } else {
                Effort::full()
            },
            out: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
            list: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{name} needs a value"))
            };
            match name.as_str() {
                "--quick" => {}
                "--every-parameter" => options.effort.every_parameter = true,
                "--list" => options.list = true,
                "--only" => options.only = names(&value()?),
                "--peers" => options.peers = names(&value()?),
                "--out" => options.out = PathBuf::from(value()?),
                "--rounds" => {
                    options.effort.rounds = value()?.parse().map_err(|_| "--rounds: a number")?;
                }
                "--seconds" => {
                    let seconds = value()?.parse().map_err(|_| "--seconds: a number")?;
                    options.effort.seconds =
                        Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
                }
                _ => return Err(HELP.to_owned()),
            }
        }
        if options.effort.rounds == 0 {
            return Err("--rounds: at least one".to_owned());
        }
        Ok(options)
    }

    pub fn wants_workload(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }

    pub fn wants_peer(&self, name: &str) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|wanted| wanted == name)
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_explicit_figure_overrides_that_of_the_quick_form_in_any_order() {
        for line in ["--quick --rounds 9", "--rounds 9 --quick"] {
            let effort = parse(line).unwrap().effort;
            assert!(effort.quick && effort.rounds == 9);
        }
    }

    #[test]
    fn filters_name_what_is_wanted_and_an_empty_filter_wants_all() {
        let options = parse("--only timers,start-up").unwrap();
        assert!(options.wants_workload("start-up") && !options.wants_workload("ping-pong"));
        assert!(options.wants_peer("node"));
    }

    #[test]
    fn an_unknown_option_is_answered_with_the_help() {
        assert_eq!(parse("--fast").unwrap_err(), HELP);
    }
}
