//! What was encoded is decoded as it was, and the other way round.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::round_trip::run(data));
