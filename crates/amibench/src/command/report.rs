//! `amibench report`: makes the readable end of a run again from its directory, and what other programs read of it.

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use ami_report::render::text::{self, Color};
use ami_report::summary::Summary;
use ami_report::{Format, Naming};
use ami_results::run_dir::RunDir;
use anyhow::Context as _;

use crate::args::Report;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

pub(crate) fn run(report: &Report) -> Result<Exit, Failure> {
    let (run_dir, _) = RunDir::open(&report.run)
        .with_context(|| format!("{} is no readable run", report.run.display()))
        .or_exit(Exit::BadInput)?;
    let summary = Summary::read(&run_dir).or_exit(Exit::BadInput)?;
    let exported = named(&summary, report.names.naming());
    if let ([format], None) = (report.formats.as_slice(), &report.out)
        && let Some((_, document)) = format.document(&exported)
    {
        print::text(document);
        return Ok(Exit::Held);
    }
    if report.formats.is_empty() || report.formats.contains(&Format::Text) {
        print_tables(&summary);
    }
    let formats = if report.formats.is_empty() {
        &Format::USUAL
    } else {
        report.formats.as_slice()
    };
    let folder = report.out.as_deref().unwrap_or_else(|| run_dir.path());
    let written = write(&exported, &run_dir, formats, folder)?;
    written.iter().for_each(|path| print::line(path.display()));
    Ok(Exit::Held)
}

/// As it may leave the run's directory.
pub(crate) fn named(summary: &Summary, naming: Naming) -> Cow<'_, Summary> {
    match naming {
        Naming::Raw => Cow::Borrowed(summary),
        Naming::Pseudonyms => Cow::Owned(summary.clone().pseudonymised()),
    }
}

pub(crate) fn write(
    summary: &Summary,
    run_dir: &RunDir,
    formats: &[Format],
    folder: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    ami_report::write(summary, run_dir, formats, folder)
        .context("failed to write the report")
        .or_exit(Exit::NotWritten)
}

/// The operator sees the run as it was.
pub(crate) fn print_tables(summary: &Summary) {
    let color = if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        Color::Ansi
    } else {
        Color::Plain
    };
    print::text(text::render(summary, color));
}
