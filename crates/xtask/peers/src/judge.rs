//! The judge of all clients: what was given against what must be given.

mod difference;

use std::collections::BTreeSet;

use crate::case::{Case, Label};
use crate::expected::{Expected, Kind};
use crate::given::{Account, Given, How, same_name};
use difference::Difference;

pub use difference::Design;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Right,
    /// Otherwise, and the library says so itself.
    ByDesign,
    Wrong,
    /// A message was not given, and later ones were.
    Lost,
    /// Nothing was given any more.
    Dead,
    /// The client did not go on behind the greeting, and said so.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub why: Vec<String>,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::ByDesign => "by design",
            Self::Wrong => "wrong",
            Self::Lost => "lost",
            Self::Dead => "dead",
            Self::Refused => "refused",
        }
    }
}

pub fn judge(case: &Case, account: &Account, designs: &[Design]) -> Judgement {
    if let Some(refused) = &account.refused {
        let why = vec![shortened(refused)];
        return Judgement {
            verdict: Verdict::Refused,
            why,
        };
    }
    // What any PBX says behind a login is no part of the case.
    let booted = |given: &&Given| given.values("Event") != [b"FullyBooted"];
    let given: Vec<&Given> = account.messages.iter().filter(booted).collect();
    let pairs = pairs(&case.expected, &given);
    let paired = |index: usize| pairs.contains(&Some(index));
    let mut lost = Vec::new();
    let mut found = Vec::new();
    for (expected, pair) in case.expected.iter().zip(&pairs) {
        match pair {
            Some(index) => found.extend(difference::all(expected, given[*index])),
            None if expected.kind == Kind::Unclassified => {}
            None => lost.push(expected.name()),
        }
    }
    for index in (0..given.len()).filter(|index| !paired(*index)) {
        found.extend(stray(case, given[index]));
    }
    let last = case.expected.len() - 1;
    let ends = case.expected[last]
        .headers
        .iter()
        .all(|(_, value)| value != b"2");
    let is_alive = ends || pairs[last].is_some();
    let by_design = found
        .iter()
        .all(|difference| designs.iter().any(|design| difference.is_by(*design)));
    let verdict = match (is_alive, lost.is_empty(), found.is_empty(), by_design) {
        (false, ..) => Verdict::Dead,
        (true, false, ..) => Verdict::Lost,
        (true, true, true, _) => Verdict::Right,
        (true, true, false, true) => Verdict::ByDesign,
        (true, true, false, false) => Verdict::Wrong,
    };
    Judgement {
        verdict,
        why: reasons(case, verdict, &lost, &found, account),
    }
}

fn reasons(
    case: &Case,
    verdict: Verdict,
    lost: &[String],
    found: &[Difference],
    account: &Account,
) -> Vec<String> {
    let mut why = Vec::new();
    let mut seen = BTreeSet::new();
    for difference in found {
        let text = difference.to_string();
        if seen.insert(text.clone()) {
            why.push(text);
        }
    }
    // The last event, of which the reader knows nothing, is the verdict.
    let known = lost
        .iter()
        .filter(|name| verdict != Verdict::Dead || *name != "Event: Next");
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    if !known.is_empty() {
        why.push(format!("not given: {}", known.join(", ")));
    }
    if verdict >= Verdict::Lost || case.label == Label::ImplementationDefined {
        why.extend(account.failed.first().map(|failed| shortened(failed)));
    }
    why
}

/// Which given message is which expected one: the same first, then what resembles it.
fn pairs(expected: &[Expected], given: &[&Given]) -> Vec<Option<usize>> {
    let mut pairs: Vec<Option<usize>> = vec![None; expected.len()];
    let takes: [fn(&Expected, &Given) -> bool; 2] = [
        |expected, given| difference::all(expected, given).is_empty(),
        resembles,
    ];
    for take in takes {
        for (at, expected) in expected.iter().enumerate() {
            if pairs[at].is_some() || expected.kind == Kind::Unclassified {
                continue;
            }
            let mut free = (0..given.len()).filter(|index| !pairs.contains(&Some(*index)));
            pairs[at] = free.find(|index| take(expected, given[*index]));
        }
    }
    pairs
}

/// It has the name of it and, where there is more to have, something more of it.
fn resembles(expected: &Expected, given: &Given) -> bool {
    let has = |(name, value): &(String, Vec<u8>)| given.values(name).contains(&value.as_slice());
    let mut headers = expected.headers.iter();
    let is_named = headers.next().is_some_and(|(name, value)| {
        let found = given.values(name);
        found.iter().any(|found| found.eq_ignore_ascii_case(value))
    });
    // All files end with this event: only its number tells one from another.
    let is_next = given.values("Event") == [b"Next"];
    is_named && (!is_next || headers.any(has))
}

/// A message that was never sent so.
fn stray(case: &Case, given: &Given) -> Vec<Difference> {
    let raw = case
        .expected
        .iter()
        .any(|expected| expected.kind == Kind::Unclassified);
    let unnamed = given.values("Event").is_empty() && given.values("Response").is_empty();
    if raw && unnamed {
        return Vec::new();
    }
    let again = case.expected.iter().any(|expected| {
        expected.kind == Kind::Event
            && given.how == How::Answer
            && expected.headers.iter().all(|(name, value)| {
                same_name(name, "ActionID") || given.values(name).contains(&value.as_slice())
            })
    });
    let event = given
        .values("Event")
        .first()
        .map(|name| String::from_utf8_lossy(name));
    match event {
        Some(event) if again => vec![Difference::HandedTwice(event.into_owned())],
        _ => vec![Difference::Invented(outline(given))],
    }
}

fn outline(given: &Given) -> String {
    let how = match given.how {
        How::Event => "an event",
        How::Answer => "an answer",
        How::Other => "a message",
    };
    let headers = given
        .headers
        .iter()
        .filter(|(name, _)| !same_name(name, "ActionID"));
    let headers: Vec<String> = headers
        .take(3)
        .map(|(name, value)| format!("{name}: {}", shortened(&String::from_utf8_lossy(value))))
        .collect();
    if headers.is_empty() {
        return format!("{how} without headers");
    }
    format!("{how} `{}`", headers.join(", "))
}

/// On one line, not longer than a cell takes, and the same each time.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let text = constant(text).escape_debug().to_string();
    let text = text.replace("\\\"", "\"").replace("\\'", "'");
    let text = text.replace('|', "¦").replace('`', "'");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Without the port of the PBX, and the ActionIDs of the client.
fn constant(text: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    const ACTION_ID: &str = "ActionID: ";
    let is_digit = |letter: char| letter.is_ascii_digit();
    let mut parts = text.split(HOST);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("the PBX");
        out.push_str(part.trim_start_matches(is_digit));
    }
    let mut parts = out.split(ACTION_ID);
    let mut constant = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let id = part.find(['\r', '\n']).unwrap_or(part.len());
        constant.push_str(ACTION_ID);
        constant.push('…');
        constant.push_str(&part[id..]);
    }
    constant
}

#[cfg(test)]
mod tests;
