//! The answer to one question put to a run: a threshold's, later a conformance case's. Six disjoint states; having
//! observed nothing is never a pass.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Pass,
    Fail,
    Warn,
    /// The target lacks the capability that `detail` names.
    NotApplicable,
    /// The operator's choice.
    Skipped,
    /// Could not be decided; `detail` says why.
    Inconclusive,
}

impl State {
    pub fn slug(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::NotApplicable => "not-applicable",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// Texts as a reader wants them, e.g. subject `asterisk-22 ping response p99`, limit `< 5 ms`, measured `1.8 ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Index of the target it is about; `subject` begins with its name.
    #[serde(default)]
    pub target: Option<u16>,
    pub state: State,
    pub subject: String,
    pub limit: String,
    pub measured: String,
    pub detail: Option<String>,
}
