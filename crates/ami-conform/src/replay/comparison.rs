//! What came then and what came now: not value by value, but which kinds of answers and events, with which headers. That is
//! what an upgrade changes on the wire.

use std::collections::{BTreeMap, BTreeSet};

use ami_proto::frame::{Frame, FrameKind};
use ami_results::verdict::State;

use super::drive::{Fate, Replayed};
use super::exchange::{Exchange, exchanges};
use super::script::{Asked, Script};
use crate::finding::{Evidence, Finding};
use crate::observed::{Observed, Seen, closes_list};

/// Of names in one difference; all stand in the evidence.
const NAMES_MAX: usize = 16;
/// Of differences of one action, and of reasons why it was not sent.
const TOLD_MAX: usize = 6;
const ANSWER: &str = "the answer";

/// What became of all requests of one action, or of the events.
#[derive(Debug, Clone)]
pub struct Compared {
    /// `events` of what nobody asked for.
    pub subject: String,
    pub requirement: String,
    /// Which requests of the recording it speaks of.
    pub source: String,
    pub finding: Finding,
}

/// The headers of the messages of one kind.
#[derive(Debug, Default)]
struct Keys {
    /// In each of them.
    always: BTreeSet<String>,
    ever: BTreeSet<String>,
}

/// What an answer is, without what it says.
#[derive(Debug, Default)]
struct Kind {
    word: Option<String>,
    message: Option<String>,
    keys: BTreeSet<String>,
    items: BTreeMap<String, Keys>,
    end: Option<String>,
}

/// What was recorded, and what came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Difference {
    recorded: String,
    came: String,
    /// The kind of message that it is in; none of the answer itself.
    event: Option<String>,
}

#[derive(Debug, Default)]
struct Gathered {
    action: String,
    numbers: Vec<usize>,
    compared: usize,
    unanswered: usize,
    differences: Vec<(Difference, usize)>,
    not_sent: Vec<(String, usize)>,
    evidence: Vec<Evidence>,
}

/// An entry for each action of the recording, in the order in which they were first asked, and one for the events.
pub fn compare(
    script: &Script<'_>,
    then: &Observed<'_>,
    replayed: &Replayed,
    now: &Observed<'_>,
) -> Vec<Compared> {
    let came: BTreeMap<(u32, u64), Exchange<'_>> = now
        .connections
        .iter()
        .flat_map(exchanges)
        .map(|exchange| (place(&exchange.request.evidence()), exchange))
        .collect();
    let mut all: Vec<Gathered> = Vec::new();
    for asked in script.asked() {
        let action = asked.action();
        let is_same = |one: &Gathered| one.action.eq_ignore_ascii_case(&action);
        let index = all.iter().position(is_same).unwrap_or_else(|| {
            all.push(Gathered {
                action,
                ..Gathered::default()
            });
            all.len() - 1
        });
        all[index].take(asked, replayed, &came);
    }
    let mut compared: Vec<Compared> = all.into_iter().map(Gathered::conclude).collect();
    compared.extend(events(script, then, replayed, now));
    compared
}

fn place(evidence: &Evidence) -> (u32, u64) {
    (evidence.conn, evidence.bytes.start)
}

impl Gathered {
    fn take(
        &mut self,
        asked: &Asked<'_>,
        replayed: &Replayed,
        came: &BTreeMap<(u32, u64), Exchange<'_>>,
    ) {
        self.numbers.push(asked.number);
        let evidence = match replayed.fates.get(&asked.number) {
            Some(Fate::Sent(evidence)) => evidence,
            Some(Fate::NotSent(why)) => return count(&mut self.not_sent, why.clone()),
            None => return count(&mut self.not_sent, "the replay ended before".to_owned()),
        };
        if asked.exchange.answers.is_empty() {
            self.unanswered += 1;
            return;
        }
        self.compared += 1;
        let now = came.get(&place(evidence));
        let answers = now.map_or(&[][..], |now| &now.answers);
        let differences = Kind::of(&asked.exchange.answers).differences(&Kind::of(answers));
        if !differences.is_empty() && self.evidence.is_empty() {
            self.evidence.push(evidence.clone());
            self.evidence
                .extend(answers.first().map(|seen| seen.evidence()));
        }
        for difference in differences {
            count(&mut self.differences, difference);
        }
    }

    fn conclude(self) -> Compared {
        let Self { action, .. } = &self;
        let requirement = format!(
            "{action} is answered as it was recorded: by the same word, Message, headers, items and end."
        );
        Compared {
            requirement,
            source: numbers(&self.numbers),
            subject: action.clone(),
            finding: self.finding().with_all(self.evidence),
        }
    }

    fn finding(&self) -> Finding {
        let mut notes = Vec::new();
        for (why, count) in self.not_sent.iter().take(TOLD_MAX) {
            notes.push(format!("{count} not sent: {why}"));
        }
        if self.unanswered > 0 {
            notes.push(format!(
                "{} without an answer in the recording",
                self.unanswered
            ));
        }
        let compared = self.compared;
        if !self.differences.is_empty() {
            return differ(&self.differences, compared, notes);
        }
        match (compared, self.unanswered) {
            (0, 0) => Finding::skipped(notes.join("; ")),
            (0, _) => Finding::inconclusive(notes.join("; ")),
            _ => {
                notes.insert(0, format!("all of {compared} answers"));
                Finding::pass(notes.join("; "))
            }
        }
    }
}

fn differ(differences: &[(Difference, usize)], of: usize, notes: Vec<String>) -> Finding {
    let times = |count: usize| {
        if of > 1 {
            format!(" ({count} of {of})")
        } else {
            String::new()
        }
    };
    let shown = || differences.iter().take(TOLD_MAX);
    let recorded: Vec<&str> = shown().map(|(one, _)| one.recorded.as_str()).collect();
    let came = shown().map(|(one, count)| format!("{}{}", one.came, times(*count)));
    let more = differences.len().saturating_sub(TOLD_MAX);
    let more = (more > 0).then(|| format!("{more} more differences"));
    let got: Vec<String> = came.chain(more).chain(notes).collect();
    Finding::fail(recorded.join("; "), got.join("; "))
}

fn count<T: PartialEq>(counted: &mut Vec<(T, usize)>, one: T) {
    match counted.iter_mut().find(|(known, _)| *known == one) {
        Some((_, count)) => *count += 1,
        None => counted.push((one, 1)),
    }
}

fn numbers(numbers: &[usize]) -> String {
    let what = if numbers.len() == 1 {
        "request"
    } else {
        "requests"
    };
    let numbers = listed(numbers.iter().map(usize::to_string));
    format!("{what} {numbers} of the recording")
}

impl Kind {
    fn of(answers: &[&Seen]) -> Self {
        let mut kind = Self::default();
        for seen in answers {
            let frame = seen.frame();
            let text = |name| frame.text(name).map(|text| text.into_owned());
            match seen.kind() {
                FrameKind::Response => {
                    kind.word = text("Response");
                    kind.message = text("Message");
                    kind.keys = keys(frame);
                }
                _ => {
                    let event = text("Event").unwrap_or_default();
                    if closes_list(frame) {
                        let word = text("EventList").map(|word| format!(", EventList: {word}"));
                        kind.end = Some(format!("`Event: {event}{}`", word.unwrap_or_default()));
                    }
                    kind.items.entry(event).or_default().take(frame);
                }
            }
        }
        kind
    }

    fn differences(&self, now: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut differs = |recorded: String, came: String| {
            if recorded != came {
                differences.push(Difference {
                    recorded,
                    came,
                    event: None,
                });
            }
        };
        let word = |kind: &Self| match &kind.word {
            Some(word) => format!("`Response: {word}`"),
            None => "no Response".to_owned(),
        };
        differs(word(self), word(now));
        if now.word.is_none() || self.word.is_none() {
            return differences;
        }
        let message = |kind: &Self| match &kind.message {
            Some(message) => format!("`Message: {message}`"),
            None => "no Message".to_owned(),
        };
        differs(message(self), message(now));
        let end = |kind: &Self| {
            kind.end
                .clone()
                .unwrap_or_else(|| "no end of a list".to_owned())
        };
        differs(end(self), end(now));
        if self.word == now.word {
            differences.extend(lacking(ANSWER, &self.keys, &now.keys));
            differences.extend(surplus(ANSWER, &self.keys, &now.keys));
        }
        differences.extend(of_items(&self.items, &now.items));
        let names = |kind: &Self| kind.items.keys().cloned().collect::<BTreeSet<_>>();
        let (recorded, came) = (names(self), names(now));
        if !recorded.is_empty() && !came.is_empty() && recorded.is_disjoint(&came) {
            differences.push(Difference {
                recorded: format!("events {}", quoted(&recorded)),
                came: format!("events {}", quoted(&came)),
                event: came.first().cloned(),
            });
        }
        differences
    }
}

impl Keys {
    fn take(&mut self, frame: Frame<'_>) {
        let keys = keys(frame);
        if self.ever.is_empty() {
            self.always.clone_from(&keys);
        } else {
            self.always.retain(|key| keys.contains(key));
        }
        self.ever.extend(keys);
    }
}

/// What stood in each message of a kind and stands in none now, or the other way round.
fn of_items(recorded: &BTreeMap<String, Keys>, came: &BTreeMap<String, Keys>) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (event, then) in recorded {
        let Some(now) = came.get(event) else { continue };
        differences.extend(lacking(event, &then.always, &now.ever));
        differences.extend(surplus(event, &then.ever, &now.always));
    }
    differences
}

fn lacking(of: &str, then: &BTreeSet<String>, now: &BTreeSet<String>) -> Option<Difference> {
    let missing: BTreeSet<String> = then.difference(now).cloned().collect();
    (!missing.is_empty()).then(|| Difference {
        recorded: format!("{} in {of}", quoted(&missing)),
        came: format!("no {} in {of}", quoted(&missing)),
        event: (of != ANSWER).then(|| of.to_owned()),
    })
}

/// The same the other way round.
fn surplus(of: &str, then: &BTreeSet<String>, now: &BTreeSet<String>) -> Option<Difference> {
    let lacking = lacking(of, now, then)?;
    Some(Difference {
        recorded: lacking.came,
        came: lacking.recorded,
        event: lacking.event,
    })
}

fn quoted(names: &BTreeSet<String>) -> String {
    listed(names.iter().map(|name| format!("`{name}`")))
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let shown: Vec<String> = names.take(NAMES_MAX).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The names of the headers; numbers in them count what is there.
fn keys(frame: Frame<'_>) -> BTreeSet<String> {
    let names = frame
        .headers()
        .map(|header| String::from_utf8_lossy(header.name).into_owned());
    names.map(|name| without_numbers(&name)).collect()
}

fn without_numbers(name: &str) -> String {
    let mut kept = String::new();
    let mut digits = String::new();
    for c in name.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        // A single digit, as in `Channel1`, tells one header from another.
        kept.push_str(if digits.len() > 2 { "#" } else { &digits });
        digits.clear();
        kept.push(c);
    }
    kept.pop();
    kept
}

/// Events that nobody asked for. Of the calls that were placed then and now the same kinds must come; of others only those
/// are compared that came both times.
fn events(
    script: &Script<'_>,
    then: &Observed<'_>,
    replayed: &Replayed,
    now: &Observed<'_>,
) -> Option<Compared> {
    let gather = |observed: &Observed<'_>| {
        let mut kinds: BTreeMap<String, Keys> = BTreeMap::new();
        for seen in observed
            .events()
            .filter(|seen| seen.frame().get("ActionID").is_none())
        {
            let event = seen.frame().text("Event").unwrap_or_default().into_owned();
            // What those hold is their senders' affair.
            if !["UserEvent", "TestEvent"].contains(&&*event) {
                kinds.entry(event).or_default().take(seen.frame());
            }
        }
        kinds
    };
    let (recorded, came) = (gather(then), gather(now));
    let both = recorded
        .keys()
        .filter(|event| came.contains_key(*event))
        .count();
    let mut differences: Vec<(Difference, usize)> = of_items(&recorded, &came)
        .into_iter()
        .map(|difference| (difference, 1))
        .collect();
    let placed = |fates: &Replayed| {
        let mut calls = script.asked().filter(|asked| asked.call.is_some());
        calls.all(|asked| matches!(fates.fates.get(&asked.number), Some(Fate::Sent(_))))
    };
    if placed(replayed) {
        let was = script.calls.told_by(then.events().map(Seen::frame));
        let is = replayed.calls.told_by(now.events().map(Seen::frame));
        let calls = "the calls that were placed";
        let others = lacking(calls, &was, &is)
            .into_iter()
            .chain(surplus(calls, &was, &is));
        differences.extend(others.map(|difference| (difference, 1)));
    }
    let finding = if !differences.is_empty() {
        let named = differences.iter().find_map(|(one, _)| one.event.as_deref());
        let is_it =
            |seen: &&Seen| named.is_some() && seen.frame().text("Event").as_deref() == named;
        let evidence = now.events().find(is_it).map(Seen::evidence);
        differ(&differences, 1, Vec::new()).with_all(evidence)
    } else if both == 0 {
        return None;
    } else {
        Finding::pass(format!("{both} kinds of events came then and now"))
    };
    Some(Compared {
        subject: "events".to_owned(),
        requirement: "Events that nobody asked for have the headers that were recorded, and those of calls come as they came."
            .to_owned(),
        source: "the events of the recording".to_owned(),
        finding,
    })
}

impl Compared {
    /// Whether something is otherwise than it was.
    pub fn differs(&self) -> bool {
        self.finding.state == State::Fail
    }
}
