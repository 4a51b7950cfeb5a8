//! Rows of other runs, taken in as if they had been measured here: what a merge is made of. Calls and gauges go the
//! same way as in a run.

use crate::error_class::ErrorRow;
use crate::interval::IntervalRow;
use crate::interval_log::LogRow;
use crate::record::Record;
use crate::recorder::Recorder;

impl Recorder {
    pub(crate) fn absorb_latency(&mut self, row: &LogRow) {
        self.tally.latency(row.tag, &row.histogram);
        self.unwritten
            .latency(row.start.as_secs(), row.tag, &row.histogram);
        self.write_if_full();
    }

    pub(crate) fn absorb_interval(&mut self, row: &IntervalRow) {
        self.tally.interval(row);
        self.unwritten.interval(row);
        self.write_if_full();
    }

    pub(crate) fn absorb_errors(&mut self, row: &ErrorRow) {
        self.errors.add(row);
    }

    /// Only its line: what it counted stands in the other rows.
    pub(crate) fn absorb_record(&mut self, record: &Record) {
        self.keep(record);
    }

    /// Why what was measured is not the load of the plan, whatever its numbers say.
    pub(crate) fn object(&mut self, reason: String) {
        self.tally.object(reason);
    }
}
