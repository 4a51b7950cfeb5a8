//! A recorded session of any bytes is read, or refused with its line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::recordings::transcript(data));
