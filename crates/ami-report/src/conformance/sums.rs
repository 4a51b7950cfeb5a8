//! How many cases ended how, and why some were not judged.

use ami_results::judgement::{Judgement, Outcome};
use ami_results::verdict::State;

/// In the order in which a reader asks for them.
pub const STATES: [State; 6] = [
    State::Fail,
    State::Warn,
    State::Inconclusive,
    State::Pass,
    State::NotApplicable,
    State::Skipped,
];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    counts: [usize; STATES.len()],
    /// Failures that were expected.
    pub known: usize,
    /// Passes that were not.
    pub fixed: usize,
    /// Whatever else is not as expected.
    pub unexpected: usize,
}

impl Sums {
    pub fn of<'a>(judgements: impl Iterator<Item = &'a Judgement>) -> Self {
        let mut sums = Self::default();
        for judgement in judgements {
            sums.counts[place(judgement.state)] += 1;
            sums.known += usize::from(judgement.is_known());
            match judgement.outcome() {
                Some(Outcome::Fixed) => sums.fixed += 1,
                Some(Outcome::Unexpected | Outcome::Stale) => sums.unexpected += 1,
                Some(Outcome::AsExpected) | None => {}
            }
        }
        sums
    }

    pub fn get(&self, state: State) -> usize {
        self.counts[place(state)]
    }

    pub fn all(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The cases that say something of the PBX, or should have.
    pub fn applicable(&self) -> usize {
        self.all() - self.get(State::NotApplicable) - self.get(State::Skipped)
    }

    /// `2 fail (1 known), 150 pass, 40 not applicable`: what there is none of is not named, but for fail and pass.
    pub fn line(&self) -> String {
        let states = STATES.into_iter().filter_map(|state| {
            let count = self.get(state);
            let is_named = count > 0 || matches!(state, State::Pass | State::Fail);
            is_named.then(|| match (state, self.known) {
                (State::Fail, known) if known > 0 => format!("{count} fail ({known} known)"),
                _ => format!("{count} {}", words(state)),
            })
        });
        let mut line = states.collect::<Vec<_>>().join(", ");
        for (count, what) in [(self.fixed, "fixed"), (self.unexpected, "unexpected")] {
            if count > 0 {
                line = format!("{line}, {count} {what}");
            }
        }
        line
    }

    /// `156 of 192 cases apply`
    pub fn applies(&self) -> String {
        format!("{} of {} cases apply", self.applicable(), self.all())
    }
}

fn place(state: State) -> usize {
    let mut states = STATES.iter();
    states
        .position(|one| *one == state)
        .expect("every state stands in the list")
}

pub fn words(state: State) -> &'static str {
    match state {
        State::NotApplicable => "not applicable",
        other => other.slug(),
    }
}

/// At a glance.
pub fn mark(state: State) -> &'static str {
    match state {
        State::Pass => "✓",
        State::Fail => "✗",
        State::Warn => "!",
        State::Inconclusive => "?",
        State::NotApplicable => "–",
        State::Skipped => "·",
    }
}

/// Cases that were not judged for the same reason.
#[derive(Debug)]
pub struct Reason<'a> {
    pub state: State,
    pub why: &'a str,
    pub cases: Vec<&'a str>,
}

/// Why cases were left open, first the commonest of each state.
pub fn reasons<'a>(judgements: impl Iterator<Item = &'a Judgement>) -> Vec<Reason<'a>> {
    let mut reasons: Vec<Reason<'a>> = Vec::new();
    for judgement in judgements {
        let is_open = matches!(
            judgement.state,
            State::Inconclusive | State::NotApplicable | State::Skipped
        );
        if !is_open {
            continue;
        }
        let mut known = reasons.iter_mut();
        let same =
            known.find(|reason| reason.state == judgement.state && reason.why == judgement.got);
        match same {
            Some(reason) => reason.cases.push(&judgement.case),
            None => reasons.push(Reason {
                state: judgement.state,
                why: &judgement.got,
                cases: vec![&judgement.case],
            }),
        }
    }
    reasons.sort_by_key(|reason| (place(reason.state), std::cmp::Reverse(reason.cases.len())));
    reasons
}

/// Whether a reader should hear of it on its own.
pub fn is_told(judgement: &Judgement) -> bool {
    let is_weak = matches!(judgement.state, State::Fail | State::Warn);
    let is_as_expected = judgement
        .outcome()
        .is_none_or(|outcome| outcome == Outcome::AsExpected);
    is_weak || !is_as_expected || !judgement.left.is_empty()
}

/// What a reader is told of a judgement beside its state.
pub fn remark(judgement: &Judgement) -> Option<String> {
    let expectation = judgement.expectation.as_ref()?;
    let mut remark = match (expectation.outcome, judgement.state) {
        (Outcome::AsExpected, State::Pass) => return None,
        (Outcome::AsExpected, State::Fail) => "known".to_owned(),
        (Outcome::AsExpected, _) => "as expected".to_owned(),
        (Outcome::Unexpected, _) => match expectation.state {
            Some(state) => format!("UNEXPECTED, {} was expected", words(state)),
            None => "UNEXPECTED".to_owned(),
        },
        (Outcome::Fixed, _) => "FIXED".to_owned(),
        (Outcome::Stale, _) => "STALE expectation".to_owned(),
    };
    if let Some(reason) = &expectation.reason {
        remark.push_str(": ");
        remark.push_str(reason);
    }
    if let Some(until) = &expectation.until {
        remark.push_str(", until ");
        remark.push_str(until);
    }
    if let Some(advice) = &expectation.advice {
        remark.push_str("; ");
        remark.push_str(advice);
    }
    Some(remark)
}
