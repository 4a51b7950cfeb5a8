//! What is due when: the deadlines of a PBX and its sessions, in one order.

use std::collections::BTreeMap;
use std::time::Duration;

/// Deadlines at the same instant come in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    at: Duration,
    order: u64,
}

#[derive(Debug)]
pub(crate) struct Agenda<T> {
    due: BTreeMap<Ticket, T>,
    next_order: u64,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self {
            due: BTreeMap::new(),
            next_order: 0,
        }
    }

    pub(crate) fn add(&mut self, at: Duration, what: T) -> Ticket {
        let ticket = Ticket {
            at,
            order: self.next_order,
        };
        self.next_order += 1;
        self.due.insert(ticket, what);
        ticket
    }

    pub(crate) fn cancel(&mut self, ticket: Ticket) {
        self.due.remove(&ticket);
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.due.keys().next().map(|ticket| ticket.at)
    }

    /// The first thing due by `now`, with the instant that it was due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<(Duration, T)> {
        let entry = self.due.first_entry()?;
        if entry.key().at > now {
            return None;
        }
        let at = entry.key().at;
        Some((at, entry.remove()))
    }
}
