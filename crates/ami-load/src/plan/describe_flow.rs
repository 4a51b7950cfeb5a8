//! Flows and feeds as people read them in a plan.

use std::fmt::Write as _;

use super::flow::{Pause, PlannedStep};
use super::{Plan, What};
use crate::rate::show_duration;
use crate::scenario::flow::Order;

impl Plan {
    pub(super) fn flows_as_read(&self) -> String {
        let mut text = String::new();
        for feed in &self.feeds {
            let order = match feed.order {
                Order::Sequential => "one after the other",
                Order::Random => "drawn by lot",
                Order::Unique => "each once",
            };
            let (name, rows) = (&feed.name, feed.rows.len());
            let columns = feed.columns.join(", ");
            let _ = writeln!(text, "feed     {name}: {rows} rows of {columns}, {order}");
        }
        for flow in &self.flows {
            let _ = writeln!(text, "flow     {}: {} steps", flow.name, flow.steps.len());
            for step in &flow.steps {
                let _ = writeln!(text, "    {}: {}", step.name, step_as_read(step));
            }
        }
        text
    }
}

fn step_as_read(step: &PlannedStep) -> String {
    let mut parts = Vec::new();
    parts.extend(pause_as_read(step.think));
    if let Some(sends) = &step.sends {
        let timeout = show_duration(sends.timeout);
        parts.push(format!("{}, timeout {timeout}", what_as_read(&sends.what)));
    }
    if let Some(awaits) = &step.awaits {
        let timeout = show_duration(awaits.timeout);
        parts.push(format!("await {}, timeout {timeout}", awaits.event));
    }
    parts.join(", then ")
}

fn pause_as_read(pause: Pause) -> Option<String> {
    Some(match pause {
        Pause::None => return None,
        Pause::Fixed(think) => format!("think {}", show_duration(think)),
        Pause::Between(from, to) => {
            format!("think {} to {}", show_duration(from), show_duration(to))
        }
        Pause::About(mean) => format!("think about {}", show_duration(mean)),
    })
}

fn what_as_read(what: &What) -> String {
    match what {
        What::Query(asked) => asked.query.action_name().to_owned(),
        What::Command(command) => format!("command `{}`", command.line()),
        What::Originate { role, hold, .. } => {
            format!("originate {role} for {}", show_duration(*hold))
        }
        What::Hangup { .. } => "hangup".to_owned(),
        What::Ping | What::Login | What::UserEvent { .. } | What::Flow(_) => what.slug(),
    }
}
