//! The load generator: one client program for every workload.
//!
//! It speaks with the orchestrator by lines, so that something can be measured or attached at the
//! moment that matters:
//!
//! ```text
//! load                         orchestrator
//!   (connect, check, warm up)
//!   READY            ->
//!                    <-        go
//!   (measure)
//!   {"operations":…} ->
//!                    <-        (stdin closes)
//!   (close, exit)
//! ```
//!
//! Nothing is allocated, printed or formatted while the clock runs, messages are built
//! beforehand, and every socket is non-blocking on one mio poll.

pub mod broadcast;
pub mod bulk;
mod connect;
pub mod drip;
pub mod exchange;
pub mod hold;
pub mod http;
pub mod open;
mod options;
pub mod promise;
pub mod reconnect;
pub mod storm;
mod verify;
pub mod websocket;

use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::proc::Clocks;
pub use options::{Limit, Options};

/// What one run of a workload did.
#[derive(Default)]
pub struct Outcome {
    /// Requests, chunks, connections or broadcasts, as the workload counts.
    pub operations: u64,
    /// Payload that passed, where the workload counts it.
    pub bytes: u64,
    /// Nanoseconds from a question to its answer, where the workload has such.
    pub latencies: Vec<u32>,
}

/// Warms up, waits for the word, measures, reports, and waits to be dismissed.
pub fn conduct(
    options: &Options,
    mut run: impl FnMut(Limit) -> io::Result<Outcome>,
) -> io::Result<()> {
    run(options.warm_up)?;
    ready_and_wait_for_go()?;
    let clocks = Clocks::read(options.server)?;
    let mut outcome = run(options.measure)?;
    let spent = clocks.elapsed(options.server)?;
    outcome.latencies.sort_unstable();
    deliver(&json!({
        "operations": outcome.operations,
        "bytes": outcome.bytes,
        "seconds": spent.wall.as_secs_f64(),
        "server_cpu": spent.server.as_secs_f64(),
        "load_cpu": spent.load.as_secs_f64(),
        "server_waited": spent.server_waited.as_secs_f64(),
        "load_waited": spent.load_waited.as_secs_f64(),
        "p50_us": percentile(&outcome.latencies, 0.50),
        "p90_us": percentile(&outcome.latencies, 0.90),
        "p99_us": percentile(&outcome.latencies, 0.99),
        "p999_us": percentile(&outcome.latencies, 0.999),
    }))
}

/// Says that everything is connected, and returns when the orchestrator wants it to go on.
pub fn ready_and_wait_for_go() -> io::Result<()> {
    println!("READY");
    io::stdout().flush()?;
    match io::stdin().lock().read_line(&mut String::new())? {
        0 => Err(io::Error::other("dismissed before the measurement")),
        _ => Ok(()),
    }
}

/// Prints the result, and returns when the orchestrator has seen enough.
pub fn deliver(result: &Value) -> io::Result<()> {
    println!("{result}");
    io::stdout().flush()?;
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Counts operations against a limit.
struct Progress {
    limit: Limit,
    start: Instant,
    operations: u64,
}

impl Progress {
    fn new(limit: Limit) -> Self {
        Self {
            limit,
            start: Instant::now(),
            operations: 0,
        }
    }

    /// Whether another operation may begin, when `begun` of them have.
    fn may_begin(&self, begun: u64, now: Instant) -> bool {
        match self.limit {
            Limit::Operations(most) => begun < most,
            Limit::Time(time) => now - self.start < time,
        }
    }
}

/// How long a load generator waits for a silent server before it calls the run a failure.
const PATIENCE: Duration = Duration::from_secs(20);

fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the server fell silent")
}

/// The value below which a share of the sorted latencies lies, in microseconds.
fn percentile(sorted: &[u32], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    Some(f64::from(sorted[(last as f64 * share).round() as usize]) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_nothing_are_absent_and_of_a_ramp_are_its_values() {
        assert_eq!(percentile(&[], 0.5), None);
        let ramp: Vec<u32> = (0..=1000).map(|us| us * 1000).collect();
        assert_eq!(percentile(&ramp, 0.5), Some(500.0));
        assert_eq!(percentile(&ramp, 0.999), Some(999.0));
    }
}
