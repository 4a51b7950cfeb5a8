//! Defects of channels that are up: how they are listed, hung up, redirected, asked for their variables.

use super::super::Row;
use super::{action, answer};
use crate::text::Text;

/// Response, ActionID, Variable and Value.
const GETVAR_LINES: usize = 4;

pub(super) const ROWS: &[Row] = &[
    action(
        (
            "channel.hangup.feigned",
            "call.hangup.by-name",
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
            "call.hangup.by-uniqueid",
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
            "call.hangup.pattern",
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
            "call.hangup.bad-pattern",
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
            "call.redirect.refusals",
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
            "call.redirect.unknown-exten",
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
            "call.variable.unset-is-empty",
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
            "channel.getvar.one-line",
            "call.variable.no-line-ends",
            "Getvar prints a value up to its first line end, where stock Asterisk prints all of it",
        ),
        |turn| {
            if turn.is("Getvar") {
                turn.each(|text| text.edit_lines(|lines| lines.truncate(GETVAR_LINES)));
            }
        },
    ),
    answer(
        (
            "channel.getvar.runs-programs",
            "call.variable.no-shell",
            "Getvar of SHELL runs a program",
        ),
        |turn| {
            if turn.is("Getvar") && turn.asks("Variable").starts_with("SHELL(") {
                turn.each(|text| {
                    text.set("Response", "Success");
                    text.set("Value", "amibench");
                });
            }
        },
    ),
    answer(
        (
            "channel.status.no-null",
            "call.status.unset-variable",
            "Status writes nothing for a variable without a value",
        ),
        |turn| {
            if turn.is("Status") {
                turn.each(|text| text.replace(b"=(null)", b"="));
            }
        },
    ),
    answer(
        (
            "channel.hangup.no-channel-success",
            "call.hangup.no-channel",
            "a Hangup without a Channel is a success",
        ),
        |turn| turn.excuse("No channel specified"),
    ),
    answer(
        (
            "channel.hangup.unknown-success",
            "call.hangup.unknown-channel",
            "a Hangup of a channel that is not there is a success",
        ),
        |turn| {
            if turn.is("Hangup") {
                turn.excuse("No such channel");
            }
        },
    ),
    action(
        (
            "channel.hangup.causeless",
            "call.hangup.cause",
            "the Cause of a Hangup does not count",
        ),
        |turn| {
            if turn.is("Hangup") {
                turn.forget_header("Cause");
            }
        },
    ),
    answer(
        (
            "channel.list.remembers",
            "call.list.shows-it",
            "CoreShowChannels shows a channel once more when it is gone",
        ),
        |turn| {
            if !turn.is("CoreShowChannels") || !turn.is_list() {
                return;
            }
            let items = turn.texts.iter().filter(|text| text.is_item());
            let now: Vec<Text> = items.map(|item| Text(item.0.clone())).collect();
            let names: Vec<String> = now.iter().map(|item| item.text("Channel")).collect();
            for mut gone in std::mem::replace(&mut turn.pbx.defects.notes().held, now) {
                if !names.contains(&gone.text("Channel")) {
                    gone.set("ActionID", turn.request.action_id());
                    turn.texts.insert(1, gone);
                }
            }
            let items = turn.texts.iter().filter(|text| text.is_item()).count();
            turn.each(|text| text.change("ListItems", items.to_string()));
        },
    ),
    action(
        (
            "channel.setvar.feigned",
            "call.variable.set-and-got",
            "Setvar says that it did, and did not",
        ),
        |turn| {
            if turn.is("Setvar") {
                turn.answer("Success", "Variable Set");
            }
        },
    ),
    answer(
        (
            "channel.getvar.nameless-success",
            "call.variable.missing-name",
            "a Getvar without a Variable is a success",
        ),
        |turn| turn.excuse("No variable specified"),
    ),
];
