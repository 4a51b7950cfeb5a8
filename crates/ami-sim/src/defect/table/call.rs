//! Defects of Originate: its answers and its events.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Row, Telling, Turn};
use super::{action, answer, event, setup};
use crate::text::Text;

/// An ack so late is no ack at once.
const ACK_LATE: Duration = Duration::from_secs(3);
/// Of so many OriginateResponses one is lost.
const LOST_OF: u64 = 3;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "originate.no-channel.success",
            "originate.refusal.no-channel",
            "an Originate without Channel is a success",
        ),
        |turn| turn.excuse("Channel not specified"),
    ),
    answer(
        (
            "originate.bad-channel.success",
            "originate.refusal.bad-channel",
            "an Originate to a Channel without / is a success",
        ),
        |turn| turn.excuse("Invalid channel"),
    ),
    answer(
        (
            "originate.no-exten.success",
            "originate.refusal.no-target",
            "an Originate without a destination is a success",
        ),
        |turn| turn.excuse("requires 'Context' and 'Priority'"),
    ),
    answer(
        (
            "originate.unknown-exten.success",
            "originate.refusal.unknown-exten",
            "an Originate to an unknown Exten is a success",
        ),
        |turn| turn.excuse("Extension does not exist."),
    ),
    answer(
        (
            "originate.timeout.any",
            "originate.refusal.bad-timeout",
            "a Timeout that is no number is accepted",
        ),
        |turn| turn.excuse("Invalid timeout"),
    ),
    answer(
        (
            "originate.async.no-target-refused",
            "originate.answer.no-target",
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
            "originate.sync.busy",
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
            "originate.answer.at-once",
            "the answer to Originate takes 3 s",
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
            "originate.response.one",
            "OriginateResponse does not come",
        ),
        |telling| telling.texts.retain(|text| !text.is("OriginateResponse")),
    ),
    event(
        (
            "originate.unknown-tech.mute",
            "originate.response.unknown-technology",
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
            "originate.response.busy",
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
            "originate.response.answered",
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
            "originate.events.per-channel-order",
            "Newchannel comes behind the next Hangup",
        ),
        |telling| hold_until_hangup(telling, "Newchannel"),
    ),
    event(
        (
            "originate.events.late-response",
            "originate.response.one",
            "OriginateResponse comes behind the next Hangup",
        ),
        |telling| hold_until_hangup(telling, "OriginateResponse"),
    ),
    event(
        (
            "originate.events.half-hangup",
            "originate.events.per-channel-order",
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
            "originate.channel-id.kept",
            "ChannelId does not count",
        ),
        |turn| turn.forget_header("ChannelId"),
    ),
    action(
        (
            "originate.channelid.cut",
            "originate.refusal.long-channel-id",
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
            "originate.channel-id.twice",
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
            "originate.variable.several",
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
            "originate.variable.several",
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
            "originate.answer.system",
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
            "originate.answer.function-in-data",
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
            "call.status.agrees",
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
    event(
        (
            "originate.events.unlinked",
            "originate.events.linked",
            "the second half of a Local channel is told with a Linkedid of its own",
        ),
        |telling| {
            for text in &mut telling.texts {
                if text.is("Newchannel") && text.text("Channel").ends_with(";2") {
                    text.set("Linkedid", "0.0");
                }
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
