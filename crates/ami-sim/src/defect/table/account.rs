//! Defects that accounts show which lack something, and those of what is told of logins.

use super::super::{Row, Turn};
use super::{action, answer, event, setup};
use crate::class::Classes;
use crate::server_session::Auth;
use crate::text::Text;

pub(super) const ROWS: &[Row] = &[
    answer(
        (
            "auth.perm.lists-all",
            "auth.limited.lists-its-own",
            "ListCommands lists what the account may not run",
        ),
        |turn| {
            if turn.is("ListCommands") {
                turn.each(|text| text.set("ModuleLoad", "Module management.  (Priv: system,all)"));
            }
        },
    ),
    setup(
        (
            "auth.class-list.write-strict",
            "auth.empty-item.may-no-more",
            "an empty item among the classes to write names none, as in no stock Asterisk",
        ),
        |pbx| {
            for account in pbx.accounts.iter_mut() {
                account.write = account.strict[1];
            }
        },
    ),
    setup(
        (
            "auth.class-list.read-strict",
            "event.empty-item.hears-no-more",
            "an empty item among the classes to read names none, as in no stock Asterisk",
        ),
        |pbx| {
            for account in pbx.accounts.iter_mut() {
                account.read = account.strict[0];
            }
        },
    ),
    answer(
        (
            "event.rights.ignored",
            "event.limited.hears-its-own",
            "every account hears every class",
        ),
        |turn| {
            if turn.is("Login")
                && let Auth::User { account, .. } = &mut turn.session.auth
            {
                account.read = Classes::ALL;
            }
        },
    ),
    setup(
        (
            "auth.login.switched-off-works",
            "auth.refusal.switched-off",
            "accounts that were switched off log in",
        ),
        |pbx| pbx.accounts.switch_on(),
    ),
    action(
        (
            "originate.rights.class-call-too",
            "originate.rights.one-class",
            "Originate needs class call beside its own",
        ),
        |turn| {
            if turn.is("Originate") && !writes(turn, Classes::CALL) {
                turn.answer("Error", "Permission denied");
            }
        },
    ),
    action(
        (
            "originate.rights.system-free",
            "originate.rights.system",
            "Originate runs System for whoever may originate",
        ),
        |turn| {
            let system = turn.asks("Application").eq_ignore_ascii_case("system");
            if turn.is("Originate") && system {
                turn.answer("Success", "Originate successfully queued");
            }
        },
    ),
    action(
        (
            "originate.rights.file-free",
            "originate.rights.function-in-data",
            "Originate reads files for whoever may originate",
        ),
        |turn| {
            if turn.is("Originate") && turn.asks("Data").contains("FILE(") {
                turn.answer("Success", "Originate successfully queued");
            }
        },
    ),
    event(
        (
            "auth.security-events.no-wrong-secret",
            "auth.security.invalid-password",
            "a wrong secret is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("InvalidPassword")),
    ),
    event(
        (
            "auth.security-events.no-stranger",
            "auth.security.invalid-account",
            "the login of an unknown account is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("InvalidAccountID")),
    ),
    event(
        (
            "auth.security-events.no-wrong-key",
            "auth.security.challenge-failed",
            "a wrong answer to a challenge is not told",
        ),
        |telling| {
            telling
                .texts
                .retain(|text| !text.is("ChallengeResponseFailed"))
        },
    ),
    event(
        (
            "auth.security-events.no-wrong-address",
            "auth.security.failed-acl",
            "a login from the wrong address is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("FailedACL")),
    ),
    event(
        (
            "auth.security-events.no-session-limit",
            "auth.security.session-limit",
            "a login of an account that is in use is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("SessionLimit")),
    ),
    event(
        (
            "auth.security-events.no-denial",
            "auth.security.not-allowed",
            "an action that is denied is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("RequestNotAllowed")),
    ),
    event(
        (
            "auth.security-events.false-alarm",
            "auth.security.no-false-alarm",
            "each login is told as one with a wrong secret too",
        ),
        |telling| {
            let accepted = telling
                .texts
                .iter()
                .filter(|text| text.is("SuccessfulAuth"));
            let mut alarms: Vec<Text> = accepted.cloned().collect();
            for alarm in &mut alarms {
                alarm.set("Event", "InvalidPassword");
            }
            telling.texts.append(&mut alarms);
        },
    ),
];

fn writes(turn: &Turn<'_>, class: Classes) -> bool {
    let account = turn.session.account();
    account.is_some_and(|account| account.write.contains(class))
}
