//! Where the results of a run go: the folder that was given, or one of its own under `results/`.

use std::path::{Path, PathBuf};

use ami_results::run_dir::RunDir;
use anyhow::Context as _;

use crate::exit_code::{Exit, Failure, OrExit};

const RESULTS: &str = "results";

/// One of its own is named after the time and after `what` is done.
pub(crate) fn folder(given: Option<&Path>, what: &str) -> PathBuf {
    let own = || {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ");
        Path::new(RESULTS).join(format!("{now}-{what}"))
    };
    given.map_or_else(own, Path::to_owned)
}

pub(crate) fn create(folder: &Path) -> Result<RunDir, Failure> {
    RunDir::create(folder)
        .context("failed to prepare the results")
        .or_exit(Exit::NotWritten)
}

/// One of its own is the latest from now on.
pub(crate) fn link_latest(given: Option<&Path>, run_dir: &RunDir) -> Result<(), Failure> {
    if given.is_some() {
        return Ok(());
    }
    run_dir
        .link_latest()
        .context("failed to link results/latest")
        .or_exit(Exit::NotWritten)
}
