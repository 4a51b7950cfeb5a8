//! What was recorded and is not yet in a file: histograms and interval rows by second. Seconds leave it when they
//! have ended; what comes in late for a second that has left makes another row of it.

use std::collections::BTreeMap;

use crate::histogram::Histogram;
use crate::interval::{Cell, IntervalRow};
use crate::layout::{TAGS_MAX, Tag};
use crate::record::{Record, Skipped};

/// Two seconds of every tag: 200 MB at the very worst, and then the recorder writes early.
const HISTOGRAMS_MAX: usize = 2 * TAGS_MAX;
/// Outcomes come in late by up to an action's deadline, so this is many seconds of few cells.
const ROWS_MAX: usize = 16_384;

pub(crate) const SECOND_NS: u64 = 1_000_000_000;

#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    histograms: BTreeMap<(u64, Tag), Histogram>,
    rows: BTreeMap<(u64, Cell), IntervalRow>,
    /// Emptied ones: making one clears 200 kB of new memory.
    spare: Vec<Histogram>,
}

impl Unwritten {
    /// Time to write, ended seconds or not.
    pub(crate) fn is_full(&self) -> bool {
        self.histograms.len() >= HISTOGRAMS_MAX || self.rows.len() >= ROWS_MAX
    }

    pub(crate) fn duration(&mut self, at: u64, tag: Tag, nanoseconds: u64) {
        let spare = &mut self.spare;
        self.histograms
            .entry((at / SECOND_NS, tag))
            .or_insert_with(|| spare.pop().unwrap_or_default())
            .record(nanoseconds);
    }

    pub(crate) fn latency(&mut self, second: u64, tag: Tag, histogram: &Histogram) {
        let spare = &mut self.spare;
        self.histograms
            .entry((second, tag))
            .or_insert_with(|| spare.pop().unwrap_or_default())
            .merge(histogram);
    }

    pub(crate) fn interval(&mut self, interval: &IntervalRow) {
        let row = self.row_of(interval.second, interval.cell());
        row.counts.add(&interval.counts);
        row.lag_max_ns = row.lag_max_ns.max(interval.lag_max_ns);
    }

    pub(crate) fn record(&mut self, record: &Record) {
        let cell = record.cell();
        let offered = self.row(record.intended_at, cell);
        offered.counts.count_offered(record.lag());
        offered.lag_max_ns = offered.lag_max_ns.max(record.lag());
        if let Some(sent_at) = record.sent_at {
            self.row(sent_at, cell).counts.sent += 1;
        }
        self.row(record.ended_at(), cell)
            .counts
            .count_outcome(record.outcome);
    }

    pub(crate) fn skipped(&mut self, skipped: &Skipped) {
        let row = self.row(skipped.intended_at, skipped.cell());
        row.counts.offered += 1;
        row.counts.skipped += 1;
    }

    /// Rows of the seconds before `until`, in order of time.
    pub(crate) fn take_rows(&mut self, until: u64) -> Vec<IntervalRow> {
        let later = self.rows.split_off(&(until, Cell::FIRST));
        std::mem::replace(&mut self.rows, later)
            .into_values()
            .collect()
    }

    /// Histograms of the seconds before `until`, in order of time; give them back with [`Unwritten::reuse`].
    pub(crate) fn take_histograms(&mut self, until: u64) -> BTreeMap<(u64, Tag), Histogram> {
        let later = self.histograms.split_off(&(until, Tag::FIRST));
        std::mem::replace(&mut self.histograms, later)
    }

    pub(crate) fn reuse(&mut self, histograms: BTreeMap<(u64, Tag), Histogram>) {
        for mut histogram in histograms.into_values() {
            if self.spare.len() < TAGS_MAX {
                histogram.clear();
                self.spare.push(histogram);
            }
        }
    }

    fn row(&mut self, at: u64, cell: Cell) -> &mut IntervalRow {
        self.row_of(at / SECOND_NS, cell)
    }

    fn row_of(&mut self, second: u64, cell: Cell) -> &mut IntervalRow {
        self.rows
            .entry((second, cell))
            .or_insert_with(|| IntervalRow::new(second, cell))
    }
}
