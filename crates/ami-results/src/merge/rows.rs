//! The rows of all parts, walked through in step: second by second, so that what belongs together is written together
//! and memory holds one second, however long the runs were.

use std::collections::BTreeMap;
use std::iter::Peekable;

use crate::call::CallRecord;
use crate::delivery::DeliveryRow;
use crate::error_class::ErrorRow;
use crate::interval::{Gauge, IntervalRow};
use crate::interval_log::{LogRow, LogRows};
use crate::layout::Kind;
use crate::manifest::Manifest;
use crate::merge::MergeError;
use crate::outage::PresenceRow;
use crate::record::Record;
use crate::recorder::Recorder;
use crate::rows::{ReadError, Rows};
use crate::run_dir::RunDir;
use crate::unwritten::SECOND_NS;

pub(super) fn add_up(
    parts: &[(RunDir, Manifest)],
    recorder: &mut Recorder,
) -> Result<(), MergeError> {
    let mut readers = Vec::new();
    for (run_dir, manifest) in parts {
        readers.push(Reader::open(run_dir, manifest)?);
    }
    while let Some(second) = readers.iter_mut().filter_map(Reader::next_second).min() {
        let mut gauges = BTreeMap::new();
        for reader in &mut readers {
            reader.take(second, recorder, &mut gauges)?;
        }
        gauges.into_values().for_each(|gauge| recorder.gauge(gauge));
        recorder.flush_second(second.saturating_add(1).saturating_mul(SECOND_NS))?;
    }
    for (reader, (run_dir, _)) in readers.iter().zip(parts) {
        reader.checks.hold(run_dir)?;
    }
    Ok(())
}

/// The files of one part, each read as far as the walk has come.
struct Reader<'a> {
    latency: Peekable<LogRows<'a>>,
    intervals: Peekable<Rows<IntervalRow>>,
    gauges: Peekable<Rows<Gauge>>,
    errors: Peekable<Rows<ErrorRow>>,
    calls: Peekable<Rows<CallRecord>>,
    presence: Peekable<Rows<PresenceRow>>,
    deliveries: Peekable<Rows<DeliveryRow>>,
    records: Peekable<Rows<Record>>,
    checks: Checks,
}

/// A file that was cut short, when it was copied say, does not agree with the others.
#[derive(Default)]
struct Checks {
    ended: u64,
    failed: u64,
    lags: u64,
    failures: u64,
}

impl<'a> Reader<'a> {
    fn open(run_dir: &RunDir, manifest: &'a Manifest) -> Result<Self, ReadError> {
        Ok(Self {
            latency: run_dir.histograms(&manifest.layout)?.peekable(),
            intervals: run_dir.intervals()?.peekable(),
            gauges: run_dir.gauges()?.peekable(),
            errors: run_dir.errors()?.peekable(),
            calls: run_dir.calls()?.peekable(),
            presence: run_dir.presence()?.peekable(),
            deliveries: run_dir.deliveries()?.peekable(),
            records: run_dir.records()?.peekable(),
            checks: Checks::default(),
        })
    }

    /// The earliest second of the rows that come next.
    fn next_second(&mut self) -> Option<u64> {
        [
            peek(&mut self.latency, latency_second),
            peek(&mut self.intervals, |row| row.second),
            peek(&mut self.gauges, |row| row.second),
            peek(&mut self.errors, error_second),
            peek(&mut self.calls, call_second),
            peek(&mut self.presence, presence_second),
            peek(&mut self.deliveries, delivery_second),
            peek(&mut self.records, record_second),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn take(
        &mut self,
        until: u64,
        recorder: &mut Recorder,
        gauges: &mut BTreeMap<(u16, u64), Gauge>,
    ) -> Result<(), ReadError> {
        let checks = &mut self.checks;
        take(&mut self.latency, until, latency_second, |row| {
            if row.tag.kind == Kind::Lag {
                checks.lags += row.histogram.count();
            }
            recorder.absorb_latency(row);
        })?;
        take(
            &mut self.intervals,
            until,
            |row| row.second,
            |row| {
                checks.ended += row.counts.records();
                checks.failed += row.counts.records() - row.counts.success;
                recorder.absorb_interval(row);
            },
        )?;
        take(&mut self.errors, until, error_second, |row| {
            checks.failures += row.count;
            recorder.absorb_errors(row);
        })?;
        take(&mut self.calls, until, call_second, |row| {
            recorder.call(row)
        })?;
        take(&mut self.presence, until, presence_second, |row| {
            recorder.presence(row);
        })?;
        take(&mut self.deliveries, until, delivery_second, |row| {
            recorder.delivery(row);
        })?;
        take(&mut self.records, until, record_second, |row| {
            recorder.absorb_record(row);
        })?;
        take(
            &mut self.gauges,
            until,
            |row| row.second,
            |row| {
                gauges
                    .entry((row.target, row.second))
                    .and_modify(|sum: &mut Gauge| sum.add(row))
                    .or_insert(*row);
            },
        )
    }
}

impl Checks {
    fn hold(&self, run_dir: &RunDir) -> Result<(), MergeError> {
        if self.ended == self.lags && self.failed == self.failures {
            return Ok(());
        }
        Err(MergeError::Damaged {
            path: run_dir.path().to_owned(),
            arrivals: self.ended,
            lags: self.lags,
            failures: self.failures,
            failed: self.failed,
        })
    }
}

fn latency_second(row: &LogRow) -> u64 {
    row.start.as_secs()
}

fn error_second(row: &ErrorRow) -> u64 {
    row.last_seen / SECOND_NS
}

fn call_second(row: &CallRecord) -> u64 {
    row.intended_at / SECOND_NS
}

fn presence_second(row: &PresenceRow) -> u64 {
    row.first_at / SECOND_NS
}

fn delivery_second(row: &DeliveryRow) -> u64 {
    row.at / SECOND_NS
}

fn record_second(row: &Record) -> u64 {
    row.ended_at() / SECOND_NS
}

/// A row that cannot be read comes first, so that it is told.
fn peek<T>(
    rows: &mut Peekable<impl Iterator<Item = Result<T, ReadError>>>,
    second: fn(&T) -> u64,
) -> Option<u64> {
    rows.peek().map(|row| row.as_ref().map_or(0, second))
}

fn take<T>(
    rows: &mut Peekable<impl Iterator<Item = Result<T, ReadError>>>,
    until: u64,
    second: fn(&T) -> u64,
    mut absorb: impl FnMut(&T),
) -> Result<(), ReadError> {
    let due = |row: &Result<T, ReadError>| row.as_ref().map_or(0, second) <= until;
    while let Some(row) = rows.next_if(due) {
        absorb(&row?);
    }
    Ok(())
}
