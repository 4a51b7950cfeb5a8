//! Configuration files over AMI: GetConfig, GetConfigJSON, ListCategories, CreateConfig.

use std::fmt::Write as _;

use crate::action::{Act, Handler};
use crate::config_file::{Category, ConfigFile};
use crate::message::Headers;

mod update;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("GetConfig", get_config),
    ("GetConfigJSON", get_config_json),
    ("ListCategories", list_categories),
    ("CreateConfig", create_config),
    ("UpdateConfig", update::update_config),
];

const NO_NAME: &str = "Filename not specified";

/// Whether a name leads out of the folder of the configuration.
fn leads_out(name: &str) -> bool {
    name.starts_with('/') || name.contains("..")
}

/// The file that the request names; `absent` is how this action says that there is none.
fn file(act: &mut Act<'_>, absent: &str) -> Option<ConfigFile> {
    let name = act.request.text("Filename");
    let message = if name.is_empty() {
        NO_NAME
    } else if leads_out(&name) {
        act.pbx.profile.base.escalation_refusal()
    } else if let Some(file) = act.pbx.config_files.get(&name) {
        return Some(file.clone());
    } else {
        absent
    };
    act.error(message);
    None
}

fn get_config(act: &mut Act<'_>) {
    let Some(file) = file(act, "Config file not found") else {
        return;
    };
    let (wanted, filter) = (act.request.text("Category"), act.request.text("Filter"));
    let mut answer = Headers::response("Success", act.request.action_id());
    let chosen = file.categories.iter().filter(|category| {
        (wanted.is_empty() || category.name == wanted) && passes(category, &filter)
    });
    let mut count = 0;
    for category in chosen {
        answer = answer.with(&format!("Category-{count:06}"), &category.name);
        for (at, (name, value)) in category.lines.iter().enumerate() {
            let line = format!("Line-{count:06}-{at:06}");
            answer = answer.with(&line, format!("{name}={value}"));
        }
        count += 1;
    }
    if count == 0 && !wanted.is_empty() {
        answer = answer.with_line(b"No categories found");
    }
    act.answer(answer);
}

/// `variable=value,…`: all of them must be there. Asterisk takes regular expressions here, this takes them literally.
fn passes(category: &Category, filter: &str) -> bool {
    filter
        .split(',')
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| category.value(name.trim()) == Some(value.trim()))
}

fn get_config_json(act: &mut Act<'_>) {
    let refusal = act.pbx.profile.base.escalation_refusal();
    let Some(file) = file(act, refusal) else {
        return;
    };
    let category = |category: &Category| {
        let lines = category.lines.iter();
        let lines = lines.map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)));
        let lines: Vec<String> = lines.collect();
        format!("{}:{{{}}}", quoted(&category.name), lines.join(","))
    };
    let categories: Vec<String> = file.categories.iter().map(category).collect();
    let answer = Headers::response("Success", act.request.action_id());
    act.answer(answer.with("JSON", format!("{{{}}}", categories.join(","))));
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\u{0}'..='\u{1f}' => {
                write!(quoted, "\\u{:04x}", u32::from(letter)).expect("writing to memory");
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn list_categories(act: &mut Act<'_>) {
    let Some(file) = file(act, "Config file not found") else {
        return;
    };
    let answer = Headers::response("Success", act.request.action_id());
    let names = file.categories.iter().enumerate();
    let answer = names.fold(answer, |answer, (at, category)| {
        answer.with(&format!("Category-{at:06}"), &category.name)
    });
    act.answer(if file.categories.is_empty() {
        answer.with("Error", "no categories found")
    } else {
        answer
    });
}

/// Up to some release nothing is checked, and the attempt to write tells what is wrong.
fn create_config(act: &mut Act<'_>) {
    let name = act.request.text("Filename");
    let base = act.pbx.profile.base;
    if base.checks_created_files() {
        if name.is_empty() {
            return act.error(NO_NAME);
        }
        if leads_out(&name) {
            return act.error(base.escalation_refusal());
        }
    } else if name.is_empty() {
        return act.error("Is a directory");
    } else if leads_out(&name) {
        return act.error("Permission denied");
    }
    if act.pbx.config_files.put(&name, ConfigFile::default()) {
        act.success("New configuration file created successfully");
    } else {
        act.error("No space left on device");
    }
}
