//! What Linux tells about another process: CPU time, memory and open descriptors.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Everything resident, shared libraries and the program itself included.
    pub resident: u64,
    /// Anonymous pages alone: heap and stacks.
    pub anonymous: u64,
}

/// One reading of a clock and of the CPU time of two processes.
pub struct Clocks {
    at: Instant,
    server: Duration,
    load: Duration,
    server_waited: Duration,
    load_waited: Duration,
}

/// What passed between two readings.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub wall: Duration,
    pub server: Duration,
    pub load: Duration,
    /// How long each main thread was ready to run while its core was not to be had.
    pub server_waited: Duration,
    pub load_waited: Duration,
}

impl Clocks {
    /// Reads the clocks for a server and for the calling process.
    pub fn read(server: u32) -> io::Result<Self> {
        Ok(Self {
            server: cpu_time(server)?,
            load: cpu_time(std::process::id())?,
            server_waited: waited_for_core(server).unwrap_or_default(),
            load_waited: waited_for_core(std::process::id()).unwrap_or_default(),
            at: Instant::now(),
        })
    }

    /// What passed since this reading.
    pub fn elapsed(&self, server: u32) -> io::Result<Spent> {
        let wall = self.at.elapsed();
        let now = Self::read(server)?;
        Ok(Spent {
            wall,
            server: now.server.saturating_sub(self.server),
            load: now.load.saturating_sub(self.load),
            server_waited: now.server_waited.saturating_sub(self.server_waited),
            load_waited: now.load_waited.saturating_sub(self.load_waited),
        })
    }
}

/// CPU time of all threads of a process and of those that it has started, in user and kernel space.
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let own = cpu_time_of_threads(pid).or_else(|_| cpu_time_in_ticks(pid))?;
    children(pid)?
        .into_iter()
        .try_fold(own, |sum, child| Ok(sum + cpu_time(child)?))
}

/// The processes that one has started and that are still there.
fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // Not every kernel tells.
        let list = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        children.extend(
            list.split_whitespace()
                .filter_map(|pid| pid.parse::<u32>().ok()),
        );
    }
    Ok(children)
}

/// The scheduler's own count, in nanoseconds, of the threads that are alive.
fn cpu_time_of_threads(pid: u32) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = schedstat
            .split_whitespace()
            .next()
            .and_then(|field| field.parse().ok());
        total += Duration::from_nanos(nanoseconds.ok_or(io::ErrorKind::InvalidData)?);
    }
    Ok(total)
}

/// How long a process's main thread has been ready to run without running.
pub fn waited_for_core(pid: u32) -> Option<Duration> {
    let schedstat = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let nanoseconds = schedstat.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// For kernels without schedstat: ticks of 10 ms, so a short round carries an error of as much.
fn cpu_time_in_ticks(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may itself hold spaces and parentheses: count from the last one.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<u64>().ok())
    };
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok(Duration::from_secs_f64(
            (user + system) as f64 / rustix::param::clock_ticks_per_second() as f64,
        )),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Resident memory of a process.
pub fn memory(pid: u32) -> io::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kibibytes = |name: &str| {
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse::<u64>()
                    .ok()
            })
            .ok_or_else(|| io::Error::other(format!("no {name} in /proc/<pid>/status")))
    };
    Ok(Memory {
        resident: kibibytes("VmRSS:")? * 1024,
        anonymous: kibibytes("RssAnon:")? * 1024,
    })
}

/// How many descriptors a process has open.
pub fn descriptors(pid: u32) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_of_this_process_grows_with_work() {
        let now = || cpu_time(std::process::id()).unwrap();
        let (before, start) = (now(), Instant::now());
        while now().saturating_sub(before) < Duration::from_millis(20) {
            assert!(start.elapsed() < Duration::from_secs(10));
        }
    }

    #[test]
    fn the_cpu_time_of_a_process_has_that_of_its_children() {
        use rustix::process::{Pid, Signal, kill_process};
        // A shell that waits, and one behind it that is busy.
        let mut shell = std::process::Command::new("sh")
            .args(["-c", "while :; do :; done & wait"])
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let busy = Duration::from_millis(50);
        while cpu_time(shell.id()).unwrap() < busy && Instant::now() < deadline {}
        let (all, own) = (cpu_time(shell.id()), cpu_time_of_threads(shell.id()));
        for child in children(shell.id()).unwrap() {
            kill_process(Pid::from_raw(child as i32).unwrap(), Signal::KILL).unwrap();
        }
        shell.wait().unwrap();
        assert!(all.unwrap() >= busy && own.unwrap() < busy / 2);
    }

    #[test]
    fn both_ways_of_counting_cpu_time_agree() {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(60) {}
        let pid = std::process::id();
        let Ok(exact) = cpu_time_of_threads(pid) else {
            return;
        };
        assert!(exact.abs_diff(cpu_time_in_ticks(pid).unwrap()) < Duration::from_millis(50));
    }

    #[test]
    fn anonymous_memory_is_part_of_the_resident() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.anonymous > 0 && memory.anonymous < memory.resident);
    }
}
