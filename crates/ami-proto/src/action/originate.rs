//! Originate: what to call, where to send it, and when the answer comes.

use crate::action::{Action, ActionError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Originate {
    /// What to dial, as `Local/100@context`.
    pub channel: String,
    pub destination: Destination,
    /// How long to ring.
    pub timeout_ms: u32,
    pub caller_id: Option<String>,
    pub account: Option<String>,
    /// The Uniqueid of the new channel; servers before 12.2 ignore it.
    pub channel_id: Option<String>,
    pub variables: Vec<(String, String)>,
    pub completion: Completion,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Extension {
        context: String,
        exten: String,
        priority: String,
    },
    Application {
        name: String,
        data: String,
    },
}

/// When the Response comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// When the call was answered or has failed; the session is blocked until then.
    Response,
    /// At once; an OriginateResponse event follows (`Async: true`).
    Event,
}

impl Originate {
    pub fn new(channel: impl Into<String>, destination: Destination) -> Self {
        Self {
            channel: channel.into(),
            destination,
            timeout_ms: 30_000,
            caller_id: None,
            account: None,
            channel_id: None,
            variables: Vec::new(),
            completion: Completion::Event,
        }
    }

    pub fn action(&self) -> Result<Action, ActionError> {
        let mut action = Action::new("Originate").with("Channel", &self.channel)?;
        action = match &self.destination {
            Destination::Extension {
                context,
                exten,
                priority,
            } => action
                .with("Context", context)?
                .with("Exten", exten)?
                .with("Priority", priority)?,
            Destination::Application { name, data } => {
                action.with("Application", name)?.with("Data", data)?
            }
        };
        action = action.with("Timeout", self.timeout_ms.to_string())?;
        let optional = [
            ("CallerID", &self.caller_id),
            ("Account", &self.account),
            ("ChannelId", &self.channel_id),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                action = action.with(name, value)?;
            }
        }
        for (name, value) in &self.variables {
            action = action.with("Variable", format!("{name}={value}"))?;
        }
        match self.completion {
            Completion::Response => Ok(action),
            Completion::Event => action.with("Async", "true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::ActionId;

    #[test]
    fn an_asynchronous_originate_to_an_extension() {
        let mut originate = Originate::new(
            "Local/100@a",
            Destination::Extension {
                context: "b".into(),
                exten: "200".into(),
                priority: "1".into(),
            },
        );
        originate.channel_id = Some("run-0-1".into());
        originate.variables = vec![("A".into(), "1".into()), ("B".into(), "x=y".into())];
        let mut out = Vec::new();
        originate
            .action()
            .unwrap()
            .encode(&ActionId::checked("i").unwrap(), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Action: Originate\r\nActionID: i\r\nChannel: Local/100@a\r\nContext: b\r\nExten: 200\r\nPriority: 1\r\n\
             Timeout: 30000\r\nChannelId: run-0-1\r\nVariable: A=1\r\nVariable: B=x=y\r\nAsync: true\r\n\r\n"
        );
    }

    #[test]
    fn o01_a_variable_cannot_smuggle_a_header() {
        let mut originate = Originate::new(
            "Local/100@a",
            Destination::Application {
                name: "Wait".into(),
                data: "1".into(),
            },
        );
        originate.variables = vec![("A".into(), "1\r\nAction: Logoff".into())];
        assert!(matches!(
            originate.action(),
            Err(ActionError::ForbiddenByte { .. })
        ));
    }
}
