//! Command: the few CLI commands that clients use to find out what they talk to.

use std::fmt::Write as _;
use std::time::Duration;

use crate::action::{Act, Handler};
use crate::message::{CliStatus, Message};
use crate::pbx::Pbx;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Command", command)];

mod manager_show;

/// `check_blacklist`.
const BLACKLIST: [&str; 3] = ["module load", "module unload", "restart gracefully"];

fn command(act: &mut Act<'_>) {
    let line = act.request.text("Command");
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    if words.is_empty() {
        return act.error("No command provided");
    }
    if BLACKLIST
        .iter()
        .any(|listed| words.join(" ").to_ascii_lowercase().starts_with(listed))
    {
        return act.error("Command blacklisted");
    }
    let (status, text) = match words.as_slice() {
        ["core", "show", "version"] => (
            CliStatus::Success,
            format!("{}\n", act.pbx.profile.core_show_version),
        ),
        ["core", "show", "channels"] => (CliStatus::Success, channels(act.pbx)),
        ["core", "show", "channels", "count"] => (CliStatus::Success, totals(act.pbx)),
        ["core", "show", "uptime"] => (CliStatus::Success, uptime(act.now)),
        ["manager", "show", "settings"] => (CliStatus::Success, manager_show::settings(act)),
        ["manager", "show", "user", name] => match act.pbx.accounts.find(name) {
            Some(account) => (CliStatus::Success, manager_show::user(account)),
            None => (CliStatus::Error, unknown(&line, &words)),
        },
        _ => (CliStatus::Error, unknown(&line, &words)),
    };
    act.answer(Message::CliOutput {
        action_id: act.request.action_id().to_vec(),
        status,
        text,
    });
}

fn channels(pbx: &Pbx) -> String {
    let (first, second) = pbx.profile.base.channel_table_widths();
    let row = |columns: [&str; 4]| {
        let [channel, location, state, application] = columns;
        format!(
            "{channel:<first$.first$} {location:<second$.second$} {state:<7.7} {application:<30}\n"
        )
    };
    let mut text = row(["Channel", "Location", "State", "Application(Data)"]);
    for channel in pbx.channels.values() {
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
    text.push_str(&totals(pbx));
    text
}

fn totals(pbx: &Pbx) -> String {
    let (channels, calls, processed) = (
        pbx.channels.len(),
        pbx.calls.len(),
        pbx.counters.calls_placed,
    );
    let ending = |plural| if plural { "s" } else { "" };
    format!(
        "{channels} active channel{}\n{calls} active call{}\n{processed} call{} processed\n",
        ending(channels != 1),
        ending(calls != 1),
        ending(processed != 1)
    )
}

fn uptime(now: Duration) -> String {
    let seconds = now.as_secs();
    let units = [
        ("day", seconds / 86_400),
        ("hour", seconds / 3600 % 24),
        ("minute", seconds / 60 % 60),
    ];
    let mut span = String::new();
    for (unit, count) in units.into_iter().filter(|(_, count)| *count > 0) {
        let ending = if count == 1 { "" } else { "s" };
        write!(span, "{count} {unit}{ending}, ").expect("writing to memory does not fail");
    }
    let rest = seconds % 60;
    let ending = if rest == 1 { "" } else { "s" };
    write!(span, "{rest} second{ending}").expect("writing to memory does not fail");
    format!("System uptime: {span}\nLast reload: {span}\n")
}

/// The help is offered for the first two words, or for all of a shorter command.
fn unknown(line: &str, words: &[&str]) -> String {
    let start = words[..words.len().min(2)].join(" ");
    format!(
        "No such command '{line}' (type 'core show help {start}' for other possible commands)\n"
    )
}
