//! Packets, logs and transcripts of others are read or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::recordings::capture(data));
