//! Must fail: the alarm is tried with it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::canary(data));
