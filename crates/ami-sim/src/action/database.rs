//! DBGet, DBGetTree, DBPut, DBDel, DBDelTree.

use crate::action::{Act, Handler};
use crate::message::{Headers, IdBuffer};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("DBGet", get),
    ("DBGetTree", get_tree),
    ("DBPut", put),
    ("DBDel", delete),
    ("DBDelTree", delete_tree),
];

const ABSENT: &str = "Database entry not found";

/// The family and key of a request that must name both; DBPut complains without a full stop.
fn names(act: &mut Act<'_>, end: &str) -> Option<(String, String)> {
    let (family, key) = (act.request.text("Family"), act.request.text("Key"));
    for (name, value) in [("family", &family), ("key", &key)] {
        if value.is_empty() {
            act.error(&format!("No {name} specified{end}"));
            return None;
        }
    }
    Some((family, key))
}

fn get(act: &mut Act<'_>) {
    let Some((family, key)) = names(act, ".") else {
        return;
    };
    let Some(value) = act.pbx.database.get(&family, &key).map(str::to_owned) else {
        return act.error(ABSENT);
    };
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Result will follow"));
    let item = Headers::event("DBGetResponse")
        .with("Family", family)
        .with("Key", key)
        .with("Val", value);
    act.answer(item.with_id_in(IdBuffer::List, id));
    act.answer(Headers::list_complete("DBGetComplete", id, 1));
}

fn get_tree(act: &mut Act<'_>) {
    let (family, key) = (act.request.text("Family"), act.request.text("Key"));
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Result will follow"));
    let mut count = 0;
    for (path, value) in act.pbx.database.tree(&family, &key) {
        count += 1;
        let item = Headers::event("DBGetTreeResponse")
            .with("Key", path)
            .with("Val", value);
        act.session.answer(item.with_id_in(IdBuffer::List, id));
    }
    if !act.pbx.profile.base.counts_tree_entries() {
        count = 1;
    }
    act.answer(Headers::list_complete("DBGetTreeComplete", id, count));
}

fn put(act: &mut Act<'_>) {
    let Some((family, key)) = names(act, "") else {
        return;
    };
    let value = act.request.text("Val");
    if act.pbx.database.put(&family, &key, &value) {
        act.success("Updated database successfully");
    } else {
        act.error("Failed to update entry");
    }
}

fn delete(act: &mut Act<'_>) {
    let Some((family, key)) = names(act, ".") else {
        return;
    };
    if act.pbx.database.delete(&family, &key) {
        act.success("Key deleted successfully");
    } else {
        act.error("Database entry could not be deleted");
    }
}

fn delete_tree(act: &mut Act<'_>) {
    let (family, key) = (act.request.text("Family"), act.request.text("Key"));
    if family.is_empty() {
        return act.error("No family specified.");
    }
    match act.pbx.database.delete_tree(&family, &key) {
        0 => act.error(ABSENT),
        _ => act.success("Key tree deleted successfully"),
    }
}
