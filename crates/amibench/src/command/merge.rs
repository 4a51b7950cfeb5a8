//! `amibench merge`: the segments of one load, run by several processes, become one run like any other.

use std::path::Path;
use std::time::Duration;

use ami_client::Document;
use ami_load::Scenario;
use ami_load::threshold::{Threshold, Written};
use ami_report::Format;
use ami_report::summary::Summary;
use ami_results::manifest::Manifest;
use ami_results::merge::{APART_MAX, Merge, MergeError};
use ami_results::recorder::{Recorder, RecorderError};
use ami_results::run_dir::RunDir;
use ami_results::verdict::Verdict;
use anyhow::Context as _;

use crate::args;
use crate::command::report;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::{print, results};

pub(crate) fn run(args: &args::Merge) -> Result<Exit, Failure> {
    let mut parts = Vec::new();
    for path in &args.runs {
        let part = RunDir::open(path)
            .with_context(|| format!("{} is no readable run", path.display()))
            .or_exit(Exit::BadInput)?;
        parts.push(part);
    }
    let merge = Merge::new(parts)
        .map_err(|error| anyhow::anyhow!("failed to {error}"))
        .or_exit(Exit::BadInput)?;
    warn(&merge);
    let thresholds = thresholds(merge.manifest())?;
    let run_dir = results::create(&args.out)?;
    let added = merge.add_up(run_dir.clone()).map_err(|error| {
        // It was made above: what is in it is half a run.
        let _ = std::fs::remove_dir_all(run_dir.path());
        let exit = match &error {
            MergeError::Read(_) | MergeError::Damaged { .. } => Exit::BadInput,
            MergeError::Write(_) => Exit::NotWritten,
        };
        let error = anyhow::Error::from(error).context("failed to add up");
        Failure { exit, error }
    })?;
    finish(&merge, added, &thresholds).or_exit(Exit::NotWritten)?;
    let summary = Summary::read(&run_dir).or_exit(Exit::NotWritten)?;
    report::print_tables(&summary);
    let exported = report::named(&summary, args.names.naming());
    let written = report::write(&exported, &run_dir, &Format::USUAL, run_dir.path())?;
    written
        .iter()
        .take(1)
        .for_each(|path| print::line(path.display()));
    Ok(exit(&summary))
}

fn warn(merge: &Merge) {
    for segment in merge.missing() {
        print::error(format_args!("segment {segment} is missing"));
    }
    if merge.apart() > APART_MAX {
        print::error(format_args!(
            "the segments began {:.1} s apart by their clocks: they are added up by the schedule, \
             but the targets did not bear them all at once",
            merge.apart().as_secs_f64()
        ));
    }
}

fn finish(
    merge: &Merge,
    recorder: Recorder,
    thresholds: &[Threshold],
) -> Result<(), RecorderError> {
    let until = Duration::from_nanos(merge.ended_at());
    let verdicts = judge(&recorder, thresholds, until);
    recorder.run_dir().write_verdicts(&verdicts)?;
    recorder.finish(merge.ended_at(), merge.end())?;
    Ok(())
}

/// Of the scenario, which stands in the manifest of each segment.
fn thresholds(manifest: &Manifest) -> Result<Vec<Threshold>, Failure> {
    let text = &manifest.scenario.text;
    let document = Document::embedded(&manifest.scenario.name, Path::new(""), text);
    let scenario = Scenario::parse(&document)
        .context("failed to understand the scenario of the segments")
        .or_exit(Exit::BadInput)?;
    let thresholds = scenario.thresholds.iter();
    thresholds
        .map(|written| Written::resolve(&document, written, &manifest.layout))
        .collect::<Result<_, _>>()
        .or_exit(Exit::BadInput)
}

/// The thresholds of the scenario, on all segments together; a target that failed has none, as in a run.
fn judge(recorder: &Recorder, thresholds: &[Threshold], until: Duration) -> Vec<Verdict> {
    let manifest = recorder.manifest();
    let targets = (0..).zip(&manifest.targets);
    let loaded = targets.filter(|(_, target)| target.failure.is_none());
    loaded
        .flat_map(|(target, _)| {
            thresholds
                .iter()
                .filter(move |threshold| threshold.is_of(target))
                .map(move |threshold| threshold.judge(recorder, target, until))
        })
        .collect()
}

fn exit(summary: &Summary) -> Exit {
    let mut exit = Exit::Held;
    let mut actions = summary.targets.iter().flat_map(|target| &target.actions);
    if !summary.validity.is_valid() || actions.all(|action| action.counts.sent == 0) {
        exit = exit.max(Exit::Inconclusive);
    }
    for verdict in &summary.verdicts {
        exit = exit.max(verdict.state.into());
    }
    if summary
        .manifest
        .targets
        .iter()
        .any(|target| target.failure.is_some())
    {
        exit = exit.max(Exit::Unreachable);
    }
    exit
}
