//! Judges a recording with the passive cases. What it does not show is inconclusive.

use std::collections::BTreeSet;

use ami_proto::frame::FrameKind;
use ami_proto::session::Secret;
use ami_proto::transcript::{Entry, What};

use crate::case::{Case, Check};
use crate::device::{Device, Reason, Release};
use crate::finding::{Evidence, Finding};
use crate::import::{LineEnds, Recording};
use crate::log::Manners;
use crate::masking;
use crate::observed::{Connection, Observed};
use crate::suite::{Judgement, Selection, decided};

/// Cases of other areas that look at line ends.
const ON_LINE_ENDS: [&str; 1] = ["banner.line.crlf"];

/// How requests over HTTP begin.
const METHODS: [&[u8]; 3] = [b"GET /", b"POST /", b"PUT /"];

/// In which headers a client gives its secret.
const SECRETS: [&str; 2] = ["Secret", "Password"];

/// What a recording shows, ready to be judged.
pub fn observe(recording: &Recording) -> Observed<'_> {
    let web = web_connections(&recording.entries);
    let mut observed = Observed::of(&recording.entries, |conn| match web.contains(&conn) {
        true => Manners::Foreign,
        false => Manners::Proper,
    });
    for connection in &mut observed.connections {
        if is_rude(connection) {
            connection.manners = Manners::Rude;
        }
        // Whether a request that has no end was answered cannot be told.
        connection.begun &= connection.unfinished == 0;
    }
    observed
}

/// Nobody said how it was used: what the client sent tells.
fn is_rude(connection: &Connection) -> bool {
    // Who was put out without a word was not served at all.
    let turned_away = connection.said().next().is_none() && connection.torn == 0;
    let odd = |frame: ami_proto::frame::Frame<'_>| {
        let bare = frame.get("Action").is_none_or(<[u8]>::is_empty);
        frame.kind() != FrameKind::Action || bare || !frame.anomalies().is_empty()
    };
    turned_away || connection.requests().any(|request| odd(request.frame()))
}

/// Those on which HTTP is spoken: the client speaks first, and not AMI.
fn web_connections(entries: &[Entry]) -> BTreeSet<u32> {
    let mut seen = BTreeSet::new();
    let first = entries.iter().filter(|entry| match entry.what {
        What::Mark(_) => false,
        What::Client(_) | What::Server(_) => seen.insert(entry.conn),
    });
    let web = first.filter(|entry| match &entry.what {
        What::Client(bytes) => METHODS.iter().any(|method| bytes.starts_with(method)),
        What::Server(_) | What::Mark(_) => false,
    });
    web.map(|entry| entry.conn).collect()
}

/// As far as a recording shows it.
pub fn device(observed: &Observed<'_>) -> Device {
    let mut device = Device::default();
    let banner = observed.connections.iter().flat_map(Connection::said);
    let mut banners = banner.filter(|seen| seen.kind() == FrameKind::Banner);
    if let Some(banner) = banners.next() {
        let line = banner.frame().lines().next().unwrap_or_default();
        device.banner = String::from_utf8_lossy(line).into_owned();
    }
    let mut versions = observed
        .responses()
        .filter_map(|answer| answer.frame().text("AsteriskVersion"));
    if let Some(version) = versions.next() {
        device.release = Release::parse(&version);
        device.version = Some(version.into_owned());
        device.reasons.push(Reason {
            fact: "release".to_owned(),
            seen: "the answer to CoreSettings in the recording".to_owned(),
        });
    }
    device.recognise(observed);
    device
}

/// Those that are asked for and need nothing but what passed.
pub fn cases(selection: &Selection) -> impl Iterator<Item = &'static Case> {
    selection.cases().filter(|case| case.is_passive())
}

/// The passive cases that are asked for, each judged on what was observed of a recording with such line ends.
pub fn judge(
    observed: &Observed<'_>,
    line_ends: LineEnds,
    selection: &Selection,
) -> (Device, Vec<Judgement>) {
    let device = device(observed);
    let judgements = selection.cases().filter_map(|case| match case.check {
        Check::Passive(check) => {
            let obstacle = obstacle(case, line_ends, &device);
            Some(decided(case, obstacle.unwrap_or_else(|| check(observed))))
        }
        Check::Active(_) => None,
    });
    let judgements = judgements.collect();
    (device, judgements)
}

/// The bytes that a finding rests on, without secrets.
pub fn excerpt(recording: &Recording, evidence: &Evidence, secrets: &[Secret]) -> Vec<u8> {
    masking::excerpt(&recording.entries, evidence, secrets)
}

/// What the clients of a recording gave as a secret: it is none of a reader's business, wherever else it stands.
pub fn secrets(observed: &Observed<'_>) -> Vec<Secret> {
    let requests = observed.connections.iter().flat_map(Connection::requests);
    let given = requests.flat_map(|request| {
        let frame = request.frame();
        let value = |name| frame.text(name).map(|value| value.into_owned());
        let given: Vec<String> = SECRETS.into_iter().filter_map(value).collect();
        given
    });
    let given: BTreeSet<String> = given.filter(|value| value.contains(|c| c != '*')).collect();
    given.into_iter().map(Secret::new).collect()
}

fn obstacle(case: &Case, line_ends: LineEnds, device: &Device) -> Option<Finding> {
    let on_line_ends = case.area() == "framing" || ON_LINE_ENDS.contains(&case.id);
    if line_ends == LineEnds::Lost && on_line_ends {
        let why = "a text log does not show where lines and messages ended on the wire";
        return Some(Finding::not_applicable(why));
    }
    device.obstacle(case.needs)
}
