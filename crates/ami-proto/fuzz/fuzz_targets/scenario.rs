//! A scenario of any text is planned, or refused with its place.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::files::scenario(data));
