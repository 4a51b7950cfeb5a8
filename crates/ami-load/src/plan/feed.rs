//! Who takes rows of which feed, and whether there are enough of them.

use std::ops::Range;

use ami_client::{Document, DocumentError};

use super::{Plan, PlannedAction, PlannedPhase, What};
use crate::arrival::{Arrival, OpenLoop};
use crate::feed::Dealer;
use crate::scenario::flow::Order;

impl Plan {
    /// The feed that an arrival of the entry takes a row of.
    pub(crate) fn feed_of(&self, entry: &PlannedAction) -> Option<u16> {
        match entry.what {
            What::Flow(flow) => self.flows[usize::from(flow)].feed,
            _ => None,
        }
    }

    /// A session's place among those that take rows of the feed in closed phases of a target, and how many there are.
    pub(crate) fn takers(&self, feed: u16, group: u16, session: u32) -> (u64, u64) {
        let takes = |index: u16| {
            let closed = self.phases.iter().filter(|phase| phase.is_closed());
            let mut entries = closed.flat_map(|phase| &phase.mix);
            entries.any(|entry| entry.group == index && self.feed_of(entry) == Some(feed))
        };
        let sessions = |groups: Range<u16>| -> u64 {
            groups
                .filter(|group| takes(*group))
                .map(|group| u64::from(self.groups[usize::from(group)].sessions))
                .sum()
        };
        let all = u16::try_from(self.groups.len()).expect("groups are few");
        (sessions(0..group) + u64::from(session), sessions(0..all))
    }

    /// A feed whose rows are taken once must have one for each arrival, which an open phase tells beforehand.
    pub(super) fn check_unique_feeds(
        &self,
        document: &Document,
        names: &[Range<usize>],
    ) -> Result<(), DocumentError> {
        let unique = |feed: u16| self.feeds[usize::from(feed)].order == Order::Unique;
        let used = |feed: u16, wanted: fn(&PlannedPhase) -> bool| {
            let phases = self.phases.iter().filter(|phase| wanted(phase));
            let mut entries = phases.flat_map(|phase| &phase.mix);
            entries.any(|entry| self.feed_of(entry) == Some(feed))
        };
        let is_open = |phase: &PlannedPhase| !phase.is_closed();
        for (feed, name) in (0..).zip(names) {
            if unique(feed) && used(feed, is_open) && used(feed, PlannedPhase::is_closed) {
                let message = "open phases take the rows of a unique feed by arrival and closed ones by session: give \
                               each kind a feed of its own";
                return Err(document.error_at(name.clone(), message));
            }
        }
        if !(0..)
            .zip(names)
            .any(|(feed, _)| unique(feed) && used(feed, is_open))
        {
            return Ok(());
        }
        let mut needed = vec![0; self.feeds.len()];
        for (arrival, row) in Dealt::new(self, OpenLoop::new(self)) {
            if let Some(feed) = self.feed_of(self.entry(arrival.phase, arrival.mix)) {
                let needed = &mut needed[usize::from(feed)];
                *needed = (row + 1).max(*needed);
            }
        }
        for ((feed, name), needed) in (0..).zip(names).zip(needed) {
            let rows = self.feeds[usize::from(feed)].rows.len();
            if unique(feed) && needed > rows as u64 {
                let message = format!(
                    "this run takes {needed} rows of a unique feed on each target, and the file has {rows}"
                );
                return Err(document.error_at(name.clone(), message));
            }
        }
        Ok(())
    }
}

/// Arrivals, each with the number of the row that its flow takes.
#[derive(Debug)]
pub(crate) struct Dealt<P, A> {
    plan: P,
    arrivals: A,
    dealer: Dealer,
}

impl<P, A> Dealt<P, A> {
    pub(crate) fn new(plan: P, arrivals: A) -> Self {
        Self {
            plan,
            arrivals,
            dealer: Dealer::default(),
        }
    }
}

impl<P: std::ops::Deref<Target = Plan>, A: Iterator<Item = Arrival>> Iterator for Dealt<P, A> {
    type Item = (Arrival, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let arrival = self.arrivals.next()?;
        let feed = if self.plan.feeds.is_empty() {
            None
        } else {
            self.plan
                .feed_of(self.plan.entry(arrival.phase, arrival.mix))
        };
        let row = feed.map_or(0, |feed| self.dealer.of_arrival(arrival.target, feed));
        Some((arrival, row))
    }
}
