//! States of extensions, devices and presence.

use crate::action::{Act, Handler};
use crate::device_state::{presence_lines, status_lines};
use crate::hint::ExtensionState;
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("ExtensionState", extension_state),
    ("ExtensionStateList", extension_state_list),
    ("DeviceStateList", device_state_list),
    ("PresenceState", presence_state),
    ("PresenceStateList", presence_state_list),
];

fn extension_state(act: &mut Act<'_>) {
    let (exten, context) = (act.request.text("Exten"), act.request.text("Context"));
    if exten.is_empty() {
        return act.error("Extension not specified");
    }
    let context = if context.is_empty() {
        "default".to_owned()
    } else {
        context
    };
    let hint = act.pbx.hint(&context, &exten);
    let state = hint.map_or(ExtensionState::Unknown, |hint| act.pbx.hint_state(hint));
    let watched = hint.map_or("", |hint| &hint.watched);
    let answer = Headers::success(act.request.action_id(), "Extension Status")
        .with("Exten", exten)
        .with("Context", context)
        .with("Hint", watched)
        .with_display("Status", state.number())
        .with("StatusText", state.text());
    act.answer(answer);
}

fn extension_state_list(act: &mut Act<'_>) {
    let id = act.request.action_id();
    let profile = std::sync::Arc::clone(&act.pbx.profile);
    act.answer(Headers::list_start(id, "Extension Statuses will follow"));
    // The last one written down is the first in Asterisk's table.
    for hint in profile.hints.iter().rev() {
        let item = Headers::list_item("ExtensionStatus", id);
        act.answer(status_lines(item, hint, act.pbx.hint_state(hint)));
    }
    act.answer(Headers::list_complete(
        "ExtensionStateListComplete",
        id,
        profile.hints.len(),
    ));
}

fn device_state_list(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Device State Changes will follow"));
    let devices = act.pbx.devices();
    let count = devices.len();
    for (device, state) in devices {
        let item = Headers::list_item("DeviceStateChange", id);
        act.session
            .answer(item.with("Device", device).with("State", state.name()));
    }
    act.answer(Headers::list_complete("DeviceStateListComplete", id, count));
}

fn presence_state(act: &mut Act<'_>) {
    let provider = act.request.text("Provider");
    if provider.is_empty() {
        return act.error("No provider specified");
    }
    let Some(presence) = act.pbx.presence(&provider) else {
        return act.error(&format!(
            "Invalid provider {provider} or provider in invalid state"
        ));
    };
    let mut answer =
        Headers::success(act.request.action_id(), "Presence State").with("State", &presence.state);
    if !presence.subtype.is_empty() {
        answer = answer.with("Subtype", &presence.subtype);
    }
    if !presence.message.is_empty() {
        // Twice on purpose: the first name is taken by the text of every answer, so a second one was added.
        answer = answer
            .with("Message", &presence.message)
            .with("PresenceMessage", &presence.message);
    }
    act.answer(answer);
}

/// Only what was told since the start.
fn presence_state_list(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(
        id,
        "Presence State Changes will follow",
    ));
    for (provider, presence) in &act.pbx.presences_told {
        let item = Headers::list_item("PresenceStateChange", id);
        act.session.answer(presence_lines(item, provider, presence));
    }
    let count = act.pbx.presences_told.len();
    act.answer(Headers::list_complete(
        "PresenceStateListComplete",
        id,
        count,
    ));
}
