//! What a session hears, what it waits for, and what it says to all.

use std::time::Duration;

use crate::action::{Act, Handler};
use crate::class::Classes;
use crate::event_filter::FilterError;
use crate::manager_settings::EventsAnswer;
use crate::message::{Headers, IdBuffer};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("Events", events),
    ("Filter", filter),
    ("UserEvent", user_event),
    ("WaitEvent", wait_event),
];

fn events(act: &mut Act<'_>) {
    let broken = act.pbx.profile.manager.events_answer == EventsAnswer::Broken;
    let Some(mask) = Classes::from_mask(&act.request.text("EventMask")) else {
        if !broken {
            act.error("Invalid event mask");
        }
        return;
    };
    act.session.mask = mask;
    if broken && mask == Classes::ALL {
        return;
    }
    let state = if mask.is_empty() { "Off" } else { "On" };
    let answer = Headers::response("Success", b"")
        .with_id_in(IdBuffer::List, act.request.action_id())
        .with("Events", state);
    act.answer(answer);
}

/// Adds a filter for the rest of the session; none can be taken away.
fn filter(act: &mut Act<'_>) {
    if !act.request.bytes("Operation").eq_ignore_ascii_case(b"Add") {
        return act.error("Unknown operation");
    }
    let (criteria, pattern) = (
        act.request.text("MatchCriteria"),
        act.request.text("Filter"),
    );
    let with_criteria = act.pbx.profile.base.has_filter_criteria();
    let Some(filters) = act.session.filters() else {
        return;
    };
    let added = if with_criteria {
        filters.add(&criteria, &pattern)
    } else {
        filters.add_legacy(&pattern)
    };
    match added {
        Ok(()) => act.success("Success"),
        Err(FilterError::Regex) => {
            act.error("Filter did not compile.  Check the syntax of the filter given.");
        }
        Err(FilterError::Format) => {
            act.error("Filter was formatted incorrectly.  Check the syntax of the filter given.");
        }
    }
}

/// Blocks until there is an event, until input comes, or as long as the client said.
fn wait_event(act: &mut Act<'_>) {
    let timeout = integer(&act.request.text("Timeout")).unwrap_or(-1);
    let until = u64::try_from(timeout)
        .ok()
        .map(|seconds| act.now + Duration::from_secs(seconds));
    act.session.wait_for_event(act.request.action_id(), until);
}

/// What `%i` takes of a text: decimal, `0x…` or octal, up to where it ends.
fn integer(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (radix, digits) = match hexadecimal {
        Some(digits) => (16, digits),
        None if digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let end = digits
        .find(|letter: char| !letter.is_digit(radix))
        .unwrap_or(digits.len());
    i32::from_str_radix(&digits[..end], radix)
        .ok()
        .map(|number| sign * number)
}

/// All headers but `Action` and `UserEvent` are passed on as they came, lines without a colon too.
fn user_event(act: &mut Act<'_>) {
    act.success("Event Sent");
    if !act.pbx.wants(Classes::USER) {
        return;
    }
    let is_header = |line: &[u8], name: &str| {
        line.split_at_checked(name.len())
            .is_some_and(|(head, _)| head.eq_ignore_ascii_case(name.as_bytes()))
    };
    let event = act
        .pbx
        .event(act.now, "UserEvent", Classes::USER)
        .with("UserEvent", act.request.bytes("UserEvent"));
    let passed = act
        .request
        .lines()
        .filter(|line| !is_header(line, "Action:") && !is_header(line, "UserEvent:"));
    let event = passed.fold(event, Headers::with_line);
    act.pbx.publish(Classes::USER, event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_c_library_reads_them() {
        for (text, expected) in [
            ("10", Some(10)),
            ("-1", Some(-1)),
            ("0x10", Some(16)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("3 s", Some(3)),
            ("09", Some(0)),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(integer(text), expected, "{text:?}");
        }
    }
}
