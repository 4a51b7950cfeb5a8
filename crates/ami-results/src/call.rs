//! What one Originate led to. An Originate that the PBX accepted has outcome Success even if the far end was busy:
//! that is the result of the call.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallResult {
    Answered,
    Busy,
    NoAnswer,
    Congestion,
    Failed,
    /// Nobody saw how it went: no observer, or the connection was lost.
    Unknown,
}

impl CallResult {
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Busy,
        Self::NoAnswer,
        Self::Congestion,
        Self::Failed,
        Self::Unknown,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Congestion => "congestion",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for CallResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// Who ended the call, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HungUpBy {
    /// The far end, the dialplan or the PBX.
    Pbx,
    /// We, as part of the scenario or at the end of the run.
    Us,
    /// It was still up when the run closed its books.
    Nobody,
    Unknown,
}

/// One call that an Originate of ours made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    pub target: u16,
    pub phase: u16,
    /// The ChannelId we gave it.
    pub id: String,
    #[serde(rename = "intended_at_ns")]
    pub intended_at: u64,
    pub result: CallResult,
    /// `Reason` of the OriginateResponse.
    pub reason: Option<u8>,
    #[serde(rename = "answered_at_ns")]
    pub answered_at: Option<u64>,
    #[serde(rename = "ended_at_ns")]
    pub ended_at: Option<u64>,
    /// `Cause` of the Hangup event.
    pub cause: Option<u16>,
    pub hung_up_by: HungUpBy,
}

#[cfg(test)]
mod tests {
    use super::CallResult;

    #[test]
    fn the_text_is_the_serialised_form() {
        for result in CallResult::ALL {
            assert_eq!(
                serde_json::to_string(&result).unwrap(),
                format!("\"{result}\"")
            );
        }
    }
}
