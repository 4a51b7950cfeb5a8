//! What was disguised is disguised for good.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::pseudonyms::run(data));
