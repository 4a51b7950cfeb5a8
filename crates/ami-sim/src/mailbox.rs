//! Mailboxes as they are configured.

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
    /// Seconds; what is shorter is not kept.
    #[serde(default)]
    pub message_min_s: u32,
}

impl Mailbox {
    pub(crate) fn address(&self) -> String {
        format!("{}@{}", self.number, self.context)
    }
}

/// The device that says whether there is something to hear in the mailbox of this address.
pub(crate) fn waiting_device(address: &str) -> String {
    format!("MWI:{address}")
}
