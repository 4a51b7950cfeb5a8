//! Modules and what is reloaded: ModuleCheck, ModuleLoad, Reload, LoggerRotate; bridge technologies; the caches of Sorcery.

use crate::action::{Act, Handler};
use crate::class::Classes;
use crate::message::Headers;
use crate::module::{Reload, is_loaded, reload};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("ModuleCheck", module_check),
    ("ModuleLoad", module_load),
    ("Reload", reload_module),
    ("LoggerRotate", logger_rotate),
    ("BridgeTechnologyList", technology_list),
    ("BridgeTechnologySuspend", technology),
    ("BridgeTechnologyUnsuspend", technology),
    ("SorceryMemoryCacheExpire", no_cache),
    ("SorceryMemoryCacheExpireObject", no_cache_object),
    ("SorceryMemoryCachePopulate", no_cache),
    ("SorceryMemoryCacheStale", no_cache),
    ("SorceryMemoryCacheStaleObject", no_cache_object),
];

/// Name, type, priority; none is ever suspended.
pub(super) const TECHNOLOGIES: [(&str, &str, u8); 4] = [
    ("native_rtp", "Native", 90),
    ("holding_bridge", "Holding", 50),
    ("simple_bridge", "1to1Mix", 50),
    ("softmix", "MultiMix", 10),
];

fn module_check(act: &mut Act<'_>) {
    let name = act.request.text("Module");
    if !name.is_empty() && is_loaded(act.pbx.profile.base, &name) {
        let answer = Headers::response("Success", act.request.action_id());
        act.answer(answer.with("Version", ""));
    } else {
        act.error("Module not loaded");
    }
}

/// A request without its headers is answered more than once, as Asterisk does. Nothing is ever loaded or unloaded.
fn module_load(act: &mut Act<'_>) {
    let (kind, name) = (act.request.text("LoadType"), act.request.text("Module"));
    if kind.is_empty() {
        act.error("Incomplete ModuleLoad action.");
    }
    if name.is_empty() {
        act.error("Need module name");
    }
    let base = act.pbx.profile.base;
    let known = is_loaded(base, &name) && (name.ends_with(".so") || !base.has_one_module_refusal());
    if base.has_one_module_refusal() && !name.is_empty() && !known {
        return act.error("Module not found.");
    }
    match kind.to_ascii_lowercase().as_str() {
        "load" => act.error("Could not load module."),
        "unload" => act.error("Could not unload module."),
        "reload" => match told_reload(act, &name) {
            Reload::Done => act.success("Module reloaded."),
            Reload::NotFound => act.error("No such module."),
            Reload::Unsupported => act.error("Module does not support reload action."),
        },
        _ => act.error("Incomplete ModuleLoad action."),
    }
}

fn reload_module(act: &mut Act<'_>) {
    let name = act.request.text("Module");
    match told_reload(act, &name) {
        Reload::Done => act.success("Module Reloaded"),
        Reload::NotFound => act.error("No such module"),
        Reload::Unsupported => act.error("Module does not support reload"),
    }
}

fn told_reload(act: &mut Act<'_>, name: &str) -> Reload {
    let (name, end) = if name.is_empty() {
        ("All", Reload::Done)
    } else {
        (name, reload(act.pbx.profile.base, name))
    };
    if act.pbx.wants(Classes::SYSTEM) {
        let event = act.pbx.event(act.now, "Reload", Classes::SYSTEM);
        let event = event.with("Module", name).with_display("Status", end as u8);
        act.pbx.publish(Classes::SYSTEM, event);
    }
    end
}

fn logger_rotate(act: &mut Act<'_>) {
    act.success("Reloaded the logger and rotated log files");
}

fn technology_list(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(
        id,
        "Bridge technology listing will follow",
    ));
    for (name, kind, priority) in TECHNOLOGIES {
        let item = Headers::event("BridgeTechnologyListItem")
            .with("BridgeTechnology", name)
            .with("BridgeType", kind)
            .with_display("BridgePriority", priority)
            .with("BridgeSuspended", "No");
        act.answer(item.with_action_id(id));
    }
    let complete = "BridgeTechnologyListComplete";
    act.answer(Headers::list_complete(complete, id, TECHNOLOGIES.len()));
}

fn technology(act: &mut Act<'_>) {
    let name = act.request.text("BridgeTechnology");
    if name.is_empty() {
        act.error("BridgeTechnology must be provided");
    } else if !TECHNOLOGIES.iter().any(|(known, _, _)| *known == name) {
        act.error("BridgeTechnology not found");
    } else if action_name(act) == "BridgeTechnologySuspend" {
        act.success("Suspended bridge technology");
    } else {
        act.success("Unsuspended bridge technology");
    }
}

/// As the PBX spells it, however the client does.
fn action_name(act: &Act<'_>) -> String {
    let name = String::from_utf8_lossy(act.request.action());
    let entry = act.pbx.profile.commands.find(&name);
    entry.map_or_else(String::new, |entry| entry.name.clone())
}

/// Every text of these ends in a line feed of its own.
fn needs_cache(act: &mut Act<'_>) -> bool {
    let lacking = act.request.text("Cache").is_empty();
    if lacking {
        let name = action_name(act);
        act.error(&format!("{name} requires that a cache name be provided.\n"));
    }
    lacking
}

fn no_cache(act: &mut Act<'_>) {
    if !needs_cache(act) {
        act.error("The provided cache does not exist\n");
    }
}

fn no_cache_object(act: &mut Act<'_>) {
    if needs_cache(act) {
        return;
    }
    if act.request.text("Object").is_empty() {
        let name = action_name(act);
        return act.error(&format!(
            "{name} requires that an object name be provided\n"
        ));
    }
    act.error("The provided cache does not exist\n");
}
