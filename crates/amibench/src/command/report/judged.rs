//! Reports of judgements: what a run leaves beside them, what it prints at its end, and all of it again.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use ami_report::conformance::tree::{self, Detail};
use ami_report::conformance::{self, Conformance, FORMATS, USUAL, document};
use ami_report::{Format, Naming};
use anyhow::{Context as _, anyhow};

use super::{color, require};
use crate::args::Report;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

pub(super) fn run(report: &Report) -> Result<Exit, Failure> {
    require(&report.formats, &FORMATS, "judgements")?;
    let conformance = read(&report.runs)?;
    let exported = named(&conformance, report.names.naming());
    if let ([format], None) = (report.formats.as_slice(), &report.out)
        && let Some((_, document)) = document(&exported, *format)
    {
        print::text(document);
        return Ok(Exit::Held);
    }
    if report.formats.is_empty() || report.formats.contains(&Format::Text) {
        print(&conformance, report.cases.detail());
    }
    let formats = match (
        report.formats.as_slice(),
        &report.out,
        report.runs.as_slice(),
    ) {
        ([], None, [_, _, ..]) | ([Format::Text], ..) => return Ok(Exit::Held),
        ([], ..) => &USUAL,
        (formats, ..) => formats,
    };
    let ((Some(folder), _) | (None, [folder])) = (&report.out, report.runs.as_slice()) else {
        return Err(anyhow!("say with --out where the files of several runs go"))
            .or_exit(Exit::BadInput);
    };
    let written = write(&exported, formats, folder)?;
    written.iter().for_each(|path| print::line(path.display()));
    Ok(Exit::Held)
}

pub(crate) fn read(runs: &[PathBuf]) -> Result<Conformance, Failure> {
    Conformance::read(runs)
        .context("failed to read judgements")
        .or_exit(Exit::BadInput)
}

/// As it may leave the run's directory.
pub(crate) fn named(conformance: &Conformance, naming: Naming) -> Cow<'_, Conformance> {
    match naming {
        Naming::Raw => Cow::Borrowed(conformance),
        Naming::Pseudonyms => Cow::Owned(conformance.clone().pseudonymised()),
    }
}

pub(crate) fn write(
    conformance: &Conformance,
    formats: &[Format],
    folder: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    conformance::write(conformance, formats, folder)
        .context("failed to write the report")
        .or_exit(Exit::NotWritten)
}

/// The operator sees the run as it was.
pub(crate) fn print(conformance: &Conformance, detail: Detail) {
    print::text(tree::render(conformance, detail, color()));
}
