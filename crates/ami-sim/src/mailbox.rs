//! Mailboxes as they are configured. The model leaves no messages in them.

use serde::Deserialize;

/// One `[[mailbox]]` of a profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    pub context: String,
    pub number: String,
    pub name: String,
    /// Empty where none is configured.
    pub email: String,
    /// Seconds; zero is without a limit.
    pub message_max_s: u32,
}

impl Mailbox {
    pub(crate) fn address(&self) -> String {
        format!("{}@{}", self.number, self.context)
    }
}
