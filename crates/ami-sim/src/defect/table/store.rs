//! Defects of what a PBX keeps: states, queues, its database, its configuration.

use super::super::{Row, Turn};
use super::{action, answer};

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "state.extension.unknown-error",
            "call.state.unknown-extension",
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
            "list.queue.unknown-is-empty",
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
            "response.database.round-trip",
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
            "error.config.outside",
            "GetConfig reads any file",
        ),
        |turn| reads_anything(turn, "GetConfig"),
    ),
    answer(
        (
            "config.listcategories.anywhere",
            "error.config.categories-outside",
            "ListCategories reads any file",
        ),
        |turn| reads_anything(turn, "ListCategories"),
    ),
    answer(
        (
            "config.modulecheck.always",
            "response.module.check",
            "every module is loaded",
        ),
        |turn| {
            if turn.is("ModuleCheck") && turn.says("not loaded") {
                turn.answer("Success", "Module is loaded");
            }
        },
    ),
    answer(
        (
            "queue.summary.short",
            "queue.status.counts-members",
            "QueueSummary leaves out a queue",
        ),
        |turn| {
            if turn.is("QueueSummary") && turn.is_list() {
                turn.texts.remove(1);
                let items = turn.texts.iter().filter(|text| text.is_item()).count();
                turn.each(|text| text.change("ListItems", items.to_string()));
            }
        },
    ),
    action(
        (
            "queue.add.feigned",
            "queue.member.added-and-removed",
            "QueueAdd says that it did, and did not",
        ),
        |turn| {
            if turn.is("QueueAdd") {
                turn.answer("Success", "Added interface to queue");
            }
        },
    ),
    action(
        (
            "queue.pause.feigned",
            "queue.member.paused",
            "QueuePause says that it did, and did not",
        ),
        |turn| {
            if turn.is("QueuePause") {
                turn.answer("Success", "Interface paused successfully");
            }
        },
    ),
    answer(
        (
            "queue.add.nowhere",
            "queue.refusal.no-queue",
            "a QueueAdd without a Queue is a success",
        ),
        |turn| {
            if turn.is("QueueAdd") && turn.asks("Queue").is_empty() {
                turn.excuse("");
            }
        },
    ),
    answer(
        (
            "queue.add.unknown-success",
            "queue.refusal.unknown-queue",
            "a QueueAdd to a queue that does not exist is a success",
        ),
        |turn| {
            if turn.is("QueueAdd") && !turn.asks("Queue").is_empty() {
                turn.excuse("");
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
