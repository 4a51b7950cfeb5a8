//! Whether events reached those who listen: a row whenever a session that measures them ends. Rows are additive.

use serde::{Deserialize, Serialize};

/// Of events that the run itself had sent to the sessions of one target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// How many a session should have read while it was up, added up over sessions.
    pub expected: u64,
    pub lost: u64,
    /// Read again.
    pub duplicated: u64,
    /// Read after one that the same session had sent later.
    pub reordered: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    pub target: u16,
    /// When the session ended.
    #[serde(rename = "at_ns")]
    pub at: u64,
    #[serde(flatten)]
    pub delivery: Delivery,
}

impl Delivery {
    pub fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
    }
}
