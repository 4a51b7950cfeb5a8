//! The Originate that a role stands for. It bears the run's tag and ends its call by itself, whoever sends it.

use std::time::Duration;

use ami_client::target::Role;
use ami_proto::action::ActionError;
use ami_proto::action::originate::{Completion, Destination, Originate};

use crate::run_tag::RunTag;

/// Without a `ChannelId`, which is each call's own. Fails where a value of the role cannot be sent.
pub fn of_role(
    role: &Role,
    tag: &RunTag,
    hold: Duration,
    ring: Duration,
) -> Result<Originate, ActionError> {
    let destination = match (&role.context, &role.exten, &role.application) {
        (_, _, Some(name)) => Destination::Application {
            name: name.clone(),
            data: role.data.clone().unwrap_or_default(),
        },
        (context, exten, None) => Destination::Extension {
            context: context.clone().unwrap_or_default(),
            exten: exten.clone().unwrap_or_default(),
            priority: role.priority.clone(),
        },
    };
    let mut originate = Originate::new(&role.channel, destination);
    originate.timeout_ms = u32::try_from(ring.as_millis()).unwrap_or(u32::MAX);
    originate.account = Some(tag.as_str().to_owned());
    originate.caller_id = Some(format!("\"{}\" <{}>", tag.as_str(), "0"));
    originate.variables = vec![("TIMEOUT(absolute)".to_owned(), seconds(hold))];
    originate.completion = Completion::Event;
    originate.action()?;
    Ok(originate)
}

/// `TIMEOUT(absolute)` takes seconds with a fraction.
fn seconds(duration: Duration) -> String {
    format!("{}", duration.as_secs_f64())
}
