//! The load as a user writes it: a scenario file, strict, with roles instead of hosts and numbers.

use std::time::Duration;

use ami_client::{Document, DocumentError};
use serde::{Deserialize, Serialize};
use toml::Spanned;

pub mod flow;

use crate::cli_command::CliCommand;
use crate::rate::{Level, Rate, Span};
use crate::threshold::Written;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    pub seed: u64,
    /// Names of targets; `--target` replaces them.
    #[serde(default)]
    pub targets: Vec<Spanned<String>>,
    /// How long the run waits for a session to come back where every target has lost all of its own.
    pub patience: Option<Span>,
    pub group: Vec<Group>,
    #[serde(default)]
    pub feed: Vec<flow::Feed>,
    #[serde(default)]
    pub flow: Vec<flow::Flow>,
    pub phase: Vec<Phase>,
    /// Guards test targets too; production is always guarded.
    #[serde(default)]
    pub guard: bool,
    #[serde(default)]
    pub thresholds: Vec<Spanned<Written>>,
}

/// Sessions that do the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Group {
    pub name: Spanned<String>,
    /// On each target.
    pub sessions: Spanned<u32>,
    /// The event mask the sessions log in with.
    #[serde(default = "off")]
    pub events: Spanned<String>,
    /// What its sessions measure by listening.
    pub measure: Option<Spanned<Measure>>,
    /// Reads its sockets only so often: a client that cannot keep up.
    pub read_every: Option<Span>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// How long after a `user-event` was sent its event is read, and whether it comes at all, once, and in order.
    EventDelay,
}

fn off() -> Spanned<String> {
    Spanned::new(0..0, "off".to_owned())
}

/// A stretch with one arrival process.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Phase {
    pub name: Spanned<String>,
    pub duration: Span,
    /// Offered and recorded, but measured by nothing.
    #[serde(default)]
    pub warm_up: bool,
    pub arrival: Spanned<Arrival>,
    pub mix: Spanned<Vec<MixEntry>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Arrival {
    /// Open loop: so many arrivals a second on each target, whatever the answers do.
    Constant { rate: Rate },
    /// Open loop, the rate in a straight line from one to the other.
    Ramp { from: Level, to: Level },
    /// Open loop, the rate in stairs.
    Step {
        from: Level,
        by: Option<Rate>,
        down_by: Option<Rate>,
        every: Span,
        /// No stair goes beyond this.
        to: Option<Level>,
    },
    /// Open loop, at random: exponential gaps.
    Poisson { rate: Rate },
    /// Open loop, so many at one instant on each target, every so often.
    Burst { size: u32, every: Span },
    /// Closed loop: each session acts again `think` after its last answer.
    Closed {
        #[serde(default)]
        think: Option<Span>,
    },
}

/// One kind of action and its share of the arrivals; exactly one of the action keys is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MixEntry {
    #[serde(default = "one")]
    pub share: Spanned<u32>,
    /// The group whose sessions take it; the first group when not given.
    pub group: Option<Spanned<String>>,
    pub timeout: Option<Span>,
    pub ping: Option<Ping>,
    pub originate: Option<Originate>,
    pub query: Option<flow::Ask>,
    pub command: Option<CliCommand>,
    /// The flow that each of its arrivals starts.
    pub flow: Option<Spanned<String>>,
    pub login: Option<Login>,
    pub user_event: Option<UserEvent>,
}

fn one() -> Spanned<u32> {
    Spanned::new(0..0, 1)
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {}

/// A connection of its own: log in, log off.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {}

/// An event for everybody who listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEvent {
    /// How much it carries besides what amibench needs.
    #[serde(default = "usual_bytes")]
    pub bytes: Spanned<u32>,
}

/// As much as an event of a channel has.
fn usual_bytes() -> Spanned<u32> {
    Spanned::new(0..0, 200)
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Originate {
    /// What to call, mapped by each target: `answers`, `busy`, `rings`.
    pub role: Spanned<String>,
    /// The PBX ends the call so long after it began, also when we are gone.
    #[serde(default = "usual_hold")]
    pub hold: Span,
    /// How long it may ring.
    #[serde(default = "usual_ring")]
    pub ring: Span,
}

fn usual_hold() -> Span {
    Span(Duration::from_secs(5))
}

fn usual_ring() -> Span {
    Span(Duration::from_secs(10))
}

impl Scenario {
    pub fn parse(document: &Document) -> Result<Self, DocumentError> {
        document.parse()
    }
}
