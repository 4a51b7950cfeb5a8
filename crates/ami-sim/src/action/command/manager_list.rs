//! `manager show …`: the lists of what there is; `manager_show` has the accounts.

use crate::action::Act;
use crate::action::command::{Printed, Run, manager_show};

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("manager show commands", commands),
    ("manager show command *", command),
    ("manager show users", users),
    ("manager show user *", user),
    ("manager show settings", settings),
    ("manager show eventq", eventq),
];

/// What is left of a terminal's 80 columns for the text beside the longest name.
const TERMINAL_WIDTH: usize = 80;

fn commands(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let entries = act.pbx.profile.commands.entries();
    let widest = entries.iter().map(|entry| entry.name.len()).max();
    let width = widest.unwrap_or_default();
    let rest = TERMINAL_WIDTH.saturating_sub(width + 4);
    let row = |name: &str, text: &str| format!("  {name:<width$}  {text:.rest$}\n");
    let heads = row("Action", "Synopsis") + &row("------", "--------");
    let rows = entries.iter().map(|entry| {
        let (synopsis, _) = entry.text.rsplit_once(" (Priv:").unwrap_or_default();
        row(&entry.name, synopsis)
    });
    Ok(heads + &rows.collect::<String>())
}

/// The documentation of an action is not here; of one that is not there nothing is said.
fn command(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let name = words.last().copied().unwrap_or_default();
    match act.pbx.profile.commands.find(name) {
        Some(_) => Err("Not simulated\n".to_owned()),
        None => Ok("\n".to_owned()),
    }
}

/// The queue never runs dry: its last event stays.
fn eventq(_: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok("Usecount: 1\nCategory: 0\nEvent:\nEvent: Placeholder\n\n".to_owned())
}

fn users(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let names: Vec<&str> = act
        .pbx
        .accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    let rows: String = names.iter().map(|name| format!("{name}\n")).collect();
    let count = names.len();
    Ok(format!(
        "\nusername\n--------\n{rows}-------------------\n{count} manager users configured.\n"
    ))
}

fn user(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let name = words.last().copied().unwrap_or_default();
    Ok(match act.pbx.accounts.find(name) {
        Some(account) => manager_show::user(account),
        None => format!("There is no manager called {name}\n"),
    })
}

fn settings(act: &mut Act<'_>, _: &[&str]) -> Printed {
    Ok(manager_show::settings(act))
}
