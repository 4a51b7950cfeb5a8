//! Actions about bridges: Bridge, BridgeList, BridgeInfo, BridgeDestroy, BridgeKick, LocalOptimizeAway.

use crate::action::{Act, Handler};
use crate::bridge::{BridgeKey, NORMAL_CLEARING};
use crate::channel::ChannelKey;
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("Bridge", bridge),
    ("BridgeList", bridge_list),
    ("BridgeInfo", bridge_info),
    ("BridgeDestroy", bridge_destroy),
    ("BridgeKick", bridge_kick),
    ("LocalOptimizeAway", optimize_away),
];

/// A tone to the bridged (`Tone`) is heard by nobody here.
fn bridge(act: &mut Act<'_>) {
    let names = ["Channel1", "Channel2"].map(|name| act.request.text(name));
    if names.iter().any(String::is_empty) {
        return act.error("Missing channel parameter in request");
    }
    let mut pair = Vec::new();
    for (at, name) in (1..).zip(&names) {
        match act.pbx.find_channel(name) {
            Some(key) => pair.push(key),
            None => return act.error(&format!("Channel{at} does not exist: {name}")),
        }
    }
    let pair: [ChannelKey; 2] = [pair[0], pair[1]];
    if pair[0] == pair[1] {
        return bridge_with_itself(act, pair[0]);
    }
    act.success("Channels have been bridged");
    act.pbx.bridge_two(act.now, pair);
}

/// The channel enters a bridge, is not found there a second time, and is let go.
fn bridge_with_itself(act: &mut Act<'_>, key: ChannelKey) {
    let name = &act.pbx.channels[&key].name;
    let message = format!("Unable to add Channel2 to bridge: Surrogate/{name}");
    act.error(&message);
    act.pbx.bridge_alone(act.now, key);
}

fn bridge_list(act: &mut Act<'_>) {
    // Whatever its name says, it chooses among technologies.
    let wanted = act.request.text("BridgeType");
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Bridge listing will follow"));
    let mut count = 0;
    for bridge in act.pbx.bridges.values() {
        if !wanted.is_empty() && wanted != bridge.kind.technology() {
            continue;
        }
        let mut item = Headers::list_item("BridgeListItem", id);
        bridge.write_snapshot("", &act.pbx.profile, &mut item);
        act.session.answer(item);
        count += 1;
    }
    act.answer(Headers::list_complete("BridgeListComplete", id, count));
}

/// The bridge that a request names; errors are answered here.
fn named_bridge(act: &mut Act<'_>) -> Option<BridgeKey> {
    let id = act.request.text("BridgeUniqueid");
    if id.is_empty() {
        act.error("BridgeUniqueid must be provided");
        return None;
    }
    let found = act.pbx.known_bridges.get(&id).copied();
    if found.is_none() {
        act.error("Specified BridgeUniqueid not found");
    }
    found
}

fn bridge_info(act: &mut Act<'_>) {
    let Some(key) = named_bridge(act) else {
        return;
    };
    let id = act.request.action_id();
    act.answer(Headers::list_start(
        id,
        "Bridge channel listing will follow",
    ));
    let bridge = &act.pbx.bridges[&key];
    for member in &bridge.members {
        let mut item = Headers::list_item("BridgeInfoChannel", id);
        act.pbx.channels[member].write_snapshot("", &act.pbx.profile, &mut item);
        act.session.answer(item);
    }
    let mut complete = Headers::list_complete("BridgeInfoComplete", id, bridge.members.len());
    bridge.write_snapshot("", &act.pbx.profile, &mut complete);
    act.session.answer(complete);
}

fn bridge_destroy(act: &mut Act<'_>) {
    if let Some(key) = named_bridge(act) {
        act.success("Bridge has been destroyed");
        act.pbx.dissolve(act.now, key, NORMAL_CLEARING);
    }
}

fn bridge_kick(act: &mut Act<'_>) {
    let (bridge, name) = (
        act.request.text("BridgeUniqueid"),
        act.request.text("Channel"),
    );
    if name.is_empty() {
        return act.error("Channel must be provided");
    }
    let named = act.pbx.known_bridges.get(&bridge).copied();
    if !bridge.is_empty() && named.is_none() {
        return act.error("Bridge not found");
    }
    let Some(key) = act.pbx.find_channel(&name) else {
        return act.error("Channel does not exist");
    };
    match act.pbx.channels[&key].bridge {
        None => act.error("Channel is not in a bridge"),
        found if named.is_some() && found != named => {
            act.error("Channel kick from bridge failed");
        }
        Some(_) => {
            act.success("Channel has been kicked");
            act.pbx.kick(act.now, key);
        }
    }
}

/// What is no Local channel was in no capture.
fn optimize_away(act: &mut Act<'_>) {
    let name = act.request.text("Channel");
    if name.is_empty() {
        return act.error("'Channel' not specified.");
    }
    let Some(key) = act.pbx.find_channel(&name) else {
        return act.error("Channel does not exist.");
    };
    let Some(peer) = act.pbx.channels[&key].peer else {
        return act.error("Unable to find channel");
    };
    act.pbx.allow_optimisation(act.now, [key, peer]);
    act.success("Queued channel to be optimized away");
}
