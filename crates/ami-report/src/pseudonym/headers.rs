//! Which headers hold someone's numbers and names, and which only what the protocol says.

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Of the protocol: states, counts, times, and ids that a PBX makes up.
    Kept,
    /// Words of the PBX: what is known to be someone's is replaced there.
    Sentence,
    /// Content of files, databases and variables: nobody can say what is in it.
    Masked,
    /// `name=value`: the value is content.
    Assignment,
    /// A line of the console: one that only shows says nothing of anybody.
    Console,
    /// Every word is someone's, unless it is of the protocol.
    Disguised,
}

/// By the end of the name, in lower case: `DestCallerIDNum` is as `CallerIDNum`.
const KEPT: [&str; 89] = [
    "abandoned",
    "action",
    "amaflags",
    "amiversion",
    "answertime",
    "application",
    "asteriskversion",
    "async",
    "authtype",
    "billableseconds",
    "bridgecreator",
    "bridgenumchannels",
    "bridgetechnology",
    "bridgetype",
    "bridgeuniqueid",
    "bridgevideosourcemode",
    "callingpres",
    "calls",
    "callstaken",
    "cause",
    "cause-txt",
    "challenge",
    "channels",
    "channelstate",
    "channelstatedesc",
    "completed",
    "corecallslimit",
    "corecdrenabled",
    "corecurrentcalls",
    "corehttpenabled",
    "coremaxcalls",
    "coremaxfilehandles",
    "coremaxloadavg",
    "coreprocessedcalls",
    "corerealtimeenabled",
    "corereloaddate",
    "corereloadtime",
    "corestartupdate",
    "corestartuptime",
    "devicestate",
    "dialstatus",
    "disposition",
    "duration",
    "earlymedia",
    "endtime",
    "event",
    "eventlist",
    "eventmask",
    "events",
    "eventtv",
    "eventversion",
    "holdtime",
    "incall",
    "language",
    "lastcall",
    "lastpause",
    "lastreload",
    "linkedid",
    "listitems",
    "max",
    "mode",
    "newmessages",
    "oldmessages",
    "operation",
    "paused",
    "penalty",
    "ping",
    "position",
    "priority",
    "privilege",
    "response",
    "roundtripusec",
    "seconds",
    "service",
    "servicelevel",
    "servicelevelperf",
    "servicelevelperf2",
    "sessiontv",
    "severity",
    "starttime",
    "state",
    "status",
    "statustext",
    "strategy",
    "talktime",
    "timestamp",
    "uniqueid",
    "usingpassword",
    "wait",
];

const MASKED: [&str; 7] = [
    "appdata", "data", "json", "output", "val", "value", "lastdata",
];
/// A name in front of a number, as in `Line-000001-000002`.
const NUMBERED: [&str; 5] = ["append", "category", "line", "value", "match"];

/// Words of the protocol, in lower case, that stand where someone's words stand too.
const VOCABULARY: [&str; 62] = [
    "a",
    "agent",
    "all",
    "anonymous",
    "app",
    "appdial2",
    "call",
    "connected",
    "custom",
    "dahdi",
    "default",
    "dtls",
    "end",
    "fail",
    "false",
    "free",
    "from",
    "g",
    "h",
    "hint",
    "i",
    "iax",
    "iax2",
    "idle",
    "internal",
    "invalid",
    "ipv4",
    "ipv6",
    "linear",
    "local",
    "login",
    "mwi",
    "n",
    "no",
    "none",
    "null",
    "number",
    "off",
    "ok",
    "on",
    "outgoing",
    "park",
    "parked",
    "pjsip",
    "presence",
    "queue",
    "s",
    "sip",
    "static",
    "system",
    "t",
    "tcp",
    "tls",
    "true",
    "udp",
    "unavailable",
    "unknown",
    "unmonitored",
    "v",
    "vm",
    "ws",
    "yes",
];

pub fn fate(name: &str) -> Fate {
    let name = name.to_ascii_lowercase();
    let stem = name.split(['-', '.']).next().unwrap_or_default();
    if name == "variable" || stem == "variable" {
        Fate::Assignment
    } else if MASKED.contains(&name.as_str()) || (NUMBERED.contains(&stem) && stem != name) {
        Fate::Masked
    } else if name == "command" {
        Fate::Console
    } else if name == "message" {
        Fate::Sentence
    } else if KEPT.iter().any(|known| name.ends_with(known)) {
        Fate::Kept
    } else {
        Fate::Disguised
    }
}

pub fn is_of_the_protocol(word: &str) -> bool {
    VOCABULARY.contains(&word.to_ascii_lowercase().as_str())
}
