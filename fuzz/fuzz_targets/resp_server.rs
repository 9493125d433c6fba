#![no_main]

#[path = "../../tests/support/resp_trial.rs"]
mod resp_trial;

thread_local!(static TRIAL: soquete::fuzzing::ServerTrial = resp_trial::trial());

libfuzzer_sys::fuzz_target!(|data: &[u8]| TRIAL.with(|trial| trial.fuzz(data)));
