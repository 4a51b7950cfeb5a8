//! Defects of responses and their ActionIDs.

use super::super::{Row, Turn};
use super::{action, answer};
use crate::message::IdBuffer;
use crate::text::{Text, contains};

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "response.first-header.last",
            "framing.output.begins-with-kind",
            "the Response header stands last",
        ),
        |turn| turn.responses(|text| text.edit_lines(|lines| lines.rotate_left(1))),
    ),
    answer(
        (
            "response.error.mute",
            "response.error.has-message",
            "errors have no Message",
        ),
        |turn| {
            if turn.is_error() {
                turn.each(|text| text.remove("Message"));
            }
        },
    ),
    answer(
        (
            "response.unknown-action.ends",
            "error.action.unknown",
            "an unknown action ends the session",
        ),
        |turn| {
            if turn.says("Invalid/unknown command") {
                turn.session.close();
            }
        },
    ),
    answer(
        (
            "response.unknown-action.unbounded",
            "error.action.unknown-bounded",
            "the answer to an unknown action repeats all of its name",
        ),
        |turn| {
            if turn.says("Invalid/unknown command") {
                let message = [b"Invalid/unknown command: ", turn.request.action()].concat();
                turn.each(|text| text.set("Message", &message));
            }
        },
    ),
    answer(
        (
            "response.ping.no-pong",
            "response.ping.pong",
            "the answer to Ping has no Ping header",
        ),
        |turn| turn.each(|text| text.remove("Ping")),
    ),
    answer(
        (
            "response.ping.hour-ahead",
            "response.ping.clock",
            "the Timestamp of Ping is an hour ahead",
        ),
        |turn| {
            if turn.is("Ping") {
                let ahead = turn.pbx.wall(turn.now).as_secs() + 3600;
                turn.each(|text| text.change("Timestamp", format!("{ahead}.000000")));
            }
        },
    ),
    action(
        (
            "response.logoff.stays",
            "response.logoff.goodbye",
            "a session goes on behind its Goodbye",
        ),
        |turn| {
            if turn.is("Logoff") {
                turn.answer("Goodbye", "Thanks for all the fish.");
            }
        },
    ),
    action(
        (
            "response.logoff.refused",
            "response.logoff.before-login",
            "nobody logs off without a login",
        ),
        |turn| {
            if turn.is("Logoff") && turn.is_anonymous() {
                turn.answer("Error", "Permission denied");
            }
        },
    ),
    answer(
        (
            "response.doubled",
            "response.count.one-per-request",
            "a success is answered twice",
        ),
        |turn| {
            if turn.texts.len() == 1 && turn.texts[0].is("Success") {
                turn.texts.extend_from_within(..);
            }
        },
    ),
    answer(
        (
            "response.unsolicited",
            "response.count.none-unsolicited",
            "a login is followed by a response to nothing",
        ),
        |turn| {
            if turn.is("Login") && turn.says("accepted") {
                turn.texts
                    .push(Text::new(&["Response: Success", "Message: Nobody asked"]));
            }
        },
    ),
    answer(
        (
            "actionid.ack.missing",
            "action-id.echo.every-answer",
            "responses bear no ActionID",
        ),
        |turn| turn.responses(|text| text.remove("ActionID")),
    ),
    answer(
        (
            "actionid.list.missing",
            "action-id.echo.every-list-item",
            "the events of a list bear no ActionID",
        ),
        |turn| {
            for text in turn.texts.iter_mut().filter(|text| text.is_event()) {
                text.remove("ActionID");
            }
        },
    ),
    answer(
        (
            "actionid.absent.invented",
            "action-id.absent.none-invented",
            "an action without ActionID is answered with one",
        ),
        |turn| {
            if turn.request.all("ActionID").next().is_none() {
                turn.responses(|text| text.add("ActionID", "1"));
            }
        },
    ),
    answer(
        (
            "actionid.empty.echoed",
            "action-id.empty.as-absent",
            "an empty ActionID is answered with one",
        ),
        |turn| {
            if turn.request.all("ActionID").any(<[u8]>::is_empty) {
                turn.responses(|text| text.add("ActionID", ""));
            }
        },
    ),
    answer(
        (
            "actionid.echo.trimmed",
            "action-id.echo.exact",
            "an ActionID comes back in small letters, without blanks",
        ),
        |turn| edit_ids(turn, |id| id.trim_ascii().to_ascii_lowercase()),
    ),
    answer(
        (
            "actionid.cut.at-32",
            "action-id.length.64",
            "ActionIDs are cut after 32 bytes",
        ),
        |turn| cut_ids(turn, 32),
    ),
    answer(
        (
            "actionid.cut.at-100",
            "action-id.length.137",
            "ActionIDs are cut after 100 bytes",
        ),
        |turn| cut_ids(turn, 100),
    ),
    answer(
        (
            "actionid.core.whole",
            "action-id.length.138-and-more",
            "CoreSettings and CoreStatus print long ActionIDs whole, which stock Asterisk cuts after 137 bytes",
        ),
        |turn| whole_ids(turn, IdBuffer::Core),
    ),
    answer(
        (
            "actionid.lists.whole",
            "action-id.length.244-and-more",
            "lists print long ActionIDs whole, which stock Asterisk cuts after 243 bytes",
        ),
        |turn| whole_ids(turn, IdBuffer::List),
    ),
    answer(
        (
            "actionid.waitevent.unended",
            "event.wait.times-out",
            "no empty line ends the answer to WaitEvent",
        ),
        |turn| {
            if let Some(last) = turn
                .texts
                .last_mut()
                .filter(|_| turn.request.action() == b"WaitEvent")
            {
                last.0.truncate(last.0.len().saturating_sub(2));
            }
        },
    ),
    answer(
        (
            "actionid.injected",
            "action-id.bare-cr.no-new-header",
            "a CR in an ActionID comes back as a line end",
        ),
        |turn| {
            edit_ids(turn, |id| {
                let mut text = Text(id.to_vec());
                text.replace(b"\r", b"\r\n");
                text.0
            })
        },
    ),
    answer(
        (
            "response.kind.unheard-of",
            "response.kind.known",
            "BridgeList is answered by a Response of its own",
        ),
        |turn| {
            if turn.is("BridgeList") {
                turn.responses(|text| text.set("Response", "Okay"));
            }
        },
    ),
    answer(
        (
            "response.unknown-action.vague",
            "error.action.unknown-text",
            "the error for an unknown action does not name it",
        ),
        |turn| {
            if turn.says("Invalid/unknown command") {
                turn.each(|text| text.set("Message", "Unknown action"));
            }
        },
    ),
    answer(
        (
            "response.missing-action.vague",
            "error.action.missing",
            "the error for a missing Action does not say so",
        ),
        |turn| of_no_action(turn, |headers| headers == 0),
    ),
    answer(
        (
            "response.empty-action.vague",
            "error.action.empty",
            "the error for an empty Action does not say so",
        ),
        |turn| of_no_action(turn, |headers| headers > 0),
    ),
    answer(
        (
            "response.ping.timeless",
            "response.ping.timestamp",
            "the answer to Ping tells no time",
        ),
        |turn| {
            if turn.is("Ping") {
                turn.each(|text| text.remove("Timestamp"));
            }
        },
    ),
    answer(
        (
            "response.status.undated",
            "response.status.dates",
            "CoreStatus does not tell the day of the start",
        ),
        |turn| turn.each(|text| text.remove("CoreStartupDate")),
    ),
    answer(
        (
            "response.commands.bare",
            "response.commands.described",
            "ListCommands does not tell the classes of CoreStatus",
        ),
        |turn| {
            if turn.is("ListCommands") {
                turn.each(|text| text.change("CoreStatus", "Show core status"));
            }
        },
    ),
    action(
        (
            "response.logoff.too-late",
            "response.logoff.nothing-behind",
            "a Logoff does not count where more waits behind it",
        ),
        |turn| {
            if turn.is("Logoff") && turn.waiting > 0 {
                turn.answer("Goodbye", "Thanks for all the fish.");
            }
        },
    ),
    answer(
        (
            "session.answers.crossed",
            "session.answers.own-only",
            "of Pings that wait, the answers bear the ActionIDs of others",
        ),
        |turn| {
            if turn.is("Ping") && turn.waiting > 0 {
                let own = turn.request.action_id().to_vec();
                let notes = turn.pbx.defects.notes();
                let others = std::mem::replace(&mut notes.keys, vec![own]);
                if let Some(other) = others.first() {
                    turn.each(|text| text.set("ActionID", other));
                }
            }
        },
    ),
    answer(
        (
            "actionid.error.missing",
            "action-id.echo.error",
            "errors bear no ActionID",
        ),
        |turn| {
            if turn.is_error() {
                turn.each(|text| text.remove("ActionID"));
            }
        },
    ),
    answer(
        (
            "actionid.echo.blanks-cut",
            "action-id.echo.trailing-space",
            "an ActionID comes back without the blanks behind it",
        ),
        |turn| edit_ids(turn, |id| id.trim_ascii_end().to_vec()),
    ),
    answer(
        (
            "framing.output.bare-line",
            "framing.output.only-headers",
            "the answer to CoreStatus has a line that is no header",
        ),
        |turn| {
            if turn.is("CoreStatus") {
                turn.each(|text| text.edit_lines(|lines| lines.push(b"and more\r\n".to_vec())));
            }
        },
    ),
    answer(
        (
            "framing.output.torn",
            "framing.output.whole",
            "a session ends in the middle of a message",
        ),
        |turn| {
            if turn.is("Logoff") {
                turn.texts.push(Text(b"Event: Torn\r\n".to_vec()));
            }
        },
    ),
];

/// Another text for the error of a request with so many Action headers.
fn of_no_action(turn: &mut Turn<'_>, is: impl Fn(usize) -> bool) {
    let headers = turn.request.all("Action").count();
    if turn.says("Missing action") && turn.request.lines().next().is_some() && is(headers) {
        turn.each(|text| text.set("Message", "Something is missing"));
    }
}

fn edit_ids(turn: &mut Turn<'_>, edit: impl Fn(&[u8]) -> Vec<u8>) {
    turn.each(|text| {
        if let Some(id) = text.get("ActionID").map(&edit) {
            text.set("ActionID", id);
        }
    });
}

fn cut_ids(turn: &mut Turn<'_>, length: usize) {
    edit_ids(turn, |id| id[..id.len().min(length)].to_vec());
}

/// What the model has cut at the end of this buffer gets its rest, and its line end.
fn whole_ids(turn: &mut Turn<'_>, buffer: IdBuffer) {
    let line = [b"ActionID: ", turn.request.action_id(), b"\r\n"].concat();
    if let Some((cut, _)) = line
        .split_at_checked(buffer.holds())
        .filter(|(_, rest)| !rest.is_empty())
    {
        turn.each(|text| {
            if !contains(&text.0, &line) {
                text.replace(cut, &line);
            }
        });
    }
}
