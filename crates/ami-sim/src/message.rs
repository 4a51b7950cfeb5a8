//! What the model says: header lines in their order, not yet framed. Defects rewrite these, the encoder frames them.

use std::fmt::{self, Write as _};

use crate::class::Classes;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Headers(Headers),
    /// An answer that is no message: its bytes as they are.
    Raw(Vec<u8>),
    /// The answer to Command; its two framings are the encoder's.
    CliOutput {
        action_id: Vec<u8>,
        status: CliStatus,
        text: String,
    },
    /// Raw text up to `--END COMMAND--`, whatever the framing of Command is.
    Follows {
        privilege: &'static str,
        action_id: Vec<u8>,
        text: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CliStatus {
    Success,
    Error,
}

/// Where some actions of Asterisk print the line of an ActionID; the others print one of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdBuffer {
    /// Of CoreSettings and CoreStatus.
    Core,
    /// Of Events and the items of most lists.
    List,
    /// Of lists of mailboxes.
    Voicemail,
}

impl IdBuffer {
    /// Bytes of the line; a NUL stands behind them.
    pub(crate) fn holds(self) -> usize {
        match self {
            Self::Core => 149,
            Self::List => 255,
            Self::Voicemail => 127,
        }
    }
}

/// Lines, each with its CRLF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers(Vec<u8>);

impl Headers {
    /// `astman_send_response`: Response, ActionID if there is one.
    pub(crate) fn response(kind: &str, action_id: &[u8]) -> Self {
        Self(Vec::with_capacity(128))
            .with("Response", kind)
            .with_action_id(action_id)
    }

    pub(crate) fn success(action_id: &[u8], message: &str) -> Self {
        Self::response("Success", action_id).with("Message", message)
    }

    pub(crate) fn error(action_id: &[u8], message: &str) -> Self {
        Self::response("Error", action_id).with("Message", message)
    }

    pub(crate) fn list_start(action_id: &[u8], message: &str) -> Self {
        Self::response("Success", action_id)
            .with("EventList", "start")
            .with("Message", message)
    }

    pub(crate) fn list_item(event: &str, action_id: &[u8]) -> Self {
        Self::event(event).with_action_id(action_id)
    }

    pub(crate) fn list_complete(event: &str, action_id: &[u8], items: usize) -> Self {
        Self::list_item(event, action_id)
            .with("EventList", "Complete")
            .with_display("ListItems", items)
    }

    pub(crate) fn event(name: &str) -> Self {
        Self(Vec::with_capacity(768)).with("Event", name)
    }

    pub(crate) fn with_action_id(self, action_id: &[u8]) -> Self {
        if action_id.is_empty() {
            self
        } else {
            self.with("ActionID", action_id)
        }
    }

    /// As C prints it into a buffer: of a line that is too long the end is lost, the line end first.
    #[must_use]
    pub(crate) fn with_id_in(mut self, buffer: IdBuffer, action_id: &[u8]) -> Self {
        let begun = self.0.len();
        self = self.with_action_id(action_id);
        self.0.truncate(begun + buffer.holds());
        self
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.push("", name, value.as_ref());
        self
    }

    #[must_use]
    pub(crate) fn with_display(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.push_display("", name, value);
        self
    }

    /// A line that is passed through as it came, perhaps without a colon.
    #[must_use]
    pub(crate) fn with_line(mut self, line: &[u8]) -> Self {
        self.0.extend_from_slice(line);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    #[must_use]
    pub(crate) fn with_all(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    pub(crate) fn push(&mut self, prefix: &str, name: &str, value: &[u8]) {
        self.0.extend_from_slice(prefix.as_bytes());
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        self.0.extend_from_slice(value);
        self.0.extend_from_slice(b"\r\n");
    }

    pub(crate) fn push_display(&mut self, prefix: &str, name: &str, value: impl fmt::Display) {
        struct Bytes<'a>(&'a mut Vec<u8>);
        impl fmt::Write for Bytes<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.extend_from_slice(text.as_bytes());
                Ok(())
            }
        }
        write!(Bytes(&mut self.0), "{prefix}{name}: {value}\r\n")
            .expect("writing to memory does not fail");
    }

    pub(crate) fn is_event(&self, name: &str) -> bool {
        let rest = self.0.strip_prefix(b"Event: ");
        let rest = rest.and_then(|rest| rest.strip_prefix(name.as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\r\n"))
    }

    /// All lines of `more` after those that are there.
    #[must_use]
    pub(crate) fn followed_by(mut self, more: Self) -> Self {
        self.0.extend_from_slice(&more.0);
        self
    }

    pub(crate) fn into_lines(self) -> Vec<u8> {
        self.0
    }
}

impl From<Headers> for Message {
    fn from(headers: Headers) -> Self {
        Self::Headers(headers)
    }
}

/// An event for everybody whose rights and mask hold all of its classes; encoded once.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) classes: Classes,
    pub(crate) bytes: Box<[u8]>,
}
