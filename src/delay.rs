//! How late a loop is: a histogram of the delay of a timer.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::StaysOnItsThread;
use crate::reactor;
use crate::timers::{self, Timeout};

/// Tells how late this thread's loop is. Node's `monitorEventLoopDelay()`: see [`monitor_event_loop_delay`].
/// Dropping it ends the monitoring.
pub struct DelayMonitor {
    delays: Rc<RefCell<Histogram>>,
    timer: Timeout,
    _not_send: StaysOnItsThread,
}

/// Measures how late this thread's loop is, by a timer that is due each `resolution` (in whole milliseconds): what it
/// comes late by, other callbacks have taken. The timer does not keep the loop alive, but wakes it.
///
/// As in Node, the first time only begins to count. Node's figures have the resolution in them; these are the delay
/// alone.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> soquete::Result<()> {
/// let delay = soquete::monitor_event_loop_delay(Duration::from_millis(10));
/// soquete::timers::set_timeout(Duration::from_millis(50), || {});
/// soquete::run()?;
/// println!("p99 {:?}, at most {:?}", delay.percentile(99.0), delay.max());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "monitorEventLoopDelay")]
#[track_caller]
pub fn monitor_event_loop_delay(resolution: Duration) -> DelayMonitor {
    let delays = Rc::new(RefCell::new(Histogram::default()));
    let step = Duration::from_millis(reactor::whole_ms(resolution).max(1));
    let (recorded, before) = (Rc::clone(&delays), Cell::new(None::<Duration>));
    let timer = timers::set_interval(resolution, move || {
        let Some(now) = reactor::with(|event_loop| event_loop.clock()) else {
            return;
        };
        if let Some(before) = before.replace(Some(now)) {
            let delay = (now - before).saturating_sub(step);
            recorded.borrow_mut().record(delay);
        }
    });
    DelayMonitor {
        delays,
        timer: timer.unref(),
        _not_send: StaysOnItsThread::HERE,
    }
}

impl DelayMonitor {
    /// How many times the delay was measured.
    pub fn count(&self) -> u64 {
        self.delays.borrow().count
    }

    /// The least delay; zero before the first.
    pub fn min(&self) -> Duration {
        self.delays.borrow().min
    }

    /// The greatest delay; zero before the first.
    pub fn max(&self) -> Duration {
        self.delays.borrow().max
    }

    /// The mean delay; zero before the first.
    pub fn mean(&self) -> Duration {
        self.delays.borrow().mean()
    }

    /// The delay that `percent` of all were not above, to within a fifth; zero before the first. 100 and more is the
    /// greatest.
    pub fn percentile(&self, percent: f64) -> Duration {
        self.delays.borrow().percentile(percent)
    }

    /// Forgets what was measured.
    pub fn reset(&self) {
        self.delays.replace(Histogram::default());
    }
}

impl Drop for DelayMonitor {
    fn drop(&mut self) {
        self.timer.clear();
    }
}

impl fmt::Debug for DelayMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelayMonitor")
            .field("count", &self.count())
            .field("min", &self.min())
            .field("mean", &self.mean())
            .field("p99", &self.percentile(99.0))
            .field("max", &self.max())
            .finish()
    }
}

/// Times by their size: a bucket for each quarter of a power of two, in microseconds.
///
/// ```text
///   bucket    0      1 …      59        60 …  63
///   below  32 µs  40 µs    917 ms … 1,835 ms   no bound
/// ```
struct Histogram {
    buckets: [u64; BUCKETS],
    count: u64,
    sum: Duration,
    min: Duration,
    max: Duration,
}

const BUCKETS: usize = 64;

/// The first bucket is for what is below this power of two.
const FIRST_POWER: u32 = 5;

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            buckets: [0; BUCKETS],
            count: 0,
            sum: Duration::ZERO,
            min: Duration::ZERO,
            max: Duration::ZERO,
        }
    }
}

impl Histogram {
    fn record(&mut self, time: Duration) {
        self.min = match self.count {
            0 => time,
            _ => self.min.min(time),
        };
        self.max = self.max.max(time);
        self.sum += time;
        self.count += 1;
        self.buckets[bucket_of(time)] += 1;
    }

    fn mean(&self) -> Duration {
        match u32::try_from(self.count) {
            Ok(0) => Duration::ZERO,
            Ok(count) => self.sum / count,
            Err(_) => self.sum.div_f64(self.count as f64),
        }
    }

    fn percentile(&self, percent: f64) -> Duration {
        let wanted = (self.count as f64 * percent.clamp(0.0, 100.0) / 100.0).ceil();
        // A conversion that ends at the greatest: no number is not wanted.
        let wanted = (wanted as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        let reached = self.buckets.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        match reached {
            Some(bucket) if wanted < self.count => end_of(bucket).clamp(self.min, self.max),
            _ => self.max,
        }
    }
}

fn bucket_of(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let Some(power) = micros.checked_ilog2().filter(|power| *power >= FIRST_POWER) else {
        return 0;
    };
    let quarter = (micros >> (power - 2)) & 3;
    let bucket = 1 + (power - FIRST_POWER) as usize * 4 + quarter as usize;
    bucket.min(BUCKETS - 1)
}

/// What all of a bucket is below.
fn end_of(bucket: usize) -> Duration {
    if bucket == BUCKETS - 1 {
        return Duration::MAX;
    }
    // The first of the next.
    let (power, quarter) = (bucket / 4, bucket as u64 % 4);
    Duration::from_micros((4 + quarter) << (power as u32 + FIRST_POWER - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_bucket_that_ends_a_quarter_above_it_at_most() {
        for micros in (0..60_000).chain((60_000..1_500_000).step_by(997)) {
            let time = Duration::from_micros(micros);
            let end = end_of(bucket_of(time));
            assert!(time < end, "{time:?} {end:?}");
            let quarter_above = time + time / 4 + Duration::from_micros(32);
            assert!(end <= quarter_above, "{time:?} {end:?}");
            assert!(bucket_of(end) == bucket_of(time) + 1 || bucket_of(time) == BUCKETS - 1);
        }
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(50.0), Duration::ZERO);
        for ms in 1..=1000 {
            histogram.record(Duration::from_millis(ms));
        }
        for percent in [1.0, 50.0, 90.0, 99.0, 99.9] {
            let exact = percent * 10.0;
            let told = histogram.percentile(percent).as_secs_f64() * 1000.0;
            assert!((exact..exact * 1.25).contains(&told), "{percent}: {told}");
        }
        let ms = Duration::from_millis;
        assert_eq!(histogram.percentile(100.0), ms(1000));
        assert_eq!(histogram.percentile(f64::INFINITY), ms(1000));
        assert!(histogram.percentile(f64::NAN) >= ms(1));
        assert!(histogram.percentile(-1.0) < ms(2));
        assert_eq!(histogram.mean(), Duration::from_micros(500_500));
        assert_eq!((histogram.min, histogram.max), (ms(1), ms(1000)));
    }

    #[test]
    fn one_record_is_all_there_is() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_secs(3600));
        assert_eq!(histogram.percentile(0.0), Duration::from_secs(3600));
        assert_eq!(histogram.min, histogram.max);
    }
}
