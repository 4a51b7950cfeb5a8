//! Any bytes decode within the limits, and every view of every frame holds.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../targets.rs"]
#[expect(dead_code, reason = "each binary runs one of the targets")]
mod targets;

fuzz_target!(|data: &[u8]| targets::decode(data));
