//! The captured sessions of a real Asterisk 13.7.0, their client side replayed against the simulated one: the same
//! answers in the same order, the same events, and the same order of events for each channel.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ami_proto::transcript::{Transcript, What};
use ami_sim::{Accounts, Extension, Mailbox, Profile, Step, Web};

use crate::talk::{Fields, SECRET, Talk, messages, value};

/// Actions whose answers hang on a PBX's data, which the simulator does not model yet.
const NOT_SIMULATED: [&str; 2] = ["ParkedCalls", "Parkinglots"];

/// Headers whose value is a time, an address or a number of the machine.
const VOLATILE: [&str; 14] = [
    "Timestamp",
    "EventTV",
    "SessionTV",
    "SessionID",
    "LocalAddress",
    "RemoteAddress",
    "CoreStartupDate",
    "CoreStartupTime",
    "CoreReloadDate",
    "CoreReloadTime",
    "Duration",
    "Seconds",
    "TimeToHangup",
    "Challenge",
];

/// As GetConfig shows it in the captures.
const EXTENSIONS: &str = "[general]
static=yes
writeprotect=no
[bench]
exten => answer,1,Answer()
same => n,Wait(1)
same => n,Hangup()
exten => echo,1,Answer()
same => n,Echo()
exten => busy,1,Busy(1)
exten => quick,1,Answer()
same => n,Hangup()
";

/// The dialplan of the captures, as their ShowDialPlan lists it.
fn captured_pbx() -> Profile {
    let mut profile = Profile::named("asterisk-13").unwrap();
    // Nothing was configured to tell records.
    profile.cdr.events = false;
    let extension = |exten: &str, steps: &[&str]| Extension {
        contexts: vec!["bench".to_owned()],
        exten: exten.to_owned(),
        steps: steps
            .iter()
            .map(|step| Step::try_from((*step).to_owned()).unwrap())
            .collect(),
    };
    profile.manager.web = Web::Disabled;
    profile.queues = Vec::new();
    profile.hints = Vec::new();
    profile.endpoints = Vec::new();
    profile.files = [("extensions.conf".to_owned(), EXTENSIONS.to_owned())].into();
    let mailbox = |context: &str, name: &str| Mailbox {
        context: context.to_owned(),
        number: "1234".to_owned(),
        name: name.to_owned(),
        email: "root@localhost".to_owned(),
        message_max_s: 0,
        message_min_s: 0,
    };
    profile.mailboxes = vec![
        mailbox("default", "Example Mailbox"),
        mailbox("other", "Company2 User"),
    ];
    profile.extensions = vec![
        extension("answer", &["Answer", "Wait(1)", "Hangup"]),
        extension("echo", &["Answer", "Echo"]),
        extension("busy", &["Busy(1)"]),
        extension("quick", &["Answer", "Hangup"]),
    ];
    profile
}

/// Numbers drawn by a PBX get names in the order in which they appear; volatile values get none.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn normalise(&mut self, fields: Fields) -> Fields {
        fields
            .into_iter()
            .map(|(name, value)| (name.clone(), self.value(&name, value)))
            .collect()
    }

    fn value(&mut self, name: &str, value: String) -> String {
        if VOLATILE.contains(&name) {
            return "*".to_owned();
        }
        if value.starts_with("17952489") && value.contains('.') {
            let next = format!("id{}", self.0.len());
            return self.0.entry(value).or_insert(next).clone();
        }
        match value.split_once("-0000") {
            Some((device, serial)) if device.starts_with("Local/") => {
                let half = serial.split_once(';').map_or("", |(_, half)| half);
                format!("{device}-N;{half}")
            }
            _ => value,
        }
    }
}

/// One session's messages in the three views that are compared.
#[derive(Debug, Default, PartialEq, Eq)]
struct View {
    /// Answers, list items and FullyBooted: all that this session alone gets, in order.
    answers: Vec<Fields>,
    /// Events whatever their order.
    events: Vec<Fields>,
    /// The names of the events about each channel.
    orders: BTreeMap<String, Vec<String>>,
}

fn view(bytes: &[u8], skipped: &[String]) -> View {
    let mut names = Names::default();
    let mut view = View::default();
    for fields in messages(bytes) {
        if value(&fields, "ActionID").is_some_and(|id| skipped.iter().any(|skipped| skipped == id))
            || fields.is_empty()
        {
            continue;
        }
        let fields = names.normalise(fields);
        let event = value(&fields, "Event").unwrap_or_default();
        let common = value(&fields, "Timestamp").is_some() && !event.is_empty();
        if !common {
            view.answers.push(fields);
            continue;
        }
        if let Some(id) = value(&fields, "Uniqueid").or_else(|| value(&fields, "DestUniqueid"))
            && event != "OriginateResponse"
        {
            view.orders
                .entry(id.to_owned())
                .or_default()
                .push(event.to_owned());
        }
        view.events.push(fields);
    }
    view.events.sort();
    view
}

fn check(name: &str) {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/transcripts/asterisk-13.7.0");
    let text = std::fs::read_to_string(folder.join(name).with_extension("ami.jsonl")).unwrap();
    let transcript = Transcript::parse(&text).unwrap();
    let mut talk = Talk::new(captured_pbx(), Accounts::bench(SECRET));
    let key = talk.connect().unwrap();
    let start = talk.now;
    let (mut real, mut simulated, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &transcript.entries {
        talk.pass((start + entry.at).saturating_sub(talk.now));
        match &entry.what {
            What::Server(bytes) => real.extend_from_slice(bytes),
            What::Mark(_) => {}
            What::Client(bytes) => {
                let request = &messages(bytes);
                let action = request.first().and_then(|fields| value(fields, "Action"));
                if action.is_some_and(|action| NOT_SIMULATED.contains(&action)) {
                    skipped.extend(value(&request[0], "ActionID").map(str::to_owned));
                } else if !is_uptime(bytes, &mut skipped) {
                    talk.send_bytes(key, &with_our_serial(bytes));
                }
            }
        }
        simulated.extend(talk.hear(key).bytes);
    }
    talk.pass(Duration::from_secs(2));
    let heard = talk.hear(key);
    simulated.extend(heard.bytes);
    let (real, simulated) = (view(&real, &skipped), view(&simulated, &skipped));
    same(name, &simulated.answers, &real.answers);
    same(name, &simulated.events, &real.events);
    assert_eq!(
        simulated.orders, real.orders,
        "{name}: order of events (left: simulated)"
    );
}

/// The captured PBX had dialled before: its channel of the call that is controlled is our first one.
fn with_our_serial(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text
            .replace("echo@bench-00000006;", "echo@bench-00000000;")
            .into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

/// Message for message, so that a failure shows the one that differs.
fn same(name: &str, simulated: &[Fields], real: &[Fields]) {
    for (at, (simulated, real)) in simulated.iter().zip(real).enumerate() {
        assert_eq!(simulated, real, "{name}: message {at} (left: simulated)");
    }
    let surplus = [
        &simulated[real.len().min(simulated.len())..],
        &real[simulated.len().min(real.len())..],
    ];
    assert!(
        surplus.concat().is_empty(),
        "{name}: surplus messages (first: simulated): {surplus:?}"
    );
}

/// How long that machine was up is its own affair.
fn is_uptime(bytes: &[u8], skipped: &mut Vec<String>) -> bool {
    let uptime = bytes
        .windows(16)
        .any(|window| window == b"core show uptime");
    if uptime {
        skipped.push("r4".to_owned());
    }
    uptime
}

#[test]
fn login_plain() {
    check("login-plain");
}

#[test]
fn login_rejected() {
    check("login-rejected");
}

#[test]
fn before_login() {
    check("before-login");
}

#[test]
fn case_and_order() {
    check("case-and-order");
}

#[test]
fn malformed() {
    check("malformed");
}

#[test]
fn pipelined() {
    check("pipelined");
}

#[test]
fn userevent_and_db() {
    check("userevent-and-db");
}

#[test]
fn originate_async() {
    check("originate-async");
}

#[test]
fn originate_sync() {
    check("originate-sync");
}

#[test]
fn originate_failures() {
    check("originate-failures");
}

#[test]
fn call_control() {
    check("call-control");
}

#[test]
fn read_only_actions() {
    check("read-only-actions");
}
