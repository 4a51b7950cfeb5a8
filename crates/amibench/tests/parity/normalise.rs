//! A transcript as messages in which everything that a PBX draws, counts or reads from a clock has a name instead.
//!
//! A channel is named after its rank among those of its technology, an id after its channel: the same id in another place
//! is then another text, whatever the order in which two threads of a real PBX spoke.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ami_proto::frame::Frame;
use ami_proto::transcript::{Mark, Transcript, What};
use ami_proto::{Decoder, Limits};
use regex_lite::{Captures, Regex};

/// Names and values in order. A Command body comes under the name `body`.
pub(crate) type Fields = Vec<(String, String)>;

/// Headers that hold a time span, a number drawn, or a number that grows with a PBX's age.
const NUMBERS: [&str; 19] = [
    "Challenge",
    "CoreCurrentCalls",
    "CoreProcessedCalls",
    "Duration",
    // Of an optimisation.
    "Id",
    "LastReload",
    "Seconds",
    "SessionTimeout",
    "TimeToHangup",
    "Timeout",
    "Uptime",
    "BillableSeconds",
    "ParkingDuration",
    "ParkingTimeout",
    "HoldTime",
    "Holdtime",
    "LongestHoldTime",
    "TalkTime",
    "Wait",
];

/// Variables that hold a time span; some with `_MS` behind.
const SPANS: [&str; 5] = [
    "ANSWEREDTIME",
    "DIALEDTIME",
    "PROGRESSTIME",
    "QUEUEWAIT",
    "RINGTIME",
];

/// What one session said and heard.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) sent: Vec<Fields>,
    pub(crate) heard: Vec<Fields>,
    pub(crate) end: End,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    #[default]
    Client,
    Pbx,
}

/// The first header of that name.
pub(crate) fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let mut all = fields.iter();
    let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Lines without a colon have no name.
pub(crate) fn fields_of(frame: &Frame<'_>) -> Fields {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut fields: Fields = frame
        .lines()
        .map(|line| match line.iter().position(|byte| *byte == b':') {
            None => (String::new(), text(line)),
            Some(colon) => {
                let value = &line[colon + 1..];
                let value = value.strip_prefix(b" ").unwrap_or(value);
                (text(&line[..colon]), text(value))
            }
        })
        .collect();
    fields.extend(frame.body().map(|body| ("body".to_owned(), text(body))));
    fields
}

/// The sessions of a scene, normalised together.
pub(crate) fn sessions(transcript: &Transcript) -> Vec<Session> {
    let conns: BTreeSet<u32> = transcript.entries.iter().map(|entry| entry.conn).collect();
    let mut sessions: Vec<Session> = conns.iter().map(|conn| raw(transcript, *conn)).collect();
    let mut names = Names::default();
    for session in &sessions {
        session.heard.iter().for_each(|fields| names.learn(fields));
    }
    for session in &mut sessions {
        for fields in session.sent.iter_mut().chain(&mut session.heard) {
            let span = is_span(fields);
            for (name, value) in fields {
                *value = match name.as_str() {
                    "Value" if span => "<number>".to_owned(),
                    name => names.normal(name, value),
                };
            }
        }
    }
    sessions
}

/// A VarSet of a number of seconds or milliseconds.
fn is_span(fields: &Fields) -> bool {
    let variable = value(fields, "Variable").map(|name| name.trim_end_matches("_MS"));
    let number = value(fields, "Value").is_some_and(|value| value.parse::<u64>().is_ok());
    number && variable.is_some_and(|name| SPANS.contains(&name))
}

fn raw(transcript: &Transcript, conn: u32) -> Session {
    let mut session = Session::default();
    let (mut theirs, mut ours) = (
        Decoder::client(Limits::default()),
        Decoder::server(Limits::default()),
    );
    let entries = transcript.entries.iter().filter(|entry| entry.conn == conn);
    for entry in entries {
        let (decoder, into, mut bytes) = match &entry.what {
            What::Server(bytes) => (&mut theirs, &mut session.heard, bytes.as_slice()),
            What::Client(bytes) => (&mut ours, &mut session.sent, bytes.as_slice()),
            What::Mark(Mark::Fin | Mark::Rst) => {
                session.end = End::Pbx;
                continue;
            }
            What::Mark(_) => continue,
        };
        while let Some(frame) = decoder.decode(&mut bytes) {
            into.push(fields_of(&frame));
        }
    }
    session
}

static CHANNEL: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"([A-Za-z]+)/([^\s,;"&|/]+)-([0-9a-f]{8})"#));
static ID: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d{10}\.\d+\b"));
static UUID: LazyLock<Regex> =
    LazyLock::new(|| regex(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
/// In a text of other things, each with what stands for it.
static PARTS: LazyLock<[(Regex, &str); 10]> = LazyLock::new(|| {
    [
        (
            regex(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{4})?"),
            "<time>",
        ),
        (regex(r"^\d{4}-\d{2}-\d{2}$"), "<date>"),
        (regex(r"^\d{1,2}:\d{2}:\d{2}$"), "<clock>"),
        (regex(r"^\d{10}$"), "<time>"),
        (regex(r"127\.0\.0\.1[/:]\d+"), "<address>"),
        (regex(r"\b0x[0-9a-f]{6,}\b"), "<pointer>"),
        (regex(r"\[C-[0-9a-f]{8}\]"), "<call>"),
        (regex(r"^[0-9a-f]{32}$"), "<hash>"),
        (
            regex(r"\[extensions\.conf:\d+\]"),
            "[extensions.conf:<line>]",
        ),
        (regex(r"^\d+ calls? processed$"), "<number> calls processed"),
    ]
});

/// Nothing that is drawn, counted or read from a clock is without one, and most values are.
fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("every scene uses these patterns")
}

#[derive(Debug, Default)]
struct Names {
    /// Serial numbers of channels, by technology.
    serials: BTreeMap<String, BTreeSet<u32>>,
    /// Of which channel an id is; those of none are numbered.
    channels: BTreeMap<String, String>,
    ids: BTreeSet<(u64, u64)>,
    /// In the order of their appearance, with what is known of the bridge of that id.
    uuids: Vec<(String, Bridge)>,
}

/// A bridge bears its own name, or that of the first among the channels that ever entered it.
#[derive(Debug, Default)]
struct Bridge {
    name: Option<String>,
    channels: BTreeSet<String>,
}

impl Names {
    fn learn(&mut self, fields: &Fields) {
        for (name, text) in fields.iter().filter(|(_, text)| has_digit(text)) {
            for found in UUID.find_iter(text) {
                let known = self.uuids.iter().any(|(known, _)| known == found.as_str());
                if !known {
                    let uuid = found.as_str().to_owned();
                    self.uuids.push((uuid, Bridge::default()));
                }
            }
            for found in CHANNEL.captures_iter(text) {
                let serials = self.serials.entry(found[1].to_owned()).or_default();
                serials.extend(u32::from_str_radix(&found[3], 16));
            }
            self.ids
                .extend(ID.find_iter(text).filter_map(|id| parts(id.as_str())));
            let prefix = name
                .strip_suffix("Uniqueid")
                .or_else(|| name.strip_suffix("UniqueID"));
            let channel = prefix.and_then(|prefix| value(fields, &format!("{prefix}Channel")));
            if let Some(channel) = channel.filter(|channel| !channel.is_empty()) {
                self.channels
                    .entry(text.clone())
                    .or_insert_with(|| channel.to_owned());
            }
        }
        self.learn_bridge(fields);
    }

    fn learn_bridge(&mut self, fields: &Fields) {
        let id = value(fields, "BridgeUniqueid").unwrap_or_default();
        let Some((_, bridge)) = self.uuids.iter_mut().find(|(known, _)| known == id) else {
            return;
        };
        let name = value(fields, "BridgeName").filter(|name| !["", "<unknown>"].contains(name));
        bridge.name = bridge.name.take().or_else(|| name.map(str::to_owned));
        if value(fields, "Event") == Some("BridgeEnter") {
            bridge
                .channels
                .extend(value(fields, "Channel").map(str::to_owned));
        }
    }

    fn uuid(&self, uuid: &str) -> String {
        let label = |bridge: &Bridge| {
            let channels = bridge.channels.iter().map(|name| self.channel(name));
            let first = channels.min().map(|name| format!("of {name}"));
            bridge.name.clone().or(first)
        };
        let Some(at) = self.uuids.iter().position(|(known, _)| known == uuid) else {
            return "<uuid>".to_owned();
        };
        let own = label(&self.uuids[at].1);
        let before = self.uuids[..at].iter();
        let rank = before.filter(|(_, bridge)| label(bridge) == own).count();
        match own {
            Some(own) => format!("<bridge {rank} {own}>"),
            None => format!("<uuid {rank}>"),
        }
    }

    fn normal(&self, name: &str, value: &str) -> String {
        if name == "Password" && !value.is_empty() {
            return "<secret>".to_owned();
        }
        let known = NUMBERS.iter().any(|known| known.eq_ignore_ascii_case(name));
        if known && value.parse::<f64>().is_ok() {
            return "<number>".to_owned();
        }
        if !has_digit(value) {
            return value.to_owned();
        }
        // A digit lasts as long as was asked for, but for some milliseconds.
        if let ("DurationMs", Ok(span)) = (name, value.parse::<u64>()) {
            return format!("<{} ms>", (span + 5) / 10 * 10);
        }
        let value = UUID.replace_all(value, |found: &Captures<'_>| self.uuid(&found[0]));
        let value = ID.replace_all(&value, |found: &Captures<'_>| self.id(&found[0]));
        let value = self.channel(&value);
        let fill = |value: String, (pattern, name): &(Regex, &'static str)| {
            pattern.replace_all(&value, *name).into_owned()
        };
        PARTS.iter().fold(value, fill)
    }

    fn id(&self, id: &str) -> String {
        if let Some(channel) = self.channels.get(id) {
            return format!("<id of {}>", self.channel(channel));
        }
        match parts(id) {
            None => "<time>".to_owned(),
            Some(parts) => format!("<id {}>", self.ids.range(..parts).count()),
        }
    }

    fn channel(&self, text: &str) -> String {
        let rank = |found: &Captures<'_>| {
            let serial = u32::from_str_radix(&found[3], 16).unwrap_or_default();
            let before = self.serials.get(&found[1]);
            let rank = before.map_or(0, |serials| serials.range(..serial).count());
            format!("{}/{}-#{rank}", &found[1], &found[2])
        };
        CHANNEL.replace_all(text, rank).into_owned()
    }
}

/// Second and serial number of a Uniqueid; six decimals are the microseconds of a time.
fn parts(id: &str) -> Option<(u64, u64)> {
    let (second, serial) = id.split_once('.')?;
    let is_time = serial.len() == 6;
    (!is_time).then_some((second.parse().ok()?, serial.parse().ok()?))
}
