//! What a worker measured, on its way to the collector: gathered in batches, so that recording costs the pacer nothing.

use std::sync::mpsc::SyncSender;

use ami_results::call::CallRecord;
use ami_results::delivery::DeliveryRow;
use ami_results::interval::{Cell, Gauge};
use ami_results::outage::PresenceRow;
use ami_results::record::{Record, Skipped};

use crate::call_table::Settled;
use crate::presence::Presence;

/// A batch this large goes off at once.
const BATCH_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) delays: Vec<EventDelay>,
    pub(crate) deliveries: Vec<DeliveryRow>,
    pub(crate) presence: Vec<PresenceRow>,
    /// Arrivals that fell due.
    pub(crate) planned: u64,
}

/// How long an event was under way, and when it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventDelay {
    pub(crate) cell: Cell,
    pub(crate) read_at: u64,
    pub(crate) delay: u64,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    batch: Batch,
    presence: Presence,
    collector: SyncSender<Batch>,
}

impl Ledger {
    pub(crate) fn new(collector: SyncSender<Batch>) -> Self {
        Self {
            batch: Batch::default(),
            presence: Presence::default(),
            collector,
        }
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.presence.record(&record);
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

    pub(crate) fn event(&mut self, event: EventDelay) {
        self.batch.delays.push(event);
        if self.batch.delays.len() >= BATCH_MAX {
            self.flush();
        }
    }

    pub(crate) fn delivered(&mut self, row: DeliveryRow) {
        self.batch.deliveries.push(row);
    }

    pub(crate) fn lost(&mut self, target: u16, at: u64) {
        self.presence.lost(target, at);
    }

    pub(crate) fn back(&mut self, target: u16, at: u64) {
        self.presence.back(target, at);
    }

    /// The collector ends early only when results cannot be written; the run then stops by its own word.
    pub(crate) fn flush(&mut self) {
        self.batch.presence = self.presence.take();
        let _ = self.collector.send(std::mem::take(&mut self.batch));
    }
}
