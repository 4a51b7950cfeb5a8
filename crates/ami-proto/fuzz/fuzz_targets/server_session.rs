//! The simulated PBX answers any client or ends the session.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ami_fuzz::server_session::run(data));
