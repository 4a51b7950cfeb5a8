//! Defects in how requests are read and answers are framed.

use super::super::turn::is_header;
use super::super::{Course, Row, Turn};
use super::{action, answer, event, input};
use crate::request::Damage;
use crate::text::Text;

/// Less than a line may have.
const SHORT_LINE: usize = 1000;

pub(super) const ROWS: &[Row] = &[
    input(
        (
            "framing.terminator.crlf-ignored",
            "framing.terminator.crlf",
            "CRLF does not end a line",
        ),
        |incoming| {
            let mut last = incoming.session.notes().last.unwrap_or(b' ');
            incoming.bytes.retain(|byte| {
                let kept = !(*byte == b'\n' && last == b'\r');
                last = *byte;
                kept
            });
            incoming.session.notes().last = Some(last);
        },
    ),
    input(
        (
            "framing.terminator.lf-ignored",
            "framing.terminator.lf",
            "LF alone does not end a line",
        ),
        |incoming| {
            let mut last = incoming.session.notes().last.unwrap_or(b' ');
            incoming.bytes.retain(|byte| {
                let kept = *byte != b'\n' || last == b'\r';
                last = *byte;
                kept
            });
            incoming.session.notes().last = Some(last);
        },
    ),
    input(
        (
            "framing.terminator.mixed-ignored",
            "framing.terminator.mixed",
            "LF alone does not end a line in a message that has CRLF",
        ),
        |incoming| {
            let mixed = incoming.bytes.windows(2).any(|pair| pair == b"\r\n");
            // What begins with LF was cut between the two.
            let mut last = b'\r';
            incoming.bytes.retain(|byte| {
                let kept = !mixed || *byte != b'\n' || last == b'\r';
                last = *byte;
                kept
            });
        },
    ),
    input(
        (
            "framing.terminator.cr-ends",
            "framing.terminator.bare-cr",
            "CR alone ends a line",
        ),
        |incoming| {
            let bytes = std::mem::take(&mut incoming.bytes);
            for (at, byte) in bytes.iter().enumerate() {
                incoming.bytes.push(*byte);
                if *byte == b'\r' && bytes.get(at + 1).is_some_and(|next| *next != b'\n') {
                    incoming.bytes.push(b'\n');
                }
            }
        },
    ),
    answer(
        (
            "framing.output.lf",
            "framing.output.crlf",
            "lines of answers end with LF alone",
        ),
        |turn| turn.each(|text| text.replace(b"\r\n", b"\n")),
    ),
    answer(
        (
            "framing.output.empty-messages",
            "framing.output.one-empty-line",
            "two empty lines end an answer",
        ),
        |turn| turn.each(|text| text.0.extend_from_slice(b"\r\n")),
    ),
    action(
        (
            "framing.line.short",
            "limit.line.1022",
            "lines over 1,000 bytes are too long",
        ),
        |turn| {
            if turn.request.lines().any(|line| line.len() > SHORT_LINE) {
                turn.request.set_damage(Damage::LineTooLong);
            }
        },
    ),
    action(
        (
            "framing.line.overflow-ends",
            "limit.line.longer-is-error",
            "a line that is too long ends the session",
        ),
        |turn| end_at(turn, Damage::LineTooLong),
    ),
    answer(
        (
            "framing.line.overflow-doubled",
            "limit.line.longer-is-error",
            "a line that is too long is answered twice",
        ),
        |turn| {
            if turn.request.damage() == Damage::LineTooLong {
                turn.texts.extend_from_within(..);
            }
        },
    ),
    action(
        (
            "framing.line.overflow-dropped",
            "limit.line.longer-is-error",
            "a line that is too long is dropped without a word",
        ),
        |turn| {
            if turn.request.damage() == Damage::LineTooLong {
                turn.request.set_damage(Damage::None);
            }
        },
    ),
    answer(
        (
            "framing.line.overflow-nameless",
            "limit.line.action-id",
            "the answer to a line that is too long bears no ActionID",
        ),
        |turn| {
            if turn.request.damage() == Damage::LineTooLong {
                turn.each(|text| text.remove("ActionID"));
            }
        },
    ),
    action(
        (
            "framing.headers.few",
            "limit.headers.128",
            "a message may have 127 headers",
        ),
        |turn| {
            if turn.request.lines().count() > 127 {
                turn.request.set_damage(Damage::TooManyLines);
            }
        },
    ),
    action(
        (
            "framing.headers.overflow-ends",
            "limit.headers.more-are-an-error",
            "too many headers end the session",
        ),
        |turn| end_at(turn, Damage::TooManyLines),
    ),
    action(
        (
            "framing.headers.garbage-refused",
            "header.line.without-colon",
            "a line without a colon is an error",
        ),
        |turn| {
            if turn.request.lines().any(|line| !line.contains(&b':')) {
                turn.answer("Error", "Malformed message");
            }
        },
    ),
    action(
        (
            "framing.key.case-sensitive",
            "header.name.any-case",
            "keys are known in their usual case alone",
        ),
        |turn| {
            turn.edit_request(|lines| {
                lines.retain(|line| {
                    line.first().is_some_and(u8::is_ascii_uppercase) && !line.starts_with(b"ACTION")
                });
            });
        },
    ),
    action(
        (
            "framing.key.leading-blank",
            "header.name.leading-space",
            "blanks before a key do not count",
        ),
        |turn| edit_lines(turn, |line| line.trim_ascii_start().to_vec()),
    ),
    action(
        (
            "framing.key.trailing-blank",
            "header.name.space-before-colon",
            "blanks behind a key do not count",
        ),
        |turn| {
            edit_lines(turn, |line| {
                let mut text = Text(line.to_vec());
                text.replace(b" :", b":");
                text.0
            });
        },
    ),
    action(
        (
            "framing.value.blank-needed",
            "header.value.no-space",
            "a header without a blank behind its colon does not count",
        ),
        |turn| {
            turn.edit_request(|lines| {
                lines.retain(|line| line.windows(2).any(|pair| pair == b": "))
            });
        },
    ),
    action(
        (
            "framing.value.tabs-kept",
            "header.value.tabs",
            "tabs before a value belong to it",
        ),
        |turn| {
            edit_lines(turn, |line| {
                let mut text = Text(line.to_vec());
                text.replace(b"\t", b"\\t");
                text.0
            });
        },
    ),
    action(
        (
            "framing.value.trimmed",
            "header.value.trailing-space",
            "blanks behind a value do not count",
        ),
        |turn| edit_lines(turn, |line| line.trim_ascii_end().to_vec()),
    ),
    action(
        (
            "framing.action.case-sensitive",
            "header.action.any-case",
            "actions are known in their usual case alone",
        ),
        |turn| {
            let asked = turn.asks("Action");
            if !turn.pbx.profile.commands.names().any(|name| name == asked) {
                turn.ask_instead("Action", &format!("{asked}?"));
            }
        },
    ),
    action(
        (
            "framing.dup.last-wins",
            "header.duplicate.first-wins",
            "of equal keys the last one counts",
        ),
        |turn| turn.edit_request(|lines| lines.reverse()),
    ),
    action(
        (
            "framing.dup.empty-action-counts",
            "header.duplicate.empty-is-skipped",
            "an empty Action counts",
        ),
        |turn| {
            if turn.request.bytes("Action").is_empty() {
                turn.forget_header("Action");
            }
        },
    ),
    action(
        (
            "framing.empty.ignored",
            "framing.empty.one-error",
            "an empty line alone gets no answer",
        ),
        |turn| {
            if turn.request.lines().next().is_none() {
                turn.course = Course::Answered;
            }
        },
    ),
    answer(
        (
            "framing.empty.joined",
            "framing.empty.as-many-errors",
            "several empty lines get one answer",
        ),
        |turn| {
            let empty = turn.request.lines().next().is_none();
            let before = std::mem::replace(&mut turn.notes().count, u64::from(empty));
            if empty && before == 1 {
                turn.texts.clear();
            }
        },
    ),
    input(
        (
            "framing.nul.dropped",
            "framing.nul.cuts-value",
            "NUL does not count",
        ),
        |incoming| incoming.bytes.retain(|byte| *byte != 0),
    ),
    input(
        (
            "framing.nul.blank",
            "framing.nul.at-start",
            "NUL at the start of a line is a blank",
        ),
        |incoming| {
            for at in 0..incoming.bytes.len() {
                if incoming.bytes[at] == 0 && (at == 0 || incoming.bytes[at - 1] == b'\n') {
                    incoming.bytes[at] = b' ';
                }
            }
        },
    ),
    answer(
        (
            "framing.8bit.lost",
            "framing.bytes.transparent",
            "answers have question marks for bytes over 127",
        ),
        |turn| {
            turn.each(|text| {
                for byte in text.0.iter_mut().filter(|byte| !byte.is_ascii()) {
                    *byte = b'?';
                }
            });
        },
    ),
    input(
        (
            "framing.split.lost",
            "framing.split.single-bytes",
            "a byte that comes alone is lost",
        ),
        |incoming| {
            if incoming.bytes.len() == 1 {
                incoming.bytes.clear();
            }
        },
    ),
    answer(
        (
            "framing.pipeline.swapped",
            "framing.pipeline.order",
            "actions of one write are answered in another order",
        ),
        |turn| {
            let held = std::mem::take(&mut turn.notes().held);
            if held.is_empty() && turn.waiting > 0 {
                turn.notes().held = std::mem::take(&mut turn.texts);
            } else {
                turn.texts.extend(held);
            }
        },
    ),
    answer(
        (
            "framing.pipeline.torn-list",
            "framing.pipeline.mixed",
            "the end of a list comes behind the answer to the next action of the same write",
        ),
        |turn| {
            let held = std::mem::take(&mut turn.notes().held);
            if turn.is_list() && turn.waiting > 0 {
                turn.notes().held = turn.texts.pop().into_iter().collect();
            }
            turn.texts.extend(held);
        },
    ),
    answer(
        (
            "framing.pipeline.event-inside",
            "framing.pipeline.no-event-inside",
            "an event comes inside a list",
        ),
        |turn| {
            if turn.is_list() {
                let event = Text::new(&[
                    "Event: UserEvent",
                    "Privilege: user,all",
                    "UserEvent: Inside",
                ]);
                turn.texts.insert(1, event);
            }
        },
    ),
    event(
        (
            "framing.output.event-lf",
            "framing.output.crlf",
            "lines of events end with LF alone",
        ),
        |telling| {
            telling
                .texts
                .iter_mut()
                .for_each(|text| text.replace(b"\r\n", b"\n"))
        },
    ),
    answer(
        (
            "framing.line.edge-once",
            "limit.line.edge",
            "a line that just does not fit is one error, where stock Asterisk has two",
        ),
        |turn| {
            let too_long = turn.request.damage() == Damage::LineTooLong;
            let rest = turn.request.lines().next().is_none();
            let before = std::mem::replace(&mut turn.notes().count, u64::from(too_long));
            if rest && before == 1 {
                turn.texts.clear();
            }
        },
    ),
    action(
        (
            "framing.headers.fewer",
            "limit.headers.100",
            "a message may have 99 headers",
        ),
        |turn| {
            if turn.request.lines().count() > 99 {
                turn.request.set_damage(Damage::TooManyLines);
            }
        },
    ),
    action(
        (
            "framing.headers.unknown-refused",
            "header.unknown.ignored",
            "a header that nobody knows is an error",
        ),
        |turn| {
            if !turn.asks("NoSuchHeader").is_empty() {
                turn.answer("Error", "Unknown header");
            }
        },
    ),
    action(
        (
            "framing.action.late",
            "header.action.not-first",
            "an Action behind two other headers does not count",
        ),
        |turn| {
            let is_action = |line| is_header(line, "Action");
            let place = turn.request.lines().position(is_action);
            if place > Some(1) {
                turn.forget_header("Action");
            }
        },
    ),
];

fn end_at(turn: &mut Turn<'_>, damage: Damage) {
    if turn.request.damage() == damage {
        turn.answer("Error", "Too much");
        turn.session.close();
    }
}

fn edit_lines(turn: &mut Turn<'_>, edit: impl Fn(&[u8]) -> Vec<u8>) {
    turn.edit_request(|lines| {
        for line in lines {
            *line = edit(line);
        }
    });
}
