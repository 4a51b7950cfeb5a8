//! What an action is, and what it needs of the one who may send it.

use std::time::Duration;

use ami_proto::action::{Action, ActionError};
use ami_proto::session::Answer;
use ami_results::layout::{Shape, slug};

use super::USER_EVENT;
use crate::cli_command::CliCommand;
use crate::query::Query;
use crate::scenario;
use crate::template::Template;

#[derive(Clone, Debug)]
pub enum What {
    Ping,
    Query(Asked),
    Command(CliCommand),
    Originate {
        role: String,
        hold: Duration,
        ring: Duration,
    },
    /// A connection of its own, logged in and off again.
    Login,
    /// An event for everybody who listens, with so many bytes to carry.
    UserEvent {
        bytes: u32,
    },
    /// Of the call that an earlier step of the same flow originated.
    Hangup {
        step: usize,
    },
    /// The steps of a flow, by its index in the plan.
    Flow(u16),
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub query: Query,
    pub parameters: Vec<(&'static str, Template)>,
}

impl Asked {
    pub(crate) fn has_variables(&self) -> bool {
        let mut values = self.parameters.iter();
        values.any(|(_, value)| value.literal().is_none())
    }

    /// The action, with each value as `text` has it.
    pub(crate) fn action(&self, text: impl Fn(&Template) -> String) -> Result<Action, ActionError> {
        let action = Action::new(self.query.action_name());
        let mut parameters = self.parameters.iter();
        parameters.try_fold(action, |action, (name, value)| {
            action.with(name, text(value))
        })
    }
}

impl What {
    pub(super) fn originate(written: &scenario::Originate) -> Self {
        Self::Originate {
            role: written.role.get_ref().clone(),
            hold: written.hold.0,
            ring: written.ring.0,
        }
    }

    /// Of an action; a flow and its steps have slugs of their own.
    pub fn slug(&self) -> String {
        match self {
            Self::Ping => "ping".to_owned(),
            Self::Query(asked) => asked.query.slug().to_owned(),
            Self::Command(command) => format!("command-{}", slug(command.line())),
            Self::Originate { role, .. } => format!("originate-{}", slug(role)),
            Self::Login => "login".to_owned(),
            Self::UserEvent { .. } => USER_EVENT.to_owned(),
            Self::Hangup { .. } => "hangup".to_owned(),
            Self::Flow(_) => "flow".to_owned(),
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Query(asked) => asked.query.answer(),
            _ => Answer::Single,
        }
    }

    pub(super) fn parameters(&self) -> &[(&'static str, Template)] {
        match self {
            Self::Query(asked) => &asked.parameters,
            _ => &[],
        }
    }

    /// The actions that an account must be permitted for it.
    pub(crate) fn needs(&self) -> &'static [&'static str] {
        match self {
            Self::Ping => &["Ping"],
            Self::Query(asked) => asked.query.rights(),
            Self::Command(_) => &["Command"],
            // One who may originate but neither list nor hang up would leave calls behind.
            Self::Originate { .. } => &["Originate", "Hangup", "CoreShowChannels"],
            Self::Hangup { .. } => &["Hangup"],
            Self::UserEvent { .. } => &["UserEvent"],
            // Who got here may log in; the steps of a flow are asked one by one.
            Self::Login | Self::Flow(_) => &[],
        }
    }

    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Originate { .. } | Self::Login => Shape::TwoPhase,
            Self::UserEvent { .. } => Shape::FanOut,
            Self::Flow(_) => Shape::Flow,
            _ => match self.answer() {
                Answer::List => Shape::List,
                Answer::Single | Answer::Raw => Shape::OnePhase,
            },
        }
    }
}
