//! Takes what the load engine measured and turns it into files, once a second and in constant memory: a histogram
//! per tag for the whole run, one per tag and second not yet written, bounded tables for everything else.
//! Recording never fails; a full disk shows at [`Recorder::flush_second`], and what was written stays readable.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::append::AppendFile;
use crate::call::CallRecord;
use crate::delivery::DeliveryRow;
use crate::error_class::ErrorTable;
use crate::histogram::Histogram;
use crate::interval::{Cell, Counts, Gauge};
use crate::interval_log;
use crate::layout::{Kind, Layout, Shape, Tag};
use crate::manifest::{End, Manifest};
use crate::outage::PresenceRow;
use crate::outcome::Outcome;
use crate::record::{Record, Skipped};
use crate::run_dir::{self, RunDir, WriteError};
use crate::tally::Tally;
use crate::totals::{CallTotals, Totals};
use crate::unwritten::{SECOND_NS, Unwritten};

/// What becomes of single records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    Omit,
    /// Into `records.jsonl`, the first so many.
    Keep {
        max: u64,
    },
}

impl Records {
    /// About 3 GB on disk.
    pub const KEEP: Self = Self::Keep { max: 10_000_000 };
}

/// Part of a run; None means all of them, and of phases those that are measured: a warm-up is named to be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    pub target: Option<u16>,
    pub phase: Option<u16>,
    pub action: Option<u16>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    #[error("make {}", path.display())]
    Create {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Write(#[from] WriteError),
}

#[derive(Debug)]
pub struct Recorder {
    run_dir: RunDir,
    manifest: Manifest,
    records: Records,
    files: Files,
    tally: Tally,
    unwritten: Unwritten,
    errors: ErrorTable,
    planned: u64,
    kept: u64,
    now: u64,
    failed: Option<WriteError>,
}

impl Recorder {
    /// Writes the manifest, which should say [`End::Running`], and makes the files.
    pub fn new(
        run_dir: RunDir,
        manifest: Manifest,
        records: Records,
    ) -> Result<Self, RecorderError> {
        run_dir.write_manifest(&manifest)?;
        let mut files = Files::create(&run_dir, records)?;
        let header = interval_log::header(manifest.started_at);
        attempt(&mut files.latency, |file| {
            file.lines(&header)?;
            file.flush()
        })?;
        Ok(Self {
            tally: Tally::new(&manifest.layout),
            unwritten: Unwritten::default(),
            errors: ErrorTable::default(),
            planned: 0,
            kept: 0,
            now: 0,
            failed: None,
            run_dir,
            manifest,
            records,
            files,
        })
    }

    pub fn run_dir(&self) -> &RunDir {
        &self.run_dir
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn layout(&self) -> &Layout {
        &self.manifest.layout
    }

    /// For what is only known once sessions are up, such as banners. The layout must stay as it is.
    pub fn update_manifest(
        &mut self,
        update: impl FnOnce(&mut Manifest),
    ) -> Result<(), RecorderError> {
        update(&mut self.manifest);
        Ok(self.run_dir.write_manifest(&self.manifest)?)
    }

    /// Why a target was not loaded to the end; what goes wrong later follows from the first.
    pub fn target_failed(&mut self, name: &str, why: String) {
        let mut targets = self.manifest.targets.iter_mut();
        if let Some(target) = targets.find(|target| target.name == name) {
            target.failure.get_or_insert(why);
        }
    }

    /// Arrivals that the plan had until arrivals stopped; those that are neither recorded nor skipped by the end make
    /// the run invalid. Without this the plan is taken to be what was recorded.
    pub fn planned(&mut self, arrivals: u64) {
        self.planned = arrivals;
    }

    pub fn record(&mut self, record: &Record) {
        let shape = self.layout().action(record.action).shape;
        for (kind, duration) in record.durations(shape) {
            self.duration(record.cell(), kind, record.ended_at(), duration);
        }
        self.tally.record(record);
        self.unwritten.record(record);
        if record.outcome != Outcome::Success {
            self.errors.record(record);
        }
        self.keep(record);
        self.write_if_full();
    }

    pub fn skipped(&mut self, skipped: &Skipped) {
        self.tally.skipped(skipped);
        self.unwritten.skipped(skipped);
        self.write_if_full();
    }

    pub fn call(&mut self, call: &CallRecord) {
        self.tally.call(call);
        self.write(|files| attempt(&mut files.calls, |file| file.json_line(call)));
    }

    pub fn gauge(&mut self, gauge: Gauge) {
        self.write(|files| attempt(&mut files.gauges, |file| file.json_line(&gauge)));
    }

    pub fn presence(&mut self, row: &PresenceRow) {
        self.tally.presence(row);
        self.write(|files| attempt(&mut files.sessions, |file| file.json_line(row)));
    }

    pub fn delivery(&mut self, row: &DeliveryRow) {
        self.tally.delivery(row);
        self.write(|files| attempt(&mut files.deliveries, |file| file.json_line(row)));
    }

    /// How long after it happened an event of this cell's actions was read, at `at`.
    pub fn event_delay(&mut self, cell: Cell, at: u64, delay: u64) {
        self.duration(cell, Kind::EventDelay, at, delay);
        self.write_if_full();
    }

    /// Writes the seconds that ended before `now`. An error is told once; later calls write what still can be.
    pub fn flush_second(&mut self, now: u64) -> Result<(), RecorderError> {
        self.now = self.now.max(now);
        self.write_until(now / SECOND_NS);
        self.told()
    }

    pub fn totals(&self) -> Totals {
        self.tally.totals(self.planned)
    }

    /// Until now, where sessions are still away; zero where all stayed.
    pub fn longest_outage(&self, target: u16) -> u64 {
        self.tally.outages(target).longest(self.now)
    }

    /// Of all actions: each once, and not again as part of its flow.
    pub fn counts(&self, scope: Scope) -> Counts {
        if scope.action.is_some() {
            return self.tally.counts(scope);
        }
        let mut total = Counts::default();
        for (index, action) in (0..).zip(self.layout().actions()) {
            if action.shape != Shape::Flow {
                let action = Some(index);
                total.add(&self.tally.counts(Scope { action, ..scope }));
            }
        }
        total
    }

    /// Of all actions that make calls.
    pub fn calls(&self, scope: Scope) -> CallTotals {
        self.tally.calls(scope)
    }

    pub fn histogram(&self, scope: Scope, kind: Kind) -> Histogram {
        self.tally.histogram(scope, kind)
    }

    /// Writes what is left and the manifest's end. The manifest is written even when other files could not be.
    pub fn finish(mut self, now: u64, end: End) -> Result<Totals, RecorderError> {
        self.now = self.now.max(now);
        self.write_until(u64::MAX);
        self.write(|files| files.each(AppendFile::sync));
        let totals = self.totals();
        self.manifest.ended_at = Some(wall_time(self.manifest.started_at, self.now));
        self.manifest.end = end;
        self.manifest.validity = Some(totals.validity.clone());
        let manifest = self.run_dir.write_manifest(&self.manifest);
        self.told()?;
        manifest?;
        Ok(totals)
    }

    fn duration(&mut self, cell: Cell, kind: Kind, at: u64, nanoseconds: u64) {
        let tag = Tag {
            target: cell.target,
            phase: cell.phase,
            action: cell.action,
            kind,
        };
        self.tally.duration(tag, nanoseconds);
        self.unwritten.duration(at, tag, nanoseconds);
    }

    fn keep(&mut self, record: &Record) {
        let Records::Keep { max } = self.records else {
            return;
        };
        if self.kept >= max {
            self.manifest.records_left_out += 1;
            return;
        }
        self.kept += 1;
        self.write(|files| {
            let Some(records) = &mut files.records else {
                return Ok(());
            };
            attempt(records, |file| file.json_line(record))
        });
    }

    fn write_if_full(&mut self) {
        if self.unwritten.is_full() {
            self.write_until(u64::MAX);
        }
    }

    /// Writes the seconds before `until`, which is past the last one at the end of the run.
    fn write_until(&mut self, until: u64) {
        let rows = self.unwritten.take_rows(until);
        let last = until.saturating_sub(1).min(self.now / SECOND_NS);
        self.tally.second_ended(last, &rows);
        let histograms = self.unwritten.take_histograms(until);
        let log = encode(&histograms, &self.manifest.layout, self.now);
        self.unwritten.reuse(histograms);
        let errors = self.errors.take_rows();
        self.write(|files| attempt(&mut files.latency, |file| file.lines(&log)));
        self.write(|files| attempt(&mut files.intervals, |file| file.json_lines(&rows)));
        self.write(|files| attempt(&mut files.errors, |file| file.json_lines(&errors)));
        self.write(|files| files.each(AppendFile::flush));
    }

    /// Keeps the first error for the next [`Recorder::flush_second`].
    fn write(&mut self, write: impl FnOnce(&mut Files) -> Result<(), WriteError>) {
        if let Err(error) = write(&mut self.files) {
            self.failed.get_or_insert(error);
        }
    }

    fn told(&mut self) -> Result<(), RecorderError> {
        self.failed
            .take()
            .map_or(Ok(()), |error| Err(RecorderError::Write(error)))
    }
}

#[derive(Debug)]
struct Files {
    latency: AppendFile,
    intervals: AppendFile,
    gauges: AppendFile,
    errors: AppendFile,
    calls: AppendFile,
    sessions: AppendFile,
    deliveries: AppendFile,
    records: Option<AppendFile>,
}

impl Files {
    fn create(run_dir: &RunDir, records: Records) -> Result<Self, RecorderError> {
        let create = |name| {
            let path = run_dir.file(name);
            AppendFile::create(path.clone())
                .map_err(|source| RecorderError::Create { path, source })
        };
        Ok(Self {
            latency: create(run_dir::LATENCY)?,
            intervals: create(run_dir::INTERVALS)?,
            gauges: create(run_dir::GAUGES)?,
            errors: create(run_dir::ERRORS)?,
            calls: create(run_dir::CALLS)?,
            sessions: create(run_dir::SESSIONS)?,
            deliveries: create(run_dir::DELIVERIES)?,
            records: match records {
                Records::Omit => None,
                Records::Keep { .. } => Some(create(run_dir::RECORDS)?),
            },
        })
    }

    /// Every file gets its turn: one that fails costs the others nothing.
    fn each(
        &mut self,
        mut write: impl FnMut(&mut AppendFile) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        let always = [
            &mut self.latency,
            &mut self.intervals,
            &mut self.gauges,
            &mut self.errors,
            &mut self.calls,
            &mut self.sessions,
            &mut self.deliveries,
        ];
        always
            .into_iter()
            .chain(self.records.as_mut())
            .map(|file| attempt(file, &mut write))
            .fold(Ok(()), Result::and)
    }
}

fn attempt(
    file: &mut AppendFile,
    write: impl FnOnce(&mut AppendFile) -> io::Result<()>,
) -> Result<(), WriteError> {
    write(file).map_err(|source| WriteError {
        path: file.path().to_owned(),
        source,
    })
}

fn encode(
    histograms: &std::collections::BTreeMap<(u64, Tag), Histogram>,
    layout: &Layout,
    now: u64,
) -> Vec<u8> {
    let tags: Vec<String> = histograms.keys().map(|(_, tag)| layout.tag(*tag)).collect();
    interval_log::encode(
        tags.iter()
            .zip(histograms)
            .map(|(tag, ((second, _), histogram))| {
                let start = second * SECOND_NS;
                // The last second of a run is shorter.
                let length = now.saturating_sub(start).clamp(1_000_000, SECOND_NS);
                let (start, length) = (Duration::from_nanos(start), Duration::from_nanos(length));
                (tag.as_str(), start, length, histogram)
            }),
    )
}

fn wall_time(origin: Timestamp, now: u64) -> Timestamp {
    let elapsed = SignedDuration::from_nanos(i64::try_from(now).unwrap_or(i64::MAX));
    origin.saturating_add(elapsed).unwrap_or(origin)
}

mod absorb;
#[cfg(test)]
pub(crate) mod tests;
