//! `devstate …` and `presencestate list`.

use crate::action::Act;
use crate::action::command::{Printed, Run, failed};
use crate::device_state::{CUSTOM_FAMILY, PRESENCE_FAMILY, Presence};
use crate::function::Place;

pub(super) const COMMANDS: &[(&str, Run)] = &[
    ("devstate list", devices),
    ("devstate change * *", change),
    ("presencestate list", presences),
];

const RULE: &str = "---------------------------------------------------------------------\n";

fn devices(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let prefix = format!("/{CUSTOM_FAMILY}/");
    let entries = act.pbx.database.tree(CUSTOM_FAMILY, "");
    let rows = entries.map(|(path, state)| {
        let name = path.strip_prefix(&prefix).unwrap_or(path);
        format!("--- Name: 'Custom:{name}'  State: '{state}'\n---\n")
    });
    let rows: String = rows.collect();
    Ok(format!(
        "\n{RULE}--- Custom Device States --------------------------------------------\n\
         {RULE}---\n{rows}{RULE}{RULE}\n"
    ))
}

fn change(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let (device, state) = (words[2], words[3]);
    let place = Place {
        now: act.now,
        channel: None,
    };
    if act
        .pbx
        .write_function(place, ("DEVICE_STATE", device), state)
    {
        let name = device.strip_prefix("Custom:").unwrap_or(device);
        Ok(format!("Changing {name} to {state}\n"))
    } else {
        failed(
            "The device or its state is not one that can be changed",
            words,
        )
    }
}

fn presences(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let prefix = format!("/{PRESENCE_FAMILY}/");
    let entries = act.pbx.database.tree(PRESENCE_FAMILY, "");
    let rows = entries.map(|(path, text)| {
        let name = path.strip_prefix(&prefix).unwrap_or(path);
        let presence = Presence::parse(text).unwrap_or_else(Presence::unset);
        format!(
            "--- Name: 'CustomPresence:{name}'\n    --- State: '{}'\n    --- Subtype: '{}'\n    --- Message: '{}'\n    --- Base64 Encoded: 'No'\n---\n",
            presence.state, presence.subtype, presence.message
        )
    });
    let rows: String = rows.collect();
    let rest = if rows.is_empty() {
        "No custom presence states defined\n".to_owned()
    } else {
        format!("{rows}{RULE}{RULE}\n")
    };
    Ok(format!(
        "\n{RULE}--- Custom Presence States ------------------------------------------\n\
         {RULE}---\n{rest}"
    ))
}
