//! How the cases of a conformance run ended: the rows of `judgements.jsonl`, one JSON object a line. The first is the
//! [`Run`]; a [`Device`] stands before the [`Judgement`]s of its target, whose [`End`] stands after them. Targets that ran
//! side by side are interleaved.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verdict::State;

pub mod log;

/// Grows when a reader of the old one would misread the new one; keys may be added without.
pub const FORMAT: u32 = 1;
/// Enough for every answer but a list; what is longer stands in the transcript.
pub const EXCERPT_BYTES_MAX: usize = 2048;

/// A line of `judgements.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "row", rename_all = "kebab-case")]
pub enum Row {
    Run(Run),
    Device(Device),
    Judgement(Box<Judgement>),
    End(End),
}

/// What was run: the first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Of this format. A reader of version 1 ignores keys it does not know.
    pub format: u32,
    /// Of amibench.
    pub version: String,
    /// `conform`, `check` or `replay`.
    pub verb: String,
    /// Of the catalogue of cases: the same for the same cases.
    pub catalogue: String,
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    pub seed: u64,
    pub options: Options,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// What was asked for, as it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// Empty stands for all.
    #[serde(default)]
    pub only: Vec<String>,
    #[serde(default)]
    pub except: Vec<String>,
    /// Safety classes beyond `quiet`.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// Who is judged, as far as it shows: before the first judgement of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    pub target: String,
    /// None of a transcript.
    pub address: Option<String>,
    pub account: Option<String>,
    pub banner: Option<String>,
    /// `AsteriskVersion` of CoreSettings.
    pub version: Option<String>,
    /// The dialect that was recognised.
    pub dialect: Option<String>,
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// Evidence that does not go together.
    #[serde(default)]
    pub conflicts: Vec<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How many cases were asked for.
    pub planned: u32,
    /// Why no case was judged.
    pub unreachable: Option<String>,
}

/// Something about a device, and why it is taken to be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    pub fact: String,
    pub seen: String,
}

/// A case, and how it ended. Of two with the same target and case the later one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    pub target: String,
    /// `area.subject.behaviour`
    pub case: String,
    pub requirement: String,
    /// `must`, `should`, `may` or `observe`.
    pub level: String,
    /// `specification`, `asterisk`, `vendor` or `consensus`; `recording` where it is what another session showed.
    pub authority: String,
    /// `blocker`, `major`, `minor` or `info`.
    pub severity: String,
    /// `quiet`, `noisy`, `creates-state`, `originates-call` or `disruptive`.
    pub safety: String,
    /// Where the requirement is from.
    pub source: String,
    pub state: State,
    /// Empty where the requirement says it all.
    pub expected: String,
    pub got: String,
    pub took_ns: u64,
    #[serde(default)]
    pub evidence: Vec<Excerpt>,
    /// What the case made and could not take away again.
    #[serde(default)]
    pub left: Vec<String>,
    /// None where nothing was expected beforehand.
    #[serde(default)]
    pub expectation: Option<Expectation>,
}

/// A stretch of what passed on one connection, and its first bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Excerpt {
    pub conn: u32,
    pub side: Side,
    /// Counted from the first byte of that side.
    pub offset: u64,
    /// Of the whole stretch; `bytes` may be cut.
    pub len: u64,
    pub bytes: Bytes,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What we sent.
    Client,
    /// What the PBX sent.
    Server,
}

/// Text where it is UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bytes {
    Text(String),
    Base64 { b64: String },
}

/// What the target's file of expectations says of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expectation {
    pub outcome: Outcome,
    /// The state that was expected.
    pub state: Option<State>,
    pub reason: Option<String>,
    /// A date, after which the expectation holds no more.
    pub until: Option<String>,
    /// What to do about it, such as the line to delete.
    pub advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    AsExpected,
    Unexpected,
    /// An expected failure that passes.
    Fixed,
    /// It names what is not there any more, or its time is over.
    Stale,
}

/// After the last judgement of a target; without it the run was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    pub target: String,
    pub how: How,
    #[schemars(with = "String")]
    pub ended_at: Timestamp,
    /// What is wrong beyond single cases, such as expectations of cases that are not known.
    #[serde(default)]
    pub objections: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    Completed,
    Interrupted,
    /// The target was never judged, see `unreachable` of its device.
    Unreachable,
}

impl Judgement {
    /// The first part of the id.
    pub fn area(&self) -> &str {
        self.case.split('.').next().unwrap_or_default()
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.expectation
            .as_ref()
            .map(|expectation| expectation.outcome)
    }

    /// It fails, and that was expected.
    pub fn is_known(&self) -> bool {
        self.state == State::Fail && self.outcome() == Some(Outcome::AsExpected)
    }

    /// It makes a run fail.
    pub fn is_wrong(&self) -> bool {
        let is_wrong = match self.outcome() {
            None => self.state == State::Fail,
            Some(Outcome::AsExpected) => false,
            Some(Outcome::Unexpected) => self.state != State::Inconclusive,
            Some(Outcome::Fixed | Outcome::Stale) => true,
        };
        is_wrong || !self.left.is_empty()
    }
}

impl Excerpt {
    pub fn new(conn: u32, side: Side, offset: u64, bytes: &[u8]) -> Self {
        Self {
            conn,
            side,
            offset,
            len: bytes.len() as u64,
            bytes: Bytes::beginning(bytes),
        }
    }

    /// How many bytes of the stretch do not stand here.
    pub fn missing(&self) -> u64 {
        self.len.saturating_sub(self.bytes.to_vec().len() as u64)
    }
}

impl Bytes {
    fn beginning(bytes: &[u8]) -> Self {
        let kept = &bytes[..bytes.len().min(EXCERPT_BYTES_MAX)];
        match std::str::from_utf8(kept) {
            Ok(text) => Self::Text(text.to_owned()),
            // Cut within a character.
            Err(error) if kept.len() < bytes.len() && error.error_len().is_none() => {
                Self::Text(String::from_utf8_lossy(&kept[..error.valid_up_to()]).into_owned())
            }
            Err(_) => Self::Base64 {
                b64: STANDARD.encode(kept),
            },
        }
    }

    /// Of base64 that cannot be read: none.
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64 { b64 } => STANDARD.decode(b64).unwrap_or_default(),
        }
    }
}

impl Outcome {
    pub fn slug(self) -> &'static str {
        match self {
            Self::AsExpected => "as-expected",
            Self::Unexpected => "unexpected",
            Self::Fixed => "fixed",
            Self::Stale => "stale",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, EXCERPT_BYTES_MAX, Excerpt, Side};

    fn check(bytes: &[u8], expected: &Bytes, missing: u64) {
        let excerpt = Excerpt::new(3, Side::Server, 7, bytes);
        assert_eq!(&excerpt.bytes, expected);
        assert_eq!(excerpt.missing(), missing);
        assert!(bytes.starts_with(&excerpt.bytes.to_vec()));
    }

    #[test]
    fn text_stays_text_and_other_bytes_stay_bytes() {
        let text = |text: &str| Bytes::Text(text.to_owned());
        check(b"Ping: Pong\r\n", &text("Ping: Pong\r\n"), 0);
        check(b"\0", &text("\0"), 0);
        let b64 = "/w==".to_owned();
        check(b"\xff", &Bytes::Base64 { b64 }, 0);
        let long = "x".repeat(EXCERPT_BYTES_MAX - 1);
        check(format!("{long}äy").as_bytes(), &text(&long), 3);
        check(
            &[&b"\xff"[..], long.as_bytes(), b"yz"].concat(),
            &Excerpt::new(
                0,
                Side::Client,
                0,
                &[&b"\xff"[..], long.as_bytes()].concat(),
            )
            .bytes,
            2,
        );
    }
}
