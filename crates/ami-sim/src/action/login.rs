//! Login in its two forms, Challenge, Logoff.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use rand_chacha::rand_core::Rng;

use crate::account::{Account, MultipleLogin};
use crate::action::{Act, Handler};
use crate::class::Classes;
use crate::message::Headers;
use crate::security;
use crate::server_session::Auth;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("Login", login),
    ("Logoff", logoff),
    ("Challenge", challenge),
];

/// A challenge is the decimal of a random number in a buffer of ten bytes.
const CHALLENGE_BELOW: u32 = 1_000_000_000;

enum Verdict {
    Accepted(Account),
    UnknownUser,
    WrongSecret,
    /// From where it may not.
    WrongAddress,
    /// An MD5 login without challenge or key, an account without any secret: nobody is told.
    NothingToCheck,
    WrongKey {
        challenge: String,
        expected: String,
    },
}

fn login(act: &mut Act<'_>) {
    if act.session.account().is_some() {
        return act.success("Already authenticated");
    }
    let user = act.request.text("Username");
    match authenticate(act, &user) {
        Verdict::Accepted(account) => accept(act, account),
        refused => {
            match refused {
                Verdict::UnknownUser if !user.is_empty() => security::invalid_account(act, &user),
                Verdict::WrongSecret => security::invalid_password(act, &user),
                Verdict::WrongAddress => security::failed_acl(act, &user),
                Verdict::WrongKey {
                    challenge,
                    expected,
                } => {
                    security::challenge_response_failed(act, &challenge, &expected);
                }
                _ => {}
            }
            act.session.fail(
                act.now + act.pbx.flaws.failure_delay,
                Headers::error(act.request.action_id(), "Authentication failed"),
            );
        }
    }
}

fn authenticate(act: &mut Act<'_>, user: &str) -> Verdict {
    let Some(account) = act.pbx.accounts.find(user).cloned() else {
        return Verdict::UnknownUser;
    };
    if !account.acl.permits(act.session.addresses.remote.ip()) {
        return Verdict::WrongAddress;
    }
    let Some(secret) = account.secret.clone() else {
        return Verdict::NothingToCheck;
    };
    if act.request.bytes("AuthType").eq_ignore_ascii_case(b"MD5") {
        return authenticate_md5(act, account, &secret);
    }
    // Who gives none gives an empty one.
    if act.request.bytes("Secret") == secret.as_bytes() {
        Verdict::Accepted(account)
    } else {
        Verdict::WrongSecret
    }
}

fn authenticate_md5(act: &mut Act<'_>, account: Account, secret: &str) -> Verdict {
    let key = act.request.bytes("Key");
    let Some(challenge) = act.session.challenge().clone().filter(|_| !key.is_empty()) else {
        return Verdict::NothingToCheck;
    };
    let expected = answer_to(&challenge, secret);
    if key == expected.as_bytes() {
        Verdict::Accepted(account)
    } else {
        Verdict::WrongKey {
            challenge,
            expected,
        }
    }
}

/// Lower-case hexadecimal of MD5 over challenge and secret.
fn answer_to(challenge: &str, secret: &str) -> String {
    let digest = Md5::new()
        .chain_update(challenge)
        .chain_update(secret)
        .finalize();
    digest
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to memory does not fail");
            text
        })
}

fn accept(act: &mut Act<'_>, account: Account) {
    let events = act.request.text("Events");
    if let Some(mask) = Classes::from_mask(&events) {
        act.session.mask = mask;
    }
    // The session bears the name as the client spelt it.
    let user = act.request.text("Username");
    let account = Account {
        name: user.clone(),
        ..account
    };
    let challenge = act.session.challenge().take();
    act.session.auth = Auth::User {
        account: Box::new(account),
        challenge,
        since: act.now,
    };
    act.success("Authentication accepted");
    if act.session.hears().contains(Classes::SYSTEM) {
        let booted = fully_booted(act);
        act.answer(booted);
    }
    security::successful_auth(act, &user);
}

/// Written straight to the session: no Timestamp, whatever the options.
fn fully_booted(act: &Act<'_>) -> Headers {
    let headers = Headers::event("FullyBooted").with_display("Privilege", Classes::SYSTEM);
    let headers = if act.pbx.profile.base.is_14_or_later() {
        let uptime = act.now.as_secs();
        headers
            .with_display("Uptime", uptime)
            .with_display("LastReload", uptime)
    } else {
        headers
    };
    headers.with("Status", "Fully Booted")
}

/// `allowmultiplelogin = no`: decided before the secret is looked at, for Challenge too.
pub(super) fn is_refused_as_in_use(act: &mut Act<'_>) -> bool {
    let user = act.request.text("Username");
    let Some(account) = act.pbx.accounts.find(&user) else {
        return false;
    };
    let in_use = account.multiple_login == MultipleLogin::Refused
        && act
            .pbx
            .logins
            .contains_key(&account.name.to_ascii_lowercase());
    if in_use {
        security::session_limit(act);
        act.session.fail(
            act.now + act.pbx.flaws.failure_delay,
            Headers::error(act.request.action_id(), "Login Already In Use"),
        );
    }
    in_use
}

fn challenge(act: &mut Act<'_>) {
    if !act.request.bytes("AuthType").eq_ignore_ascii_case(b"MD5") {
        return act.error("Must specify AuthType");
    }
    let drawn = act.pbx.rng.next_u32() % CHALLENGE_BELOW;
    let challenge = act
        .session
        .challenge()
        .get_or_insert_with(|| drawn.to_string())
        .clone();
    act.answer(Headers::response("Success", act.request.action_id()).with("Challenge", challenge));
}

fn logoff(act: &mut Act<'_>) {
    let goodbye = Headers::response("Goodbye", act.request.action_id());
    act.answer(goodbye.with("Message", "Thanks for all the fish."));
    act.session.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_challenge_is_md5_in_lower_case() {
        // `printf 123secret | md5sum`
        assert_eq!(
            answer_to("123", "secret"),
            "ad4f596c85c6fd9fad1cbd30efb611c2"
        );
    }
}
