//! `amibench report`: makes the readable end of a run again from its directory, and what other programs read of it; of
//! several runs that judged PBXs, one matrix.

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use ami_report::render::text::{self, Color};
use ami_report::summary::Summary;
use ami_report::{Format, Naming};
use ami_results::judgement::log;
use ami_results::run_dir::RunDir;
use anyhow::{Context as _, anyhow};

use crate::args::Report;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

pub(crate) mod judged;

pub(crate) fn run(report: &Report) -> Result<Exit, Failure> {
    let without = report.runs.iter().find(|run| !log::is_in(run));
    match (without, report.runs.as_slice()) {
        (None, _) => judged::run(report),
        (Some(load), [_]) => of_load(report, load),
        (Some(without), _) => {
            let without = without.display();
            Err(anyhow!(
                "several runs make one matrix of judgements, and {without} holds none"
            ))
            .or_exit(Exit::BadInput)
        }
    }
}

fn of_load(report: &Report, run: &Path) -> Result<Exit, Failure> {
    require(&report.formats, &Format::OF_LOADS, "a load")?;
    let (run_dir, _) = RunDir::open(run)
        .with_context(|| format!("{} is no readable run", run.display()))
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

/// Each asked for is one that there is.
fn require(asked: &[Format], there: &[Format], what: &str) -> Result<(), Failure> {
    let Some(format) = asked.iter().find(|format| !there.contains(format)) else {
        return Ok(());
    };
    let slugs: Vec<&str> = there.iter().map(|format| format.slug()).collect();
    let (format, slugs) = (format.slug(), slugs.join(", "));
    Err(anyhow!("there is no `{format}` of {what}, only {slugs}")).or_exit(Exit::BadInput)
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
    print::text(text::render(summary, color()));
}

fn color() -> Color {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        Color::Ansi
    } else {
        Color::Plain
    }
}
