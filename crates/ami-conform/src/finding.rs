//! How a case ends: one of six states, what was expected, what came, and where that stands in the transcript.

use std::ops::Range;

use ami_results::verdict::State;

use crate::log::Side;

/// A stretch of what passed on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub conn: u32,
    pub side: Side,
    /// Counted from the first byte of that side.
    pub bytes: Range<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub state: State,
    /// Empty where the requirement says it all.
    pub expected: String,
    pub got: String,
    pub evidence: Vec<Evidence>,
}

/// Of a case that may end early by `?`: either way it is what was found.
pub type Judged = Result<Finding, Finding>;

impl Finding {
    fn new(state: State, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            state,
            expected: expected.into(),
            got: got.into(),
            evidence: Vec::new(),
        }
    }

    pub fn pass(got: impl Into<String>) -> Self {
        Self::new(State::Pass, "", got)
    }

    pub fn fail(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(State::Fail, expected, got)
    }

    /// Allowed, but weaker than what is expected.
    pub fn warn(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::new(State::Warn, expected, got)
    }

    /// Nothing can be said, and why.
    pub fn inconclusive(why: impl Into<String>) -> Self {
        Self::new(State::Inconclusive, "", why)
    }

    /// The PBX lacks what is judged; `what` names it.
    pub fn not_applicable(what: impl Into<String>) -> Self {
        Self::new(State::NotApplicable, "", what)
    }

    pub fn skipped(why: impl Into<String>) -> Self {
        Self::new(State::Skipped, "", why)
    }

    #[must_use]
    pub fn with(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    #[must_use]
    pub fn with_all(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// What a case that ended early or late has found.
pub fn settle(judged: Judged) -> Finding {
    judged.unwrap_or_else(|early| early)
}
