//! Defects of responses and their ActionIDs.

use super::super::{Row, Turn};
use super::{action, answer};
use crate::text::Text;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "response.first-header.last",
            "response.first-header",
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
            "response.unknown-action",
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
            "response.unknown-action.truncation",
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
            "response.ping.format",
            "the answer to Ping has no Ping header",
        ),
        |turn| turn.each(|text| text.remove("Ping")),
    ),
    answer(
        (
            "response.ping.hour-ahead",
            "response.ping.timestamp-clock",
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
            "response.logoff.prelogin",
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
            "response.one-per-action",
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
            "response.no-unsolicited",
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
            "actionid.echo.ack",
            "responses bear no ActionID",
        ),
        |turn| turn.responses(|text| text.remove("ActionID")),
    ),
    answer(
        (
            "actionid.list.missing",
            "actionid.echo.list",
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
            "actionid.absent",
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
            "actionid.empty",
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
            "actionid.case-and-trailing",
            "an ActionID comes back in small letters, without blanks",
        ),
        |turn| edit_ids(turn, |id| id.trim_ascii().to_ascii_lowercase()),
    ),
    answer(
        (
            "actionid.cut.at-32",
            "actionid.length-64",
            "ActionIDs are cut after 32 bytes",
        ),
        |turn| cut_ids(turn, 32),
    ),
    answer(
        (
            "actionid.cut.at-100",
            "actionid.length-137",
            "ActionIDs are cut after 100 bytes",
        ),
        |turn| cut_ids(turn, 100),
    ),
    answer(
        (
            "actionid.cut.at-137",
            "actionid.length-138-plus",
            "ActionIDs are cut after 137 bytes",
        ),
        |turn| cut_ids(turn, 137),
    ),
    answer(
        (
            "actionid.cut.at-243",
            "actionid.length-244-plus",
            "ActionIDs are cut after 243 bytes",
        ),
        |turn| cut_ids(turn, 243),
    ),
    answer(
        (
            "actionid.waitevent.unended",
            "actionid.waitevent-terminated",
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
            "actionid.no-injection",
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
];

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
