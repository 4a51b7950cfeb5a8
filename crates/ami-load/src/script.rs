//! The actions of a plan as they go to each target: built once where they are always the same.

use std::time::Duration;

use ami_proto::action::originate::Originate;
use ami_proto::action::{Action, ActionError, system};
use ami_proto::session::Answer;
use thiserror::Error;

use crate::plan::{Asked, Plan, PlannedAction, PlannedStep, PlannedTarget, What};
use crate::run_tag::RunTag;
use crate::template::Template;
use crate::{fan_out, originate};

#[derive(Debug)]
pub(crate) struct Script {
    /// By phase, mix entry, target.
    lines: Vec<Vec<Vec<Line>>>,
    /// By flow, step, target.
    steps: Vec<Vec<Vec<StepLine>>>,
}

/// What an arrival starts.
#[derive(Debug)]
pub(crate) enum Line {
    Ready(Ready),
    Event {
        filler: Vec<String>,
    },
    /// A visitor's, who brings a connection.
    Visit,
    /// Of the plan's flows, by index.
    Flow(u16),
}

/// What a step of a flow does.
#[derive(Debug)]
pub(crate) enum StepLine {
    Ready(Ready),
    /// Values are filled in when the step begins.
    Filled(Asked),
    /// Of the call that an earlier step originated.
    Hangup {
        step: usize,
    },
    /// It sends nothing.
    Listen,
}

#[derive(Debug)]
pub(crate) enum Ready {
    Same { action: Action, answer: Answer },
    Call(Box<CallLine>),
}

#[derive(Debug)]
pub(crate) struct CallLine {
    pub(crate) originate: Originate,
    pub(crate) hold: Duration,
    pub(crate) ring: Duration,
}

#[derive(Debug, Error)]
#[error("failed to build {action} for target {target}")]
pub struct ScriptError {
    action: String,
    target: String,
    source: ActionError,
}

impl Script {
    pub(crate) fn build(plan: &Plan, tag: &RunTag) -> Result<Self, ScriptError> {
        let targets = || plan.targets.iter();
        let of_entry = |entry: &PlannedAction| {
            let line = |target| line(&entry.what, target, tag);
            targets().map(line).collect()
        };
        let of_step = |step: &PlannedStep| {
            let line = |target| step_line(step.what(), target, tag);
            targets().map(line).collect()
        };
        let lines = plan
            .phases
            .iter()
            .map(|phase| phase.mix.iter().map(of_entry).collect())
            .collect::<Result<_, _>>()?;
        let flows = plan.flows.iter();
        let steps = flows
            .map(|flow| flow.steps.iter().map(of_step).collect())
            .collect::<Result<_, _>>()?;
        Ok(Self { lines, steps })
    }

    pub(crate) fn line(&self, phase: u16, mix: u16, target: u16) -> &Line {
        &self.lines[usize::from(phase)][usize::from(mix)][usize::from(target)]
    }

    pub(crate) fn step(&self, flow: u16, step: usize, target: u16) -> &StepLine {
        &self.steps[usize::from(flow)][step][usize::from(target)]
    }
}

fn line(what: &What, planned: &PlannedTarget, tag: &RunTag) -> Result<Line, ScriptError> {
    match what {
        What::Flow(flow) => Ok(Line::Flow(*flow)),
        What::Login => Ok(Line::Visit),
        What::UserEvent { bytes } => Ok(Line::Event {
            filler: fan_out::filler(*bytes),
        }),
        _ => ready(what, planned, tag).map(Line::Ready),
    }
}

fn step_line(
    what: Option<&What>,
    planned: &PlannedTarget,
    tag: &RunTag,
) -> Result<StepLine, ScriptError> {
    match what {
        None => Ok(StepLine::Listen),
        Some(What::Hangup { step }) => Ok(StepLine::Hangup { step: *step }),
        Some(What::Query(asked)) if asked.has_variables() => Ok(StepLine::Filled(asked.clone())),
        Some(what) => ready(what, planned, tag).map(StepLine::Ready),
    }
}

fn ready(what: &What, planned: &PlannedTarget, tag: &RunTag) -> Result<Ready, ScriptError> {
    let error = |source| ScriptError {
        action: what.slug(),
        target: planned.target.name.clone(),
        source,
    };
    let same = |action| Ready::Same {
        action,
        answer: what.answer(),
    };
    match what {
        What::Ping => Ok(same(Action::new("Ping"))),
        What::Query(asked) => {
            let text = |value: &Template| value.literal().unwrap_or_default().to_owned();
            asked.action(text).map(same).map_err(error)
        }
        What::Command(command) => system::command(command.line()).map(same).map_err(error),
        What::Hangup { .. } | What::Flow(_) | What::Login | What::UserEvent { .. } => {
            unreachable!("each has a line of its own")
        }
        What::Originate { role, hold, ring } => {
            let role = planned
                .roles
                .get(role)
                .expect("the plan resolved every role");
            let originate = originate::of_role(role, tag, *hold, *ring).map_err(error)?;
            Ok(Ready::Call(Box::new(CallLine {
                originate,
                hold: *hold,
                ring: *ring,
            })))
        }
    }
}
