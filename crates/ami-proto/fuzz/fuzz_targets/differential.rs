//! The decoder and a slow, obvious one say the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::differential::run(data));
