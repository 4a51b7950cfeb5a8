//! The client and the simulated server over a wire in memory, with tokio's clock paused: minutes take milliseconds, and
//! what has an exact duration is checked exactly.

#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

mod calls;
mod deadlines;
mod events;
mod faults;
mod line;
mod login;
