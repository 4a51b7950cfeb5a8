//! The runs of several processes that shared one load, added up to one run. Every count and every bucket of a
//! histogram is the sum of the parts; verdicts and validity are to be judged again on what came out.
//!
//! All instants of a part count from its own origin, and all parts follow one plan: so the same instant of the plan
//! has the same number in each part, and rows are added as they are. Wall clocks play no role; [`Merge::apart`] says
//! how far they were from each other when the parts began.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::manifest::{End, Manifest, Part, Segment};
use crate::recorder::{Recorder, RecorderError, Records};
use crate::rows::ReadError;
use crate::run_dir::{self, RunDir};

mod rows;

/// Parts that begin farther apart than this did not load the target together.
pub const APART_MAX: Duration = Duration::from_secs(1);

/// Runs that fit together, not yet added up.
#[derive(Debug)]
pub struct Merge {
    parts: Vec<(RunDir, Manifest)>,
    manifest: Manifest,
    missing: Vec<Segment>,
    end: End,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MismatchError {
    #[error("merge one run: at least two are needed")]
    TooFew,
    #[error("merge {}: it offered the whole load, not a segment of it", path.display())]
    Whole { path: PathBuf },
    #[error(
        "merge {}: it has not ended, it runs still or was killed; the other segments can be merged without it",
        path.display()
    )]
    Running { path: PathBuf },
    #[error(
        "merge {} and {}: they are not parts of one load, {what} differs: {one} and {other}",
        first.display(),
        path.display()
    )]
    Differs {
        first: PathBuf,
        path: PathBuf,
        what: &'static str,
        one: String,
        other: String,
    },
    #[error("merge {} and {}: both are segment {segment}", first.display(), path.display())]
    Overlap {
        first: PathBuf,
        path: PathBuf,
        segment: Segment,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] RecorderError),
    #[error(
        "merge {}: it is damaged, its files count {arrivals} arrivals with an end, {lags} measured and {failures} of \
         {failed} failures",
        path.display()
    )]
    Damaged {
        path: PathBuf,
        arrivals: u64,
        lags: u64,
        failures: u64,
        failed: u64,
    },
}

impl Merge {
    /// Looks at the manifests alone.
    pub fn new(mut parts: Vec<(RunDir, Manifest)>) -> Result<Self, MismatchError> {
        if parts.len() < 2 {
            return Err(MismatchError::TooFew);
        }
        for (run_dir, manifest) in &parts {
            check_ended(run_dir.path(), manifest)?;
        }
        for (run_dir, manifest) in &parts[1..] {
            check_same(&parts[0], (run_dir, manifest))?;
        }
        parts.sort_by_key(|(_, manifest)| segments(manifest).next());
        check_overlap(&parts)?;
        let manifest = merged(&parts);
        let count = manifest.merged_from[0].segment.count;
        let has = |index| {
            manifest
                .merged_from
                .iter()
                .any(|part| part.segment.index == index)
        };
        Ok(Self {
            missing: (0..count)
                .filter(|&index| !has(index))
                .map(|index| Segment { index, count })
                .collect(),
            end: end(&parts),
            manifest,
            parts,
        })
    }

    /// Of the run that comes out, as it begins.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Segments of the plan that none of the runs offered.
    pub fn missing(&self) -> &[Segment] {
        &self.missing
    }

    /// How far the first part began before the last, by their own clocks.
    pub fn apart(&self) -> Duration {
        let starts = || self.manifest.merged_from.iter().map(|part| part.started_at);
        let span = starts()
            .max()
            .zip(starts().min())
            .map(|(last, first)| last.duration_since(first));
        span.and_then(|span| Duration::try_from(span).ok())
            .unwrap_or_default()
    }

    pub fn end(&self) -> End {
        self.end.clone()
    }

    /// When the part that took longest ended, in nanoseconds since its origin.
    pub fn ended_at(&self) -> u64 {
        let elapsed = |manifest: &Manifest| {
            let ended_at = manifest.ended_at?;
            u64::try_from(ended_at.duration_since(manifest.started_at).as_nanos()).ok()
        };
        let ends = self.parts.iter().filter_map(|(_, part)| elapsed(part));
        ends.max().unwrap_or(0)
    }

    /// Adds up into a new run, which is to be judged and finished by the caller.
    pub fn add_up(&self, out: RunDir) -> Result<Recorder, MergeError> {
        let kept = |(run_dir, _): &(RunDir, Manifest)| run_dir.file(run_dir::RECORDS).exists();
        let records = if self.parts.iter().any(kept) {
            Records::KEEP
        } else {
            Records::Omit
        };
        let mut recorder = Recorder::new(out, self.manifest.clone(), records)?;
        rows::add_up(&self.parts, &mut recorder)?;
        let planned = |manifest: &Manifest| manifest.validity.as_ref().map_or(0, |v| v.planned);
        recorder.planned(self.parts.iter().map(|(_, part)| planned(part)).sum());
        for segment in &self.missing {
            recorder.object(format!(
                "segment {segment} is missing: the target got only a part of the load"
            ));
        }
        Ok(recorder)
    }
}

/// What a run covers of its plan: itself, or what it was merged from.
fn parts_of(manifest: &Manifest) -> Vec<Part> {
    let own = manifest.segment.map(|segment| Part {
        run_id: manifest.run_id.clone(),
        segment,
        started_at: manifest.started_at,
        host: manifest.host.clone(),
    });
    manifest.merged_from.iter().cloned().chain(own).collect()
}

fn segments(manifest: &Manifest) -> impl Iterator<Item = Segment> {
    parts_of(manifest).into_iter().map(|part| part.segment)
}

fn check_ended(path: &Path, manifest: &Manifest) -> Result<(), MismatchError> {
    let path = path.to_owned();
    if parts_of(manifest).is_empty() {
        return Err(MismatchError::Whole { path });
    }
    if manifest.end == End::Running {
        return Err(MismatchError::Running { path });
    }
    Ok(())
}

fn check_same(
    (first, one): &(RunDir, Manifest),
    (run_dir, other): (&RunDir, &Manifest),
) -> Result<(), MismatchError> {
    type Fact = fn(&Manifest) -> String;
    let count: Fact = |manifest| segments(manifest).next().map_or(0, |s| s.count).to_string();
    let facts: [(&str, Fact); 6] = [
        ("the version of amibench", |manifest| {
            manifest.version.clone()
        }),
        ("the scenario", |manifest| manifest.scenario.name.clone()),
        ("the seed", |manifest| manifest.seed.to_string()),
        ("the number of segments", count),
        ("the plan's SHA-256", |manifest| {
            manifest.plan_sha256.clone()
        }),
        ("the layout", |manifest| format!("{:?}", manifest.layout)),
    ];
    for (what, fact) in facts {
        if fact(one) != fact(other) {
            return Err(MismatchError::Differs {
                first: first.path().to_owned(),
                path: run_dir.path().to_owned(),
                what,
                one: fact(one),
                other: fact(other),
            });
        }
    }
    Ok(())
}

fn check_overlap(parts: &[(RunDir, Manifest)]) -> Result<(), MismatchError> {
    for (index, (run_dir, manifest)) in parts.iter().enumerate() {
        for (earlier, known) in &parts[..index] {
            let mut twice =
                segments(manifest).filter(|one| segments(known).any(|other| other == *one));
            if let Some(segment) = twice.next() {
                return Err(MismatchError::Overlap {
                    first: earlier.path().to_owned(),
                    path: run_dir.path().to_owned(),
                    segment,
                });
            }
        }
    }
    Ok(())
}

fn merged(parts: &[(RunDir, Manifest)]) -> Manifest {
    let mut manifest = parts[0].1.clone();
    manifest.segment = None;
    manifest.merged_from = parts.iter().flat_map(|(_, part)| parts_of(part)).collect();
    manifest.run_id = format!("merged-{}", manifest.merged_from[0].run_id);
    manifest.started_at = parts
        .iter()
        .map(|(_, part)| part.started_at)
        .min()
        .unwrap_or(Timestamp::UNIX_EPOCH);
    manifest.ended_at = None;
    manifest.end = End::Running;
    manifest.validity = None;
    manifest.records_left_out = parts.iter().map(|(_, part)| part.records_left_out).sum();
    for (index, target) in manifest.targets.iter_mut().enumerate() {
        let failures = parts.iter().filter_map(|(_, part)| {
            let failure = part.targets.get(index)?.failure.as_ref()?;
            Some(format!("{}: {failure}", name(part)))
        });
        let failures: Vec<String> = failures.collect();
        target.failure = (!failures.is_empty()).then(|| failures.join("; "));
    }
    manifest
}

/// A part that was aborted makes the whole so, then one that was interrupted.
fn end(parts: &[(RunDir, Manifest)]) -> End {
    let ends = || parts.iter().map(|(_, part)| (part, &part.end));
    let aborted = ends().find_map(|(part, end)| match end {
        End::Aborted { reason } => Some(End::Aborted {
            reason: format!("{}: {reason}", name(part)),
        }),
        _ => None,
    });
    let interrupted = ends()
        .any(|(_, end)| *end == End::Interrupted)
        .then_some(End::Interrupted);
    aborted.or(interrupted).unwrap_or(End::Completed)
}

/// `segment 2/4`, or of a merged run `segments 2/4, 3/4`.
fn name(part: &Manifest) -> String {
    let segments: Vec<String> = segments(part).map(|segment| segment.to_string()).collect();
    let noun = if segments.len() == 1 {
        "segment"
    } else {
        "segments"
    };
    format!("{noun} {}", segments.join(", "))
}

#[cfg(test)]
mod tests;
