//! Getvar and Setvar, of channels and global.

use crate::action::{Act, Handler};
use crate::channel::ChannelKey;
use crate::class::Classes;
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Getvar", getvar), ("Setvar", setvar)];

/// Variables that one client may leave behind, and the length of each.
const GLOBALS_MAX: usize = 10_000;

enum Scope {
    Global,
    Channel(ChannelKey),
}

/// The variable's name and where it lives; errors are answered here.
fn subject(act: &mut Act<'_>) -> Option<(String, Scope)> {
    let (name, channel) = (act.request.text("Variable"), act.request.text("Channel"));
    if name.is_empty() {
        act.error("No variable specified");
        return None;
    }
    if channel.is_empty() {
        return Some((name, Scope::Global));
    }
    let found = act.pbx.find_channel(&channel);
    if found.is_none() {
        act.error("No such channel");
    }
    found.map(|key| (name, Scope::Channel(key)))
}

fn getvar(act: &mut Act<'_>) {
    let Some((name, scope)) = subject(act) else {
        return;
    };
    let value = match scope {
        Scope::Global => act.pbx.globals.get(&name).map(String::as_str),
        Scope::Channel(key) => act
            .pbx
            .channels
            .get(&key)
            .and_then(|channel| channel.variable(&name)),
    };
    let answer = Headers::response("Success", act.request.action_id())
        .with("Variable", &name)
        .with("Value", value.unwrap_or_default());
    act.answer(answer);
}

fn setvar(act: &mut Act<'_>) {
    let Some((name, scope)) = subject(act) else {
        return;
    };
    let value = act.request.text("Value");
    act.success("Variable Set");
    match scope {
        Scope::Channel(key) => {
            if let Some(channel) = act.pbx.channels.get_mut(&key) {
                channel.set_variable(&name, &value);
            }
            act.pbx.var_set(act.now, key, &name, &value);
        }
        Scope::Global => {
            if act.pbx.globals.len() < GLOBALS_MAX || act.pbx.globals.contains_key(&name) {
                act.pbx.globals.insert(name.clone(), value.clone());
            }
            if act.pbx.wants(Classes::DIALPLAN) {
                let event = act.pbx.event(act.now, "VarSet", Classes::DIALPLAN);
                let event = event.with("Channel", "none").with("Uniqueid", "none");
                act.pbx.publish(
                    Classes::DIALPLAN,
                    event.with("Variable", name).with("Value", value),
                );
            }
        }
    }
}
