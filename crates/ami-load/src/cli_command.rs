//! The console commands that a scenario may send with the action Command: a written list of what only shows.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CliCommand(&'static str);

/// Without parameters: nothing of a feed or of an answer gets into a command line.
const COMMANDS: [&str; 19] = [
    "core show calls",
    "core show channels",
    "core show channels concise",
    "core show channels count",
    "core show channels verbose",
    "core show hints",
    "core show uptime",
    "core show version",
    "dahdi show channels",
    "dahdi show status",
    "iax2 show peers",
    "iax2 show registry",
    "manager show connected",
    "pjsip show contacts",
    "pjsip show endpoints",
    "queue show",
    "sip show channels",
    "sip show peers",
    "sip show registry",
];

impl CliCommand {
    pub fn named(line: &str) -> Option<Self> {
        COMMANDS
            .iter()
            .find(|known| **known == line)
            .map(|known| Self(known))
    }

    pub fn line(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for CliCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = String::deserialize(deserializer)?;
        Self::named(&line).ok_or_else(|| {
            D::Error::custom(format_args!(
                "{line:?} is no console command that may be sent; there are `{}`",
                COMMANDS.join("`, `")
            ))
        })
    }
}
