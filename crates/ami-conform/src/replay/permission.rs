//! What of a recording is ever asked again. As for cases, it is written here and never chosen from what a PBX lists; and
//! what changes something is only done to what the replay itself has made.

use std::collections::BTreeSet;

use ami_client::dial::{self, DialPattern};
use ami_client::target::Role;

use super::request::Request;
use crate::case::Safety;
use crate::trace::Trace;

/// They only read. Left out on purpose: what shows secrets (GetConfig, PJSIPShowAuths, PJSIPShowEndpoint).
const READING: &[&str] = &[
    "Agents",
    "BridgeInfo",
    "BridgeList",
    "Command",
    "ConfbridgeList",
    "ConfbridgeListRooms",
    "CoreSettings",
    "CoreShowChannelMap",
    "CoreShowChannels",
    "CoreStatus",
    "DBGet",
    "DeviceStateList",
    "Events",
    "ExtensionState",
    "ExtensionStateList",
    "Filter",
    "GSAgents",
    "Getvar",
    "IAXpeerlist",
    "IAXpeers",
    "ListCategories",
    "ListCommands",
    "Logoff",
    "MailboxCount",
    "MailboxStatus",
    "MeetmeList",
    "MeetmeListRooms",
    "ModuleCheck",
    "PJSIPShowAors",
    "PJSIPShowContacts",
    "PJSIPShowEndpoints",
    "PJSIPShowRegistrationsInbound",
    "PJSIPShowRegistrationsOutbound",
    "PJSIPShowSubscriptionsInbound",
    "PJSIPShowSubscriptionsOutbound",
    "ParkedCalls",
    "Parkinglots",
    "Ping",
    "PresenceState",
    "PresenceStateList",
    "QueueRule",
    "QueueStatus",
    "QueueSummary",
    "Queues",
    "SIPpeers",
    "SIPpeerstatus",
    "SIPshowregistry",
    "ShowDialPlan",
    "Status",
    "VoicemailUsersList",
    "WaitEvent",
];
/// Of database keys and queue members that the replay has made, and events that mean nothing to a PBX.
const MAKING: &[&str] = &[
    "DBDel",
    "DBPut",
    "QueueAdd",
    "QueuePause",
    "QueueRemove",
    "UserEvent",
];
/// Of calls that the replay has placed.
const CALLING: &[&str] = &[
    "AbsoluteTimeout",
    "Hangup",
    "Originate",
    "PlayDTMF",
    "Redirect",
    "Setvar",
];

/// How console commands begin that only show something.
const CONSOLE: &[&str] = &["core show ", "manager show ", "queue show"];
/// And those that are only sent as they stand here: others of their kind show secrets.
const CONSOLE_LINES: &[&str] = &[
    "dahdi show channels",
    "dahdi show status",
    "iax2 show peers",
    "iax2 show registry",
    "pjsip show contacts",
    "pjsip show endpoints",
    "sip show channels",
    "sip show peers",
    "sip show registry",
];

/// Dialplan functions that do no more than their names say; others read files or run programs.
const FUNCTIONS: &[&str] = &["CALLERID", "CHANNEL", "TIMEOUT"];

/// What an Originate may have: other headers run parts of the dialplan that no pattern permits.
const OF_ORIGINATE: &[&str] = &[
    "Account",
    "Action",
    "ActionID",
    "Application",
    "Async",
    "CallerID",
    "Channel",
    "ChannelId",
    "Codecs",
    "Context",
    "Data",
    "EarlyMedia",
    "Exten",
    "OtherChannelId",
    "Priority",
    "Timeout",
    "Variable",
];

/// What the operator permits.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Beyond `Safety::Quiet`.
    pub allow: BTreeSet<Safety>,
    pub dial: Vec<DialPattern>,
}

/// What the replay has made on the PBX.
#[derive(Debug, Default)]
pub(super) struct Ours {
    /// Database keys and members of queues.
    pub(super) made: BTreeSet<Trace>,
    /// Names and Uniqueids.
    pub(super) channels: BTreeSet<String>,
}

/// A request that nothing stands against; only `permit` makes one.
#[derive(Debug)]
pub(crate) struct Permitted {
    text: String,
}

impl Permitted {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Or why it is not sent.
pub(super) fn permit(request: &Request, rules: &Rules, ours: &Ours) -> Result<Permitted, String> {
    rules.admit(request)?;
    ours.admit(request)?;
    Ok(Permitted {
        text: request.to_text(),
    })
}

/// The class from which on an action is sent; none when it never is.
pub fn class_of(action: &str) -> Option<Safety> {
    let classes = [
        (READING, Safety::Quiet),
        (MAKING, Safety::CreatesState),
        (CALLING, Safety::OriginatesCall),
    ];
    let mut classes = classes.into_iter();
    classes.find_map(|(names, class)| is_among(names, action).then_some(class))
}

/// AMI does not tell letters by their case.
pub(super) fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Rules {
    /// As far as can be told before anything is sent; the error is why it is not.
    pub fn admit(&self, request: &Request) -> Result<(), String> {
        let action = request.action();
        let class = class_of(action)
            .ok_or_else(|| format!("{action} is not on the list of what is sent again"))?;
        if class != Safety::Quiet && !self.allow.contains(&class) {
            return Err(format!("needs --allow {class}"));
        }
        for name in ["Variable", "Variables"] {
            request.all(name).try_for_each(harmless)?;
        }
        request.all("Command").try_for_each(console)?;
        if request.is("Originate") {
            self.dials(request)?;
        }
        if request.is("Redirect") {
            for extra in ["", "Extra"] {
                self.leads(request, extra)?;
            }
        }
        if request.is("QueuePause") && request.get("Queue").is_none() {
            return Err("it is about all queues".to_owned());
        }
        if request.is("Setvar") && request.get("Channel").is_none() {
            return Err("it sets a variable of the whole PBX".to_owned());
        }
        Ok(())
    }

    fn dials(&self, request: &Request) -> Result<(), String> {
        let mut headers = request.headers.iter();
        if let Some((other, _)) = headers.find(|(name, _)| !is_among(OF_ORIGINATE, name)) {
            return Err(format!("nothing says what its header {other} does"));
        }
        let text = |name| request.get(name).map(str::to_owned);
        self.permits(&Role {
            channel: text("Channel").unwrap_or_default(),
            context: text("Context"),
            exten: text("Exten"),
            application: text("Application"),
            data: text("Data"),
            ..Role::default()
        })
    }

    /// Where one half of a Redirect leads; the channel is one that was permitted.
    fn leads(&self, request: &Request, which: &str) -> Result<(), String> {
        let text = |name| request.get(&format!("{which}{name}")).map(str::to_owned);
        let (Some(context), Some(exten)) = (text("Context"), text("Exten")) else {
            return Ok(());
        };
        let to = |pattern: &DialPattern| {
            self.permits(&Role {
                channel: pattern.channel.clone(),
                context: Some(context.clone()),
                exten: Some(exten.clone()),
                ..Role::default()
            })
        };
        let mut tried = self.dial.iter().map(to);
        let nowhere = || Err("no pattern of `limits.dial` permits where it leads".to_owned());
        tried.find(Result::is_ok).unwrap_or_else(nowhere)
    }

    fn permits(&self, role: &Role) -> Result<(), String> {
        dial::permit(role, &self.dial).map_err(|why| why.to_string())
    }
}

impl Ours {
    /// Whatever is not ours stays as it is.
    fn admit(&self, request: &Request) -> Result<(), String> {
        let action = request.action().to_ascii_lowercase();
        let is_ours = match action.as_str() {
            "dbdel" => self.made.contains(&request.key()),
            "queueremove" | "queuepause" => self.made.contains(&request.member()),
            "originate" => return Ok(()),
            _ if is_among(CALLING, &action) => {
                let channels = request.all("Channel").chain(request.all("ExtraChannel"));
                let mut channels = channels.peekable();
                channels.peek().is_some() && channels.all(|one| self.channels.contains(one))
            }
            _ => return Ok(()),
        };
        if is_ours {
            Ok(())
        } else {
            Err("what it is about was not made by this replay".to_owned())
        }
    }
}

/// Names with commas between them, each perhaps with a value behind it.
fn harmless(variables: &str) -> Result<(), String> {
    let is_plain = |name: &str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !name.is_empty() && name.chars().all(is_word)
    };
    let is_known = |name: &str| {
        let parts = name.strip_suffix(')').and_then(|name| name.split_once('('));
        parts.is_some_and(|(function, of)| {
            FUNCTIONS.contains(&function)
                && of.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
    };
    for assignment in variables.split(',') {
        let name = assignment.split('=').next().unwrap_or_default().trim();
        if !is_plain(name) && !is_known(name) {
            return Err(format!("{name} is more than the name of a variable"));
        }
    }
    Ok(())
}

fn console(line: &str) -> Result<(), String> {
    let begins = CONSOLE.iter().any(|begin| line.starts_with(begin));
    if begins || CONSOLE_LINES.contains(&line) {
        return Ok(());
    }
    Err(format!(
        "`{line}` is not on the list of console commands that are sent again"
    ))
}
