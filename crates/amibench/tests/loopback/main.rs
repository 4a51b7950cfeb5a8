//! The load engine on real sockets of loopback: against a scripted PBX that misbehaves, and against the simulator.
//!
//! Nothing here waits for time to pass: what happens is driven by what the other side sent.

#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

mod answers;
mod bench;
mod calls;
mod events;
mod fake_pbx;
mod faults;
mod feeds;
mod flood;
mod flows;
mod foreign;
mod guard;
mod login;
mod outages;
mod pacing;
mod segments;
mod shapes;
mod simulated;
mod stop;
mod sweep;
mod targets;
mod thresholds;
mod tls;
mod visits;
