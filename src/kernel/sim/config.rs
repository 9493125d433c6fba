//! What the network and the machines of a world are like.

use std::net::IpAddr;
use std::ops::RangeInclusive;

#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// One way, in ns.
    pub(crate) latency: RangeInclusive<u64>,
    /// How streams are cut, in bytes.
    pub(crate) segments: Option<RangeInclusive<u64>>,
    /// Send buffers, in bytes.
    pub(crate) send_buffer: RangeInclusive<u64>,
    /// Receive windows, in bytes.
    pub(crate) window: RangeInclusive<u64>,
    /// The most that one write takes.
    pub(crate) write_at_most: Option<RangeInclusive<u64>>,
    /// Bytes per second; 0 for no limit.
    pub(crate) bandwidth: u64,
    /// The events of one poll are in no order.
    pub(crate) shuffled: bool,
    /// One poll in so many reports something that has not changed; 0 for none.
    pub(crate) spurious: u64,
    /// Descriptors per host.
    pub(crate) descriptors: usize,
    /// Threads of each loop's pool.
    pub(crate) pool: usize,
    /// How long a connection waits for what it has sent to be acknowledged, in ns.
    pub(crate) gives_up_after: u64,
    /// From here on nothing fails any more.
    pub(crate) faults_until: u64,
    /// The first host has its own addresses only.
    pub(crate) is_exclusive: bool,
    /// Turns of all loops, and ns, after which a world is stopped.
    pub(crate) max_turns: u64,
    pub(crate) max_time: u64,
}

/// What a call of the kernel costs, in ns: a program that polls without waiting sees the network move.
pub(super) const CALL_COST: u64 = 1_000;

/// Where ephemeral ports begin.
pub(super) const FIRST_PORT: u16 = 40_000;

impl Default for Config {
    fn default() -> Config {
        Config {
            latency: 0..=0,
            segments: None,
            // Loopback's on Linux.
            send_buffer: 2_500_000..=2_500_000,
            window: 131_072..=131_072,
            write_at_most: None,
            bandwidth: 0,
            shuffled: false,
            spurious: 0,
            descriptors: 1 << 20,
            pool: 4,
            // tcp_retries2 of 15.
            gives_up_after: 924_600_000_000,
            faults_until: u64::MAX,
            is_exclusive: false,
            max_turns: 1_000_000,
            max_time: 10 * 365 * 24 * 3_600 * 1_000_000_000,
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) answer: Result<Vec<IpAddr>, &'static str>,
    /// In ns.
    pub(crate) delay: RangeInclusive<u64>,
}
