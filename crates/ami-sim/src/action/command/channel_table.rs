//! `core show channels` in its four forms, and `core show calls`.

use std::time::Duration;

use crate::action::Act;
use crate::action::command::{Printed, ending};
use crate::channel::Channel;
use crate::pbx::Pbx;

pub(super) fn plain(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let (first, second) = act.pbx.profile.base.channel_table_widths();
    let row = |columns: [&str; 4]| {
        let [channel, location, state, application] = columns;
        format!(
            "{channel:<first$.first$} {location:<second$.second$} {state:<7.7} {application:<30}\n"
        )
    };
    let mut text = row(["Channel", "Location", "State", "Application(Data)"]);
    for channel in act.pbx.channels.values() {
        let place = &channel.place;
        let location = format!("{}@{}:{}", place.exten, place.context, place.priority);
        let application = format!("{}({})", channel.application, channel.application_data);
        text.push_str(&row([
            &channel.name,
            &location,
            channel.state.description(),
            &application,
        ]));
    }
    Ok(text + &totals(act.pbx))
}

/// Fields that are cut from the front: number, state, application, its data, number of the caller.
pub(super) fn concise(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let rows = act.pbx.channels.values().map(|channel| {
        let place = &channel.place;
        let fields = [
            channel.name.clone(),
            place.context.clone(),
            place.exten.clone(),
            place.priority.to_string(),
            channel.state.description().to_owned(),
            channel.application.clone(),
            channel.application_data.clone(),
            channel.caller.number.clone().unwrap_or_default(),
            channel.account.clone(),
            // Of whoever it talks to; the model keeps none.
            String::new(),
            "3".to_owned(),
            seconds(channel, act.now).to_string(),
            bridge(act.pbx, channel).to_owned(),
            channel.uniqueid.clone(),
        ];
        fields.join("!") + "\n"
    });
    let text: String = rows.collect();
    Ok(if text.is_empty() {
        "\n".to_owned()
    } else {
        text
    })
}

pub(super) fn verbose(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let (name, place) = act.pbx.profile.base.verbose_channel_widths();
    let row = |columns: [&str; 12]| {
        let [
            channel,
            context,
            exten,
            priority,
            state,
            application,
            data,
            caller,
            duration,
            account,
            peer,
            bridge,
        ] = columns;
        let (context_width, exten_width) = place;
        format!(
            "{channel:<name$.name$} {context:<context_width$.context_width$} \
             {exten:<exten_width$.exten_width$} {priority:>4} {state:<7.7} {application:<12.12} \
             {data:<25.25} {caller:<15.15} {duration:>8.8} {account:<11.11} {peer:<11.11} {bridge:<20.20}\n"
        )
    };
    let mut text = row([
        "Channel",
        "Context",
        "Extension",
        "Prio",
        "State",
        "Application",
        "Data",
        "CallerID",
        "Duration",
        "Accountcode",
        "PeerAccount",
        "BridgeID",
    ]);
    for channel in act.pbx.channels.values() {
        let place = &channel.place;
        text.push_str(&row([
            &channel.name,
            &place.context,
            &place.exten,
            &place.priority.to_string(),
            channel.state.description(),
            &channel.application,
            &channel.application_data,
            channel.caller.number.as_deref().unwrap_or_default(),
            &clock(seconds(channel, act.now)),
            &channel.account,
            "",
            bridge(act.pbx, channel),
        ]));
    }
    Ok(text + &totals(act.pbx))
}

pub(super) fn count(act: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok(totals(act.pbx))
}

pub(super) fn calls(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let text = totals(act.pbx);
    let (_, calls) = text.split_once('\n').unwrap_or_default();
    Ok(calls.to_owned())
}

fn bridge<'a>(pbx: &'a Pbx, channel: &Channel) -> &'a str {
    let bridge = channel.bridge.and_then(|key| pbx.bridges.get(&key));
    bridge.map_or("", |bridge| &bridge.id)
}

fn seconds(channel: &Channel, now: Duration) -> u64 {
    now.saturating_sub(channel.created_at).as_secs()
}

fn clock(seconds: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn totals(pbx: &Pbx) -> String {
    let (channels, calls) = (pbx.channels.len(), pbx.calls_up());
    let processed = usize::try_from(pbx.counters.calls_placed).unwrap_or(usize::MAX);
    format!(
        "{channels} active channel{}\n{calls} active call{}\n{processed} call{} processed\n",
        ending(channels),
        ending(calls),
        ending(processed)
    )
}
