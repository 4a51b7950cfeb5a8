//! The reconstructed sessions of vendors' PBXs, their client side replayed against the simulated ones: the same answers in
//! the same order, the same events. What differs stands here, each with its reason, and must differ.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ami_proto::transcript::{Transcript, What};
use ami_sim::{Account, Accounts, Extension, Profile, Step};

use crate::talk::{Fields, SECRET, Talk, lines, messages, value};

/// A telephone that is called answers within that time, and what follows is over.
const SETTLED: Duration = Duration::from_secs(5);

/// Headers whose value is a time, an address or a number of the machine.
const VOLATILE: [&str; 17] = [
    "Timestamp",
    "EventTV",
    "SessionTV",
    "SessionID",
    "LocalAddress",
    "RemoteAddress",
    "Duration",
    "Seconds",
    "LoginTime",
    "LastPause",
    "StartTime",
    "AnswerTime",
    "EndTime",
    "BillableSeconds",
    "Recvtime",
    "ParkingDuration",
    "ParkingTimeout",
];

/// What is left out of the comparison, and why.
struct Difference {
    /// Events or answers that have this header, with this value when it is given.
    of: (&'static str, Option<&'static str>),
    left: Left,
    why: &'static str,
}

#[derive(Clone, Copy)]
enum Left {
    /// The message itself.
    Message,
    /// The value of a header, by the end of its name.
    Value(&'static str),
}

/// Numbers that a PBX draws get names in the order in which they appear.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn value(&mut self, name: &str, value: &str) -> String {
        if VOLATILE.contains(&name) {
            return "*".to_owned();
        }
        let is_id = value.split_once('.').is_some_and(|(epoch, serial)| {
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            epoch.len() == 10 && digits(epoch) && digits(serial)
        });
        let is_uuid = value.len() == 36 && value.matches('-').count() == 4;
        if is_id || is_uuid {
            return self.named(value);
        }
        match value.split_once("-0000") {
            Some((device, serial)) if serial.len() == 4 => {
                format!("{device}-{}", self.named(value))
            }
            _ => value.to_owned(),
        }
    }

    fn named(&mut self, value: &str) -> String {
        let next = format!("id{}", self.0.len());
        self.0.entry(value.to_owned()).or_insert(next).clone()
    }
}

/// What one side said, in the views that are compared.
struct View {
    /// What answers this session, in order.
    answers: Vec<Fields>,
    /// Events whatever their order.
    events: Vec<Fields>,
    /// The names of the events about each channel.
    orders: BTreeMap<String, Vec<String>>,
}

impl View {
    fn of<'d>(said: &[Fields], left: impl Iterator<Item = &'d Difference> + Clone) -> Self {
        let mut view = Self {
            answers: Vec::new(),
            events: Vec::new(),
            orders: BTreeMap::new(),
        };
        for fields in said {
            let Some(fields) = compared(fields.clone(), left.clone()) else {
                continue;
            };
            let answers = ["Call", "Command", "SMSCommand"];
            let unasked =
                value(&fields, "Privilege").is_some_and(|privilege| !answers.contains(&privilege));
            if !unasked {
                view.answers.push(fields);
                continue;
            }
            let event = value(&fields, "Event").unwrap_or_default().to_owned();
            let channel = value(&fields, "Uniqueid").or_else(|| value(&fields, "DestUniqueid"));
            if let Some(channel) = channel
                && event != "OriginateResponse"
            {
                view.orders
                    .entry(channel.to_owned())
                    .or_default()
                    .push(event);
            }
            view.events.push(fields);
        }
        view
    }

    /// What this one has and the other has not.
    fn beyond(&self, other: &Self) -> Vec<String> {
        let mut missing = Vec::new();
        for (ours, theirs) in [
            (&self.answers, &other.answers),
            (&self.events, &other.events),
        ] {
            let mut theirs = theirs.clone();
            for fields in ours {
                match theirs.iter().position(|known| known == fields) {
                    Some(at) => drop(theirs.remove(at)),
                    None => missing.extend(lines(std::slice::from_ref(fields))),
                }
            }
        }
        missing
    }
}

/// One message as it is compared; none when it is not.
fn compared<'d>(
    mut fields: Fields,
    differences: impl Iterator<Item = &'d Difference>,
) -> Option<Fields> {
    for difference in differences {
        let (header, text) = difference.of;
        let Some(known) = value(&fields, header) else {
            continue;
        };
        if text.is_some_and(|text| text != known) {
            continue;
        }
        match difference.left {
            Left::Message => return None,
            Left::Value(end) => {
                let of_it = fields.iter_mut().filter(|(name, _)| name.ends_with(end));
                of_it.for_each(|(_, value)| "*".clone_into(value));
            }
        }
    }
    Some(fields)
}

/// Numbers that were drawn are named before anything is left out, so that they are the same on both sides.
fn said(bytes: &[u8]) -> Vec<Fields> {
    let mut names = Names::default();
    let named = |fields: Fields| -> Fields {
        let named = |(name, value): (String, String)| {
            let value = names.value(&name, &value);
            (name, value)
        };
        fields.into_iter().map(named).collect()
    };
    messages(bytes).into_iter().map(named).collect()
}

/// Messages with lines that are no headers, byte for byte: texts of the console, and reports of short messages.
fn as_they_came(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let marks = [
        ("Response: Follows", "--END COMMAND--\r\n\r\n"),
        ("Event: UpdateSMSSend", "\r\n\r\n"),
    ];
    let pieces = marks.into_iter().flat_map(|(begin, end)| {
        let begun = text.split(begin).skip(1);
        begun.map(move |rest| {
            format!(
                "{begin}{}",
                rest.split_inclusive(end).next().unwrap_or_default()
            )
        })
    });
    pieces.collect()
}

/// Why the two are not the same, if they are not.
fn differ(simulated: &View, rebuilt: &View) -> Option<String> {
    let beyond = [simulated.beyond(rebuilt), rebuilt.beyond(simulated)];
    let texts = [("simulated only", &beyond[0]), ("rebuilt only", &beyond[1])];
    let texts = texts.iter().filter(|(_, lines)| !lines.is_empty());
    let texts: Vec<String> = texts
        .map(|(which, lines)| format!("{which}:\n  {}", lines.join("\n  ")))
        .collect();
    if !texts.is_empty() {
        return Some(texts.join("\n"));
    }
    if simulated.answers != rebuilt.answers {
        return Some("the answers come in another order".to_owned());
    }
    let orders = [&simulated.orders, &rebuilt.orders];
    (orders[0] != orders[1]).then(|| format!("order of events (simulated first): {orders:#?}"))
}

struct Rebuilt {
    folder: &'static str,
    profile: Profile,
    account: Account,
    differences: &'static [Difference],
}

impl Rebuilt {
    fn check(self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../corpora/transcripts")
            .join(self.folder);
        let text = std::fs::read_to_string(folder.join(name).with_extension("ami.jsonl")).unwrap();
        let transcript = Transcript::parse(&text).unwrap();
        let mut talk = Talk::new(self.profile, Accounts::new(self.account));
        let key = talk.connect().unwrap();
        let (mut rebuilt, mut simulated) = (Vec::new(), Vec::new());
        for entry in &transcript.entries {
            match &entry.what {
                What::Server(bytes) => rebuilt.extend_from_slice(bytes),
                What::Mark(_) => {}
                What::Client(bytes) => {
                    talk.pass(SETTLED);
                    simulated.extend(talk.hear(key).bytes);
                    talk.send_bytes(key, bytes);
                }
            }
        }
        talk.pass(SETTLED);
        simulated.extend(talk.hear(key).bytes);
        assert_eq!(
            as_they_came(&simulated),
            as_they_came(&rebuilt),
            "{name}: texts (left: simulated)"
        );
        let (simulated, rebuilt) = (said(&simulated), said(&rebuilt));
        let compare = |but: Option<usize>| {
            let left = self.differences.iter().enumerate();
            let left = left.filter(move |(at, _)| Some(*at) != but);
            let left = left.map(|(_, difference)| difference);
            differ(
                &View::of(&simulated, left.clone()),
                &View::of(&rebuilt, left),
            )
        };
        if let Some(difference) = compare(None) {
            panic!("{name}: {difference}");
        }
        for (at, difference) in self.differences.iter().enumerate() {
            let needed = compare(Some(at)).is_some();
            assert!(
                needed,
                "{name}: nothing differs any more: {}",
                difference.why
            );
        }
    }
}

fn extension(context: &str, exten: &str, steps: &[&str]) -> Extension {
    Extension {
        contexts: vec![context.to_owned()],
        exten: exten.to_owned(),
        steps: steps
            .iter()
            .map(|step| Step::try_from((*step).to_owned()).unwrap())
            .collect(),
    }
}

const fn left(
    of: (&'static str, Option<&'static str>),
    left: Left,
    why: &'static str,
) -> Difference {
    Difference { of, left, why }
}

const fn event(name: &'static str, why: &'static str) -> Difference {
    left(("Event", Some(name)), Left::Message, why)
}

const NO_CALLER_ID: &str = "simulated telephones have no caller id of their own";
const NO_HINTS: &str = "the profile has no hints";

const NUMBER: Difference = left(("Event", None), Left::Value("CallerIDNum"), NO_CALLER_ID);
const NAME: Difference = left(("Event", None), Left::Value("CallerIDName"), NO_CALLER_ID);
const DEVICE: Difference = event(
    "DeviceStateChange",
    "a simulated telephone does not tell that it rings",
);
const EXTENSION: Difference = event("ExtensionStatus", NO_HINTS);
const HINT: Difference = left(
    ("Message", Some("Extension Status")),
    Left::Message,
    NO_HINTS,
);
const MEMBER: Difference = event(
    "QueueMemberStatus",
    "the telephones of the capture were in no queue",
);
const CDR: Difference = event("Cdr", "the simulator writes no records yet");

/// Of a call between two telephones.
const CALL: [Difference; 15] = [
    NUMBER,
    NAME,
    left(
        ("Event", None),
        Left::Value("ConnectedLineNum"),
        NO_CALLER_ID,
    ),
    left(
        ("Event", None),
        Left::Value("ConnectedLineName"),
        NO_CALLER_ID,
    ),
    event("NewCallerid", NO_CALLER_ID),
    event("NewConnectedLine", NO_CALLER_ID),
    DEVICE,
    EXTENSION,
    HINT,
    MEMBER,
    CDR,
    event("VarSet", "which variables the real one sets is not known"),
    left(
        ("BridgeTechnology", None),
        Left::Value("BridgeTechnology"),
        "simulated telephones have no media that could go round the PBX",
    ),
    left(
        ("Event", Some("Status")),
        Left::Value("format"),
        "simulated telephones speak slin",
    ),
    left(
        ("Event", Some("Status")),
        Left::Value("formats"),
        "simulated telephones speak slin",
    ),
];

const PARKING: [Difference; 9] = [
    NUMBER,
    NAME,
    DEVICE,
    EXTENSION,
    MEMBER,
    CDR,
    event("BridgeCreate", "the lot of the capture had been used"),
    event("MusicOnHoldStart", "when music starts hangs on media"),
    event("MusicOnHoldStop", "when music starts hangs on media"),
];

fn ucm(read: &str, differences: &'static [Difference]) -> Rebuilt {
    let mut profile = Profile::named("ucm6xxx").unwrap();
    profile.extensions = vec![
        extension("from-internal", "1001", &["Dial(PJSIP/1001,60)", "Hangup"]),
        extension("from-internal", "1002", &["Answer", "Wait(3600)", "Hangup"]),
        extension("from-internal", "700", &["Answer", "Park", "Hangup"]),
    ];
    Rebuilt {
        folder: "ucm6xxx-16.7.0",
        profile,
        account: Account::new("labuser01", SECRET, read, "all"),
        differences,
    }
}

/// All but the class system, as the guide's accounts.
const UCM_READ: &str = "call,cdr,agent,cc,dtmf,dialplan,reporting,user,security";

#[test]
fn ucm_login() {
    ucm(UCM_READ, &[]).check("login");
}

#[test]
fn ucm_login_refused() {
    let refused = Rebuilt {
        account: Account::new("labuser01", "another-1", UCM_READ, "all"),
        ..ucm(UCM_READ, &[])
    };
    refused.check("login-refused");
}

#[test]
fn ucm_list_commands() {
    ucm("all", &[]).check("list-commands");
}

#[test]
fn ucm_core() {
    ucm(UCM_READ, &[]).check("core");
}

#[test]
fn ucm_queues() {
    ucm(UCM_READ, &[]).check("queues");
}

#[test]
fn ucm_call() {
    ucm(UCM_READ, &CALL).check("call");
}

#[test]
fn ucm_parking() {
    ucm(UCM_READ, &PARKING).check("parking");
}

fn yeastar_s() -> Rebuilt {
    let mut profile = Profile::named("yeastar-s").unwrap();
    let context = "DLPN_DialPlan1000";
    profile.extensions = vec![
        extension(
            context,
            "1001",
            &["Dial(PJSIP/1001,30,tTKkWwXxg,,1)", "Hangup"],
        ),
        extension(context, "1002", &["Answer", "Wait(3600)", "Hangup"]),
    ];
    Rebuilt {
        folder: "yeastar-s-13.7.0",
        profile,
        account: Account::new("labadmin", SECRET, "all", "all"),
        differences: &[],
    }
}

#[test]
fn yeastar_s_login() {
    yeastar_s().check("login");
}

#[test]
fn yeastar_s_command() {
    yeastar_s().check("command");
}

const STATES: [Difference; 5] = [
    HINT,
    left(
        ("ActionID", Some("#10006")),
        Left::Message,
        "the guide prints one line of ListCommands",
    ),
    left(
        ("ActionID", Some("#10003")),
        Left::Message,
        "the profile has no configuration files",
    ),
    left(
        ("ActionID", Some("20004#10004")),
        Left::Message,
        "the profile has no configuration files",
    ),
    left(
        ("ActionID", Some("#10007")),
        Left::Message,
        "the guide's answer to ParkedCalls is of older releases than its PBX",
    ),
];

#[test]
fn yeastar_s_states() {
    let states = Rebuilt {
        differences: &STATES,
        ..yeastar_s()
    };
    states.check("states");
}

#[test]
fn yeastar_s_call() {
    let call = Rebuilt {
        differences: &CALL,
        ..yeastar_s()
    };
    call.check("call");
}

const SMS: [Difference; 1] = [event(
    "ReceivedSMS",
    "nobody sends messages to the simulated gateway",
)];

#[test]
fn yeastar_tg_sms() {
    let sms = Rebuilt {
        folder: "yeastar-tg-1.8",
        profile: Profile::named("yeastar-tg").unwrap(),
        account: Account::new("apiuser", SECRET, "message", "all"),
        differences: &SMS,
    };
    sms.check("sms");
}
