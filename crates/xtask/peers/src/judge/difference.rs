//! In what a given message is otherwise than the one that was sent.

use std::fmt;

use serde::Deserialize;

use crate::expected::{Expected, Kind};
use crate::given::{Given, How, same_name};
use crate::judge::shortened;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// An event taken for an answer, or the other way round.
    Kind(How),
    Missing(String),
    /// A header that was there more than once.
    Repeated(String, Vec<String>),
    Trimmed(String),
    Changed(String, Vec<String>),
    /// A header that was not sent.
    Added(String, String),
    /// The line that ends it stands in the text.
    Marker,
    TextMissing,
    TextTrimmed,
    /// What is given of so many lines.
    Text(Vec<String>, usize),
    HandedTwice(String),
    Invented(String),
}

/// What a library says it does.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// An event with the ActionID of an action is handed to who asked, too.
    RelatedEvents,
}

impl Difference {
    pub fn is_by(&self, design: Design) -> bool {
        match design {
            Design::RelatedEvents => matches!(self, Self::HandedTwice(_)),
        }
    }
}

pub fn all(expected: &Expected, given: &Given) -> Vec<Difference> {
    let mut found = Vec::new();
    let wrong = match expected.kind {
        Kind::Event => given.how != How::Event,
        Kind::Answer => given.how != How::Answer,
        Kind::Unaddressed => false,
        Kind::Unclassified => false,
    };
    if wrong {
        found.push(Difference::Kind(given.how));
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in &expected.headers {
        if !names.iter().any(|seen| same_name(seen, name)) {
            names.push(name);
            found.extend(of_header(expected, given, name));
        }
    }
    for (name, value) in &given.headers {
        let known = names.iter().any(|known| same_name(known, name));
        if !known && !same_name(name, "ActionID") && !is_odd(expected, name, value) {
            let value = shortened(&String::from_utf8_lossy(value));
            found.push(Difference::Added(shortened(name), value));
        }
    }
    found.extend(of_text(expected, given));
    found
}

/// It was made of a line that is no header.
fn is_odd(expected: &Expected, name: &str, value: &[u8]) -> bool {
    let value = String::from_utf8_lossy(value);
    let odd = |line: &String| {
        line.trim() == value.trim() || line.replace(' ', "").eq_ignore_ascii_case(name)
    };
    expected.odd.iter().any(odd)
}

fn of_header(expected: &Expected, given: &Given, name: &str) -> Option<Difference> {
    let sent = expected
        .headers
        .iter()
        .filter(|(found, _)| same_name(found, name));
    let sent: Vec<&(String, Vec<u8>)> = sent.collect();
    let want: Vec<&[u8]> = sent.iter().map(|(_, value)| value.as_slice()).collect();
    let have = given.values(name);
    // Between names that differ in case there is no order to keep, where a client keeps them apart.
    let spelt_alike = sent.iter().all(|(found, _)| found == &sent[0].0);
    let same = have == want || (!spelt_alike && sorted(&have) == sorted(&want));
    // Success, Follows: words, in any case.
    let word = same_name(name, "Response")
        && have.len() == 1
        && want.len() == 1
        && have[0].eq_ignore_ascii_case(want[0]);
    // Some give the text with the lines before it.
    let in_text = |value: &[u8]| {
        let line = format!("{name}: {}", String::from_utf8_lossy(value));
        given.text.iter().flatten().any(|found| *found == line)
    };
    if same || word || (have.is_empty() && want.iter().all(|value| in_text(value))) {
        return None;
    }
    let shown = |values: &[&[u8]]| -> Vec<String> {
        let shown = values
            .iter()
            .map(|value| shortened(&String::from_utf8_lossy(value)));
        shown.collect()
    };
    let trimmed: Vec<&[u8]> = want.iter().map(|value| value.trim_ascii()).collect();
    let name = name.to_owned();
    Some(if have.is_empty() {
        Difference::Missing(name)
    } else if have == trimmed {
        Difference::Trimmed(name)
    } else if have.len() < want.len() && have.iter().all(|value| want.contains(value)) {
        Difference::Repeated(name, shown(&have))
    } else {
        Difference::Changed(name, shown(&have))
    })
}

fn sorted<'a>(values: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted
}

fn of_text(expected: &Expected, given: &Given) -> Option<Difference> {
    let want = expected.text.as_deref();
    let have = given.text.as_deref();
    let Some(want) = want else {
        let odd = |line: &String| expected.odd.iter().any(|odd| odd.trim() == line.trim());
        let more = have
            .into_iter()
            .flatten()
            .filter(|line| !odd(line) && !line.is_empty());
        let more: Vec<String> = more.cloned().collect();
        return (!more.is_empty()).then_some(Difference::Text(more, 0));
    };
    let have = have.unwrap_or_default();
    let is_header = |line: &&String| {
        line.split_once(':').is_some_and(|(name, value)| {
            let is = |(found, sent): &(String, Vec<u8>)| {
                same_name(found, name) && sent == value.trim_start().as_bytes()
            };
            same_name(name, "ActionID") || expected.headers.iter().any(is)
        })
    };
    let before = have.iter().take_while(is_header).count();
    // Text that looks like headers is text.
    let have = if have == want { have } else { &have[before..] };
    let trimmed = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| line.trim().to_owned()).collect()
    };
    if have == want {
        None
    } else if have.is_empty() {
        Some(Difference::TextMissing)
    } else if without_marker(have) == want {
        Some(Difference::Marker)
    } else if trimmed(have) == trimmed(want) {
        Some(Difference::TextTrimmed)
    } else {
        Some(Difference::Text(have.to_vec(), want.len()))
    }
}

fn without_marker(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    if let Some(last) = lines.pop() {
        let text = last.strip_suffix("--END COMMAND--").unwrap_or(&last);
        lines.extend((!text.is_empty()).then(|| text.to_owned()));
    }
    lines
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[String]| values.join("`, `");
        match self {
            Self::Kind(How::Answer) => f.write_str("an event is the answer"),
            Self::Kind(How::Event) => f.write_str("the answer is an event"),
            Self::Kind(How::Other) => f.write_str("neither an event nor an answer"),
            Self::Missing(name) if name.is_empty() => f.write_str("not the header without a name"),
            Self::Missing(name) => write!(f, "no `{name}`"),
            Self::Repeated(name, values) => write!(f, "of `{name}` only `{}`", list(values)),
            Self::Trimmed(name) => write!(f, "blanks of `{name}` trimmed"),
            Self::Changed(name, values) => write!(f, "`{name}` is `{}`", list(values)),
            Self::Added(name, value) => write!(f, "a header `{name}: {value}`"),
            Self::Marker => f.write_str("the marker in the text"),
            Self::TextMissing => f.write_str("no text"),
            Self::TextTrimmed => f.write_str("blanks of the text trimmed"),
            Self::Text(have, 0) => write!(f, "as text: `{}`", shortened(&have.join("\n"))),
            Self::Text(have, 1) => write!(f, "the text is `{}`", shortened(&have.join("\n"))),
            Self::Text(have, want) if have.len() == 1 => {
                write!(f, "of {want} lines only `{}`", shortened(&have[0]))
            }
            Self::Text(have, want) => write!(f, "{} lines for {want}", have.len()),
            Self::HandedTwice(event) => write!(f, "`{event}` also as an answer"),
            Self::Invented(what) => write!(f, "invented: {what}"),
        }
    }
}
