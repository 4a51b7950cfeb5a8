//! What a session hears, and what it says to all.

use crate::action::{Act, Handler};
use crate::class::Classes;
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Events", events), ("UserEvent", user_event)];

fn events(act: &mut Act<'_>) {
    let Some(mask) = Classes::from_mask(&act.request.text("EventMask")) else {
        return act.error("Invalid event mask");
    };
    act.session.mask = mask;
    let state = if mask.is_empty() { "Off" } else { "On" };
    act.answer(Headers::response("Success", act.request.action_id()).with("Events", state));
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
