//! One action measured. Exactly one [`Record`] exists for each arrival that was picked up, whatever became of it;
//! an arrival that found the bounded queue full is a [`Skipped`] instead.

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// `target`, `phase` and `action` index the [`crate::layout::Layout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub target: u16,
    pub phase: u16,
    pub action: u16,
    pub session: u32,
    pub seq: u64,
    #[serde(rename = "intended_at_ns")]
    pub intended_at: u64,
    #[serde(rename = "picked_at_ns")]
    pub picked_at: u64,
    #[serde(rename = "sent_at_ns")]
    pub sent_at: Option<u64>,
    #[serde(rename = "acked_at_ns")]
    pub acked_at: Option<u64>,
    #[serde(rename = "first_item_at_ns")]
    pub first_item_at: Option<u64>,
    /// When it ended, whatever the outcome.
    #[serde(rename = "completed_at_ns")]
    pub completed_at: Option<u64>,
    pub items: Option<u32>,
    pub outcome: Outcome,
    /// The class of the error: the PBX's Message or our words, without ids.
    pub error: Option<Box<str>>,
}

impl Record {
    /// The latest instant known of it; with `completed_at` set, that.
    pub fn ended_at(&self) -> u64 {
        self.completed_at
            .or(self.first_item_at)
            .or(self.acked_at)
            .or(self.sent_at)
            .unwrap_or(self.picked_at)
    }

    /// How late the pacer picked it up: our fault.
    pub fn lag(&self) -> u64 {
        self.picked_at.saturating_sub(self.intended_at)
    }
}

/// An arrival that was never sent because the bounded queue of its target was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    pub target: u16,
    pub phase: u16,
    pub action: u16,
    pub intended_at: u64,
}
