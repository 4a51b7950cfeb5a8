//! What goes wrong with answers: they end the session, come in another order, belong to nobody, or never come.

use super::super::Row;
use super::super::parcel::{On, Parcel, Then};
use super::greeting::odd_event;
use super::rewrite;
use crate::text::Text;

/// An ActionID that no client sends.
const FOREIGN_ID: &str = "nobody-0-0";
/// Events that pour in before an answer.
const FLOOD: usize = 100_000;

pub(super) const ROWS: &[Row] = &[
    rewrite(
        "wire.half-open",
        6,
        "from the first action after the login on nothing is said, and nothing closed",
        On::FirstAnswer,
        |parcel| instead(parcel, Then::Silence),
    ),
    rewrite(
        "wire.half-close",
        7,
        "ends its own direction behind the first answer, and reads on",
        On::FirstAnswer,
        |parcel| parcel.then = Then::HalfClose,
    ),
    rewrite(
        "reset.after-answer",
        8,
        "ends with RST behind the first answer",
        On::FirstAnswer,
        |parcel| parcel.then = Then::Reset,
    ),
    rewrite(
        "reset.in-answer",
        9,
        "ends with RST in the middle of the first answer",
        On::FirstAnswer,
        |parcel| {
            halve(parcel);
            parcel.then = Then::Reset;
        },
    ),
    rewrite(
        "reset.instead",
        9,
        "ends with RST in place of the first answer",
        On::FirstAnswer,
        |parcel| instead(parcel, Then::Reset),
    ),
    rewrite(
        "close.farewell",
        11,
        "says goodbye in place of the first answer, and closes",
        On::FirstAnswer,
        |parcel| {
            parcel.texts = vec![Text::new(&[
                "Response: Goodbye",
                "Message: Thanks for all the fish.",
            ])];
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "close.in-answer",
        12,
        "closes in the middle of the first answer",
        On::FirstAnswer,
        |parcel| {
            halve(parcel);
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "answer.then-close",
        31,
        "closes behind the first answer",
        On::FirstAnswer,
        |parcel| parcel.then = Then::Fin,
    ),
    rewrite(
        "answer.error-then-close",
        31,
        "answers the first action with an error, and closes",
        On::FirstAnswer,
        |parcel| {
            parcel.texts.truncate(1);
            parcel.each(|text| {
                text.set("Response", "Error");
                text.set("Message", "Permission denied");
            });
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "answer.close-instead",
        31,
        "closes in place of the first answer",
        On::FirstAnswer,
        |parcel| instead(parcel, Then::Fin),
    ),
    rewrite(
        "answer.none",
        31,
        "answers nothing after the login; events come",
        On::Answers,
        |parcel| parcel.nothing(),
    ),
    rewrite(
        "answer.twice",
        27,
        "gives every answer twice",
        On::Answers,
        |parcel| parcel.texts.extend_from_within(..),
    ),
    rewrite(
        "answer.torn",
        24,
        "the first answer stops in the middle of a line, where the next message goes on",
        On::FirstAnswer,
        halve,
    ),
    rewrite(
        "answer.swapped",
        25,
        "keeps every other answer back until the next is given",
        On::Answers,
        |parcel| {
            let held = std::mem::take(&mut parcel.memory.held);
            if held.is_empty() {
                parcel.memory.held = std::mem::take(&mut parcel.texts);
            } else {
                parcel.texts.extend(held);
            }
        },
    ),
    rewrite(
        "id.missing",
        26,
        "answers bear no ActionID",
        On::Answers,
        |parcel| parcel.each(|text| text.remove("ActionID")),
    ),
    rewrite(
        "id.previous",
        27,
        "every answer bears the ActionID of the one before",
        On::Answers,
        |parcel| {
            let id = parcel.action_id();
            let last = std::mem::replace(&mut parcel.memory.last_id, id);
            if !last.is_empty() {
                parcel.each(|text| text.change("ActionID", &last));
            }
        },
    ),
    rewrite(
        "id.foreign",
        28,
        "answers bear an ActionID that nobody sent",
        On::Answers,
        |parcel| parcel.each(|text| text.change("ActionID", FOREIGN_ID)),
    ),
    rewrite(
        "id.case",
        28,
        "answers bear the ActionID in capitals",
        On::Answers,
        |parcel| edit_id(parcel, |id| id.to_ascii_uppercase()),
    ),
    rewrite(
        "id.cut",
        28,
        "answers bear the first half of the ActionID",
        On::Answers,
        |parcel| edit_id(parcel, |id| id[..id.len() / 2].to_vec()),
    ),
    rewrite(
        "id.longer",
        28,
        "answers bear the ActionID with a colon and a blank behind it",
        On::Answers,
        |parcel| edit_id(parcel, |id| [id, b": "].concat()),
    ),
    rewrite(
        "list.event-inside",
        29,
        "an event comes between the answer that opens a list and its items",
        On::Answers,
        |parcel| {
            if opens_list(parcel) {
                parcel.texts.insert(1, odd_event());
            }
        },
    ),
    rewrite(
        "output.event-inside",
        29,
        "an event comes in the middle of the first answer",
        On::FirstAnswer,
        |parcel| {
            let mut lines: Vec<Vec<u8>> = parcel
                .bytes()
                .split_inclusive(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect();
            lines.insert(lines.len() / 2, odd_event().0);
            parcel.say(lines.concat());
        },
    ),
    rewrite(
        "list.late-opening",
        30,
        "the items of a list come before the answer that opens it",
        On::Answers,
        |parcel| {
            if opens_list(parcel) {
                let (opening, end) = (parcel.texts.remove(0), parcel.texts.len() - 1);
                parcel.texts.insert(end, opening);
            }
        },
    ),
    rewrite(
        "list.early-end",
        30,
        "the end of a list comes before its items",
        On::Answers,
        |parcel| {
            if opens_list(parcel) {
                let end = parcel.texts.pop().expect("a list has an end");
                parcel.texts.insert(1, end);
            }
        },
    ),
    rewrite(
        "list.count-wrong",
        30,
        "the end of a list counts one item too many",
        On::Answers,
        |parcel| {
            parcel.each(|text| {
                if let Ok(count) = text.text("ListItems").parse::<u64>() {
                    text.set("ListItems", (count + 1).to_string());
                }
            });
        },
    ),
    rewrite(
        "list.interleaved",
        30,
        "each message of a list comes twice, once for an ActionID that nobody sent",
        On::Answers,
        |parcel| {
            if opens_list(parcel) {
                let doubled = parcel.texts.drain(..).flat_map(|text| {
                    let mut other = text.clone();
                    other.change("ActionID", FOREIGN_ID);
                    [other, text]
                });
                parcel.texts = doubled.collect();
            }
        },
    ),
    rewrite(
        "list.unfinished",
        19,
        "lists have no end",
        On::Answers,
        |parcel| parcel.texts.retain(|text| !text.closes_list()),
    ),
    rewrite(
        "endless.list",
        19,
        "the items of a list do not end",
        On::Answers,
        |parcel| {
            if opens_list(parcel) {
                let id = String::from_utf8_lossy(&parcel.action_id()).into_owned();
                let item = Text::new(&["Event: Item", &format!("ActionID: {id}")]);
                parcel.texts.truncate(1);
                parcel.then = Then::Endless(item.0.repeat(1000));
            }
        },
    ),
    rewrite(
        "flood.answer",
        33,
        "100,000 events come before the first answer",
        On::FirstAnswer,
        |parcel| {
            parcel
                .texts
                .splice(..0, vec![odd_event(); FLOOD])
                .for_each(drop)
        },
    ),
    rewrite(
        "flood.endless",
        20,
        "events without end come behind the first answer",
        On::FirstAnswer,
        |parcel| parcel.then = Then::Endless(odd_event().0.repeat(1000)),
    ),
];

fn instead(parcel: &mut Parcel<'_>, then: Then) {
    parcel.nothing();
    parcel.then = then;
}

fn halve(parcel: &mut Parcel<'_>) {
    let bytes = parcel.bytes();
    parcel.say(&bytes[..bytes.len() / 2]);
}

fn opens_list(parcel: &Parcel<'_>) -> bool {
    parcel.texts.len() > 1 && parcel.texts[0].opens_list()
}

fn edit_id(parcel: &mut Parcel<'_>, edit: impl Fn(&[u8]) -> Vec<u8>) {
    parcel.each(|text| {
        if let Some(id) = text.get("ActionID").map(&edit) {
            text.set("ActionID", id);
        }
    });
}
