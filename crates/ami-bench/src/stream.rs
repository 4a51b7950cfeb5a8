//! A generated event stream: names and header order as Asterisk 22.10 emits them, about 500 bytes a message and
//! 24 a line. Seeded, so that every run and every machine measures the same bytes.

/// Which headers follow the channel snapshot, for each event of a call in its usual proportion.
const EVENTS: &[(&str, &str, &[&str])] = &[
    ("Newchannel", "call,all", &[]),
    ("VarSet", "dialplan,all", &["Variable", "Value"]),
    ("VarSet", "dialplan,all", &["Variable", "Value"]),
    ("VarSet", "dialplan,all", &["Variable", "Value"]),
    (
        "Newexten",
        "dialplan,all",
        &["Extension", "Application", "AppData"],
    ),
    (
        "Newexten",
        "dialplan,all",
        &["Extension", "Application", "AppData"],
    ),
    ("Newstate", "call,all", &[]),
    (
        "DialBegin",
        "call,all",
        &["DestChannel", "DestUniqueid", "DestLinkedid", "DialString"],
    ),
    (
        "DialState",
        "call,all",
        &["DestChannel", "DestUniqueid", "DestLinkedid", "DialStatus"],
    ),
    (
        "DialEnd",
        "call,all",
        &["DestChannel", "DestUniqueid", "DestLinkedid", "DialStatus"],
    ),
    ("BridgeCreate", "call,all", BRIDGE),
    ("BridgeEnter", "call,all", BRIDGE),
    ("RTCPSent", "reporting,all", RTCP),
    ("RTCPReceived", "reporting,all", RTCP),
    ("BridgeLeave", "call,all", BRIDGE),
    ("BridgeDestroy", "call,all", BRIDGE),
    ("HangupRequest", "call,all", &["Cause"]),
    ("SoftHangupRequest", "call,all", &["Cause"]),
    ("Hangup", "call,all", &["Cause", "Cause-txt"]),
    ("DeviceStateChange", "call,all", &["Device", "State"]),
];
const BRIDGE: &[&str] = &[
    "BridgeUniqueid",
    "BridgeType",
    "BridgeTechnology",
    "BridgeCreator",
    "BridgeName",
    "BridgeNumChannels",
    "BridgeVideoSourceMode",
];
const RTCP: &[&str] = &[
    "To",
    "From",
    "RTT",
    "SSRC",
    "PT",
    "ReportCount",
    "SentNTP",
    "SentRTP",
    "SentPackets",
    "SentOctets",
    "Report0SourceSSRC",
    "Report0FractionLost",
    "Report0CumulativeLost",
    "Report0HighestSequence",
    "Report0SequenceNumberCycles",
    "Report0IAJitter",
    "Report0LSR",
    "Report0DLSR",
];
const SNAPSHOT: &[&str] = &[
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
];
const NAMES: &[&str] = &[
    "Alice",
    "Bob Example",
    "Zoë Müller",
    "<unknown>",
    "Front desk",
    "李雷",
];
const STATES: &[&str] = &["Down", "Ring", "Ringing", "Up"];

/// At least `len` bytes of whole messages, without a banner.
pub(crate) fn events(len: usize) -> Vec<u8> {
    let mut stream = Vec::with_capacity(len + 4096);
    let mut random = Random(0x0a31_b0a2);
    let mut number = 0;
    while stream.len() < len {
        let (event, privilege, more) = EVENTS[number % EVENTS.len()];
        number += 1;
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                stream.extend_from_slice(part.as_bytes());
            }
        };
        line("Event", event);
        line("Privilege", privilege);
        line(
            "Timestamp",
            &format!(
                "1795248{}.{:06}",
                100 + number / 10_000,
                random.below(1_000_000)
            ),
        );
        let snapshot = if event == "DeviceStateChange" {
            &[][..]
        } else {
            SNAPSHOT
        };
        for name in snapshot.iter().chain(more) {
            line(name, &value_of(name, &mut random));
        }
        stream.extend_from_slice(b"\r\n");
    }
    stream
}

fn value_of(name: &str, random: &mut Random) -> String {
    let pick = |from: &[&str], random: &mut Random| from[random.below(from.len())].to_owned();
    match name {
        "Channel" | "DestChannel" => {
            format!(
                "PJSIP/trunk-{:08x};{}",
                random.below(1 << 28),
                1 + random.below(2)
            )
        }
        "Uniqueid" | "Linkedid" | "DestUniqueid" | "DestLinkedid" => {
            format!(
                "1795248{}.{}",
                100 + random.below(900),
                random.below(100_000)
            )
        }
        "CallerIDNum" | "ConnectedLineNum" | "Exten" | "Extension" => {
            format!("{}", 1000 + random.below(9000))
        }
        "CallerIDName" | "ConnectedLineName" => pick(NAMES, random),
        "ChannelStateDesc" | "State" => pick(STATES, random),
        "Language" => "en".to_owned(),
        "AccountCode" => String::new(),
        "Context" => pick(&["from-internal", "default", "macro-dial-one"], random),
        "Variable" => pick(
            &["DIALSTATUS", "MACRO_DEPTH", "SIPCALLID", "RTPAUDIOQOS"],
            random,
        ),
        "Value" => format!(
            "ssrc={};themssrc={}",
            random.below(1 << 20),
            random.below(1 << 20)
        ),
        "Application" => pick(&["Dial", "Set", "GotoIf", "Macro"], random),
        "AppData" => format!("PJSIP/{}@trunk,30,tTU(sub)", random.below(10_000)),
        "BridgeUniqueid" => {
            format!(
                "{:08x}-77f0-4bb8-9f0e-{:012x}",
                random.below(1 << 30),
                random.below(1 << 30)
            )
        }
        "BridgeTechnology" => "simple_bridge".to_owned(),
        "To" | "From" => format!(
            "10.0.{}.{}:{}",
            random.below(256),
            random.below(256),
            10_000 + random.below(9000)
        ),
        "Cause-txt" => "Normal Clearing".to_owned(),
        "Device" => format!("PJSIP/{}", 1000 + random.below(9000)),
        _ => format!("{}", random.below(10_000)),
    }
}

/// Knuth's linear congruential generator; nothing here needs better bits.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % bound
    }
}
