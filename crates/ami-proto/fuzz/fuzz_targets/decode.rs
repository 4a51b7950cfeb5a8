//! Any bytes are decoded, within bounds, and every one is accounted for.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::decoder::decode(data));
