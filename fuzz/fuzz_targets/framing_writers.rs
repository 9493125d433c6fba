#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| soquete::fuzzing::framing_writers(data));
