//! What tells two plays of a scene apart: message by message, header by header, and the order of events of each channel.

use std::collections::{BTreeMap, BTreeSet};

use crate::normalise::{Fields, Session, value};

/// Events that a real PBX publishes beside those of the channel, at no fixed place among them.
const LOOSE: [&str; 8] = [
    "AttendedTransfer",
    "BlindTransfer",
    "Cdr",
    "OriginateResponse",
    "ParkedCall",
    "ParkedCallGiveUp",
    "ParkedCallTimeOut",
    "UnParkedCall",
];
/// Items of lists whose order hangs on where a hash puts them.
const HASHED: [&str; 5] = [
    "BridgeInfoChannel",
    "BridgeListItem",
    "ChannelHungup",
    "CoreShowChannel",
    "Status",
];
/// Events of a build with Asterisk's test framework, as Debian's: they tell of its source code.
const SKIPPED: &str = "TestEvent";
/// Events that tell a state which a real PBX works out when it gets round to it: only where it ends is certain.
const LATEST: [&str; 3] = ["DeviceStateChange", "ExtensionStatus", "QueueMemberStatus"];
/// Whose event it is: the first of these that it has.
const SUBJECTS: [&str; 10] = [
    "Uniqueid",
    "LocalOneUniqueid",
    "TransfererUniqueid",
    "OrigTransfererUniqueid",
    "ParkeeUniqueid",
    "DestUniqueid",
    "BridgeUniqueid",
    "Device",
    "Exten",
    "Interface",
];

/// Every difference as a line; none when nobody can tell the plays apart. Two neighbours of a swap may change places.
pub(crate) fn differences(
    simulated: &[Session],
    real: &[Session],
    swaps: &[[String; 2]],
) -> Vec<String> {
    let mut found = Vec::new();
    if simulated.len() != real.len() {
        found.push(format!("{} sessions, real {}", simulated.len(), real.len()));
    }
    for (simulated, real) in simulated.iter().zip(real) {
        if simulated.sent != real.sent {
            found.push(format!(
                "the client says something else than in the capture, which is of an older scene: {:?}, there {:?}",
                simulated.sent, real.sent
            ));
        }
        if simulated.end != real.end {
            found.push(format!(
                "the session is ended by {:?}, real {:?}",
                simulated.end, real.end
            ));
        }
        let mut streams = [streams(&simulated.heard), streams(&real.heard)];
        for stream in streams.iter_mut().flat_map(BTreeMap::values_mut) {
            settle(stream, swaps);
        }
        compare(&streams, &mut found);
    }
    found
}

type Streams = BTreeMap<String, Vec<Fields>>;

/// Brings neighbours that may change places into the order of their swap.
fn settle(stream: &mut [Fields], swaps: &[[String; 2]]) {
    let swapped = |one: &Fields, two: &Fields| {
        let names = [name_of(two), name_of(one)];
        swaps.contains(&names)
    };
    // As often as a stream is long, so that swaps which contradict each other end too.
    for _ in 0..stream.len() {
        for at in 1..stream.len() {
            if swapped(&stream[at - 1], &stream[at]) {
                stream.swap(at - 1, at);
            }
        }
    }
}

fn compare([simulated, real]: &[Streams; 2], found: &mut Vec<String>) {
    let none = Vec::new();
    let subjects: BTreeSet<&String> = simulated.keys().chain(real.keys()).collect();
    for subject in subjects {
        let of =
            |streams: &BTreeMap<String, Vec<Fields>>| streams.get(subject).unwrap_or(&none).clone();
        compare_stream(subject, &of(simulated), &of(real), found);
    }
}

/// Answers in their order, and events in their order for each subject.
fn streams(heard: &[Fields]) -> Streams {
    let mut streams = Streams::new();
    let compared = |fields: &&Fields| value(fields, "Event") != Some(SKIPPED);
    for fields in heard.iter().filter(compared) {
        let stream = streams.entry(subject(fields)).or_default();
        let told = value(fields, "Privilege").is_some();
        if told && value(fields, "Event").is_some_and(|event| LATEST.contains(&event)) {
            stream.retain(|earlier| value(earlier, "Event") != value(fields, "Event"));
        }
        stream.push(fields.clone());
    }
    let hashed =
        |fields: &Fields| value(fields, "Event").is_some_and(|name| HASHED.contains(&name));
    for stream in streams.values_mut() {
        for run in stream.chunk_by_mut(|one, two| hashed(one) && name_of(one) == name_of(two)) {
            run.sort();
        }
    }
    streams
}

/// Only what goes to everybody has a Privilege.
fn subject(fields: &Fields) -> String {
    let (Some(event), Some(_)) = (value(fields, "Event"), value(fields, "Privilege")) else {
        return "answers".to_owned();
    };
    let mut subjects = SUBJECTS.iter();
    let subject = subjects.find_map(|name| value(fields, name).filter(|id| !id.is_empty()));
    match subject {
        Some(subject) if event == "QueueMemberStatus" => {
            format!(
                "{event} {} {subject}",
                value(fields, "Queue").unwrap_or_default()
            )
        }
        Some(subject) if LOOSE.contains(&event) => format!("{event} {subject}"),
        Some(subject) => subject.to_owned(),
        None => event.to_owned(),
    }
}

fn compare_stream(subject: &str, simulated: &[Fields], real: &[Fields], found: &mut Vec<String>) {
    let names = |messages: &[Fields]| -> Vec<String> { messages.iter().map(name_of).collect() };
    let (ours, theirs) = (names(simulated), names(real));
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    if ours != theirs && sorted(&ours) == sorted(&theirs) {
        found.push(format!(
            "{subject}: order {}, real {}",
            ours.join(" "),
            theirs.join(" ")
        ));
    }
    // Messages that only stand in another place are compared with their like.
    let same = sorted(&ours) == sorted(&theirs);
    let pairs = if same {
        by_name(&ours, &theirs)
    } else {
        align(simulated, real)
    };
    for pair in pairs {
        match pair {
            (Some(ours), Some(theirs)) => {
                let message = format!("{subject}: {}", name_of(&simulated[ours]));
                compare_fields(&message, &simulated[ours], &real[theirs], found);
            }
            (Some(ours), None) => {
                found.push(format!("{subject}: surplus {}", shown(&simulated[ours])));
            }
            (None, Some(theirs)) => {
                found.push(format!("{subject}: no {}", shown(&real[theirs])));
            }
            (None, None) => {}
        }
    }
}

fn name_of(fields: &Fields) -> String {
    let (name, kind) = match fields.first() {
        Some((name, kind)) => (name.as_str(), kind.as_str()),
        None => ("", "blank"),
    };
    let id = match (value(fields, "ActionID"), value(fields, "Privilege")) {
        // A list of devices has an item of each.
        (Some(id), None) if kind == "DeviceStateChange" => {
            format!(" {id} {}", value(fields, "Device").unwrap_or_default())
        }
        (Some(id), None) => format!(" {id}"),
        _ => String::new(),
    };
    match name {
        "Event" => format!("{kind}{id}"),
        _ => format!("{name} {kind}{id}"),
    }
}

fn shown(fields: &Fields) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    fields.collect::<Vec<_>>().join(" | ")
}

type Pair = (Option<usize>, Option<usize>);

/// The first of a name with the first of that name, and so on.
fn by_name(ours: &[String], theirs: &[String]) -> Vec<Pair> {
    let mut taken = vec![false; theirs.len()];
    let mut pairs = Vec::new();
    for (index, name) in ours.iter().enumerate() {
        let other = (0..theirs.len()).find(|other| !taken[*other] && theirs[*other] == *name);
        if let Some(other) = other {
            taken[other] = true;
        }
        pairs.push((Some(index), other));
    }
    pairs
}

/// The cheapest way from one list to the other. A message that is another one costs more than one lost and one added.
fn align(ours: &[Fields], theirs: &[Fields]) -> Vec<Pair> {
    const GAP: usize = 100;
    let cost = |one: &Fields, two: &Fields| match one == two {
        true => 0,
        false if name_of(one) != name_of(two) => 3 * GAP,
        false => {
            1 + one
                .iter()
                .filter(|field| !two.contains(field))
                .count()
                .min(GAP)
        }
    };
    let mut table = vec![vec![0; theirs.len() + 1]; ours.len() + 1];
    for i in (0..=ours.len()).rev() {
        for j in (0..=theirs.len()).rev() {
            table[i][j] = match (ours.get(i), theirs.get(j)) {
                (None, None) => 0,
                (Some(_), None) => GAP + table[i + 1][j],
                (None, Some(_)) => GAP + table[i][j + 1],
                (Some(one), Some(two)) => (cost(one, two) + table[i + 1][j + 1])
                    .min(GAP + table[i + 1][j])
                    .min(GAP + table[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < ours.len() || j < theirs.len() {
        let both = ours.get(i).zip(theirs.get(j));
        if both.is_some_and(|(one, two)| table[i][j] == cost(one, two) + table[i + 1][j + 1]) {
            pairs.push((Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if i < ours.len() && table[i][j] == GAP + table[i + 1][j] {
            pairs.push((Some(i), None));
            i += 1;
        } else {
            pairs.push((None, Some(j)));
            j += 1;
        }
    }
    pairs
}

/// Names, their order and number, and values.
fn compare_fields(message: &str, simulated: &Fields, real: &Fields, found: &mut Vec<String>) {
    let (ours, theirs) = (names_of(simulated), names_of(real));
    let pairs = by_name(&ours, &theirs);
    let mut only = Vec::new();
    for (index, name) in theirs.iter().enumerate() {
        if !pairs.iter().any(|(_, other)| *other == Some(index)) {
            only.push(format!("{message}: no {name}, real {:?}", real[index].1));
        }
    }
    let mut last = None;
    for (index, other) in pairs {
        let Some((index, other)) = index.zip(other) else {
            let (name, value) = &simulated[index.expect("it is one of ours")];
            only.push(format!("{message}: surplus {name}, {value:?}"));
            continue;
        };
        let ((name, ours), (_, theirs)) = (&simulated[index], &real[other]);
        if ours != theirs {
            found.push(format!("{message}: {name} is {ours:?}, real {theirs:?}"));
        }
        if last.is_some_and(|last| last > other) && only.is_empty() {
            let order = |fields: &Fields| names_of(fields).join(" ");
            only.push(format!(
                "{message}: headers {}, real {}",
                order(simulated),
                order(real)
            ));
        }
        last = Some(other);
    }
    found.append(&mut only);
}

fn names_of(fields: &Fields) -> Vec<String> {
    fields.iter().map(|(name, _)| name.clone()).collect()
}
