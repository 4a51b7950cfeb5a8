//! How one action ended. What the PBX does is data: a rejected or unanswered action is an outcome, not an error.
//! Busy or no answer is the result of a call (see [`crate::call`]), never an outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Success,
    /// The PBX answered with an error.
    Rejected,
    /// No final answer before the deadline, the session still up.
    TimedOut,
    /// The session ended before the action was handed to the kernel: it cannot have run.
    Disconnected,
    /// Written, answer lost: it may have run.
    Indeterminate,
}

impl Outcome {
    pub const ALL: [Self; 5] = [
        Self::Success,
        Self::Rejected,
        Self::TimedOut,
        Self::Disconnected,
        Self::Indeterminate,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed-out",
            Self::Disconnected => "disconnected",
            Self::Indeterminate => "indeterminate",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[test]
    fn the_text_is_the_serialised_form() {
        for outcome in Outcome::ALL {
            assert_eq!(
                serde_json::to_string(&outcome).unwrap(),
                format!("\"{outcome}\"")
            );
        }
    }
}
