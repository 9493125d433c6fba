//! The machine that the figures belong to, and the tools it has.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What a reader needs to know to compare figures with another machine's.
pub struct Machine {
    pub cpu: String,
    pub cores: Vec<usize>,
    pub kernel: String,
    pub memory_mib: u64,
    pub date: String,
    /// The cores of the server and of the load generator; none if they cannot be pinned.
    pub pinned: Option<(usize, usize)>,
}

impl Machine {
    pub fn inspect() -> Self {
        let cores = allowed_cores();
        let pinned = match (cores.first(), cores.last()) {
            (Some(&first), Some(&last)) if first != last && has_tool("taskset") => {
                Some((first, last))
            }
            _ => None,
        };
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            kernel: format!("Linux {}", release.trim()),
            memory_mib: field(&meminfo, "MemTotal")
                .and_then(|total| total.strip_suffix(" kB")?.trim().parse::<u64>().ok())
                .unwrap_or(0)
                / 1024,
            date: output_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_default(),
            cores,
            pinned,
        }
    }

    /// Command-line prefixes that pin a server and a load generator.
    pub fn pins(&self) -> (Vec<String>, Vec<String>) {
        let pin = |core: usize| {
            ["taskset", "-c", &core.to_string()]
                .map(str::to_owned)
                .to_vec()
        };
        self.pinned
            .map_or_else(Default::default, |(server, load)| (pin(server), pin(load)))
    }

    pub fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cores": self.cores.len(),
            "kernel": self.kernel,
            "memory_mib": self.memory_mib,
            "date": self.date,
            "server_core": self.pinned.map(|(server, _)| server),
            "load_core": self.pinned.map(|(_, load)| load),
        })
    }
}

/// Raises the limit of open descriptors as far as it goes, for this process and its children.
pub fn raise_descriptor_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
    .unwrap_or(u64::MAX)
}

/// Whether a tool can be started at all.
pub fn has_tool(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// The first line of what a command prints, if it succeeds.
pub fn output_of(command: &str, arguments: &[&str]) -> Option<String> {
    let text = all_output_of(Command::new(command).args(arguments)).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// All that a command prints, if it succeeds.
pub fn all_output_of(command: &mut Command) -> io::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(io::Error::other(output.status.to_string())),
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn allowed_cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    field(&status, "Cpus_allowed_list")
        .map(|list| expand(&list))
        .unwrap_or_default()
}

/// `0-2,5` as the numbers it stands for.
fn expand(list: &str) -> Vec<usize> {
    list.split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cores_is_expanded() {
        assert_eq!(expand("0-2,5"), [0, 1, 2, 5]);
        assert_eq!(expand("3"), [3]);
        assert!(expand("").is_empty());
    }
}
