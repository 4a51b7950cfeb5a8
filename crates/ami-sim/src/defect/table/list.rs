//! Defects of event lists, and of answers that are no messages.

use super::super::{Row, Turn};
use super::answer;
use crate::text::Text;

/// Items that a cut list keeps.
const CUT_ITEMS: usize = 2;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "list.start.missing",
            "list.start.announced",
            "the answer that opens a list does not say so",
        ),
        |turn| turn.responses(|text| text.remove("EventList")),
    ),
    answer(
        (
            "list.complete.missing",
            "list.end.comes",
            "lists have no end",
        ),
        |turn| turn.texts.retain(|text| !text.closes_list()),
    ),
    answer(
        (
            "list.items.count-wrong",
            "list.count.matches",
            "lists count one item too many",
        ),
        |turn| count_wrong(turn, "ListItems"),
    ),
    answer(
        (
            "list.items.other-count",
            "list.count.other-counts-agree",
            "Items and ListItems differ",
        ),
        |turn| count_wrong(turn, "Items"),
    ),
    answer(
        (
            "list.complete.renamed",
            "list.end.named",
            "lists end with an event of another name",
        ),
        |turn| {
            for text in turn.texts.iter_mut().filter(|text| text.closes_list()) {
                text.set("Event", "ListIsOver");
            }
        },
    ),
    answer(
        (
            "list.empty.unended",
            "list.items.none-is-a-list",
            "a list without items has no end",
        ),
        |turn| {
            if is_empty(turn) {
                turn.texts.truncate(1);
            }
        },
    ),
    answer(
        (
            "list.empty.error",
            "list.empty.as-error",
            "a list without items is an error",
        ),
        |turn| {
            if is_empty(turn) {
                turn.answer("Error", "No items found");
            }
        },
    ),
    answer(
        (
            "list.items.masked",
            "list.items.despite-mask",
            "a session without events gets no items",
        ),
        |turn| {
            if turn.is_list() && turn.session.mask.is_empty() {
                turn.texts.retain(|text| !text.is_item());
            }
        },
    ),
    answer(
        (
            "list.items.cut",
            "list.count.matches",
            "a list ends after two items, and counts all",
        ),
        |turn| {
            if turn.is_list() && turn.texts.len() > CUT_ITEMS + 2 {
                let end = turn.texts.len() - 1;
                turn.texts.drain(1 + CUT_ITEMS..end);
            }
        },
    ),
    answer(
        (
            "list.items.other-spelling",
            "call.list.field-names",
            "channels are told with other field names",
        ),
        |turn| turn.each(|text| text.rename("ChannelStateDesc", "State")),
    ),
    answer(
        (
            "list.items.line-feed",
            "framing.output.crlf",
            "the end of a list has an LF inside its last line",
        ),
        |turn| {
            for text in turn.texts.iter_mut().filter(|text| text.closes_list()) {
                let end = text.0.len().saturating_sub(4);
                text.0.insert(end, b'\n');
            }
        },
    ),
    answer(
        (
            "raw.queues.framed",
            "queue.text.form",
            "Queues is answered with headers",
        ),
        |turn| {
            if turn.is("Queues") {
                turn.answer("Success", "Queues will follow");
            }
        },
    ),
    answer(
        (
            "raw.queuerule.blank-lines",
            "queue.text.rules",
            "one more empty line ends the answer to QueueRule",
        ),
        |turn| {
            if turn.is("QueueRule") {
                turn.each(|text| text.0.extend_from_slice(b"\r\n"));
            }
        },
    ),
    answer(
        ("list.complete.doubled", "list.end.once", "lists end twice"),
        |turn| {
            if let Some(end) = turn.texts.last().filter(|text| text.closes_list()) {
                turn.texts.push(Text(end.0.clone()));
            }
        },
    ),
    answer(
        (
            "list.items.stranger",
            "list.items.one-piece",
            "an event comes inside the list of BridgeList",
        ),
        |turn| {
            if turn.is("BridgeList") && turn.is_list() {
                let event = Text::new(&["Event: UserEvent", "Privilege: user,all"]);
                turn.texts.insert(1, event);
            }
        },
    ),
    answer(
        (
            "list.items.filtered",
            "list.items.despite-filter",
            "a session with a filter gets no items",
        ),
        |turn| {
            if turn.is("Filter") {
                turn.notes().count = 1;
            } else if turn.is_list() && turn.notes().count == 1 {
                turn.texts.retain(|text| !text.is_item());
            }
        },
    ),
];

fn is_empty(turn: &Turn<'_>) -> bool {
    turn.is_list() && !turn.texts.iter().any(Text::is_item)
}

fn count_wrong(turn: &mut Turn<'_>, name: &str) {
    turn.each(|text| {
        if let Ok(count) = text.text(name).parse::<u64>() {
            text.set(name, (count + 1).to_string());
        }
    });
}
