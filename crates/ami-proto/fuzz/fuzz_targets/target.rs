//! A target of any text is read, or refused with its place.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::files::target(data));
