//! Defects of event lists, and of answers that are no messages.

use super::super::{Row, Turn};
use super::answer;
use crate::text::Text;

/// Items that a cut list keeps.
const CUT_ITEMS: usize = 20;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "list.start.missing",
            "list.start",
            "the answer that opens a list does not say so",
        ),
        |turn| turn.responses(|text| text.remove("EventList")),
    ),
    answer(
        (
            "list.complete.missing",
            "list.complete",
            "lists have no end",
        ),
        |turn| turn.texts.retain(|text| !text.closes_list()),
    ),
    answer(
        (
            "list.items.count-wrong",
            "list.count",
            "lists count one item too many",
        ),
        |turn| count_wrong(turn, "ListItems"),
    ),
    answer(
        (
            "list.items.other-count",
            "list.legacy-count",
            "Items and ListItems differ",
        ),
        |turn| count_wrong(turn, "Items"),
    ),
    answer(
        (
            "list.complete.renamed",
            "list.legacy-complete-name",
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
            "list.empty",
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
            "list.empty-as-error",
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
            "list.bypasses-filter",
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
            "list.large",
            "a list ends after 20 items, and counts all",
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
            "list.channel-field-names",
            "channels are told with other field names",
        ),
        |turn| turn.each(|text| text.rename("ChannelStateDesc", "State")),
    ),
    answer(
        (
            "list.items.line-feed",
            "list.embedded-lf",
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
            "raw.queues",
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
            "raw.queuerule-double-blank",
            "one more empty line ends the answer to QueueRule",
        ),
        |turn| {
            if turn.is("QueueRule") {
                turn.each(|text| text.0.extend_from_slice(b"\r\n"));
            }
        },
    ),
    answer(
        (
            "raw.sipshowpeer.garbage",
            "raw.sipshowpeer",
            "SIPshowpeer is answered with lines that are no headers",
        ),
        |turn| {
            if turn.is("SIPshowpeer") {
                turn.each(|text| text.edit_lines(|lines| lines.push(b"and more\r\n".to_vec())));
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
