//! `amibench report`: makes the readable end of a run again from its directory.

use ami_report::summary::Summary;
use ami_results::run_dir::RunDir;
use anyhow::Context as _;

use crate::args::Report;
use crate::command::load::print_summary;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

pub(crate) fn run(report: &Report) -> Result<Exit, Failure> {
    let (run_dir, _) = RunDir::open(&report.run)
        .with_context(|| format!("{} is no readable run", report.run.display()))
        .or_exit(Exit::BadInput)?;
    let summary = Summary::read(&run_dir).or_exit(Exit::BadInput)?;
    print_summary(&summary);
    let written = ami_report::write_reports(&run_dir)
        .context("failed to write the report")
        .or_exit(Exit::NotWritten)?;
    written.iter().for_each(|path| print::line(path.display()));
    Ok(Exit::Held)
}
