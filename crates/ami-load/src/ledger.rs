//! What a worker measured, on its way to the collector: gathered in batches, so that recording costs the pacer nothing.

use std::sync::mpsc::SyncSender;

use ami_results::call::CallRecord;
use ami_results::interval::Gauge;
use ami_results::record::{Record, Skipped};

use crate::call_table::Settled;

/// A batch this large goes off at once.
const BATCH_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) gauges: Vec<Gauge>,
    /// Arrivals that fell due.
    pub(crate) planned: u64,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    batch: Batch,
    collector: SyncSender<Batch>,
}

impl Ledger {
    pub(crate) fn new(collector: SyncSender<Batch>) -> Self {
        Self {
            batch: Batch::default(),
            collector,
        }
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.batch.records.push(record);
        if self.batch.records.len() >= BATCH_MAX {
            self.flush();
        }
    }

    pub(crate) fn skipped(&mut self, skipped: Skipped) {
        self.batch.skipped.push(skipped);
        if self.batch.skipped.len() >= BATCH_MAX {
            self.flush();
        }
    }

    pub(crate) fn settled(&mut self, settled: Settled) {
        self.batch.calls.extend(settled.call);
        if let Some(record) = settled.record {
            self.record(record);
        }
    }

    pub(crate) fn planned(&mut self, arrivals: u64) {
        self.batch.planned += arrivals;
    }

    pub(crate) fn gauge(&mut self, gauge: Gauge) {
        self.batch.gauges.push(gauge);
    }

    /// The collector ends early only when results cannot be written; the run then stops by its own word.
    pub(crate) fn flush(&mut self) {
        let _ = self.collector.send(std::mem::take(&mut self.batch));
    }
}
