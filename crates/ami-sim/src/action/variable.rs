//! Getvar and Setvar, of channels and global, variables and functions.

use std::time::Duration;

use crate::action::{Act, Handler};
use crate::channel::ChannelKey;
use crate::class::Classes;
use crate::function::{Place, built_in, call};
use crate::message::Headers;
use crate::pbx::Pbx;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Getvar", getvar), ("Setvar", setvar)];

/// Variables that one client may leave behind, and the length of each.
const GLOBALS_MAX: usize = 10_000;

/// The variable's name and the channel it is of, if it is of one; errors are answered here.
fn subject(act: &mut Act<'_>) -> Option<(String, Place)> {
    let (name, channel) = (act.request.text("Variable"), act.request.text("Channel"));
    if name.is_empty() {
        act.error("No variable specified");
        return None;
    }
    let found = act.pbx.find_channel(&channel);
    if found.is_none() && !channel.is_empty() {
        act.error("No such channel");
        return None;
    }
    let place = Place {
        now: act.now,
        channel: found,
    };
    Some((name, place))
}

fn getvar(act: &mut Act<'_>) {
    let Some((name, place)) = subject(act) else {
        return;
    };
    let value = match call(&name) {
        Some((function, argument)) => act.pbx.read_function(place, function, argument),
        None => act.pbx.variable(place, &name),
    };
    let answer = Headers::response("Success", act.request.action_id())
        .with("Variable", &name)
        .with("Value", value);
    act.answer(answer);
}

fn setvar(act: &mut Act<'_>) {
    let Some((name, place)) = subject(act) else {
        return;
    };
    let value = act.request.text("Value");
    let set = match (call(&name), place.channel) {
        (Some(function), _) => act.pbx.write_function(place, function, &value),
        (None, Some(key)) => {
            act.pbx.set_of_channel(act.now, key, &name, &value);
            true
        }
        (None, None) => act.pbx.set_global(act.now, &name, &value),
    };
    if set {
        act.success("Variable Set");
    } else {
        act.error("Variable not set");
    }
}

/// Underscores before a name say who inherits it; they are told and not kept.
fn bare(name: &str) -> &str {
    let bare = name.strip_prefix('_').unwrap_or(name);
    bare.strip_prefix('_').unwrap_or(bare)
}

impl Pbx {
    fn variable(&self, place: Place, name: &str) -> String {
        let channel = place.channel.and_then(|key| self.channels.get(&key));
        let own = channel.and_then(|channel| {
            let set = channel.variable(name).map(str::to_owned);
            set.or_else(|| built_in(channel, name))
        });
        own.or_else(|| self.globals.get(name).cloned())
            .or_else(|| self.built_in_global(place.now, name))
            .unwrap_or_default()
    }

    fn built_in_global(&self, now: Duration, name: &str) -> Option<String> {
        match name {
            "EPOCH" => Some(self.wall(now).as_secs().to_string()),
            "SYSTEMNAME" => Some(self.profile.system_name.clone()),
            "ASTETCDIR" => Some("/etc/asterisk".to_owned()),
            _ => None,
        }
    }

    pub(crate) fn set_of_channel(
        &mut self,
        now: Duration,
        key: ChannelKey,
        name: &str,
        value: &str,
    ) {
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.set_variable(bare(name), value);
        }
        self.var_set(now, key, name, value);
    }

    /// False when there are too many.
    pub(crate) fn set_global(&mut self, now: Duration, name: &str, value: &str) -> bool {
        let kept = bare(name);
        if self.globals.len() >= GLOBALS_MAX && !self.globals.contains_key(kept) {
            return false;
        }
        self.globals.insert(kept.to_owned(), value.to_owned());
        self.tell_variable(now, name, value);
        true
    }

    /// Of no channel.
    pub(crate) fn tell_variable(&mut self, now: Duration, name: &str, value: &str) {
        if !self.wants(Classes::DIALPLAN) {
            return;
        }
        let event = self.event(now, "VarSet", Classes::DIALPLAN);
        let event = event.with("Channel", "none").with("Uniqueid", "none");
        self.publish(
            Classes::DIALPLAN,
            event.with("Variable", name).with("Value", value),
        );
    }
}
