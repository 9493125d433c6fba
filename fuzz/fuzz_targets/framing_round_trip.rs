#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| soquete::framing::fuzz::fuzz_round_trip(data));
