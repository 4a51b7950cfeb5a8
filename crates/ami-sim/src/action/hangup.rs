//! Hangup: of one channel, or of all whose names fit a pattern.

use regex_lite::Regex;

use crate::action::{Act, Handler};
use crate::channel::ChannelKey;
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Hangup", hangup)];

fn hangup(act: &mut Act<'_>) {
    let name = act.request.text("Channel");
    if name.is_empty() {
        return act.error("No channel specified");
    }
    if name.starts_with('/') {
        return hangup_pattern(act, &name);
    }
    let Some(key) = act.pbx.find_channel(&name) else {
        return act.error("No such channel");
    };
    act.success("Channel Hungup");
    end(act, key);
}

fn hangup_pattern(act: &mut Act<'_>, pattern: &str) {
    let inner = pattern.get(1..).and_then(|rest| rest.strip_suffix('/'));
    let Some(inner) = inner else {
        return act.error("Regex format invalid, Channel param should be /regex/");
    };
    let Ok(regex) = Regex::new(inner) else {
        return act.error(&format!("Regex compile failed on: {pattern}"));
    };
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Channels hung up will follow"));
    let channels = act.pbx.channels.iter();
    let fitting: Vec<_> = channels
        .filter(|(_, channel)| regex.is_match(&channel.name))
        .map(|(key, channel)| (*key, channel.name.clone()))
        .collect();
    for (_, name) in &fitting {
        let item = Headers::event("ChannelHungup").with("Channel", name);
        act.answer(item.with_action_id(id));
    }
    let complete = "ChannelsHungupListComplete";
    act.answer(Headers::list_complete(complete, id, fitting.len()));
    for (key, _) in fitting {
        end(act, key);
    }
}

/// A bad cause is ignored.
fn end(act: &mut Act<'_>, key: ChannelKey) {
    let cause = act.request.text("Cause").parse().ok();
    let cause = cause.filter(|cause| (1..128).contains(cause));
    if let Some((channel, cause)) = act.pbx.channels.get_mut(&key).zip(cause) {
        channel.hangup_cause = cause;
    }
    act.pbx.hang_up(act.now, key);
}
