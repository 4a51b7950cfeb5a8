//! Real Asterisks, which `cargo xtask pbx up` starts on loopback: what only they can show.
//!
//! Skipped, with a printed reason, where no lab runs; with `AMIBENCH_LAB=required` that is a failure.

#![expect(clippy::unwrap_used, reason = "fixtures are tests too")]

mod calls;
mod conform;
mod foreign;
mod guard;
mod lab;
mod one_call;
#[path = "../verdicts/recorded.rs"]
mod recorded;
mod refused;
mod tls;
