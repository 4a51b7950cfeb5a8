//! An outgoing Action whose every value was checked: no CR, LF or NUL, no line that a PBX would refuse.
//! The session owns the ActionID, so `encode` takes it as an argument and `with` refuses that header.

use std::fmt;

mod action_id;
pub mod channel;
pub mod login;
pub mod originate;
pub mod system;

pub use action_id::{ACTION_ID_MAX, ActionId, ActionIdError};

/// Longest line that every server takes: Asterisk reads into 1024 bytes, line end included.
pub const LINE_MAX: usize = 1022;
/// Asterisk keeps 128 headers of an action (`AST_MAX_MANHEADERS`); two are `Action` and `ActionID`.
pub const HEADERS_MAX: usize = 126;

/// `Action:` first, `ActionID:` second, then the headers in the order they were added; duplicates allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Action {
    name: String,
    /// The headers, already encoded.
    lines: Vec<u8>,
    headers: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    #[error("build action {action}: the value of {name} holds a CR, LF or NUL")]
    ForbiddenByte { action: String, name: String },
    #[error("build action {action}: {name:?} is not a header name")]
    BadName { action: String, name: String },
    #[error(
        "build action {action}: header {name} makes a line of {len} bytes, at most {LINE_MAX} are taken"
    )]
    LineTooLong {
        action: String,
        name: String,
        len: usize,
    },
    #[error("build action {action}: more than {HEADERS_MAX} headers")]
    TooManyHeaders { action: String },
    #[error("build action {action}: the session chooses the ActionID")]
    ReservedHeader { action: String },
}

impl Action {
    /// For a name that stands in the source code.
    ///
    /// # Panics
    /// On a name that [`Action::named`] refuses, which is a bug of the caller.
    pub fn new(name: &str) -> Self {
        Self::named(name).expect("the name of an action in the source code is well formed")
    }

    /// For a name that comes from a user.
    pub fn named(name: &str) -> Result<Self, ActionError> {
        let action = Self {
            name: name.to_owned(),
            lines: Vec::new(),
            headers: 0,
        };
        if name.is_empty() {
            return Err(ActionError::BadName {
                action: String::new(),
                name: "Action".to_owned(),
            });
        }
        action.check("Action", name.as_bytes())?;
        Ok(action)
    }

    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, ActionError> {
        let value = value.as_ref();
        self.check(name, value)?;
        if name.eq_ignore_ascii_case("ActionID") || name.eq_ignore_ascii_case("Action") {
            return Err(ActionError::ReservedHeader { action: self.name });
        }
        if self.headers == HEADERS_MAX {
            return Err(ActionError::TooManyHeaders { action: self.name });
        }
        self.headers += 1;
        self.lines.extend_from_slice(name.as_bytes());
        self.lines.extend_from_slice(b": ");
        self.lines.extend_from_slice(value);
        self.lines.extend_from_slice(b"\r\n");
        Ok(self)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn encode(&self, action_id: &ActionId, out: &mut Vec<u8>) {
        let parts: [&[u8]; 6] = [
            b"Action: ",
            self.name.as_bytes(),
            b"\r\nActionID: ",
            action_id.as_str().as_bytes(),
            b"\r\n",
            &self.lines,
        ];
        for part in parts {
            out.extend_from_slice(part);
        }
        out.extend_from_slice(b"\r\n");
    }

    fn check(&self, name: &str, value: &[u8]) -> Result<(), ActionError> {
        let action = || self.name.escape_default().to_string();
        let is_name_byte = |byte: u8| byte > b' ' && byte != b':' && byte != 0x7f;
        let inner_space = |byte: u8| byte == b' ' && !name.starts_with(' ') && !name.ends_with(' ');
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| is_name_byte(byte) || inner_space(byte))
        {
            return Err(ActionError::BadName {
                action: action(),
                name: name.to_owned(),
            });
        }
        if memchr::memchr3(b'\r', b'\n', 0, value).is_some() {
            return Err(ActionError::ForbiddenByte {
                action: action(),
                name: name.to_owned(),
            });
        }
        let len = name.len() + 2 + value.len();
        if len > LINE_MAX {
            return Err(ActionError::LineTooLong {
                action: action(),
                name: name.to_owned(),
                len,
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Action {
    /// Header values may be secrets, so only the name shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("name", &self.name)
            .field("headers", &self.headers)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(action: &Action, expected: &str) {
        let mut out = Vec::new();
        action.encode(&ActionId::checked("id-1").unwrap(), &mut out);
        assert_eq!(
            out.escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string()
        );
    }

    fn refused(name: &str, value: &[u8]) -> ActionError {
        Action::new("Ping").with(name, value).unwrap_err()
    }

    #[test]
    fn action_comes_first_then_the_action_id() {
        check(
            &Action::new("Ping"),
            "Action: Ping\r\nActionID: id-1\r\n\r\n",
        );
    }

    #[test]
    fn o03_repeated_variables_are_one_header_each() {
        let action = Action::new("Originate")
            .with("Channel", "Local/1@a")
            .and_then(|action| action.with("Variable", "A=1"))
            .and_then(|action| action.with("Variable", "B=2,3"))
            .unwrap();
        check(
            &action,
            "Action: Originate\r\nActionID: id-1\r\nChannel: Local/1@a\r\nVariable: A=1\r\nVariable: B=2,3\r\n\r\n",
        );
    }

    #[test]
    fn o04_header_order_is_the_order_of_adding() {
        let action = Action::new("X")
            .with("B", "2")
            .and_then(|action| action.with("A", "1"))
            .unwrap();
        check(
            &action,
            "Action: X\r\nActionID: id-1\r\nB: 2\r\nA: 1\r\n\r\n",
        );
    }

    #[test]
    fn o01_line_breaks_and_nul_are_refused_everywhere() {
        for value in ["a\r\nAction: Logoff", "a\nb", "a\rb", "a\0b"] {
            assert!(matches!(
                refused("Key", value.as_bytes()),
                ActionError::ForbiddenByte { .. }
            ));
            assert!(matches!(refused(value, b"v"), ActionError::BadName { .. }));
            assert!(matches!(
                Action::named(value),
                Err(ActionError::ForbiddenByte { .. })
            ));
        }
        for name in ["", "a:b", " a", "a ", "\t"] {
            assert!(matches!(refused(name, b"v"), ActionError::BadName { .. }));
        }
    }

    #[test]
    fn o02_a_line_over_1022_bytes_is_refused_and_named() {
        let longest = "v".repeat(LINE_MAX - "Key: ".len());
        assert!(Action::new("Ping").with("Key", &longest).is_ok());
        let error = refused("Key", format!("{longest}v").as_bytes());
        assert_eq!(
            error.to_string(),
            "build action Ping: header Key makes a line of 1023 bytes, at most 1022 are taken"
        );
    }

    #[test]
    fn o02_more_than_128_headers_are_refused() {
        let mut action = Action::new("Ping");
        for _ in 0..HEADERS_MAX {
            action = action.with("K", "v").unwrap();
        }
        let error = action.with("K", "v").unwrap_err();
        assert_eq!(
            error,
            ActionError::TooManyHeaders {
                action: "Ping".to_owned()
            }
        );
    }

    #[test]
    fn d11_a_caller_cannot_set_an_action_id() {
        assert!(matches!(
            refused("actionid", b"1"),
            ActionError::ReservedHeader { .. }
        ));
    }

    #[test]
    fn debug_does_not_show_values() {
        let action = Action::new("Login").with("Secret", "hunter2").unwrap();
        assert_eq!(
            format!("{action:?}"),
            "Action { name: \"Login\", headers: 1 }"
        );
    }

    proptest! {
        /// Whatever was accepted is one message on the wire, with one line per header.
        #[test]
        fn nothing_accepted_can_break_the_wire(name in ".{0,12}", value in any::<Vec<u8>>()) {
            if let Ok(action) = Action::new("Ping").with(&name, &value) {
                let mut out = Vec::new();
                action.encode(&ActionId::checked("id-1").unwrap(), &mut out);
                prop_assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 4);
                prop_assert!(out.ends_with(b"\r\n\r\n"));
            }
        }
    }
}
