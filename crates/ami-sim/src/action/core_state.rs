//! Actions that tell what the PBX is and how it is.

use std::time::Duration;

use crate::action::{Act, Handler};
use crate::manager_settings::Web;
use crate::message::{Headers, IdBuffer};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("Ping", ping),
    ("ListCommands", list_commands),
    ("CoreSettings", core_settings),
    ("CoreStatus", core_status),
];

fn ping(act: &mut Act<'_>) {
    let wall = act.pbx.wall(act.now);
    let answer = Headers::response("Success", act.request.action_id())
        .with("Ping", "Pong")
        .with_display(
            "Timestamp",
            format_args!("{}.{:06}", wall.as_secs(), wall.subsec_micros()),
        );
    act.answer(answer);
}

/// Only what the account may run.
fn list_commands(act: &mut Act<'_>) {
    let Some(rights) = act.session.account().map(|account| account.write) else {
        return;
    };
    let mut answer = Headers::response("Success", act.request.action_id());
    for entry in act.pbx.profile.commands.entries() {
        if entry.classes.is_empty() || rights.intersects(entry.classes) {
            answer = answer.with(&entry.name, &entry.text);
        }
    }
    act.answer(answer);
}

fn core_settings(act: &mut Act<'_>) {
    let profile = &act.pbx.profile;
    let version = profile.banner.rsplit('/').next().unwrap_or_default();
    // Of AMI over HTTP, wherever HTTP itself is served.
    let web = match profile.manager.web {
        Web::Enabled => "Yes",
        Web::Disabled => "No",
    };
    let answer = Headers::response("Success", b"")
        .with_id_in(IdBuffer::Core, act.request.action_id())
        .with("AMIversion", version)
        .with("AsteriskVersion", &profile.asterisk_version)
        .with("SystemName", &profile.system_name)
        .with("CoreMaxCalls", "0")
        .with("CoreMaxLoadAvg", "0.000000")
        .with("CoreRunUser", "")
        .with("CoreRunGroup", "")
        .with("CoreMaxFilehandles", "0")
        .with("CoreRealTimeEnabled", "No")
        .with("CoreCDRenabled", "Yes")
        .with("CoreHTTPenabled", web);
    let answer = if profile.base.has_sound_search_setting() {
        answer.with("SoundsSearchCustomDir", "No")
    } else {
        answer
    };
    act.answer(answer);
}

fn core_status(act: &mut Act<'_>) {
    let (date, time) = date_and_time(act.pbx.started_at());
    let answer = Headers::response("Success", b"")
        .with_id_in(IdBuffer::Core, act.request.action_id())
        .with("CoreStartupDate", &date)
        .with("CoreStartupTime", &time)
        .with("CoreReloadDate", &date)
        .with("CoreReloadTime", &time)
        .with_display("CoreCurrentCalls", act.pbx.calls_up());
    let answer = if act.pbx.profile.base.counts_processed_calls() {
        answer.with_display("CoreProcessedCalls", act.pbx.counters.calls_placed)
    } else {
        answer
    };
    act.answer(answer);
}

pub(super) fn date_and_time(wall: Duration) -> (String, String) {
    let seconds = i64::try_from(wall.as_secs()).unwrap_or_default();
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    (
        stamp.strftime("%Y-%m-%d").to_string(),
        stamp.strftime("%H:%M:%S").to_string(),
    )
}
