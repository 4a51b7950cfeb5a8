//! Which classes each action needs, as documents say it and all releases that were seen keep it; a vendor may put a class
//! of its own between them.

use crate::reading;

/// Classes as ListCommands prints them, and the actions that need one of them.
pub(super) const DOCUMENTED: &[(&str, &[&str])] = &[
    (
        "system,call,all",
        &[
            "AbsoluteTimeout",
            "Hangup",
            "LocalOptimizeAway",
            "MixMonitorMute",
            "StopMixMonitor",
        ],
    ),
    (
        "call,all",
        &[
            "AcceptCall",
            "APILoginTimeSave",
            "Atxfer",
            "BlindTransfer",
            "Bridge",
            "CancelAtxfer",
            "ChangeMonitor",
            "ChannelSync",
            "ConfbridgeAuthorizeUser",
            "ConfbridgeImAuthorize",
            "ConfbridgeKick",
            "ConfbridgeLock",
            "ConfbridgeMute",
            "ConfbridgeRenameUser",
            "ConfbridgeReportStatisAndRemoveSchedule",
            "ConfbridgeScheduleEnd",
            "ConfbridgeScheduleJoinEarly",
            "ConfbridgeScheduleStart",
            "ConfbridgeScheduleWaitInfoModify",
            "ConfbridgeSetSingleVideoSrc",
            "ConfbridgeSfuAuthorizeUser",
            "ConfbridgeSfuSwitchVideoQuality",
            "ConfbridgeSfuTransferModerator",
            "ConfbridgeTransferModerator",
            "ConfbridgeUnlock",
            "ConfbridgeUnmute",
            "ConfbridgeUpdateAdminPin",
            "ControlPlayback",
            "CPUFlowControl",
            "DiskAlarm",
            "Monitor",
            "NWayRedirect",
            "Park",
            "ParkedCalls",
            "Parkinglots",
            "PauseMonitor",
            "PlayDTMF",
            "Redirect",
            "SendText",
            "Setvar",
            "StopMonitor",
            "UnpauseMonitor",
        ],
    ),
    (
        "<none>",
        &[
            "AnalogChanlists",
            "BridgeDestroy",
            "BridgeInfo",
            "BridgeList",
            "BridgeTechnologyList",
            "BridgeTechnologySuspend",
            "Challenge",
            "DAHDIDialOffhook",
            "DAHDIDNDoff",
            "DAHDIDNDon",
            "DAHDIHangup",
            "DAHDIRestart",
            "DAHDIShowChannels",
            "DAHDITransfer",
            "Events",
            "ListCommands",
            "Login",
            "Logoff",
            "PauseCall",
            "Ping",
            "PRIDebugFileUnset",
            "PRIDebugSet",
            "PRIShowSpans",
            "QueueChangePriorityCaller",
            "QueueClean",
            "QueueReload",
            "QueueReset",
            "QueueRule",
            "Queues",
            "QueueStatus",
            "QueueSummary",
            "WaitEvent",
        ],
    ),
    ("command,all", &["Command"]),
    ("reporting,all", &["ConfbridgeList", "ConfbridgeListRooms"]),
    (
        "system,reporting,all",
        &[
            "CoreCheckChannel",
            "CoreSettings",
            "CoreShowChannels",
            "CoreStatus",
            "DBGet",
            "IAXnetstats",
            "IAXpeerlist",
            "IAXpeers",
            "IAXregistry",
            "LoggerRotate",
            "PJSIPQualify",
            "PJSIPRegister",
            "PJSIPShowRegistrationsOutbound",
            "PJSIPUnregister",
        ],
    ),
    (
        "call,reporting,all",
        &[
            "DeviceStateList",
            "ExtensionState",
            "ExtensionStateList",
            "Getvar",
            "MailboxCount",
            "MailboxStatus",
            "PresenceState",
            "PresenceStateList",
            "VoicemailUsersList",
            "VoicemailUserStatus",
        ],
    ),
    ("system,all", &["Filter"]),
    (
        "agent,all",
        &[
            "GSAgents",
            "QueueAdd",
            "QueueLog",
            "QueueLogin",
            "QueueLogoff",
            "QueueMemberRingInUse",
            "QueuePause",
            "QueuePenalty",
            "QueueRemove",
        ],
    ),
    ("originate,all", &["Originate"]),
    ("config,reporting,all", &["ShowDialPlan"]),
    ("system,call,reporting,all", &["Status"]),
    ("user,all", &["UserEvent", "VoicemailRefresh"]),
    ("command,user,all", &["VoicemailRecount"]),
];

/// Classes that vendors have added.
const ADDED: [&str; 1] = ["specialcommand"];

/// What an action that is listed so needs, without what vendors have added.
pub(super) fn classes(listed: &str) -> Option<String> {
    let known = reading::classes(listed)?.filter(|class| !ADDED.contains(class));
    Some(known.collect::<Vec<&str>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn classes_stand_in_the_last_bracket() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(classes(line).as_deref(), expected, "{line}");
        };
        check(
            "Show core settings (version etc).  (Priv: system,reporting,all)",
            Some("system,reporting,all"),
        );
        check(
            "Run.  (Priv: command,specialcommand,all)",
            Some("command,all"),
        );
        check(" (Priv: <none>)", Some("<none>"));
        check("Run.", None);
    }
}
