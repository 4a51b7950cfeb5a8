//! All that a case may ask a PBX for. It is written here and never chosen from what a PBX lists or lacks; what stands
//! elsewhere is not sent, whatever code asks for it.

use crate::case::Safety;

/// Each with the class of cases from which on it is sent. What does more than read is asked wrongly by noisy ones, to see
/// it refused.
pub const ACTIONS: &[(&str, Safety)] = &[
    ("BridgeList", Safety::Quiet),
    ("Challenge", Safety::Quiet),
    ("Command", Safety::Quiet),
    ("ConfbridgeListRooms", Safety::Quiet),
    ("CoreSettings", Safety::Quiet),
    ("CoreShowChannels", Safety::Quiet),
    ("CoreStatus", Safety::Quiet),
    ("DeviceStateList", Safety::Quiet),
    ("Events", Safety::Quiet),
    ("ExtensionState", Safety::Quiet),
    ("ExtensionStateList", Safety::Quiet),
    ("Filter", Safety::Quiet),
    ("Getvar", Safety::Quiet),
    ("ListCommands", Safety::Quiet),
    ("Login", Safety::Quiet),
    ("Logoff", Safety::Quiet),
    ("ModuleCheck", Safety::Quiet),
    ("PJSIPShowContacts", Safety::Quiet),
    ("PJSIPShowEndpoints", Safety::Quiet),
    ("PJSIPShowRegistrationsInbound", Safety::Quiet),
    ("PJSIPShowRegistrationsOutbound", Safety::Quiet),
    ("PJSIPShowSubscriptionsInbound", Safety::Quiet),
    ("ParkedCalls", Safety::Quiet),
    ("Ping", Safety::Quiet),
    ("PresenceStateList", Safety::Quiet),
    ("QueueRule", Safety::Quiet),
    ("QueueStatus", Safety::Quiet),
    ("QueueSummary", Safety::Quiet),
    ("Queues", Safety::Quiet),
    ("SIPpeers", Safety::Quiet),
    ("Status", Safety::Quiet),
    ("VoicemailUsersList", Safety::Quiet),
    ("WaitEvent", Safety::Quiet),
    ("DBDel", Safety::CreatesState),
    ("DBGet", Safety::Quiet),
    ("DBPut", Safety::CreatesState),
    ("GetConfig", Safety::Quiet),
    ("ListCategories", Safety::Quiet),
    ("QueueAdd", Safety::Noisy),
    ("QueuePause", Safety::CreatesState),
    ("QueueRemove", Safety::CreatesState),
    ("UserEvent", Safety::Noisy),
    ("Hangup", Safety::Noisy),
    ("Originate", Safety::Noisy),
    ("Redirect", Safety::Noisy),
    ("Setvar", Safety::OriginatesCall),
    // Of a module that there is not.
    ("Reload", Safety::Disruptive),
];

/// An action of this beginning is one that no PBX has.
const NOBODY_HAS: &str = "NoSuch";

/// What the console may be asked; the last are refused by every PBX that keeps the contract, and do nothing on another.
const CONSOLE: &[&str] = &[
    "core show ",
    "manager show ",
    "nosuch",
    "module load nosuch",
];

/// The class from which on an action may be sent; none when it may never.
pub fn class_of(action: &str) -> Option<Safety> {
    if action.starts_with(NOBODY_HAS) {
        return Some(Safety::Quiet);
    }
    let mut known = ACTIONS.iter();
    let (_, safety) = known.find(|(name, _)| name.eq_ignore_ascii_case(action))?;
    Some(*safety)
}

/// What an account must have on stock Asterisk to run it.
pub(crate) fn privilege(action: &str) -> &'static str {
    match action {
        "Status" => "class call, reporting or system",
        "CoreSettings" | "CoreShowChannels" | "CoreStatus" | "DBGet" | "IAXpeerlist"
        | "SIPpeers" => "class reporting or system",
        "DeviceStateList" | "ExtensionState" | "ExtensionStateList" | "Getvar"
        | "PresenceState" | "PresenceStateList" | "VoicemailUsersList" => "class call or reporting",
        "Hangup" => "class call or system",
        "Redirect" | "Setvar" => "class call",
        "Originate" => "class originate",
        "Command" => "class command",
        "DBDel"
        | "DBPut"
        | "Filter"
        | "ModuleCheck"
        | "PJSIPShowContacts"
        | "PJSIPShowEndpoints"
        | "PJSIPShowRegistrationsInbound"
        | "PJSIPShowRegistrationsOutbound"
        | "PJSIPShowSubscriptionsInbound" => "class system",
        "GetConfig" | "Reload" => "class config or system",
        "ListCategories" => "class config",
        "QueueAdd" | "QueuePause" | "QueueRemove" => "class agent",
        "UserEvent" => "class user",
        "ConfbridgeListRooms" => "class reporting",
        _ => "no class",
    }
}

/// What in these bytes may not be sent, if anything: an action, or a line for the console.
pub(crate) fn forbidden(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "action" => {
                let word = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
                let action = word.clone().next().unwrap_or_default();
                let allowed = action.is_empty() || class_of(action).is_some();
                let allowed =
                    allowed && (!action.eq_ignore_ascii_case("Reload") || is_of_nothing(&text));
                (!allowed).then(|| action.to_owned())
            }
            "command" => {
                let allowed = CONSOLE.iter().any(|begin| value.starts_with(begin));
                (!allowed).then(|| format!("Command: {value}"))
            }
            _ => None,
        }
    })
}

/// Any other module, or none, would be reloaded.
fn is_of_nothing(reload: &str) -> bool {
    let mut modules = reload.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_module = name.trim().eq_ignore_ascii_case("module");
        is_module.then(|| value.trim())
    });
    modules
        .next()
        .is_some_and(|name| name.starts_with("nosuch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_here_is_not_sent() {
        let check = |bytes: &str, expected: Option<&str>| {
            assert_eq!(forbidden(bytes.as_bytes()).as_deref(), expected, "{bytes}");
        };
        check("Action: Ping\r\nActionID: 1\r\n\r\n", None);
        check("action:pInG\r\n\r\n", None);
        check("Action: Ping\0more\r\n\r\n", None);
        check("Action: NoSuch-17\r\n\r\n", None);
        check("Action:\r\n\r\n", None);
        check("X: y\r\n", None);
        check("Action: DBDelTree\r\n\r\n", Some("DBDelTree"));
        check("Action: Ping\r\n\r\n ACTION : Reload\r\n", Some("Reload"));
        check("Action: QueueReset", Some("QueueReset"));
        check("Action: Reload\r\nModule: nosuch-1\r\n\r\n", None);
        check("Action: reload\r\n\r\n", Some("reload"));
        let reload = "Action: Reload\r\nModule: app_dial\r\nModule: nosuch\r\n\r\n";
        check(reload, Some("Reload"));
        let stop = "Action: Command\r\nCommand: core stop now\r\n\r\n";
        check(stop, Some("Command: core stop now"));
        check(
            "Action: Command\r\nCommand: core show version\r\n\r\n",
            None,
        );
    }
}
