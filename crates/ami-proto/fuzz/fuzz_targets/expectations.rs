//! Expected verdicts of any text are read, or refused with their place.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::files::expectations(data));
