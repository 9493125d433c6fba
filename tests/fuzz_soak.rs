//! The bodies of the fuzz targets on random bytes, without a fuzzer.
//!
//! A second each by default; `SOQUETE_SOAK=60` makes it so many. The seed is printed, and
//! `SOQUETE_SEED=…` begins with it again:
//!
//! ```text
//! SOQUETE_SOAK=60 cargo test --release --features fuzzing --test fuzz_soak -- --nocapture
//! ```

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use soquete::fuzzing;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let len = self.next() % most;
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Tells what broke it.
struct Told<'a>(&'static str, u64, &'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let file = std::env::temp_dir().join(format!("soquete-{}-{}", self.0, self.1));
            let kept = std::fs::write(&file, self.2).map(|()| file);
            eprintln!("{} failed, seed {}; the bytes: {kept:?}", self.0, self.1);
        }
    }
}

fn soak(name: &'static str, most: u64, body: fn(&[u8])) {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let limit = Duration::from_secs(number("SOQUETE_SOAK").unwrap_or(1));
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH);
    let now = || clock().map_or(1, |since| since.as_nanos() as u64);
    let seed = number("SOQUETE_SEED").unwrap_or_else(now).max(1);
    let (mut random, begun, mut runs) = (Random(seed), Instant::now(), 0u64);
    while begun.elapsed() < limit {
        let bytes = random.bytes(most);
        let _told = Told(name, seed, &bytes);
        body(&bytes);
        runs += 1;
    }
    assert!(runs > 0, "no time for a single run");
    println!("{name}: {runs} runs from seed {seed}");
}

#[test]
fn stream_machine() {
    soak("stream_machine", 200, fuzzing::stream_machine);
}

#[test]
fn write_queue() {
    soak("write_queue", 120, fuzzing::write_queue);
}

#[test]
fn emitter() {
    soak("emitter", 300, fuzzing::emitter);
}

#[test]
fn timers() {
    soak("timers", 400, fuzzing::timers);
}

#[test]
fn utf8() {
    /// Bytes that are often the beginning, the middle or the end of a character.
    fn biased(bytes: &[u8]) {
        const COMMON: [u8; 16] = [
            b'a', 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf1,
            0xf4, 0xff,
        ];
        let bytes = bytes.iter().enumerate();
        let bytes = bytes.map(|(index, byte)| match index % 4 {
            0 => *byte,
            _ => COMMON[*byte as usize % COMMON.len()],
        });
        fuzzing::utf8(&bytes.collect::<Vec<u8>>());
    }
    soak("utf8", 60, biased);
    soak("utf8", 60, fuzzing::utf8);
}
