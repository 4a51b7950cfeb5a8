//! Breaches of the contract that are nothing new: written down beside the target, or made in the recording too.

use ami_client::Target;
use ami_conform::expectation::Expectations;
use ami_conform::suite::Judgement;
use ami_results::judgement::{Expectation, Outcome};
use ami_results::verdict::State;
use jiff::civil::Date;

use crate::catalogue;
use crate::exit_code::{Exit, Failure, OrExit};

pub(super) struct Known<'a> {
    expectations: Option<Expectations>,
    today: Date,
    /// How the cases ended on the recording.
    before: &'a [Judgement],
}

impl<'a> Known<'a> {
    pub(super) fn of(target: &Target, before: &'a [Judgement]) -> Result<Self, Failure> {
        let document = catalogue::expected(target)?;
        let parsed = document.as_ref().map(Expectations::parse);
        Ok(Self {
            expectations: parsed.transpose().or_exit(Exit::BadInput)?,
            today: jiff::Zoned::now().date(),
            before,
        })
    }

    /// Only of what fails: a session that does not bring a breach about says nothing of its being mended.
    pub(super) fn expectation(&self, judgement: &Judgement) -> Option<Expectation> {
        if judgement.finding.state != State::Fail {
            return None;
        }
        let expectations = self.expectations.as_ref();
        let compared = expectations.and_then(|known| known.compare(judgement, self.today));
        let expected = |reason: Option<String>| Expectation {
            outcome: Outcome::AsExpected,
            state: Some(State::Fail),
            reason,
            until: None,
            advice: None,
        };
        if let Some(compared) = compared.filter(|one| one.outcome == Outcome::AsExpected) {
            return Some(expected(compared.reason));
        }
        let is_it = |one: &&Judgement| one.case.id == judgement.case.id;
        let before = self.before.iter().find(is_it)?;
        let failed = before.finding.state == State::Fail;
        failed.then(|| expected(Some("it fails in the recording too".to_owned())))
    }
}
