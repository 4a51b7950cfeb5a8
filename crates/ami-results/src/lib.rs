//! What a run leaves behind: records, histograms, manifest, run directory.
//!
//! The load engine hands each [`record::Record`] to a [`recorder::Recorder`], which keeps constant memory and writes
//! the files of a [`run_dir::RunDir`] once a second; reports read them back from there. Every instant is a `u64` of
//! nanoseconds since the run's origin; the manifest maps the origin to wall time. Nothing else touches result files.

pub mod call;
pub mod delivery;
pub mod error_class;
pub mod histogram;
pub mod host;
pub mod interval;
pub mod interval_log;
pub mod judgement;
pub mod layout;
pub mod manifest;
pub mod merge;
pub mod outage;
pub mod outcome;
pub mod record;
pub mod recorder;
pub mod rows;
pub mod run_dir;
pub mod totals;
pub mod validity;
pub mod verdict;

mod append;
mod tally;
mod unwritten;
