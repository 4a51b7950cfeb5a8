//! Defects of logins and rights.

use std::time::Duration;

use super::super::{Overhearing, Row, Turn};
use super::{action, answer, event, setup};
use crate::account::MultipleLogin;
use crate::class::Classes;
use crate::server_session::Auth;
use crate::text::Text;

pub(super) const ROWS: &[Row] = &[
    action(
        (
            "auth.login.plain-refused",
            "auth.login.accepted",
            "the right secret is refused",
        ),
        |turn| {
            if turn.is("Login") && !turn.request.bytes("Secret").is_empty() {
                turn.ask_instead("Secret", "");
            }
        },
    ),
    action(
        (
            "auth.login.case-sensitive",
            "auth.login.user-case",
            "user names are known in their own case alone",
        ),
        |turn| {
            let user = turn.asks("Username");
            if turn
                .named_account()
                .is_some_and(|account| account.name != user)
            {
                turn.ask_instead("Username", &format!("{user}?"));
            }
        },
    ),
    answer(
        (
            "auth.login.any-secret",
            "auth.refusal.wrong-secret",
            "any secret is accepted",
        ),
        |turn| {
            if turn.is("Login") {
                turn.let_in();
            }
        },
    ),
    answer(
        (
            "auth.login.oracle",
            "auth.refusal.unknown-user",
            "a refused login tells that there is no such user",
        ),
        |turn| {
            if turn.says("Authentication failed") && turn.named_account().is_none() {
                turn.each(|text| text.set("Message", "No such user"));
            }
        },
    ),
    setup(
        (
            "auth.login.hasty",
            "auth.refusal.takes-a-second",
            "a failed login is answered at once",
        ),
        |pbx| pbx.flaws.failure_delay = Duration::ZERO,
    ),
    action(
        (
            "auth.login.delay-tells",
            "auth.refusal.same-time",
            "a failed login takes its second for known users alone",
        ),
        |turn| {
            let known = turn.named_account().is_some();
            turn.pbx.flaws.failure_delay = Duration::from_secs(u64::from(known));
        },
    ),
    answer(
        (
            "auth.login.without-secret",
            "auth.refusal.no-secret",
            "a user without a secret is let in without one",
        ),
        |turn| {
            let open = turn
                .named_account()
                .is_some_and(|account| account.secret.is_none());
            if turn.is("Login") && open {
                turn.let_in();
            }
        },
    ),
    answer(
        (
            "auth.login.no-user-mute",
            "auth.refusal.missing-user",
            "a login without a user name gets no answer",
        ),
        |turn| {
            if turn.is("Login") && turn.request.bytes("Username").is_empty() {
                turn.texts.clear();
            }
        },
    ),
    answer(
        (
            "auth.login.acl-tells",
            "auth.refusal.wrong-address",
            "who comes from the wrong address is told so",
        ),
        |turn| {
            let secret = turn.named_account().and_then(|account| account.secret);
            let right =
                secret.is_some_and(|secret| secret.as_bytes() == turn.request.bytes("Secret"));
            if right && turn.says("Authentication failed") {
                turn.each(|text| text.set("Message", "Address not permitted"));
            }
        },
    ),
    answer(
        (
            "auth.login.second-ends",
            "auth.login.twice",
            "a second login ends the session",
        ),
        |turn| {
            if turn.says("Already authenticated") {
                turn.session.close();
            }
        },
    ),
    action(
        (
            "auth.login.events-ignored",
            "auth.booted.not-with-events-off",
            "the Events of a login do not count",
        ),
        |turn| {
            if turn.is("Login") {
                turn.forget_header("Events");
            }
        },
    ),
    action(
        (
            "auth.login.not-needed",
            "auth.before-login.denied",
            "Ping is answered without a login",
        ),
        |turn| {
            if turn.is("Ping") && turn.is_anonymous() {
                turn.answer("Success", "Pong");
            }
        },
    ),
    setup(
        (
            "auth.login.overheard",
            "session.events.none-before-login",
            "events come without a login",
        ),
        |pbx| pbx.flaws.overhearing = Overhearing::Strangers,
    ),
    action(
        (
            "auth.challenge.useless",
            "auth.challenge.md5",
            "the right answer to a challenge is refused",
        ),
        |turn| {
            if !turn.request.bytes("Key").is_empty() {
                turn.ask_instead("Key", "0");
            }
        },
    ),
    action(
        (
            "auth.challenge.unstable",
            "auth.challenge.stable",
            "each Challenge of a session draws anew",
        ),
        |turn| {
            if turn.is("Challenge") {
                turn.session.challenge().take();
            }
        },
    ),
    action(
        (
            "auth.challenge.constant",
            "auth.challenge.varies",
            "every session has the same challenge",
        ),
        |turn| {
            if turn.is("Challenge") {
                *turn.session.challenge() = Some("123456789".to_owned());
            }
        },
    ),
    action(
        (
            "auth.challenge.any-type",
            "auth.challenge.unknown-type",
            "any AuthType is MD5",
        ),
        |turn| {
            if turn.is("Challenge") {
                turn.ask_instead("AuthType", "MD5");
            }
        },
    ),
    action(
        (
            "auth.challenge.any-case",
            "auth.challenge.upper-case-key",
            "keys count in capitals too",
        ),
        |turn| {
            let key = turn.asks("Key");
            if !key.is_empty() {
                turn.ask_instead("Key", &key.to_ascii_lowercase());
            }
        },
    ),
    answer(
        (
            "auth.challenge.replayed",
            "auth.challenge.no-replay",
            "a key that was right once is right on every session",
        ),
        |turn| {
            let key = turn.request.bytes("Key").to_vec();
            if key.is_empty() || turn.texts.is_empty() {
                return;
            }
            if turn.pbx.defects.notes().keys.contains(&key) {
                turn.let_in();
            } else if !turn.is_error() {
                turn.pbx.defects.notes().keys = vec![key];
            }
        },
    ),
    setup(
        (
            "auth.multiple.allowed",
            "auth.single-login.second",
            "an account logs in as often as it likes",
        ),
        |pbx| {
            for account in pbx.accounts.iter_mut() {
                account.multiple_login = MultipleLogin::Allowed;
            }
        },
    ),
    answer(
        (
            "auth.perm.denial-ends",
            "auth.before-login.stays-open",
            "an action without its class ends the session",
        ),
        |turn| {
            if turn.says("Permission denied") {
                turn.session.close();
            }
        },
    ),
    answer(
        (
            "auth.perm.unlisted",
            "auth.rights.list-is-complete",
            "ListCommands leaves out what may be sent",
        ),
        |turn| of_list(turn, |text| text.remove("CoreStatus")),
    ),
    answer(
        (
            "auth.perm.other-class",
            "auth.rights.documented-classes",
            "ListCommands shows class system to be enough for Redirect",
        ),
        |turn| {
            of_list(turn, |text| {
                text.change(
                    "Redirect",
                    "Redirect (transfer) a call.  (Priv: system,call,all)",
                );
            });
        },
    ),
    answer(
        (
            "auth.perm.classless",
            "auth.rights.harmful-without-class",
            "ListCommands shows an action that ends calls to need no class",
        ),
        |turn| {
            of_list(turn, |text| {
                text.change("Hangup", "Hangup channel.  (Priv: <none>)")
            })
        },
    ),
    action(
        (
            "auth.perm.granted",
            "auth.limited.denied",
            "ModuleCheck needs no class",
        ),
        |turn| {
            if turn.is("ModuleCheck")
                && let Auth::User { account, .. } = &mut turn.session.auth
            {
                account.write = Classes::ALL;
            }
        },
    ),
    answer(
        (
            "auth.fullybooted.missing",
            "auth.booted.event",
            "no FullyBooted follows a login",
        ),
        |turn| turn.texts.retain(|text| !text.is("FullyBooted")),
    ),
    event(
        (
            "auth.security-events.none",
            "auth.security.success",
            "nothing is told of logins and refusals",
        ),
        |telling| telling.texts.retain(|text| !is_security(text)),
    ),
    event(
        (
            "auth.security-events.discreet",
            "auth.security.expected-response",
            "security events do not disclose the right answer",
        ),
        |telling| {
            telling
                .texts
                .iter_mut()
                .for_each(|text| text.remove("ExpectedResponse"))
        },
    ),
    answer(
        (
            "auth.login.welcomes",
            "auth.login.text",
            "a login is accepted with a word of welcome",
        ),
        |turn| {
            if turn.says("Authentication accepted") {
                turn.responses(|text| text.set("Message", "Welcome"));
            }
        },
    ),
    answer(
        (
            "auth.login.no-secret",
            "auth.refusal.empty-secret",
            "who gives no secret is let in",
        ),
        |turn| {
            let gives_none = turn.request.bytes("Secret").is_empty();
            if turn.is("Login") && gives_none && turn.request.bytes("Key").is_empty() {
                turn.let_in();
            }
        },
    ),
    setup(
        (
            "auth.multiple.never",
            "session.account.several",
            "an account is logged in once at a time",
        ),
        |pbx| {
            for account in pbx.accounts.iter_mut() {
                account.multiple_login = MultipleLogin::Refused;
            }
        },
    ),
    action(
        (
            "auth.perm.overlisted",
            "auth.rights.list-is-kept",
            "BridgeList is listed, and denied",
        ),
        |turn| {
            if turn.is("BridgeList") {
                turn.answer("Error", "Permission denied");
            }
        },
    ),
    answer(
        (
            "auth.fullybooted.timeless",
            "auth.booted.times",
            "FullyBooted tells no times",
        ),
        |turn| {
            for text in turn.texts.iter_mut().filter(|text| text.is("FullyBooted")) {
                text.remove("Uptime");
            }
        },
    ),
];

fn of_list(turn: &mut Turn<'_>, edit: impl FnMut(&mut Text)) {
    if turn.is("ListCommands") {
        turn.each(edit);
    }
}

fn is_security(text: &Text) -> bool {
    text.get("Privilege")
        .is_some_and(|value| value.starts_with(b"security"))
}
