//! `core show settings`.

use crate::action::Act;
use crate::action::command::{Printed, Run};
use crate::action::core_state::date_and_time;
use crate::manager_settings::Web;

pub(super) const COMMANDS: &[(&str, Run)] = &[("core show settings", settings)];

/// What the consoles of the lab print, open where it tells one PBX from another.
const OLDER: &str = include_str!("settings-16.txt");
const NEWER: &str = include_str!("settings-22.txt");

fn settings(act: &mut Act<'_>, _: &[&str]) -> Printed {
    let profile = &act.pbx.profile;
    let text = if profile.base.prints_newer_texts() {
        NEWER
    } else {
        OLDER
    };
    let (_, started) = date_and_time(act.pbx.started_at());
    let web = match profile.manager.web {
        Web::Enabled => "Enabled",
        Web::Disabled => "Disabled",
    };
    let filled = text
        .replace("{version}", &profile.asterisk_version)
        .replace("{built}", &built(&profile.core_show_version))
        .replace("{name}", &profile.system_name)
        .replace("{started}", &started)
        .replace("{web}", web);
    Ok(filled)
}

/// `Asterisk … built by WHO @ … on a MACHINE running SYSTEM on DATE`, in other words.
fn built(version: &str) -> String {
    let parts = || {
        let (_, rest) = version.split_once(" built by ")?;
        let (who, rest) = rest.split_once(" @ ")?;
        let (_, rest) = rest.split_once(" on a ")?;
        let (machine, rest) = rest.split_once(" running ")?;
        let (system, date) = rest.split_once(" on ")?;
        Some(format!(
            "{system}/{machine} built by {who} on {machine} {date}"
        ))
    };
    parts().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::built;

    #[test]
    fn who_built_it_is_told_in_other_words() {
        assert_eq!(
            built(
                "Asterisk 13.7.0 built by root @ vm on a x86_64 running Linux on 2026-11-21 07:49:25 UTC"
            ),
            "Linux/x86_64 built by root on x86_64 2026-11-21 07:49:25 UTC"
        );
        assert_eq!(built("Asterisk"), "");
    }
}
