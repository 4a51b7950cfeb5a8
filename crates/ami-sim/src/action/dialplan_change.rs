//! DialplanExtensionAdd and DialplanExtensionRemove; AGI, AOCMessage and MessageSend, which the model only refuses.

use std::sync::Arc;

use crate::action::{Act, Handler};
use crate::extension::{Extension, Step};
use crate::hint::Hint;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("DialplanExtensionAdd", add),
    ("DialplanExtensionRemove", remove),
    ("AGI", agi),
    ("AOCMessage", aoc_message),
    ("MessageSend", message_send),
];

/// Extensions that clients may leave behind.
const EXTENSIONS_MAX: usize = 10_000;

const REFUSED: &str = "Failed to remove requested extension";

fn add(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (context, exten) = (text("Context"), text("Extension"));
    let (priority, application) = (text("Priority"), text("Application"));
    if [&context, &exten, &priority, &application]
        .iter()
        .any(|value| value.is_empty())
    {
        return act.error(
            "Context, Extension, Priority, and Application must be defined for DialplanExtensionAdd.",
        );
    }
    if priority == "hint" {
        let profile = Arc::make_mut(&mut act.pbx.profile);
        profile
            .hints
            .retain(|hint| hint.context != context || hint.exten != exten);
        profile.hints.push(Hint {
            context,
            exten,
            watched: application,
        });
        return act.success("Added requested extension");
    }
    let Some(at) = priority.parse::<usize>().ok().filter(|at| *at > 0) else {
        return act.error("The priority specified was invalid.");
    };
    let replace = text("Replace").eq_ignore_ascii_case("yes");
    let Ok(step) = Step::new(&application, &text("ApplicationData")) else {
        return act.error("Not simulated");
    };
    let profile = Arc::make_mut(&mut act.pbx.profile);
    let here = |one: &&mut Extension| one.exten == exten && one.contexts.contains(&context);
    let Some(found) = profile.extensions.iter_mut().find(here) else {
        if at != 1 || profile.extensions.len() >= EXTENSIONS_MAX {
            // The model has no priorities without those before them.
            return act.error("Not simulated");
        }
        profile.extensions.push(Extension {
            contexts: vec![context],
            exten,
            steps: vec![step],
        });
        return act.success("Added requested extension");
    };
    let steps = &mut found.steps;
    if at <= steps.len() && !replace {
        return act.error("That extension and priority already exist at that context");
    }
    match at - 1 {
        old if old < steps.len() => steps[old] = step,
        next if next == steps.len() => steps.push(step),
        _ => return act.error("Not simulated"),
    }
    act.success("Added requested extension");
}

fn remove(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (context, exten, priority) = (text("Context"), text("Extension"), text("Priority"));
    if context.is_empty() || exten.is_empty() {
        return act.error("Context and Extension must be provided for DialplanExtensionRemove");
    }
    let profile = Arc::make_mut(&mut act.pbx.profile);
    let here = |one: &Extension| one.exten == exten && one.contexts.contains(&context);
    let Some(at) = profile.extensions.iter().position(here) else {
        return act.error(REFUSED);
    };
    if priority.is_empty() {
        profile.extensions.remove(at);
        profile
            .hints
            .retain(|hint| hint.context != context || hint.exten != exten);
        return act.success("Removed the requested extension");
    }
    let steps = &mut profile.extensions[at].steps;
    // Only the last one can go without leaving a gap.
    if priority.parse() != Ok(steps.len()) {
        return act.error(REFUSED);
    }
    steps.pop();
    act.success("Removed the requested priority from the extension");
}

/// No channel of the model runs AsyncAGI.
fn agi(act: &mut Act<'_>) {
    let (name, command) = (act.request.text("Channel"), act.request.text("Command"));
    if name.is_empty() || command.is_empty() {
        return act.error("Both, Channel and Command are *required*");
    }
    match act.pbx.find_channel(&name) {
        None => act.error(&format!("Channel {name} does not exist.")),
        Some(key) => {
            let full = act.pbx.channels[&key].name.clone();
            act.error(&format!(
                "Failed to add AGI command to channel {full} queue"
            ));
        }
    }
}

fn aoc_message(act: &mut Act<'_>) {
    let (name, part) = (
        act.request.text("Channel"),
        act.request.text("ChannelPrefix"),
    );
    if name.is_empty() && part.is_empty() {
        return act
            .error("Channel and PartialChannel are not specified. Specify at least one of these.");
    }
    match act.pbx.find_channel(&name) {
        None => act.error("No such channel"),
        Some(_) if act.request.text("MsgType").is_empty() => act.error("Invalid MsgType"),
        Some(_) => act.error("Not simulated"),
    }
}

/// Nobody is there who could take a message.
fn message_send(act: &mut Act<'_>) {
    if act.request.text("To").is_empty() {
        act.error("No 'To' address specified.");
    } else {
        act.error("Message failed to send.");
    }
}
