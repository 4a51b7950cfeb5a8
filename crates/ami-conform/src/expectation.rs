//! What is known of a PBX before it is judged: cases that fail there for a reason, and which cases apply at all. It lies
//! beside the target as `<pbx>.expected.toml`.

use std::collections::BTreeSet;

use ami_client::document::{Document, DocumentError, Place};
use ami_results::judgement::Outcome;
use ami_results::verdict::State;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::case::Case;
use crate::cases;
use crate::suite::Judgement;

mod writing;

pub use writing::write;

/// For so long after its date an entry is only warned of: nobody's release hangs on a date that was missed.
const GRACE_DAYS: i64 = 14;
const STATES: [State; 4] = [State::Fail, State::Warn, State::Inconclusive, State::Pass];

#[derive(Debug, Clone)]
pub struct Expectations {
    /// The file.
    pub origin: String,
    /// Ids of the cases that applied when it was written; none when the file does not say.
    applied: Option<BTreeSet<String>>,
    entries: Vec<Entry>,
    /// Names of cases that are none.
    unknown: Vec<(String, Place)>,
}

#[derive(Debug, Clone)]
struct Entry {
    case: &'static Case,
    state: State,
    signature: Option<String>,
    reason: String,
    until: Option<Date>,
    place: Place,
}

/// What a file says of one judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub outcome: Outcome,
    /// That was expected.
    pub state: Option<State>,
    pub reason: Option<String>,
    pub until: Option<Date>,
    /// What to do about it.
    pub advice: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    applied: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    expected: Vec<FileEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    case: Spanned<String>,
    state: Spanned<String>,
    signature: Option<String>,
    reason: Spanned<String>,
    until: Option<Spanned<Datetime>>,
}

impl Expectations {
    pub fn parse(document: &Document) -> Result<Self, DocumentError> {
        let file: File = document.parse()?;
        let mut expectations = Self {
            origin: document.origin().to_owned(),
            applied: None,
            entries: Vec::new(),
            unknown: Vec::new(),
        };
        if let Some(applied) = file.applied {
            let mut ids = BTreeSet::new();
            for name in applied {
                match cases::find(name.get_ref()) {
                    Some(case) => {
                        ids.insert(case.id.to_owned());
                    }
                    None => expectations.not_known(&name, document),
                }
            }
            expectations.applied = Some(ids);
        }
        for entry in file.expected {
            let Some(case) = cases::find(entry.case.get_ref()) else {
                expectations.not_known(&entry.case, document);
                continue;
            };
            if expectations.entry(case).is_some() {
                let message = format!("{} is expected twice", case.id);
                return Err(document.error_at(entry.case.span(), message));
            }
            expectations.entries.push(entry.resolve(case, document)?);
        }
        Ok(expectations)
    }

    fn not_known(&mut self, name: &Spanned<String>, document: &Document) {
        let place = document.place(name.span());
        self.unknown.push((name.get_ref().clone(), place));
    }

    fn entry(&self, case: &Case) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.case.id == case.id)
    }

    /// Lines that speak of cases that there are not; each fails a run.
    pub fn objections(&self) -> Vec<String> {
        let say = |(name, place): &(String, Place)| {
            format!("{place}: no case is called {name:?}: delete the line")
        };
        self.unknown.iter().map(say).collect()
    }

    /// None where the file says nothing of it, or nothing was judged.
    pub fn compare(&self, judgement: &Judgement, today: Date) -> Option<Compared> {
        let state = judgement.finding.state;
        if state == State::Skipped {
            return None;
        }
        let entry = self.entry(judgement.case);
        let applied = self.applied.as_ref();
        let applied = applied.is_some_and(|applied| applied.contains(judgement.case.id));
        if state == State::NotApplicable && applied {
            let lost = &judgement.finding.got;
            let advice = format!("it applied when {} was written: {lost}", self.origin);
            return Some(Compared {
                outcome: Outcome::Unexpected,
                state: entry.map(|entry| entry.state),
                reason: None,
                until: None,
                advice: Some(advice),
            });
        }
        entry.map(|entry| entry.compare(judgement, today))
    }
}

impl FileEntry {
    fn resolve(self, case: &'static Case, document: &Document) -> Result<Entry, DocumentError> {
        let word = self.state.get_ref();
        let state = STATES.into_iter().find(|state| state.slug() == word);
        let state = state.ok_or_else(|| {
            let known = STATES.map(State::slug).join(", ");
            document.error_at(
                self.state.span(),
                format!("unknown state {word:?}: {known} can be expected"),
            )
        })?;
        if self.reason.get_ref().trim().is_empty() {
            let message = "a reason says why this is accepted";
            return Err(document.error_at(self.reason.span(), message));
        }
        let date = |until: Spanned<Datetime>| {
            let date = until.get_ref().to_string().parse();
            date.map_err(|_| document.error_at(until.span(), "`until` is a date as 2027-01-31"))
        };
        Ok(Entry {
            case,
            state,
            signature: self.signature,
            reason: self.reason.into_inner(),
            until: self.until.map(date).transpose()?,
            place: document.place(self.case.span()),
        })
    }
}

impl Entry {
    fn compare(&self, judgement: &Judgement, today: Date) -> Compared {
        let (state, got) = (judgement.finding.state, &judgement.finding.got);
        let Self { case, place, .. } = self;
        let delete = format!("delete the entry at {place} (case = {:?})", case.id);
        let (outcome, advice) = match (self.age(today), state) {
            (_, State::Pass) if self.state != State::Pass => (Outcome::Fixed, Some(delete)),
            (_, State::NotApplicable) => (Outcome::Stale, Some(delete)),
            (Age::Over(until), _) => {
                let advice =
                    format!("{place}: it was expected until {until}; mend it, or look again");
                (Outcome::Stale, Some(advice))
            }
            _ if state != self.state => {
                let advice = format!("{place} expects {}", self.state);
                (Outcome::Unexpected, Some(advice))
            }
            _ if !self.is_signed(got) => {
                let signature = self.signature.as_deref().unwrap_or_default();
                let advice = format!("{place} expects another finding: {signature}");
                (Outcome::Unexpected, Some(advice))
            }
            (Age::Grace(until, end), _) => {
                let advice = format!("{place}: expected until {until}; from {end} on it fails");
                (Outcome::AsExpected, Some(advice))
            }
            (Age::Valid, _) => (Outcome::AsExpected, None),
        };
        Compared {
            outcome,
            state: Some(self.state),
            reason: Some(self.reason.clone()),
            until: self.until,
            advice,
        }
    }

    fn age(&self, today: Date) -> Age {
        let Some(until) = self.until.filter(|until| today > *until) else {
            return Age::Valid;
        };
        match until.checked_add((GRACE_DAYS + 1).days()) {
            Ok(end) if today < end => Age::Grace(until, end),
            _ => Age::Over(until),
        }
    }

    fn is_signed(&self, got: &str) -> bool {
        let signature = self.signature.as_deref();
        signature.is_none_or(|signature| matches(signature, got))
    }
}

enum Age {
    Valid,
    /// Past its date; the second is the day from which on that fails.
    Grace(Date, Date),
    Over(Date),
}

/// `^…$` is the whole of it, with `*` for anything; all else stands somewhere in it.
fn matches(signature: &str, got: &str) -> bool {
    let anchored = signature
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'));
    match anchored {
        Some(pattern) => is_whole(pattern, got),
        None => got.contains(signature),
    }
}

fn is_whole(pattern: &str, got: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == got;
    };
    let Some(mut got) = got.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').map_or(("", rest), |(m, l)| (m, l));
    for part in middle.split('*') {
        let Some(at) = got.find(part) else {
            return false;
        };
        got = &got[at + part.len()..];
    }
    got.ends_with(last)
}

#[cfg(test)]
mod tests;
