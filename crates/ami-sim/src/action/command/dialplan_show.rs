//! `dialplan show …` and `dialplan remove context`.

use std::fmt::Write as _;

use crate::action::Act;
use crate::action::command::{Printed, Run, ending, failed};
use crate::dialplan_list::{ListedContext, ListedExtension, contexts};

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("dialplan show", show),
    ("dialplan show globals", globals),
    ("dialplan show *", show),
    ("dialplan remove context *", remove_context),
];

const REGISTRAR: &str = "pbx_config";

fn globals(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let globals = &act.pbx.globals;
    // The one that was set last comes first, and the model forgets when that was.
    let rows: String = globals
        .iter()
        .rev()
        .map(|(name, value)| format!("   {name}={value}\n"))
        .collect();
    Ok(format!("{rows}\n    -- {} variable(s)\n", globals.len()))
}

fn show(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let place = words.get(2).copied().unwrap_or_default();
    let (exten, context) = place.split_once('@').unwrap_or(("", place));
    let listed = contexts(&act.pbx.profile);
    let chosen: Vec<&ListedContext<'_>> = listed
        .iter()
        .filter(|one| context.is_empty() || one.name == context)
        .collect();
    if chosen.is_empty() {
        return failed(
            &format!("There is no existence of '{context}' context"),
            words,
        );
    }
    let mut text = String::new();
    let (mut extensions, mut priorities, mut shown) = (0, 0, 0);
    for context in chosen {
        let wanted = |one: &&ListedExtension<'_>| exten.is_empty() || one.exten == exten;
        let here: Vec<_> = context.extensions.iter().filter(wanted).collect();
        if here.is_empty() && !exten.is_empty() {
            continue;
        }
        shown += 1;
        extensions += here.len();
        priorities += here.iter().map(|one| one.priorities()).sum::<usize>();
        let place = |line| match act.pbx.profile.base.shows_dialplan_lines() {
            true => format!("extensions.conf:{line}"),
            false => REGISTRAR.to_owned(),
        };
        write_context(&mut text, context.name, &here, place)
            .expect("writing to memory does not fail");
        if exten.is_empty() {
            for include in context.includes {
                text.push_str(&row("Include =>", &format!("'{include}'"), REGISTRAR));
            }
        }
        text.push('\n');
    }
    if shown == 0 {
        return failed(
            &format!("There is no existence of {place} extension"),
            words,
        );
    }
    Ok(format!(
        "{text}-= {extensions} extension{} ({priorities} priorit{}) in {shown} context{}. =-\n",
        ending(extensions),
        if priorities == 1 { "y" } else { "ies" },
        ending(shown),
    ))
}

fn remove_context(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let name = words.last().copied().unwrap_or_default();
    if !contexts(&act.pbx.profile)
        .iter()
        .any(|one| one.name == name)
    {
        return failed(&format!("There is no such context as '{name}'"), words);
    }
    let profile = std::sync::Arc::make_mut(&mut act.pbx.profile);
    for extension in &mut profile.extensions {
        extension.contexts.retain(|context| context != name);
    }
    Ok(format!("Removed context '{name}'\n"))
}

fn row(first: &str, second: &str, place: &str) -> String {
    format!("  {first:<17} {second:<45} [{place}]\n")
}

fn write_context(
    text: &mut String,
    name: &str,
    extensions: &[&ListedExtension<'_>],
    place: impl Fn(usize) -> String,
) -> std::fmt::Result {
    writeln!(text, "[ Context '{name}' created by '{REGISTRAR}' ]")?;
    for extension in extensions {
        let hint = extension.hint.map(|hint| format!("hint: {hint}"));
        let steps = extension.steps.iter().enumerate();
        let steps =
            steps.map(|(at, step)| format!("{}. {}({})", at + 1, step.application, step.data));
        for (at, line) in hint.into_iter().chain(steps).enumerate() {
            let first = match at {
                0 => format!("'{}' =>", extension.exten),
                _ => String::new(),
            };
            text.push_str(&row(&first, &line, &place(extension.line + at)));
        }
    }
    Ok(())
}
