//! Defects of what a PBX keeps: states, queues, its database, its configuration.

use super::super::{Row, Turn};
use super::answer;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "state.extension.unknown-error",
            "state.extension.unknown",
            "the state of an unknown extension is an error",
        ),
        |turn| {
            let unknown = turn
                .texts
                .first()
                .is_some_and(|text| text.has("Status", "-1"));
            if turn.is("ExtensionState") && unknown {
                turn.answer("Error", "No such extension");
            }
        },
    ),
    answer(
        (
            "queue.status.unknown-error",
            "queue.status.unknown",
            "the status of an unknown queue is an error",
        ),
        |turn| {
            if turn.is("QueueStatus") && !turn.texts.iter().any(|text| text.is("QueueParams")) {
                turn.answer("Error", "No such queue");
            }
        },
    ),
    answer(
        (
            "db.value.cut",
            "db.roundtrip",
            "values of the database end at a colon",
        ),
        |turn| {
            if turn.is("DBGet") {
                turn.each(|text| {
                    let value = text.text("Val");
                    if let Some((head, _)) = value.split_once(':') {
                        text.change("Val", head);
                    }
                });
            }
        },
    ),
    answer(
        (
            "config.getconfig.anywhere",
            "config.getconfig.outside",
            "GetConfig reads any file",
        ),
        |turn| reads_anything(turn, "GetConfig"),
    ),
    answer(
        (
            "config.listcategories.anywhere",
            "config.listcategories.outside",
            "ListCategories reads any file",
        ),
        |turn| reads_anything(turn, "ListCategories"),
    ),
    answer(
        (
            "config.modulecheck.always",
            "config.modulecheck",
            "every module is loaded",
        ),
        |turn| {
            if turn.is("ModuleCheck") && turn.is_error() {
                turn.answer("Success", "Module is loaded");
            }
        },
    ),
];

fn reads_anything(turn: &mut Turn<'_>, action: &str) {
    if turn.is(action) && turn.asks("Filename").contains('/') {
        turn.answer("Success", "Category follows");
        turn.each(|text| text.add("Category-000000", "root"));
    }
}
