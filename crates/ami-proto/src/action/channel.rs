//! Actions on channels that exist.

use crate::action::{Action, ActionError};

/// `channel` is a name or a Uniqueid: the server takes both. A `/regex/` is refused, since it may hit foreign calls.
pub fn hangup(channel: &str) -> Result<Action, ActionError> {
    if channel.starts_with('/') {
        return Err(ActionError::BadName {
            action: "Hangup".to_owned(),
            name: channel.to_owned(),
        });
    }
    Action::new("Hangup").with("Channel", channel)
}

/// An event list.
pub fn core_show_channels() -> Action {
    Action::new("CoreShowChannels")
}

/// An event list.
pub fn status() -> Action {
    Action::new("Status")
}
