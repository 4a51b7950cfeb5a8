//! A session and its model say the same, whatever happens.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::session::run(data));
