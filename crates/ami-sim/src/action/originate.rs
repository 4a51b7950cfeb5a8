//! Originate: checks in the order of Asterisk, then the call is the model's.

use std::time::Duration;

use crate::action::{Act, Handler, originate_rights};
use crate::call::{Destination, Order, Requester};
use crate::channel::{Party, Place};
use crate::extension::{Effect, Step};
use crate::request::{is_true, leading_number};

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Originate", originate)];

const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// `AST_MAX_PUBLIC_UNIQUEID`.
const UNIQUEID_MAX: usize = 149;
/// Assignments of one request.
const VARIABLES_MAX: usize = 64;

fn originate(act: &mut Act<'_>) {
    let order = match check(act) {
        Ok(order) => order,
        Err(message) => return act.error(message),
    };
    if is_true(&act.request.text("Async")) {
        let requester = Requester::Async {
            action_id: act.request.action_id().to_vec(),
        };
        act.pbx.place_call(act.now, order, requester);
        return act.success("Originate successfully queued");
    }
    let requester = Requester::Sync {
        session: act.session.key,
    };
    act.pbx.place_call(act.now, order, requester);
    act.session.wait_for_call(act.request.action_id());
}

fn check(act: &Act<'_>) -> Result<Order, &'static str> {
    let text = |name: &str| act.request.text(name);
    let channel = text("Channel");
    if channel.is_empty() {
        return Err("Channel not specified");
    }
    let priority = match leading_number(&text("Priority")) {
        Some(priority) => usize::try_from(priority).unwrap_or_default(),
        None if text("Priority").is_empty() => 0,
        None => return Err("Invalid priority"),
    };
    let timeout = match leading_number(&text("Timeout")) {
        Some(timeout) => u64::try_from(timeout).map_or(Duration::ZERO, Duration::from_millis),
        None if text("Timeout").is_empty() => TIMEOUT_DEFAULT,
        None => return Err("Invalid timeout"),
    };
    if !channel.contains('/') {
        return Err("Invalid channel");
    }
    let (channel_id, other_channel_id) = (some(text("ChannelId")), some(text("OtherChannelId")));
    if [&channel_id, &other_channel_id]
        .into_iter()
        .flatten()
        .any(|id| id.len() > UNIQUEID_MAX)
    {
        // The line feed is Asterisk's.
        return Err("Uniqueid length exceeds maximum of 149\n");
    }
    if let Some(message) = originate_rights::refusal(act) {
        return Err(message);
    }
    let destination = destination(act, priority)?;
    let (variables, absolute_timeout) = variables(act);
    Ok(Order {
        channel,
        destination,
        timeout,
        caller: caller(&text("CallerID")),
        account: text("Account"),
        variables,
        absolute_timeout,
        channel_id,
        other_channel_id,
    })
}

fn destination(act: &Act<'_>, priority: usize) -> Result<Destination, &'static str> {
    let text = |name: &str| act.request.text(name);
    let place = Place {
        priority,
        ..Place::first(&text("Context"), &text("Exten"))
    };
    if priority > 0 {
        let steps = act.pbx.profile.steps(&place.context, &place.exten);
        if steps.is_none_or(|steps| steps.len() < priority) {
            return Err("Extension does not exist.");
        }
    }
    let (application, data) = (text("Application"), text("Data"));
    if !application.is_empty() {
        let nothing = || Step {
            application: application.clone(),
            data: data.clone(),
            effect: Effect::Nothing,
        };
        return Ok(Destination::Application(
            Step::new(&application, &data).unwrap_or_else(|_| nothing()),
        ));
    }
    // An asynchronous request without any destination is accepted, answered and ends at once.
    if priority == 0 && !is_true(&text("Async")) {
        return Err("Originate with 'Exten' requires 'Context' and 'Priority'");
    }
    Ok(Destination::Extension(Place {
        priority: priority.max(1),
        ..place
    }))
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// `"Name" <number>`, `Name <number>` or a bare number.
fn caller(text: &str) -> Party {
    let unquote = |name: &str| some(name.trim().trim_matches('"').to_owned());
    match text.split_once('<') {
        Some((name, rest)) => Party {
            name: unquote(name),
            number: some(rest.trim_end().trim_end_matches('>').to_owned()),
        },
        None if text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+*#".contains(&byte)) =>
        {
            Party {
                name: None,
                number: some(text.to_owned()),
            }
        }
        None => Party {
            name: unquote(text),
            number: None,
        },
    }
}

/// All `Variable:` headers, each `a=1,b=2`; the one function that the model knows is an absolute timeout.
/// The last is the first to be set: those of the account come before those of the request.
fn variables(act: &Act<'_>) -> (Vec<(String, String)>, Option<Duration>) {
    let account = act.session.account();
    let of_account = account.map_or(&[][..], |account| &account.variables);
    if !of_account.is_empty() && act.pbx.profile.base.loses_variables() {
        return (of_account.to_vec(), None);
    }
    let mut variables = Vec::new();
    let mut absolute = None;
    for line in act.request.all("Variable") {
        for (name, value) in String::from_utf8_lossy(line)
            .split(',')
            .filter_map(|pair| pair.split_once('='))
        {
            if name.eq_ignore_ascii_case("TIMEOUT(absolute)") {
                absolute = value
                    .parse()
                    .ok()
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            } else if !name.is_empty() && !name.contains('(') && variables.len() < VARIABLES_MAX {
                variables.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    variables.extend_from_slice(of_account);
    (variables, absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_read_in_their_three_forms() {
        let check = |text: &str, name: Option<&str>, number: Option<&str>| {
            let expected = Party {
                name: name.map(str::to_owned),
                number: number.map(str::to_owned),
            };
            assert_eq!(caller(text), expected, "{text}");
        };
        check("\"Bench Mark\" <100>", Some("Bench Mark"), Some("100"));
        check("Bench <100>", Some("Bench"), Some("100"));
        check("1000", None, Some("1000"));
        check("Bench", Some("Bench"), None);
        check("", None, None);
    }
}
