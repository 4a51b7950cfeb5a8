//! Sessions that a worker lost and got back, and when a target served it again: few rows, however many sessions. Pure.

use ami_results::outage::{Change, PresenceRow};
use ami_results::outcome::Outcome;
use ami_results::record::Record;

/// Between two flushes a target has one row for each kind of change at most.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    rows: Vec<PresenceRow>,
    /// By target: when its last session was lost, if no action that was sent later has succeeded yet.
    unserved_since: Vec<Option<u64>>,
}

impl Presence {
    pub(crate) fn lost(&mut self, target: u16, at: u64) {
        let index = usize::from(target);
        if self.unserved_since.len() <= index {
            self.unserved_since.resize(index + 1, None);
        }
        self.unserved_since[index] = Some(at);
        self.note(target, Change::Lost, at);
    }

    pub(crate) fn back(&mut self, target: u16, at: u64) {
        self.note(target, Change::Back, at);
    }

    pub(crate) fn record(&mut self, record: &Record) {
        let Some(Some(since)) = self.unserved_since.get(usize::from(record.target)) else {
            return;
        };
        let sent_later = record.sent_at.is_some_and(|sent_at| sent_at >= *since);
        if record.outcome == Outcome::Success && sent_later {
            self.unserved_since[usize::from(record.target)] = None;
            self.note(record.target, Change::Served, record.ended_at());
        }
    }

    /// In order of time.
    pub(crate) fn take(&mut self) -> Vec<PresenceRow> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(|row| row.first_at);
        rows
    }

    fn note(&mut self, target: u16, change: Change, at: u64) {
        let same = |row: &&mut PresenceRow| row.target == target && row.change == change;
        match self.rows.iter_mut().find(same) {
            Some(row) => {
                row.sessions += 1;
                row.last_at = at;
            }
            None => self.rows.push(PresenceRow {
                target,
                change,
                sessions: 1,
                first_at: at,
                last_at: at,
            }),
        }
    }
}
