//! The load generator's command line: `load <workload> --name value …`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::address::Address;

/// When a run ends: `0.5s`, or after a number of operations (`2000`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Operations(u64),
    Time(Duration),
}

/// What to do, to whom, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    pub workload: String,
    pub address: Address,
    /// Process id of the server, for its CPU time.
    pub server: u32,
    pub connections: usize,
    /// Bytes of a message or chunk.
    pub size: usize,
    /// Requests a second over all connections, where the load does not wait for answers.
    pub rate: u64,
    /// Connections that send and receive without a pause, beside the others.
    pub floods: usize,
    pub warm_up: Limit,
    pub measure: Limit,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            workload: arguments.next().ok_or("which workload?")?,
            address: Address::Port(0),
            server: 0,
            connections: 1,
            size: 64,
            rate: 1000,
            floods: 0,
            warm_up: Limit::Operations(100),
            measure: Limit::Operations(1000),
        };
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--address" => options.address = number(&name, &value)?,
                "--server" => options.server = number(&name, &value)?,
                "--connections" => options.connections = number(&name, &value)?,
                "--size" => options.size = number(&name, &value)?,
                "--rate" => options.rate = number(&name, &value)?,
                "--floods" => options.floods = number(&name, &value)?,
                "--warm-up" => options.warm_up = value.parse()?,
                "--measure" => options.measure = value.parse()?,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }
}

impl Limit {
    /// The same limit for something that does `count` operations at a time.
    pub fn divided(self, count: u64) -> Self {
        match self {
            Self::Operations(operations) => Self::Operations(operations.div_ceil(count)),
            time @ Self::Time(_) => time,
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix('s') {
            Some(seconds) => Duration::try_from_secs_f64(number("a limit", seconds)?)
                .map(Self::Time)
                .map_err(|error| error.to_string()),
            None => number("a limit", text).map(Self::Operations),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operations(count) => write!(f, "{count}"),
            Self::Time(time) => write!(f, "{}s", time.as_secs_f64()),
        }
    }
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name} cannot be {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_back_as_it_was_written() {
        for limit in [
            Limit::Operations(7),
            Limit::Time(Duration::from_millis(250)),
        ] {
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
    }
}
