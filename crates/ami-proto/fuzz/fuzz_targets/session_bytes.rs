//! A session that reads any bytes stays consistent.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::session::bytes::run(data));
