//! UpdateConfig: a list of changes to one file, of which all take place or none.

use crate::action::Act;
use crate::action::config::{NO_NAME, leads_out};
use crate::config_file::{Category, ConfigFile};
use crate::message::Headers;

/// Changes that one action may bring; its 128 lines leave room for fewer.
const CHANGES_MAX: usize = 128;

const NO_CATEGORY: &str = "Given category does not exist";
const INCOMPLETE: &str = "Problem with category, value, or line (if required)";
const NOT_UPDATED: &str = "Update did not complete successfully";

/// One change, as its numbered headers tell it; what is not there is empty.
struct Change {
    action: String,
    category: String,
    variable: String,
    value: String,
    matching: String,
    line: String,
}

pub(super) fn update_config(act: &mut Act<'_>) {
    let (source, target) = (
        act.request.text("SrcFilename"),
        act.request.text("DstFilename"),
    );
    if source.is_empty() || target.is_empty() {
        return act.error(NO_NAME);
    }
    let found = act.pbx.config_files.get(&source).cloned();
    let Some(mut file) = found.filter(|_| !leads_out(&source) && !leads_out(&target)) else {
        return act.error(act.pbx.profile.base.escalation_refusal());
    };
    for at in 0..CHANGES_MAX {
        let text = |name: &str| act.request.text(&format!("{name}-{at:06}"));
        let change = Change {
            action: text("Action"),
            category: text("Cat"),
            variable: text("Var"),
            value: text("Value"),
            matching: text("Match"),
            line: text("Line"),
        };
        if change.action.is_empty() {
            break;
        }
        if let Err(message) = apply(&mut file, &change) {
            return act.error(message);
        }
    }
    if act.pbx.config_files.put(&target, file) {
        act.answer(Headers::response("Success", act.request.action_id()));
    } else {
        act.error("Save of config failed");
    }
}

fn apply(file: &mut ConfigFile, change: &Change) -> Result<(), &'static str> {
    if change.category.is_empty() {
        return Err("Category not specified");
    }
    let name = change.category.as_str();
    match change.action.to_ascii_lowercase().as_str() {
        "newcat" => new_category(file, name),
        "renamecat" if change.value.is_empty() => Err(INCOMPLETE),
        "renamecat" => {
            category(file, name)?.name.clone_from(&change.value);
            Ok(())
        }
        "delcat" => {
            let at = file.categories.iter().position(|one| one.name == name);
            file.categories.remove(at.ok_or(NO_CATEGORY)?);
            Ok(())
        }
        "emptycat" => {
            category(file, name)?.lines.clear();
            Ok(())
        }
        "update" | "append" if change.variable.is_empty() => Err(INCOMPLETE),
        "update" => update(category(file, name)?, change),
        "append" => {
            let line = (change.variable.clone(), change.value.clone());
            category(file, name)?.lines.push(line);
            Ok(())
        }
        "insert" if change.variable.is_empty() || change.line.is_empty() => Err(INCOMPLETE),
        "insert" => {
            let line = (change.variable.clone(), change.value.clone());
            let lines = &mut category(file, name)?.lines;
            let at = change.line.parse().unwrap_or(0).min(lines.len());
            lines.insert(at, line);
            Ok(())
        }
        "delete" if change.variable.is_empty() && change.line.is_empty() => Err(INCOMPLETE),
        "delete" => delete(category(file, name)?, change),
        _ => Err("Unknown action command"),
    }
}

fn category<'a>(file: &'a mut ConfigFile, name: &str) -> Result<&'a mut Category, &'static str> {
    file.category_mut(name).ok_or(NO_CATEGORY)
}

fn new_category(file: &mut ConfigFile, name: &str) -> Result<(), &'static str> {
    if file.category(name).is_some() {
        return Err("Create category did not complete successfully");
    }
    file.categories.push(Category {
        name: name.to_owned(),
        lines: Vec::new(),
    });
    Ok(())
}

/// The first line of that name, or the first whose value is the one to match.
fn update(category: &mut Category, change: &Change) -> Result<(), &'static str> {
    let mut lines = category.lines.iter_mut();
    let found = lines.find(|(name, value)| {
        *name == change.variable && (change.matching.is_empty() || *value == change.matching)
    });
    let (_, value) = found.ok_or(NOT_UPDATED)?;
    value.clone_from(&change.value);
    Ok(())
}

fn delete(category: &mut Category, change: &Change) -> Result<(), &'static str> {
    let at = match change.line.parse::<usize>() {
        Ok(line) => Some(line).filter(|line| *line < category.lines.len()),
        Err(_) => category.lines.iter().position(|(name, value)| {
            *name == change.variable && (change.matching.is_empty() || *value == change.matching)
        }),
    };
    category.lines.remove(at.ok_or(NOT_UPDATED)?);
    Ok(())
}
