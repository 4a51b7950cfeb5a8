//! One file for each verb: as-typed arguments in, one library call, an exit code out.

pub(crate) mod check;
pub(crate) mod cleanup;
pub(crate) mod completions;
pub(crate) mod conform;
pub(crate) mod doctor;
pub(crate) mod load;
pub(crate) mod merge;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod sim;
mod verdicts;
