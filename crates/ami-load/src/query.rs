//! The queries that a scenario may send: a written list of actions that only read, each with the parameters it may have.
//!
//! Nothing is ever chosen from ListCommands or from a missing class: on some PBXs `DAHDIRestart` has none. Left out on
//! purpose: what shows secrets (`PJSIPShowAuths`, `PJSIPShowEndpoint`, `GetConfig`), what blocks its session (`WaitEvent`)
//! and what answers in no form of its own (`Queues`, `IAXnetstats`).

use std::fmt;

use ami_proto::session::Answer;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One of the list, by its name on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Query(&'static Listed);

#[derive(PartialEq, Eq)]
struct Listed {
    name: &'static str,
    slug: &'static str,
    answer: Answer,
    parameters: &'static [Parameter],
}

/// A header that a query may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any line of text: it only selects what is shown.
    Text,
    /// Letters, digits and `_` as written: a dialplan function in its place could run programs.
    VariableName,
}

const fn text(name: &'static str) -> Parameter {
    Parameter {
        name,
        form: Form::Text,
    }
}

const fn single(
    name: &'static str,
    slug: &'static str,
    parameters: &'static [Parameter],
) -> Listed {
    Listed {
        name,
        slug,
        answer: Answer::Single,
        parameters,
    }
}

const fn list(name: &'static str, slug: &'static str, parameters: &'static [Parameter]) -> Listed {
    Listed {
        name,
        slug,
        answer: Answer::List,
        parameters,
    }
}

const VARIABLE: Parameter = Parameter {
    name: "Variable",
    form: Form::VariableName,
};

static QUERIES: [Listed; 27] = [
    list("Agents", "agents", &[]),
    list("BridgeList", "bridge-list", &[]),
    list("ConfbridgeListRooms", "confbridge-list-rooms", &[]),
    single("CoreSettings", "core-settings", &[]),
    list("CoreShowChannels", "core-show-channels", &[]),
    single("CoreStatus", "core-status", &[]),
    list("DeviceStateList", "device-state-list", &[]),
    single(
        "ExtensionState",
        "extension-state",
        &[text("Exten"), text("Context")],
    ),
    list("ExtensionStateList", "extension-state-list", &[]),
    single("Getvar", "getvar", &[VARIABLE, text("Channel")]),
    list("IAXpeerlist", "iax-peerlist", &[]),
    single("ListCommands", "list-commands", &[]),
    single("MailboxCount", "mailbox-count", &[text("Mailbox")]),
    single("MailboxStatus", "mailbox-status", &[text("Mailbox")]),
    list("ParkedCalls", "parked-calls", &[text("ParkingLot")]),
    list("Parkinglots", "parkinglots", &[]),
    list("PJSIPShowAors", "pjsip-show-aors", &[]),
    list("PJSIPShowContacts", "pjsip-show-contacts", &[]),
    list("PJSIPShowEndpoints", "pjsip-show-endpoints", &[]),
    single("PresenceState", "presence-state", &[text("Provider")]),
    list("PresenceStateList", "presence-state-list", &[]),
    list(
        "QueueStatus",
        "queue-status",
        &[text("Queue"), text("Member")],
    ),
    list("QueueSummary", "queue-summary", &[text("Queue")]),
    list("SIPpeers", "sip-peers", &[]),
    list("SIPshowregistry", "sip-show-registry", &[]),
    list("Status", "status", &[text("Channel")]),
    list("VoicemailUsersList", "voicemail-users-list", &[]),
];

impl Query {
    pub fn named(name: &str) -> Option<Self> {
        QUERIES.iter().find(|listed| listed.name == name).map(Self)
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        QUERIES.iter().map(|listed| listed.name)
    }

    pub fn all() -> impl Iterator<Item = Self> {
        QUERIES.iter().map(Self)
    }

    pub fn action_name(self) -> &'static str {
        self.0.name
    }

    /// The action itself, as rights are counted.
    pub(crate) fn rights(self) -> &'static [&'static str] {
        std::slice::from_ref(&self.0.name)
    }

    pub fn slug(self) -> &'static str {
        self.0.slug
    }

    pub fn answer(self) -> Answer {
        self.0.answer
    }

    pub fn parameters(self) -> &'static [Parameter] {
        self.0.parameters
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let known: Vec<String> = Self::names().map(|name| format!("`{name}`")).collect();
            D::Error::custom(format_args!(
                "{name:?} is no query that may be sent; there are {}",
                known.join(", ")
            ))
        })
    }
}

impl Form {
    /// Whether a text may stand there as it is.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::VariableName => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                !text.is_empty() && text.bytes().all(plain)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ami_proto::dialect::Dialect;

    #[test]
    fn the_list_says_of_each_answer_what_the_dialect_says() {
        for listed in &QUERIES {
            let known = Dialect::default().answer_to(listed.name);
            // The lists of vendor-neutral dialects lack a few; none is a list there and single here.
            assert!(
                known == listed.answer || known == Answer::Single,
                "{}",
                listed.name
            );
        }
    }

    #[test]
    fn what_shows_secrets_or_changes_anything_is_not_on_the_list() {
        for name in [
            "Reload",
            "DAHDIRestart",
            "QueueReset",
            "PJSIPShowAuths",
            "GetConfig",
            "Setvar",
            "ping",
            "Hangup",
        ] {
            assert_eq!(Query::named(name), None, "{name}");
        }
    }

    #[test]
    fn a_variable_name_is_no_function() {
        for (text, accepted) in [
            ("CALLERID", true),
            ("X_1", true),
            ("SHELL(id)", false),
            ("", false),
            ("${X}", false),
        ] {
            assert_eq!(Form::VariableName.accepts(text), accepted, "{text}");
        }
    }
}
