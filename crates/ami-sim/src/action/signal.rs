//! Actions that send something down a channel, or record it: PlayDTMF, PlayMF, SendFlash, SendText, MixMonitor and its kin,
//! MuteAudio, ControlPlayback, LocalOptimizeAway.

use std::time::Duration;

use crate::action::{Act, Handler};
use crate::channel::ChannelKey;
use crate::message::Headers;
use crate::request::is_true;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("PlayDTMF", play_dtmf),
    ("PlayMF", play_mf),
    ("SendFlash", send_flash),
    ("SendText", send_text),
    ("MixMonitor", mix_monitor),
    ("StopMixMonitor", stop_mix_monitor),
    ("MixMonitorMute", mix_monitor_mute),
    ("MuteAudio", mute_audio),
    ("ControlPlayback", control_playback),
    ("LocalOptimizeAway", local_optimize_away),
];

/// `AST_DEFAULT_EMULATE_DTMF_DURATION`.
const DTMF_DEFAULT: Duration = Duration::from_millis(100);

fn ok(act: &mut Act<'_>) {
    let answer = Headers::response("Success", act.request.action_id());
    act.answer(answer);
}

/// The channel that a request names; what is answered without one is said here.
fn channel(act: &mut Act<'_>, unnamed: &str, unknown: &str) -> Option<ChannelKey> {
    let name = act.request.text("Channel");
    let found = act.pbx.find_channel(&name);
    if name.is_empty() {
        act.error(unnamed);
    } else if found.is_none() {
        act.error(unknown);
    }
    found
}

fn play_dtmf(act: &mut Act<'_>) {
    const NOT_FOUND: &str = "Channel not found";
    let Some(key) = channel(act, NOT_FOUND, NOT_FOUND) else {
        return;
    };
    let Some(digit) = act.request.text("Digit").chars().next() else {
        return act.error("No digit specified");
    };
    let duration = match act.request.text("Duration") {
        text if text.is_empty() => None,
        text => match text.parse() {
            Ok(millis) => Some(Duration::from_millis(millis)),
            Err(_) => return act.error("Could not convert Duration parameter"),
        },
    };
    act.success("DTMF successfully queued");
    if is_true(&act.request.text("Receive")) {
        act.pbx
            .receive_digit(act.now, key, digit, duration.unwrap_or_default());
    } else {
        let duration = duration.unwrap_or(DTMF_DEFAULT);
        act.pbx.send_digit(act.now, key, digit, duration);
    }
}

fn play_mf(act: &mut Act<'_>) {
    const NOT_FOUND: &str = "Channel not found";
    if channel(act, NOT_FOUND, NOT_FOUND).is_none() {
        return;
    }
    if act.request.text("Digit").is_empty() {
        return act.error("No digit specified");
    }
    act.success("MF successfully queued");
}

fn send_flash(act: &mut Act<'_>) {
    const NOT_FOUND: &str = "Channel not found";
    if let Some(key) = channel(act, NOT_FOUND, NOT_FOUND) {
        act.success("Flash successfully queued");
        act.pbx.flash(act.now, key);
    }
}

fn send_text(act: &mut Act<'_>) {
    let (name, message) = (act.request.text("Channel"), act.request.text("Message"));
    if name.is_empty() {
        return act.error("No channel specified");
    }
    if message.is_empty() {
        return act.error("No Message specified");
    }
    match act.pbx.find_channel(&name) {
        Some(_) => act.success("Success"),
        None => act.error("No such channel"),
    }
}

fn mix_monitor(act: &mut Act<'_>) {
    let Some(key) = channel(act, "No channel specified", "No such channel") else {
        return;
    };
    let file = act.request.text("File");
    if file.is_empty() {
        return act.error("Could not start monitoring channel");
    }
    ok(act);
    act.pbx.start_recording(act.now, key, &file);
}

fn stop_mix_monitor(act: &mut Act<'_>) {
    let Some(key) = channel(act, "No channel specified", "No such channel") else {
        return;
    };
    if act.pbx.stop_recording(act.now, key).is_some() {
        ok(act);
    } else {
        act.error("Could not stop monitoring channel");
    }
}

fn mix_monitor_mute(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (name, direction, state) = (text("Channel"), text("Direction"), text("State"));
    if !["read", "write", "both"].contains(&direction.as_str()) {
        return act.error("No direction specified. Must be read, write or both");
    }
    if name.is_empty() {
        return act.error("No channel specified");
    }
    if !["0", "1"].contains(&state.as_str()) {
        return act.error("Invalid state specified");
    }
    match act.pbx.find_channel(&name) {
        None => act.error("No such channel"),
        Some(key) if act.pbx.channels[&key].recorded => {
            ok(act);
            act.pbx.mute_recording(act.now, key, &direction, &state);
        }
        Some(_) => act.error("Cannot set mute flag"),
    }
}

fn mute_audio(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (name, direction) = (text("Channel"), text("Direction"));
    if name.is_empty() {
        return act.error("Channel not specified");
    }
    if text("State").is_empty() {
        return act.error("State not specified");
    }
    if direction.is_empty() {
        return act.error("Direction not specified");
    }
    match act.pbx.find_channel(&name) {
        None => act.error("Channel not found"),
        Some(_) if ["in", "out", "all"].contains(&direction.as_str()) => ok(act),
        Some(_) => act.error("Failed to mute/unmute stream"),
    }
}

fn control_playback(act: &mut Act<'_>) {
    const CONTROLS: [&str; 5] = ["stop", "forward", "reverse", "pause", "restart"];
    let (name, control) = (act.request.text("Channel"), act.request.text("Control"));
    if name.is_empty() {
        return act.error("Channel not specified");
    }
    if control.is_empty() {
        return act.error("Control not specified");
    }
    match act.pbx.find_channel(&name) {
        None => act.error("No such channel"),
        Some(_) if CONTROLS.contains(&control.as_str()) => ok(act),
        Some(_) => act.error("Unknown control type"),
    }
}

/// No sound passes here, so there is nothing to optimise for.
fn local_optimize_away(act: &mut Act<'_>) {
    const UNKNOWN: &str = "Channel does not exist.";
    if channel(act, "'Channel' not specified.", UNKNOWN).is_some() {
        act.success("Queued channel to be optimized away");
    }
}
