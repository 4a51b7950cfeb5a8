//! What a verb needs of a target: rights, sessions, actions. Data.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// The verb that the target is to be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    Load,
    Capacity,
    Conform,
    Snapshot,
}

/// An action and the write classes of which one permits it, the narrowest first.
pub(super) type Right = (&'static str, &'static [&'static str]);

#[derive(Debug)]
pub(super) struct Needs {
    /// Asked without making calls.
    pub(super) queries: &'static [Right],
    /// What it means when the account may not ask them.
    pub(super) without: &'static str,
    /// The least that is of use.
    pub(super) sessions: u32,
    pub(super) actions_per_s: u32,
}

/// To make calls, to see that none is left, and to end those that are.
pub(super) const FOR_CALLS: [Right; 3] = [
    ("Originate", &["originate"]),
    ("Hangup", &["call", "system"]),
    ("CoreShowChannels", &["reporting", "system"]),
];

const MIX: &[Right] = &[
    ("CoreSettings", &["reporting", "system"]),
    ("CoreStatus", &["reporting", "system"]),
    ("DeviceStateList", &["reporting", "call"]),
    ("ListCommands", &[]),
    ("QueueStatus", &[]),
    ("QueueSummary", &[]),
    ("Status", &["reporting", "call", "system"]),
];

const STATE: &[Right] = &[
    ("Command", &["command"]),
    ("CoreSettings", &["reporting", "system"]),
    ("CoreShowChannels", &["reporting", "system"]),
    ("CoreStatus", &["reporting", "system"]),
    ("DeviceStateList", &["reporting", "call"]),
    ("ExtensionStateList", &["reporting", "call"]),
    ("ListCommands", &[]),
    ("QueueStatus", &[]),
    ("QueueSummary", &[]),
    ("Status", &["reporting", "call", "system"]),
];

impl Purpose {
    pub(super) fn needs(self) -> Needs {
        match self {
            // The session that checks, an observer, and one that offers.
            Self::Load | Self::Capacity => Needs {
                queries: MIX,
                without: "a mix cannot ask",
                sessions: 3,
                actions_per_s: 1,
            },
            // What the default class of cases keeps to.
            Self::Conform => Needs {
                queries: STATE,
                without: "not judged:",
                sessions: 5,
                actions_per_s: 20,
            },
            Self::Snapshot => Needs {
                queries: STATE,
                without: "not in the snapshot:",
                sessions: 2,
                actions_per_s: 20,
            },
        }
    }

    /// Whether it makes calls where the target permits them.
    pub(super) fn calls(self) -> bool {
        matches!(self, Self::Load | Self::Capacity)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Capacity => "capacity",
            Self::Conform => "conform",
            Self::Snapshot => "snapshot",
        })
    }
}
