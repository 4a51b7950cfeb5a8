//! The actions of a plan as they go to each target: built once where they are always the same.

use std::time::Duration;

use ami_proto::action::originate::Originate;
use ami_proto::action::{Action, ActionError};
use ami_proto::session::Answer;
use thiserror::Error;

use crate::plan::{Plan, PlannedAction, PlannedTarget, What};
use crate::run_tag::RunTag;
use crate::{fan_out, originate};

/// By phase, mix entry, target.
#[derive(Debug)]
pub(crate) struct Script {
    lines: Vec<Vec<Vec<Line>>>,
}

#[derive(Debug)]
pub(crate) enum Line {
    Same {
        action: Action,
        answer: Answer,
    },
    Call {
        originate: Originate,
        hold: Duration,
        ring: Duration,
    },
    Event {
        filler: Vec<String>,
    },
    /// A visitor's, who brings a connection.
    Visit,
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
        let of_target = |entry: &PlannedAction, target: &PlannedTarget| line(entry, target, tag);
        let of_entry = |entry: &PlannedAction| {
            plan.targets
                .iter()
                .map(|target| of_target(entry, target))
                .collect()
        };
        let lines = plan
            .phases
            .iter()
            .map(|phase| phase.mix.iter().map(of_entry).collect())
            .collect::<Result<_, _>>()?;
        Ok(Self { lines })
    }

    pub(crate) fn line(&self, phase: u16, mix: u16, target: u16) -> &Line {
        &self.lines[usize::from(phase)][usize::from(mix)][usize::from(target)]
    }
}

fn line(entry: &PlannedAction, planned: &PlannedTarget, tag: &RunTag) -> Result<Line, ScriptError> {
    match &entry.what {
        What::Ping => Ok(Line::Same {
            action: Action::new("Ping"),
            answer: Answer::Single,
        }),
        What::Query(query) => Ok(Line::Same {
            action: Action::new(query.action_name()),
            answer: query.answer(),
        }),
        What::Login => Ok(Line::Visit),
        What::UserEvent { bytes } => Ok(Line::Event {
            filler: fan_out::filler(*bytes),
        }),
        What::Originate { role, hold, ring } => {
            let role = planned
                .roles
                .get(role)
                .expect("the plan resolved every role");
            let originate =
                originate::of_role(role, tag, *hold, *ring).map_err(|source| ScriptError {
                    action: entry.what.slug(),
                    target: planned.target.name.clone(),
                    source,
                })?;
            Ok(Line::Call {
                originate,
                hold: *hold,
                ring: *ring,
            })
        }
    }
}
