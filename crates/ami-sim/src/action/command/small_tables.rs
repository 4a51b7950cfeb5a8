//! Modules, bridges, mailboxes on the console.

use crate::action::Act;
use crate::action::command::{Printed, Run, failed};
use crate::action::module::TECHNOLOGIES;
use crate::module;

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("module show", modules),
    ("module show like *", modules),
    ("bridge technology show", technologies),
    ("voicemail show users", mailboxes),
    ("voicemail show users for *", mailboxes),
    ("voicemail show zones", zones),
];

fn modules(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let like = words.get(3).copied().unwrap_or_default();
    let rows: Vec<&str> = module::rows(act.pbx.profile.base)
        .filter(|row| {
            let name = row.split(' ').next().unwrap_or_default();
            name.to_ascii_lowercase()
                .contains(&like.to_ascii_lowercase())
        })
        .collect();
    let mut text = format!(
        "{:<30} {:<40} {:<10} {:<11} {:>13}\n",
        "Module", "Description", "Use Count", "Status", "Support Level"
    );
    for row in &rows {
        text.push_str(row);
        text.push('\n');
    }
    Ok(format!("{text}{} modules loaded\n", rows.len()))
}

fn technologies(_: &mut Act<'_>, _: &[&str]) -> Printed {
    let row = |name: &str, kind: &str, priority: &str, suspended: &str| {
        format!("{name:<20} {kind:<20} {priority:>8} {suspended}\n")
    };
    let rows = TECHNOLOGIES
        .iter()
        .map(|(name, kind, priority)| row(name, kind, &priority.to_string(), "No"));
    Ok(row("Name", "Type", "Priority", "Suspended") + &rows.collect::<String>())
}

fn mailboxes(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let context = words.get(4).copied();
    let mailboxes = act.pbx.profile.mailboxes.iter();
    let chosen: Vec<_> = mailboxes
        .filter(|mailbox| context.is_none_or(|context| mailbox.context == context))
        .collect();
    if chosen.is_empty() {
        return match context {
            Some(context) => failed(&format!("No such voicemail context \"{context}\""), words),
            None => failed("There are no voicemail users currently defined", words),
        };
    }
    let row = |context: &str, number: &str, name: &str, messages: &str| {
        format!(
            "{context:<10} {number:<5} {name:<25} {:<10} {messages:>6}\n",
            ""
        )
    };
    let head = format!(
        "{:<10} {:<5} {:<25} {:<10} {:>6}\n",
        "Context", "Mbox", "User", "Zone", "NewMsg"
    );
    let rows: String = chosen
        .iter()
        .map(|mailbox| row(&mailbox.context, &mailbox.number, &mailbox.name, "0"))
        .collect();
    let count = chosen.len();
    Ok(format!("{head}{rows}{count} voicemail users configured.\n"))
}

fn zones(_: &mut Act<'_>, words: &[&str]) -> Printed {
    failed("There are no voicemail zones currently defined", words)
}
