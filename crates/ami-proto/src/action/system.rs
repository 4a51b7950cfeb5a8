//! Actions that ask the server about itself.

use crate::action::{Action, ActionError};

pub fn ping() -> Action {
    Action::new("Ping")
}

pub fn core_settings() -> Action {
    Action::new("CoreSettings")
}

pub fn core_status() -> Action {
    Action::new("CoreStatus")
}

pub fn list_commands() -> Action {
    Action::new("ListCommands")
}

/// One line of the server's command line interface.
/// Waits so many seconds for an event: over HTTP the only way to hear one.
pub fn wait_event(seconds: u64) -> Action {
    Action::new("WaitEvent")
        .with("Timeout", seconds.to_string())
        .expect("digits are well formed")
}

pub fn command(line: &str) -> Result<Action, ActionError> {
    Action::new("Command").with("Command", line)
}

/// An event that every reader of class `user` sees; `headers` are relayed verbatim.
pub fn user_event(name: &str, headers: &[(&str, &str)]) -> Result<Action, ActionError> {
    let mut action = Action::new("UserEvent").with("UserEvent", name)?;
    for (name, value) in headers {
        action = action.with(name, value)?;
    }
    Ok(action)
}
