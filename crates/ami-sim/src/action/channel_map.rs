//! CoreShowChannelMap: who hears a channel, through bridges and Local channels.

use crate::action::{Act, Handler};
use crate::channel::ChannelKey;
use crate::encode::encode;
use crate::message::{Headers, Message};
use crate::pbx::Pbx;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("CoreShowChannelMap", show_channel_map)];

/// Its errors end with a line feed too many.
fn show_channel_map(act: &mut Act<'_>) {
    let name = act.request.text("Channel");
    if name.is_empty() {
        return act.error("CoreShowChannelMap requires a channel.\n");
    }
    let found = act.pbx.find_channel(&name);
    let Some(key) = found.filter(|key| act.pbx.channels[key].name == name) else {
        return act.error("Could not get channel snapshot\n");
    };
    let id = act.request.action_id();
    let connected = connected(act.pbx, key);
    act.answer(Headers::list_start(id, "Channel map will follow"));
    for other in &connected {
        let item = Headers::list_item("CoreShowChannelMap", id)
            .with("Channel", &name)
            .with("ConnectedChannel", other);
        act.answer(framed(item, act.pbx));
    }
    let complete = Headers::list_complete("CoreShowChannelMapComplete", id, connected.len());
    act.answer(complete);
}

fn framed(item: Headers, pbx: &Pbx) -> Message {
    if !pbx.profile.base.ends_channel_map_items_in_lf() {
        return item.into();
    }
    let mut bytes = encode(item.into(), pbx.profile.command_framing);
    bytes.truncate(bytes.len() - 2);
    bytes.push(b'\n');
    Message::Raw(bytes)
}

/// By name: the others in its bridge; of a Local channel among them the other half too, and who is in a bridge with that.
fn connected(pbx: &Pbx, key: ChannelKey) -> Vec<String> {
    let mut seen = vec![key];
    let mut next = Some(key);
    while let Some(one) = next.take() {
        let bridge = pbx.channels[&one]
            .bridge
            .and_then(|key| pbx.bridges.get(&key));
        for member in bridge.map_or(&[][..], |bridge| &bridge.members) {
            if seen.contains(member) {
                continue;
            }
            seen.push(*member);
            let half = pbx.channels[member].peer;
            if let Some(half) = half.filter(|half| !seen.contains(half)) {
                seen.push(half);
                next = Some(half);
            }
        }
    }
    let others = seen[1..].iter();
    let mut names: Vec<String> = others.map(|key| pbx.channels[key].name.clone()).collect();
    names.sort();
    names
}
