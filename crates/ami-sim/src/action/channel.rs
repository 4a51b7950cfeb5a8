//! Actions about channels that are up: CoreShowChannels, Status, Redirect, AbsoluteTimeout.

use std::time::Duration;

use crate::action::{Act, Handler};
use crate::channel::{Channel, ChannelKey, ChannelState, Place};
use crate::function::{self, call};
use crate::message::{Headers, IdBuffer};
use crate::pbx::Pbx;
use crate::release::Release;
use crate::request::is_true;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("CoreShowChannels", core_show_channels),
    ("Status", status),
    ("Redirect", redirect),
    ("AbsoluteTimeout", absolute_timeout),
];

fn core_show_channels(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Channels will follow"));
    for channel in act.pbx.channels.values() {
        let seconds = (act.now - channel.created_at).as_secs();
        let mut item = Headers::event("CoreShowChannel").with_id_in(IdBuffer::List, id);
        channel.write_snapshot("", &act.pbx.profile, &mut item);
        let item = item
            .with("Application", &channel.application)
            .with("ApplicationData", &channel.application_data)
            .with_display(
                "Duration",
                format_args!(
                    "{:02}:{:02}:{:02}",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60
                ),
            )
            .with("BridgeId", act.pbx.bridge_id(channel));
        act.session.answer(item);
    }
    act.answer(Headers::list_complete(
        "CoreShowChannelsComplete",
        id,
        act.pbx.channels.len(),
    ));
}

fn status(act: &mut Act<'_>) {
    let name = act.request.text("Channel");
    let chosen: Vec<ChannelKey> = if name.is_empty() {
        act.pbx.channels.keys().copied().collect()
    } else {
        match act.pbx.find_channel(&name) {
            Some(key) => vec![key],
            None => return act.error("No such channel"),
        }
    };
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Channel status will follow"));
    for key in &chosen {
        let mut item = status_item(act.pbx, &act.pbx.channels[key], act.now);
        for variable in status_variables(act, *key) {
            item = item.with("Variable", variable);
        }
        act.session.answer(item.with_id_in(IdBuffer::List, id));
    }
    let complete = Headers::list_complete("StatusComplete", id, chosen.len());
    act.answer(complete.with_display("Items", chosen.len()));
}

/// `NAME=value` of each that is asked for; what is not set is printed as C prints it.
fn status_variables(act: &mut Act<'_>, key: ChannelKey) -> Vec<String> {
    let place = function::Place {
        now: act.now,
        channel: Some(key),
    };
    let asked = act.request.text("Variables");
    let asked = asked.split(',').filter(|name| !name.is_empty());
    let mut variables: Vec<String> = Vec::new();
    for name in asked {
        let value = match call(name) {
            Some((function, argument)) => act.pbx.read_function(place, function, argument),
            None => match act.pbx.channels[&key].variable(name) {
                Some(value) => value.to_owned(),
                None => "(null)".to_owned(),
            },
        };
        variables.push(format!("{name}={value}"));
    }
    if is_true(&act.request.text("AllVariables")) {
        let own = act.pbx.channels[&key].variables.iter();
        variables.extend(own.map(|(name, value)| format!("{name}={value}")));
    }
    variables
}

/// Its `Privilege: Call` is part of the text. Releases before 14 spell and order some of it in their own way.
fn status_item(pbx: &Pbx, channel: &Channel, now: Duration) -> Headers {
    let mut item = Headers::event("Status").with("Privilege", "Call");
    let old = pbx.profile.base < Release::new(14, 0, 0);
    if old {
        item = item
            .with("Channel", &channel.name)
            .with("ChannelState", channel.state.number())
            .with("ChannelStateDesc", channel.state.description())
            .with("CallerIDNum", pbx.party(&channel.caller.number))
            .with("CallerIDName", pbx.party(&channel.caller.name))
            .with("ConnectedLineNum", pbx.party(&channel.connected.number))
            .with("ConnectedLineName", pbx.party(&channel.connected.name))
            .with("Accountcode", &channel.account)
            .with("Context", &channel.place.context)
            .with("Exten", &channel.place.exten)
            .with_display("Priority", channel.place.priority)
            .with("Uniqueid", &channel.uniqueid);
    } else {
        channel.write_snapshot("", &pbx.profile, &mut item);
    }
    let hangs_up_at = channel.ends_at.map_or(0, |at| pbx.wall(at).as_secs());
    item = item
        .with("Type", channel.technology())
        .with("DNID", "")
        .with(
            "EffectiveConnectedLineNum",
            pbx.party(&channel.connected.number),
        )
        .with(
            "EffectiveConnectedLineName",
            pbx.party(&channel.connected.name),
        )
        .with_display("TimeToHangup", hangs_up_at)
        .with("BridgeID", pbx.bridge_id(channel));
    if old {
        item = item.with("Linkedid", &channel.linkedid);
    }
    // As C prints what is not there.
    let shown = |text: &str| match channel.application.as_str() {
        "" => "(null)".to_owned(),
        _ => text.to_owned(),
    };
    item.with("Application", shown(&channel.application))
        .with("Data", shown(&channel.application_data))
        .with("Nativeformats", "(slin)")
        .with("Readformat", "slin")
        .with("Readtrans", "")
        .with("Writeformat", "slin")
        .with("Writetrans", "")
        .with("Callgroup", "0")
        .with("Pickupgroup", "0")
        .with_display("Seconds", (now - channel.created_at).as_secs())
}

fn absolute_timeout(act: &mut Act<'_>) {
    let name = act.request.text("Channel");
    if name.is_empty() {
        return act.error("No channel specified");
    }
    let seconds = act.request.text("Timeout").parse::<f64>();
    let Some(seconds) = seconds.ok().filter(|seconds| *seconds > 0.0) else {
        return act.error("No timeout specified");
    };
    let Some(key) = act.pbx.find_channel(&name) else {
        return act.error("No such channel");
    };
    let call_max = act.pbx.profile.timing.call_max();
    let span = Duration::try_from_secs_f64(seconds).map_or(call_max, |span| span.min(call_max));
    let at = act.now + span;
    act.pbx.end_at(key, at, Some(at));
    act.success("Timeout Set");
}

/// One channel to another extension, or two, each to its own.
fn redirect(act: &mut Act<'_>) {
    match redirection(act) {
        Ok((message, ways)) => {
            act.success(message);
            act.pbx.redirect(act.now, ways);
        }
        Err(message) => act.error(&message),
    }
}

/// What is answered, and who goes where.
type Redirection = (&'static str, Vec<(ChannelKey, Place)>);

fn redirection(act: &Act<'_>) -> Result<Redirection, String> {
    let (name, extra) = (
        act.request.text("Channel"),
        act.request.text("ExtraChannel"),
    );
    if name.is_empty() {
        return Err("Channel not specified".to_owned());
    }
    let place = place(act, "")?;
    let extra_place = match act.request.text("ExtraContext").is_empty() {
        true => place.clone(),
        false => self::place(act, "Extra")?,
    };
    let find = |name: &str, header: &str| {
        let found = act.pbx.find_channel(name);
        found.ok_or_else(|| format!("{header} does not exist: {name}"))
    };
    let key = find(&name, "Channel")?;
    if act.pbx.channels[&key].state != ChannelState::Up {
        return Err("Redirect failed, channel not up.".to_owned());
    }
    if extra.is_empty() {
        return Ok(("Redirect successful", vec![(key, place)]));
    }
    let extra = find(&extra, "ExtraChannel")?;
    if act.pbx.channels[&extra].state != ChannelState::Up {
        return Err("Redirect failed, extra channel not up.".to_owned());
    }
    let ways = vec![(key, place), (extra, extra_place)];
    Ok(("Dual Redirect successful", ways))
}

/// Context, Exten and Priority, or the same three with `Extra` before them.
fn place(act: &Act<'_>, prefix: &str) -> Result<Place, String> {
    let text = |name: &str| match act.request.text(&format!("{prefix}{name}")) {
        value if value.is_empty() => Err(format!("{prefix}{name} not specified")),
        value => Ok(value),
    };
    let (context, exten, priority) = (text("Context")?, text("Exten")?, text("Priority")?);
    match priority.parse() {
        Ok(priority) if priority > 0 => Ok(Place {
            priority,
            ..Place::first(&context, &exten)
        }),
        _ => Err(format!("{prefix}Priority is invalid")),
    }
}
