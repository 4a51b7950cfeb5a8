//! When a target was without some of its sessions: the rows of `sessions.jsonl`, and the outages that they add up to.
//! Pure. Rows of several workers come nearly in order of time.

use serde::{Deserialize, Serialize};

/// Outages told one by one; of more, the longest are.
const OUTAGES_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Sessions ended that the run had not ended.
    Lost,
    /// Sessions were opened again.
    Back,
    /// An action succeeded that was sent after the last loss.
    Served,
}

/// What happened to sessions of a target within a moment, on one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceRow {
    pub target: u16,
    pub change: Change,
    pub sessions: u32,
    #[serde(rename = "first_at_ns")]
    pub first_at: u64,
    #[serde(rename = "last_at_ns")]
    pub last_at: u64,
}

/// From the first session that was lost until all were back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// How many were gone at a time.
    pub sessions: u32,
    pub first_lost_at: u64,
    pub last_lost_at: u64,
    pub first_back_at: Option<u64>,
    pub all_back_at: Option<u64>,
    /// The first success after the last loss.
    pub served_at: Option<u64>,
}

impl Outage {
    /// Until all were back, or until the run ended.
    pub fn length(&self, run_ended_at: u64) -> u64 {
        let until = self.all_back_at.unwrap_or(run_ended_at);
        until.saturating_sub(self.first_lost_at)
    }
}

/// The outages of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outages {
    told: Vec<Outage>,
    untold: u64,
    gone: u32,
}

impl Outages {
    /// In order of time.
    pub fn told(&self) -> &[Outage] {
        &self.told
    }

    /// Shorter ones that are not told.
    pub fn untold(&self) -> u64 {
        self.untold
    }

    /// Zero where every session stayed.
    pub fn longest(&self, run_ended_at: u64) -> u64 {
        let lengths = self.told.iter().map(|outage| outage.length(run_ended_at));
        lengths.max().unwrap_or(0)
    }

    pub fn add(&mut self, row: &PresenceRow) {
        match row.change {
            Change::Lost => self.lost(row),
            Change::Back => self.back(row),
            Change::Served => {
                if let Some(outage) = self.told.last_mut()
                    && outage.served_at.is_none()
                    && outage.last_lost_at <= row.last_at
                {
                    outage.served_at = Some(row.last_at);
                }
            }
        }
    }

    fn lost(&mut self, row: &PresenceRow) {
        // A loss that another worker tells later belongs to the outage that it fell into.
        let under_way = self.told.last_mut().filter(|outage| {
            self.gone > 0 || outage.all_back_at.is_some_and(|at| row.first_at <= at)
        });
        self.gone += row.sessions;
        let Some(outage) = under_way else {
            self.begin(row);
            return;
        };
        outage.sessions = outage.sessions.max(self.gone);
        outage.first_lost_at = outage.first_lost_at.min(row.first_at);
        outage.last_lost_at = outage.last_lost_at.max(row.last_at);
        outage.served_at = outage.served_at.filter(|at| *at >= outage.last_lost_at);
        outage.all_back_at = None;
    }

    fn begin(&mut self, row: &PresenceRow) {
        if self.told.len() >= OUTAGES_MAX {
            let lengths = (0..).zip(self.told.iter().map(|outage| outage.length(0)));
            if let Some((shortest, _)) = lengths.min_by_key(|(_, length)| *length) {
                self.told.remove(shortest);
                self.untold += 1;
            }
        }
        self.told.push(Outage {
            sessions: row.sessions,
            first_lost_at: row.first_at,
            last_lost_at: row.last_at,
            first_back_at: None,
            all_back_at: None,
            served_at: None,
        });
    }

    fn back(&mut self, row: &PresenceRow) {
        self.gone = self.gone.saturating_sub(row.sessions);
        let Some(outage) = self.told.last_mut() else {
            return;
        };
        outage.first_back_at = Some(
            outage
                .first_back_at
                .map_or(row.first_at, |at| at.min(row.first_at)),
        );
        if self.gone == 0 {
            outage.all_back_at = Some(row.last_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(change: Change, sessions: u32, first_at: u64, last_at: u64) -> PresenceRow {
        PresenceRow {
            target: 0,
            change,
            sessions,
            first_at,
            last_at,
        }
    }

    fn outages(rows: &[PresenceRow]) -> Outages {
        let mut outages = Outages::default();
        rows.iter().for_each(|row| outages.add(row));
        outages
    }

    use Change::{Back, Lost, Served};

    #[test]
    fn a_restart_is_one_outage_with_its_five_instants() {
        let outages = outages(&[
            row(Lost, 200, 60, 61),
            row(Lost, 100, 61, 64),
            row(Back, 1, 66, 66),
            row(Served, 1, 67, 67),
            row(Back, 299, 68, 72),
            row(Served, 1, 73, 73),
        ]);
        let outage = Outage {
            sessions: 300,
            first_lost_at: 60,
            last_lost_at: 64,
            first_back_at: Some(66),
            all_back_at: Some(72),
            served_at: Some(67),
        };
        assert_eq!(outages.told(), [outage]);
        assert_eq!((outage.length(1000), outages.longest(1000)), (12, 12));
    }

    #[test]
    fn sessions_that_come_back_and_are_lost_again_prolong_it() {
        let outages = outages(&[
            row(Lost, 3, 10, 10),
            row(Back, 1, 12, 12),
            row(Served, 1, 13, 13),
            row(Lost, 1, 14, 14),
            row(Back, 3, 20, 22),
            row(Served, 1, 23, 23),
        ]);
        let [outage] = outages.told() else {
            panic!("{outages:?}");
        };
        assert_eq!((outage.sessions, outage.length(0)), (3, 12));
        assert_eq!(
            outage.served_at,
            Some(23),
            "service ended with the second loss"
        );
    }

    #[test]
    fn a_loss_that_is_told_late_belongs_to_the_outage_it_fell_into() {
        let outages = outages(&[
            row(Lost, 2, 10, 11),
            row(Back, 2, 15, 16),
            row(Lost, 2, 12, 12),
            row(Back, 2, 17, 18),
            row(Lost, 1, 50, 50),
        ]);
        assert_eq!(outages.told().len(), 2);
        assert_eq!(outages.told()[0].length(0), 8);
        assert_eq!(outages.told()[1].all_back_at, None);
        assert_eq!(outages.longest(70), 20, "the second lasts until the end");
    }

    #[test]
    fn of_many_the_longest_are_told() {
        let mut all = Outages::default();
        for at in 0..200 {
            let length = if at % 2 == 0 { 7 } else { 3 };
            all.add(&row(Lost, 1, at * 10, at * 10));
            all.add(&row(Back, 1, at * 10 + length, at * 10 + length));
        }
        assert_eq!((all.told().len(), all.untold()), (OUTAGES_MAX, 100));
        let short = all.told().iter().filter(|outage| outage.length(0) == 3);
        assert_eq!(
            short.count(),
            1,
            "only the last, which may still have been the longest"
        );
    }

    #[test]
    fn without_a_loss_there_is_none() {
        assert_eq!(
            outages(&[row(Served, 1, 5, 5), row(Back, 1, 6, 6)]).longest(9),
            0
        );
    }
}
