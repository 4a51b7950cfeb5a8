//! `database …`.

use crate::action::Act;
use crate::action::command::{Printed, Run};

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("database show", show),
    ("database show *", show),
    ("database show * *", show),
    ("database showkey *", show_key),
    ("database get * *", get),
    ("database put * * *", put),
    ("database del * *", delete),
    ("database deltree *", delete_tree),
    ("database deltree * *", delete_tree),
];

fn word<'a>(words: &[&'a str], at: usize) -> &'a str {
    words.get(at).copied().unwrap_or_default()
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Printed {
    let rows: Vec<String> = rows
        .map(|(path, value)| format!("{path:<50}: {value:<25}\n"))
        .collect();
    Ok(format!("{}{} results found.\n", rows.concat(), rows.len()))
}

fn show(act: &mut Act<'_>, words: &[&str]) -> Printed {
    table(act.pbx.database.tree(word(words, 2), word(words, 3)))
}

fn show_key(act: &mut Act<'_>, words: &[&str]) -> Printed {
    table(act.pbx.database.with_key(word(words, 2)))
}

fn get(act: &mut Act<'_>, words: &[&str]) -> Printed {
    Ok(match act.pbx.database.get(word(words, 2), word(words, 3)) {
        Some(value) => format!("Value: {value}\n"),
        None => "Database entry not found.\n".to_owned(),
    })
}

fn put(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let (family, key, value) = (word(words, 2), word(words, 3), word(words, 4));
    Ok(if act.pbx.database.put(family, key, value) {
        "Updated database successfully\n"
    } else {
        "Failed to update entry\n"
    }
    .to_owned())
}

fn delete(act: &mut Act<'_>, words: &[&str]) -> Printed {
    Ok(if act.pbx.database.delete(word(words, 2), word(words, 3)) {
        "Database entry removed.\n"
    } else {
        "Database entry could not be removed.\n"
    }
    .to_owned())
}

fn delete_tree(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let count = act.pbx.database.delete_tree(word(words, 2), word(words, 3));
    Ok(match count {
        0 => "Database entries do not exist.\n".to_owned(),
        _ => format!("{count} database entries removed.\n"),
    })
}
