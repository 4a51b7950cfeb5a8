//! Flows with everything resolved: variables by index, conditions ready to be tested.

use std::time::Duration;

use ami_proto::session::AnswerOutcome;
use ami_results::layout::Shape;

use super::What;
use crate::template::Template;

#[derive(Clone, Debug)]
pub struct PlannedFlow {
    pub name: String,
    /// Index of the whole flow into the plan's action slugs.
    pub action: u16,
    pub steps: Vec<PlannedStep>,
    /// Variables that its steps capture.
    pub captures: usize,
    /// The feed that each of its arrivals takes a row of.
    pub feed: Option<u16>,
}

#[derive(Clone, Debug)]
pub struct PlannedStep {
    pub name: String,
    /// Index into the plan's action slugs.
    pub action: u16,
    pub think: Pause,
    pub sends: Option<Sends>,
    pub awaits: Option<PlannedAwait>,
}

/// An action and what is expected of its answer.
#[derive(Clone, Debug)]
pub struct Sends {
    pub what: What,
    pub timeout: Duration,
    pub response: AnswerOutcome,
    pub conditions: Vec<Condition>,
    /// The event that ends a list, besides those that the session knows.
    pub until: Option<String>,
    pub captures: Vec<Capture>,
}

#[derive(Clone, Debug)]
pub struct PlannedAwait {
    pub event: String,
    pub conditions: Vec<Condition>,
    pub timeout: Duration,
    pub captures: Vec<Capture>,
}

#[derive(Clone, Debug)]
pub struct Condition {
    pub header: String,
    pub test: Test,
}

#[derive(Clone, Debug)]
pub enum Test {
    Is { value: Template, written: String },
    Matches(regex_lite::Regex),
}

/// The value of a header becomes the `slot`-th variable of a flow.
#[derive(Clone, Debug)]
pub struct Capture {
    pub slot: usize,
    pub header: String,
}

/// Before a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    None,
    Fixed(Duration),
    Between(Duration, Duration),
    About(Duration),
}

impl PlannedStep {
    pub fn what(&self) -> Option<&What> {
        self.sends.as_ref().map(|sends| &sends.what)
    }

    /// Every value in it that may have variables.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let parameters = self.what().map_or(&[][..], What::parameters);
        let sent = self.sends.iter().flat_map(|sends| &sends.conditions);
        let awaited = self.awaits.iter().flat_map(|awaits| &awaits.conditions);
        let tested = sent
            .chain(awaited)
            .filter_map(|condition| match &condition.test {
                Test::Is { value, .. } => Some(value),
                Test::Matches(_) => None,
            });
        parameters.iter().map(|(_, value)| value).chain(tested)
    }

    /// An action whose event is awaited completes with the event.
    pub(super) fn shape(&self) -> Shape {
        match (self.what(), &self.awaits) {
            (Some(_), Some(_)) => Shape::TwoPhase,
            (Some(what), None) => what.shape(),
            (None, _) => Shape::OnePhase,
        }
    }
}

impl PlannedFlow {
    pub fn whats(&self) -> impl Iterator<Item = &What> {
        self.steps.iter().filter_map(PlannedStep::what)
    }

    /// Whether something of it is drawn by lot.
    pub fn draws_lots(&self) -> bool {
        let drawn = |pause| matches!(pause, Pause::Between(..) | Pause::About(_));
        self.steps.iter().any(|step| drawn(step.think))
    }

    pub fn awaits(&self) -> bool {
        self.steps.iter().any(|step| step.awaits.is_some())
    }
}
