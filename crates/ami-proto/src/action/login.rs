//! The actions that open and close a session.

use crate::action::{Action, ActionError};

/// `events` is the `Events` header: `on`, `off` or a list of classes.
pub fn login_plain(username: &str, secret: &str, events: &str) -> Result<Action, ActionError> {
    Action::new("Login")
        .with("Username", username)?
        .with("Secret", secret)?
        .with("Events", events)
}

/// `key` is the lower-case hex MD5 of challenge and secret.
pub fn login_md5(username: &str, key: &str, events: &str) -> Result<Action, ActionError> {
    Action::new("Login")
        .with("AuthType", "MD5")?
        .with("Username", username)?
        .with("Key", key)?
        .with("Events", events)
}

pub fn challenge() -> Action {
    Action::new("Challenge")
        .with("AuthType", "MD5")
        .expect("a literal header is well formed")
}

pub fn logoff() -> Action {
    Action::new("Logoff")
}

/// Changes which events this session is sent.
pub fn events(mask: &str) -> Result<Action, ActionError> {
    Action::new("Events").with("EventMask", mask)
}
