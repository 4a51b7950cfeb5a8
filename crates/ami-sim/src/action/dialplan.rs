//! ShowDialPlan.

use crate::action::{Act, Handler};
use crate::dialplan_list::{ListedContext, ListedExtension, contexts};
use crate::message::{Headers, IdBuffer};

pub(super) const HANDLERS: &[(&str, Handler)] = &[("ShowDialPlan", show_dialplan)];

const REGISTRAR: &str = "pbx_config";

#[derive(Default)]
struct Counts {
    items: usize,
    extensions: usize,
    priorities: usize,
    contexts: usize,
}

fn show_dialplan(act: &mut Act<'_>) {
    let (context, exten) = (act.request.text("Context"), act.request.text("Extension"));
    let profile = std::sync::Arc::clone(&act.pbx.profile);
    let listed = contexts(&profile);
    let chosen: Vec<&ListedContext<'_>> = listed
        .iter()
        .filter(|listed| context.is_empty() || listed.name == context)
        .collect();
    if chosen.is_empty() {
        return act.error(&format!("Did not find context {context}"));
    }
    let wanted = |listed: &ListedExtension<'_>| exten.is_empty() || listed.exten == exten;
    if !chosen.iter().any(|one| one.extensions.iter().any(wanted)) {
        return act.error(&format!("Did not find extension {exten}@{context}"));
    }
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "DialPlan list will follow"));
    let mut counts = Counts::default();
    for context in chosen {
        counts.contexts += 1;
        for extension in context.extensions.iter().filter(|one| wanted(one)) {
            show_extension(act, context.name, extension, &mut counts);
        }
        for include in context.includes {
            if exten.is_empty() {
                counts.items += 1;
                let item = Headers::event("ListDialplan")
                    .with_id_in(IdBuffer::List, id)
                    .with("Context", context.name)
                    .with("IncludeContext", include);
                act.answer(item.with("Registrar", REGISTRAR));
            } else {
                // It was searched too.
                counts.contexts += 1;
            }
        }
    }
    let complete = Headers::list_complete("ShowDialPlanComplete", id, counts.items);
    act.answer(
        complete
            .with_display("ListExtensions", counts.extensions)
            .with_display("ListPriorities", counts.priorities)
            .with_display("ListContexts", counts.contexts),
    );
}

fn show_extension(
    act: &mut Act<'_>,
    context: &str,
    extension: &ListedExtension<'_>,
    counts: &mut Counts,
) {
    let id = act.request.action_id();
    let head = || {
        Headers::event("ListDialplan")
            .with_id_in(IdBuffer::List, id)
            .with("Context", context)
            .with("Extension", extension.exten)
    };
    if let Some(hint) = extension.hint {
        let item = head().with("Priority", "hint").with("Application", hint);
        act.answer(item.with("Registrar", REGISTRAR));
    }
    for (at, step) in extension.steps.iter().enumerate() {
        let item = head()
            .with_display("Priority", at + 1)
            .with("Application", &step.application)
            .with("AppData", &step.data);
        act.answer(item.with("Registrar", REGISTRAR));
    }
    counts.extensions += 1;
    counts.priorities += extension.priorities();
    counts.items += extension.priorities();
}
