//! Failures by class: which action of which target failed how, how often, first and last seen. A PBX can make up
//! error texts without end, so the number of classes is bounded and the rest counts as "other".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::record::Record;

/// Texts kept per target; more is noise to a reader.
pub const CLASSES_MAX: usize = 256;
/// Where a text that is too long to be a class is cut.
pub const CLASS_CHARS_MAX: usize = 200;
pub const OTHER: &str = "other";

/// Additive: a class has a row for each second in which it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRow {
    pub target: u16,
    pub action: u16,
    pub outcome: Outcome,
    pub error: String,
    pub count: u64,
    #[serde(rename = "first_seen_ns")]
    pub first_seen: u64,
    #[serde(rename = "last_seen_ns")]
    pub last_seen: u64,
}

/// The rows of one class added up, and the classes of one target kept apart up to the bound.
#[derive(Debug, Default)]
pub struct ErrorTable {
    rows: BTreeMap<(u16, u16, Outcome, String), Seen>,
    texts: BTreeSet<(u16, String)>,
    texts_of: BTreeMap<u16, usize>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u64,
    first: u64,
    last: u64,
}

impl ErrorTable {
    pub fn add(&mut self, row: &ErrorRow) {
        let text = self.class(row.target, &row.error);
        let seen = Seen {
            count: row.count,
            first: row.first_seen,
            last: row.last_seen,
        };
        self.rows
            .entry((row.target, row.action, row.outcome, text))
            .and_modify(|known| known.add(seen))
            .or_insert(seen);
    }

    pub(crate) fn record(&mut self, record: &Record) {
        self.add(&ErrorRow {
            target: record.target,
            action: record.action,
            outcome: record.outcome,
            error: record
                .error
                .as_deref()
                .unwrap_or_else(|| record.outcome.slug())
                .to_owned(),
            count: 1,
            first_seen: record.ended_at(),
            last_seen: record.ended_at(),
        });
    }

    /// Sorted by target, action, outcome and text.
    pub fn rows(&self) -> impl Iterator<Item = ErrorRow> + '_ {
        self.rows
            .iter()
            .map(|((target, action, outcome, error), seen)| ErrorRow {
                target: *target,
                action: *action,
                outcome: *outcome,
                error: error.clone(),
                count: seen.count,
                first_seen: seen.first,
                last_seen: seen.last,
            })
    }

    /// The rows so far; counting starts again, the known classes stay known.
    pub(crate) fn take_rows(&mut self) -> Vec<ErrorRow> {
        let rows = self.rows().collect();
        self.rows.clear();
        rows
    }

    fn class(&mut self, target: u16, error: &str) -> String {
        let key = (target, error.chars().take(CLASS_CHARS_MAX).collect());
        let known = self.texts_of.entry(target).or_default();
        if !self.texts.contains(&key) && key.1 != OTHER {
            if *known >= CLASSES_MAX {
                return OTHER.to_owned();
            }
            *known += 1;
            self.texts.insert(key.clone());
        }
        key.1
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::{CLASSES_MAX, ErrorRow, ErrorTable, OTHER};
    use crate::outcome::Outcome;

    fn row(error: &str, at: u64) -> ErrorRow {
        ErrorRow {
            target: 0,
            action: 0,
            outcome: Outcome::Rejected,
            error: error.to_owned(),
            count: 1,
            first_seen: at,
            last_seen: at,
        }
    }

    #[test]
    fn rows_of_a_class_add_up() {
        let mut table = ErrorTable::default();
        for at in [5, 3, 9] {
            table.add(&row("No such channel", at));
        }
        let rows: Vec<ErrorRow> = table.rows().collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].count, rows[0].first_seen, rows[0].last_seen),
            (3, 3, 9)
        );
    }

    #[test]
    fn a_pbx_that_makes_up_texts_cannot_fill_our_memory() {
        let mut table = ErrorTable::default();
        for index in 0..10_000 {
            table.add(&row(&format!("error {index}"), index));
        }
        assert_eq!(table.rows().count(), CLASSES_MAX + 1);
        let other = table.rows().find(|row| row.error == OTHER).unwrap();
        assert_eq!(other.count, 10_000 - CLASSES_MAX as u64);
        table.take_rows();
        table.add(&row("error 10001", 1));
        assert_eq!(table.rows().next().unwrap().error, OTHER);
    }
}
