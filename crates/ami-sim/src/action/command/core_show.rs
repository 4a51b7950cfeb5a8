//! `core show …`: what runs, since when, and what hints there are.

use std::fmt::Write as _;
use std::time::Duration;

use crate::action::Act;
use crate::action::command::{Printed, Run, channel_table, ending};
use crate::device_state::Presence;
use crate::hint::Hint;

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("core show version", version),
    ("core show uptime", uptime),
    ("core show uptime seconds", uptime_seconds),
    ("core show channels", channel_table::plain),
    ("core show channels concise", channel_table::concise),
    ("core show channels verbose", channel_table::verbose),
    ("core show channels count", channel_table::count),
    ("core show calls", channel_table::calls),
    ("core show channel *", unknown_channel),
    ("channel request hangup *", request_hangup),
    ("core show hints", hints),
    ("core show hint *", hint),
    ("core show license", license),
    ("core waitfullybooted", fully_booted),
    ("queue show", queue_show),
    ("queue show rules", queue_rules),
    ("queue show *", queue_show),
];

fn version(act: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok(format!("{}\n", act.pbx.profile.core_show_version))
}

fn uptime(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let span = span(act.now);
    Ok(format!("System uptime: {span}\nLast reload: {span}\n"))
}

fn uptime_seconds(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let seconds = act.now.as_secs();
    Ok(format!(
        "System uptime: {seconds}\nLast reload: {seconds}\n"
    ))
}

fn span(now: Duration) -> String {
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
    span
}

/// What it prints of a channel that is up is not known well enough.
fn unknown_channel(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let name = words.last().copied().unwrap_or_default();
    match act.pbx.find_channel(name) {
        None => Ok(format!("{name} is not a known channel\n")),
        Some(_) => Err("Not simulated\n".to_owned()),
    }
}

fn request_hangup(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let name = words.last().copied().unwrap_or_default();
    match act.pbx.find_channel(name) {
        None => Ok(format!("{name} is not a known channel\n")),
        Some(key) => {
            act.pbx.hang_up(act.now, key);
            Ok(format!("Requested Hangup on channel '{name}'\n"))
        }
    }
}

fn row(act: &Act<'_>, hint: &Hint) -> String {
    let (place, watched) = act.pbx.profile.base.hint_table_widths();
    let name = format!("{}@{}", hint.exten, hint.context);
    let presence = hint.presence().and_then(|name| act.pbx.presence(name));
    format!(
        "{name:<place$.place$}: {devices:<watched$.watched$}  State:{state:<15} \
         Presence:{presence:<15} Watchers {watchers:>2}\n",
        devices = hint.watched,
        state = act.pbx.hint_state(hint).text(),
        presence = presence.unwrap_or_else(Presence::unset).state,
        watchers = 0,
    )
}

fn hints(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let hints = &act.pbx.profile.hints;
    if hints.is_empty() {
        return Ok("There are no registered dialplan hints\n".to_owned());
    }
    let rows: String = hints.iter().rev().map(|hint| row(act, hint)).collect();
    let line = "----------------";
    let count = hints.len();
    Ok(format!(
        "\n    -= Registered Asterisk Dial Plan Hints =-\n{rows}{line}\n- {count} hints registered\n"
    ))
}

fn hint(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let exten = words.last().copied().unwrap_or_default();
    let hints = act.pbx.profile.hints.iter();
    let rows: Vec<String> = hints
        .filter(|hint| hint.exten == exten)
        .map(|hint| row(act, hint))
        .collect();
    let count = rows.len();
    Ok(match count {
        0 => format!("No hints matching extension {exten}\n"),
        _ => format!(
            "{}{count} hint{} matching extension {exten}\n",
            rows.concat(),
            ending(count)
        ),
    })
}

fn license(_: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok(include_str!("license.txt").to_owned())
}

fn fully_booted(_: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok("Asterisk has fully booted.\n".to_owned())
}

fn queue_show(act: &mut Act<'_>, words: &[&str]) -> Printed {
    Ok(crate::queue_text::show(
        act.pbx,
        act.now,
        words.get(2).copied(),
    ))
}

fn queue_rules(_: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok("\n".to_owned())
}
