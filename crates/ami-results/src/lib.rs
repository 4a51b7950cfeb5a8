//! What a run leaves behind: records, histograms, manifest, run directory.
//!
//! The load engine hands each [`record::Record`] to a recorder, which keeps constant memory and writes
//! the files of a run directory once a second; reports read them back from there. Every instant is a `u64` of
//! nanoseconds since the run's origin; the manifest maps the origin to wall time. Nothing else touches result files.

pub mod call;
pub mod histogram;
pub mod layout;
pub mod manifest;
pub mod outcome;
pub mod record;
pub mod validity;
pub mod verdict;
