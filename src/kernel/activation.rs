//! The descriptors that came with the process, as sd_listen_fds(3) has it.

use std::env;
use std::io;
use std::os::fd::OwnedFd;

use listenfd::ListenFd;

use super::errno;

/// More than any system lets a process have is no count.
const MOST: usize = 1 << 20;

/// The descriptors that are meant for this process, with their names. Once they are taken, there are none left.
pub(crate) fn take() -> io::Result<Vec<(OwnedFd, Option<String>)>> {
    // Another process's, which this one was started by: `listenfd` would take them if nobody is named.
    let me = std::process::id().to_string();
    if env::var("LISTEN_PID").ok() != Some(me) {
        return Ok(Vec::new());
    }
    // A manager that names the process and counts nothing passes nothing.
    let Some(count) = env::var_os("LISTEN_FDS") else {
        return Ok(Vec::new());
    };
    let count = count.to_string_lossy();
    if count.parse().map_or(true, |count: usize| count > MOST) {
        return Err(errno::error(errno::EINVAL));
    }
    // Read by `listenfd`, for which the last descriptor has to be a number as well.
    if let Some(first) = env::var_os("LISTEN_FDS_FIRST_FD") {
        let first = first.to_string_lossy().parse::<usize>();
        if first.is_ok_and(|first| first > MOST) {
            return Err(errno::error(errno::EINVAL));
        }
    }
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut passed = ListenFd::from_env();
    (0..passed.len())
        .map(|at| {
            let name = names.next().filter(|name| !name.is_empty());
            Ok((taken(&mut passed, at)?, name))
        })
        .collect()
}

fn taken(passed: &mut ListenFd, at: usize) -> io::Result<OwnedFd> {
    // One that is of neither kind stays at its place.
    if let Ok(Some(listener)) = passed.take_tcp_listener(at) {
        return Ok(listener.into());
    }
    match passed.take_unix_listener(at)? {
        Some(listener) => Ok(listener.into()),
        None => Err(errno::error(errno::EINVAL)),
    }
}
