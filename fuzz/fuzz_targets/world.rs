#![no_main]

#[path = "../../tests/support/drawn.rs"]
mod drawn;
#[path = "../../tests/support/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::run(data));
