//! Command: the console commands that tools send, with the texts of the real ones.
//!
//! A command that the real console has and that is not here is answered by `Not simulated`, one that it has not as there.

use crate::action::{Act, Handler};
use crate::message::{CliStatus, Message};

mod channel_table;
mod core_show;
mod database;
mod dialplan_show;
mod help;
mod manager_list;
mod manager_show;
mod pjsip_show;
mod settings;
mod small_tables;
mod state_list;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("Command", command)];

/// `check_blacklist`.
const BLACKLIST: [&str; 3] = ["module load", "module unload", "restart gracefully"];

/// What a command prints; an error has the status of its answer too.
type Printed = Result<String, String>;
/// What it is called with are all its words.
type Run = fn(&mut Act<'_>, &[&str]) -> Printed;

const FAMILIES: [&[(&str, Run)]; 9] = [
    core_show::COMMANDS,
    database::COMMANDS,
    dialplan_show::COMMANDS,
    help::COMMANDS,
    manager_list::COMMANDS,
    pjsip_show::COMMANDS,
    settings::COMMANDS,
    small_tables::COMMANDS,
    state_list::COMMANDS,
];

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
    let mut commands = FAMILIES.iter().copied().flatten();
    let printed = match commands.find(|(pattern, _)| fits(pattern, &words)) {
        Some((_, run)) => run(act, &words),
        None => Err(help::refusal(act.pbx.profile.base, &line, &words)),
    };
    let (status, text) = match printed {
        Ok(text) => (CliStatus::Success, text),
        Err(text) => (CliStatus::Error, text),
    };
    act.answer(Message::CliOutput {
        action_id: act.request.action_id().to_vec(),
        status,
        text,
    });
}

/// Word by word; `*` stands for any one word, `…` for all that are left.
fn fits(pattern: &str, words: &[&str]) -> bool {
    let mut words = words.iter();
    for expected in pattern.split(' ') {
        let found = match expected {
            "…" => return true,
            _ => words.next(),
        };
        match found {
            Some(word) if expected == "*" || expected.eq_ignore_ascii_case(word) => {}
            _ => return false,
        }
    }
    words.next().is_none()
}

/// A command that could not do what it was told says so once more.
fn failed(text: &str, words: &[&str]) -> Printed {
    Err(format!("{text}\nCommand '{}' failed.\n", words.join(" ")))
}

fn ending(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_commands() {
        let check = |pattern: &str, line: &str, expected: bool| {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(fits(pattern, &words), expected, "{pattern}: {line}");
        };
        check("core show calls", "CORE show calls", true);
        check("core show calls", "core show calls uptime", false);
        check("core show hint *", "core show hint 6001", true);
        check("core show hint *", "core show hint", false);
        check("core show help …", "core show help", true);
        check("core show help …", "core show help a b", true);
    }
}
