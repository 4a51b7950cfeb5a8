//! Defects of Originate and of channels: their answers and their events.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Row, Telling, Turn};
use super::{action, answer, event, setup};
use crate::text::Text;

/// An ack so late is no ack at once.
const ACK_LATE: Duration = Duration::from_millis(300);
/// Of so many OriginateResponses one is lost.
const LOST_OF: u64 = 3;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "originate.no-channel.success",
            "originate.error.no-channel",
            "an Originate without Channel is a success",
        ),
        |turn| turn.excuse("Channel not specified"),
    ),
    answer(
        (
            "originate.bad-channel.success",
            "originate.error.bad-channel",
            "an Originate to a Channel without / is a success",
        ),
        |turn| turn.excuse("Invalid channel"),
    ),
    answer(
        (
            "originate.no-exten.success",
            "originate.error.no-exten",
            "an Originate without a destination is a success",
        ),
        |turn| turn.excuse("requires 'Context' and 'Priority'"),
    ),
    answer(
        (
            "originate.unknown-exten.success",
            "originate.error.unknown-exten",
            "an Originate to an unknown Exten is a success",
        ),
        |turn| turn.excuse("Extension does not exist."),
    ),
    answer(
        (
            "originate.timeout.any",
            "originate.error.timeout-nan",
            "a Timeout that is no number is accepted",
        ),
        |turn| turn.excuse("Invalid timeout"),
    ),
    answer(
        (
            "originate.async.no-target-refused",
            "originate.error.async-no-target",
            "an asynchronous Originate without a destination is refused",
        ),
        |turn| {
            let nowhere = turn.asks("Exten").is_empty() && turn.asks("Application").is_empty();
            if turn.is("Originate") && nowhere && !turn.asks("Async").is_empty() {
                turn.accuse("Originate with 'Exten' requires 'Context' and 'Priority'");
            }
        },
    ),
    action(
        (
            "originate.sync.at-once",
            "originate.sync.blocks",
            "every Originate is answered at once",
        ),
        |turn| {
            if turn.is("Originate") {
                turn.ask_instead("Async", "1");
            }
        },
    ),
    answer(
        (
            "originate.sync.always-success",
            "originate.sync.busy",
            "a call that nobody takes is a success",
        ),
        |turn| turn.excuse("Originate failed"),
    ),
    setup(
        (
            "originate.async.late-ack",
            "originate.async.ack-first",
            "the answer to Originate takes 300 ms",
        ),
        |pbx| {
            Arc::make_mut(&mut pbx.profile)
                .timing
                .set_service("Originate", ACK_LATE)
        },
    ),
    event(
        (
            "originate.response.missing",
            "originate.async.response-event",
            "OriginateResponse does not come",
        ),
        |telling| telling.texts.retain(|text| !text.is("OriginateResponse")),
    ),
    event(
        (
            "originate.unknown-tech.mute",
            "originate.async.unknown-tech",
            "OriginateResponse does not come where there was no channel",
        ),
        |telling| {
            telling
                .texts
                .retain(|text| !(text.is("OriginateResponse") && text.has("Reason", "0")))
        },
    ),
    event(
        (
            "originate.reason.constant",
            "originate.reason.codes",
            "every OriginateResponse has Reason 1",
        ),
        |telling| {
            for text in telling
                .texts
                .iter_mut()
                .filter(|text| text.is("OriginateResponse"))
            {
                text.set("Reason", "1");
            }
        },
    ),
    event(
        (
            "originate.response.lost",
            "originate.async.10k-accounting",
            "one in three OriginateResponses is lost",
        ),
        |telling| {
            if telling
                .texts
                .iter()
                .any(|text| text.is("OriginateResponse"))
            {
                telling.notes.count += 1;
                if telling.notes.count.is_multiple_of(LOST_OF) {
                    telling.texts.clear();
                }
            }
        },
    ),
    event(
        (
            "originate.events.late-newchannel",
            "originate.events.order",
            "Newchannel comes behind the next Hangup",
        ),
        |telling| hold_until_hangup(telling, "Newchannel"),
    ),
    event(
        (
            "originate.events.late-response",
            "originate.events.no-fence",
            "OriginateResponse comes behind the next Hangup",
        ),
        |telling| hold_until_hangup(telling, "OriginateResponse"),
    ),
    event(
        (
            "originate.events.half-hangup",
            "originate.events.pairs",
            "the second half of a Local channel ends without Hangup",
        ),
        |telling| {
            telling
                .texts
                .retain(|text| !(text.is("Hangup") && text.text("Channel").ends_with(";2")));
        },
    ),
    action(
        (
            "originate.channelid.ignored",
            "originate.channelid",
            "ChannelId does not count",
        ),
        |turn| turn.forget_header("ChannelId"),
    ),
    action(
        (
            "originate.channelid.cut",
            "originate.channelid-too-long",
            "a ChannelId over 149 bytes is cut",
        ),
        |turn| {
            let id = turn.asks("ChannelId");
            if let Some(cut) = id.get(..149) {
                turn.ask_instead("ChannelId", cut);
            }
        },
    ),
    action(
        (
            "originate.channelid.again",
            "originate.channelid-dup",
            "a ChannelId that is taken is another one",
        ),
        |turn| {
            if turn.pbx.find_channel(&turn.asks("ChannelId")).is_some() {
                turn.forget_header("ChannelId");
            }
        },
    ),
    action(
        (
            "originate.variable.first-only",
            "originate.variable.multi",
            "the first Variable counts alone",
        ),
        |turn| {
            let first = turn.asks("Variable");
            if turn.is("Originate") && !first.is_empty() {
                turn.forget_header("Variable");
                let first = first.split(',').next().unwrap_or_default().to_owned();
                turn.ask_instead("Variable", &first);
            }
        },
    ),
    action(
        (
            "originate.variable.lost",
            "originate.variable.setvar-user",
            "the Variables of an Originate are lost",
        ),
        |turn| {
            if turn.is("Originate") {
                turn.forget_header("Variable");
            }
        },
    ),
    answer(
        (
            "originate.system.granted",
            "originate.perm.system-app",
            "an Originate to System is answered the other way",
        ),
        |turn| {
            if turn.is("Originate") && turn.asks("Application").eq_ignore_ascii_case("System") {
                turn_round(turn);
            }
        },
    ),
    answer(
        (
            "originate.data.granted",
            "originate.perm.hardening-2024",
            "an Originate with a dangerous Data is answered the other way",
        ),
        |turn| {
            let data = turn.asks("Data");
            if turn.is("Originate")
                && ["CURL(", "FILE(", "DB("]
                    .iter()
                    .any(|name| data.contains(name))
            {
                turn_round(turn);
            }
        },
    ),
    answer(
        (
            "originate.channels.stay",
            "originate.cpu-idle-after",
            "CoreShowChannels shows a channel that is long gone",
        ),
        |turn| {
            if turn.is("CoreShowChannels") && turn.is_list() {
                let id = turn.asks("ActionID");
                let ghost = Text::new(&[
                    "Event: CoreShowChannel",
                    &format!("ActionID: {id}"),
                    "Channel: Local/gone@nowhere-00000000;1",
                ]);
                turn.texts.insert(1, ghost);
                let items = turn.texts.iter().filter(|text| text.is_item()).count();
                turn.each(|text| text.change("ListItems", items.to_string()));
            }
        },
    ),
    action(
        (
            "channel.hangup.feigned",
            "channel.hangup.name",
            "Hangup says that it did, and did not",
        ),
        |turn| {
            let channel = turn.asks("Channel");
            if turn.is("Hangup")
                && turn.pbx.find_channel(&channel).is_some()
                && channel.contains('/')
            {
                turn.answer("Success", "Channel Hungup");
            }
        },
    ),
    action(
        (
            "channel.hangup.names-only",
            "channel.hangup.uniqueid",
            "Hangup knows no Uniqueid",
        ),
        |turn| {
            if turn.is("Hangup") && !turn.asks("Channel").contains('/') {
                turn.ask_instead("Channel", "nobody");
            }
        },
    ),
    answer(
        (
            "channel.hangup.regex-miscounts",
            "channel.hangup.regex",
            "Hangup by pattern counts one channel too many",
        ),
        |turn| {
            if turn.is("Hangup") {
                turn.each(|text| {
                    if let Ok(count) = text.text("ListItems").parse::<u64>() {
                        text.set("ListItems", (count + 1).to_string());
                    }
                });
            }
        },
    ),
    answer(
        (
            "channel.hangup.any-regex",
            "channel.hangup.bad-regex",
            "Hangup by a broken pattern is a success",
        ),
        |turn| {
            if turn.is("Hangup") && turn.asks("Channel").starts_with('/') {
                turn.excuse("");
            }
        },
    ),
    answer(
        (
            "channel.redirect.vague",
            "channel.redirect.missing",
            "Redirect does not tell what is missing",
        ),
        |turn| {
            if turn.is("Redirect") && turn.is_error() {
                turn.each(|text| text.set("Message", "Something is missing"));
            }
        },
    ),
    answer(
        (
            "channel.redirect.strict",
            "channel.redirect.bad-exten",
            "Redirect is always refused",
        ),
        |turn| {
            if turn.is("Redirect") {
                turn.accuse("No such extension");
            }
        },
    ),
    answer(
        (
            "channel.getvar.unset-error",
            "channel.getvar.unset",
            "a variable without a value is an error",
        ),
        |turn| {
            let unset = turn
                .texts
                .first()
                .is_some_and(|text| text.get("Value") == Some(b""));
            if turn.is("Getvar") && unset {
                turn.answer("Error", "No such variable");
            }
        },
    ),
    answer(
        (
            "channel.getvar.breaks-lines",
            "channel.getvar.crlf",
            "a value of a function brings a header of its own",
        ),
        |turn| {
            if turn.is("Getvar") && turn.asks("Variable").contains('(') {
                turn.each(|text| text.add("Injected", "1"));
            }
        },
    ),
    answer(
        (
            "channel.getvar.runs-programs",
            "channel.getvar.shell",
            "Getvar of SHELL runs a program",
        ),
        |turn| {
            if turn.is("Getvar") && turn.asks("Variable").starts_with("SHELL(") {
                turn.each(|text| {
                    text.set("Response", "Success");
                    text.set("Value", "x");
                });
            }
        },
    ),
    answer(
        (
            "channel.status.no-null",
            "channel.status.null",
            "Status writes nothing for a variable without a value",
        ),
        |turn| {
            if turn.is("Status") {
                turn.each(|text| text.replace(b"=(null)", b"="));
            }
        },
    ),
];

/// Keeps such events back, and tells them behind a Hangup.
fn hold_until_hangup(telling: &mut Telling<'_>, name: &str) {
    let (held, told) = std::mem::take(&mut telling.texts)
        .into_iter()
        .partition(|text| text.is(name));
    telling.texts = told;
    telling.notes.held.extend::<Vec<Text>>(held);
    if telling.texts.iter().any(|text| text.is("Hangup")) {
        telling.texts.append(&mut telling.notes.held);
    }
}

fn turn_round(turn: &mut Turn<'_>) {
    if turn.is_error() {
        turn.excuse("");
    } else {
        turn.accuse("Originate Access Forbidden: app or data blacklisted");
    }
}
