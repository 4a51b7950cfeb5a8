//! Any cuts give the same frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::decoder::split(data));
