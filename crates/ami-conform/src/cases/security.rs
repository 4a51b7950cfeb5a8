//! Events of class security: what a PBX tells of those who log in, and of those who may not.

use ami_client::target::Standing;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::account::leave;
use crate::cases::auth::{by_key, challenge, key, login, own_key, refused, wrong};
use crate::finding::{Finding, Judged};
use crate::probe::{Got, Probe};

/// What a ban of an address rests on.
const ALARMS: [&str; 6] = [
    "ChallengeResponseFailed",
    "FailedACL",
    "InvalidAccountID",
    "InvalidPassword",
    "RequestNotAllowed",
    "SessionLimit",
];

const TOLD: &[Need] = &[Need::Read("security"), Need::Since(12, 0)];

/// What the cases have in common that provoke an alarm.
const ALARM: Case = Case {
    level: Level::Should,
    authority: Authority::Asterisk,
    safety: Safety::Noisy,
    needs: TOLD,
    source: "manager.c report_*, security_events.c, since 12",
    ..CASE
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "auth.security.success",
        requirement: "SuccessfulAuth tells of a login, with the account and the address.",
        safety: Safety::Quiet,
        check: Check::Active(|bench| Box::pin(success(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.no-false-alarm",
        requirement: "A login that succeeds, by secret or by key, is told as nothing else.",
        safety: Safety::Quiet,
        check: Check::Active(|bench| Box::pin(no_false_alarm(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.invalid-password",
        requirement: "InvalidPassword tells once of a wrong secret, with the account.",
        check: Check::Active(|bench| Box::pin(invalid_password(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.invalid-account",
        requirement: "InvalidAccountID tells once of a login of an unknown account, with its name.",
        check: Check::Active(|bench| Box::pin(invalid_account(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.challenge-failed",
        requirement: "ChallengeResponseFailed tells once of a wrong answer to a challenge.",
        check: Check::Active(|bench| Box::pin(challenge_failed(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.expected-response",
        requirement: "Whether ChallengeResponseFailed tells what the right answer was.",
        level: Level::Observe,
        severity: Severity::Info,
        check: Check::Active(|bench| Box::pin(expected_response(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.failed-acl",
        requirement: "FailedACL tells once of a login from an address that is not permitted.",
        needs: &[
            Need::Read("security"),
            Need::Since(12, 0),
            Need::Account(Standing::WrongAddress),
        ],
        check: Check::Active(|bench| Box::pin(failed_acl(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.session-limit",
        requirement: "SessionLimit tells of a second login of an account that may have one session.",
        needs: &[
            Need::Read("security"),
            Need::Since(12, 0),
            Need::Account(Standing::SingleLogin),
        ],
        check: Check::Active(|bench| Box::pin(session_limit(bench))),
        ..ALARM
    },
    Case {
        id: "auth.security.not-allowed",
        requirement: "RequestNotAllowed tells once of an action that is denied, with the account and the action.",
        needs: &[
            Need::Read("security"),
            Need::Since(12, 0),
            Need::Account(Standing::Limited),
        ],
        check: Check::Active(|bench| Box::pin(not_allowed(bench))),
        ..ALARM
    },
];

/// An event of that name that is about us.
async fn told(
    listener: &mut Probe,
    name: &str,
    ours: impl Fn(&Got) -> bool,
) -> Result<Got, Finding> {
    let what = format!("the event {name}");
    let wanted = |got: &Got| got.is_event(name) && ours(got);
    listener.event(&what, wanted).await
}

fn of_account(name: &str) -> impl Fn(&Got) -> bool + '_ {
    move |got| got.has("AccountID", name)
}

fn is_alarm(got: &Got) -> bool {
    ALARMS.iter().any(|name| got.is_event(name))
}

fn name_of(got: &Got) -> String {
    got.text("Event").unwrap_or_default()
}

/// Who hears of it. An account of one session could not be refused meanwhile for anything else.
async fn watch(bench: &mut Bench<'_>) -> Result<Probe, Finding> {
    let listener = bench.listener("security").await?;
    leave(bench.session().await?).await;
    Ok(listener)
}

/// An event of that name, and up to the next login nothing else that should alarm anybody.
async fn told_once(
    bench: &mut Bench<'_>,
    mut listener: Probe,
    name: &str,
    ours: impl Fn(&Got) -> bool,
) -> Judged {
    let event = told(&mut listener, name, &ours).await?;
    let _next = bench.session().await?;
    let until = |got: &Got| got.is_event("SuccessfulAuth") || (is_alarm(got) && ours(got));
    let next = listener.event("the event SuccessfulAuth", until).await?;
    if is_alarm(&next) {
        let got = format!("{} too", name_of(&next));
        return Ok(Finding::fail(format!("{name} alone"), got).with(next.evidence()));
    }
    Ok(Finding::pass("it does").with(event.evidence()))
}

async fn success(bench: &mut Bench<'_>) -> Judged {
    let mut listener = bench.listener("security").await?;
    let _session = bench.session().await?;
    let user = bench.credentials()?.username.clone();
    let event = told(&mut listener, "SuccessfulAuth", of_account(&user)).await?;
    match event.text("RemoteAddress") {
        Some(address) if !address.is_empty() => Ok(Finding::pass("it does").with(event.evidence())),
        _ => Ok(Finding::fail("a RemoteAddress", "none").with(event.evidence())),
    }
}

async fn no_false_alarm(bench: &mut Bench<'_>) -> Judged {
    /// Our own, by secret and by key.
    const LOGINS: usize = 2;
    let user = bench.credentials()?.username.clone();
    let mut listener = bench.listener("security").await?;
    let (mut probe, _) = bench.greeted().await?;
    let key = own_key(bench, &mut probe).await?;
    let answer = by_key(bench, &mut probe, &key).await?;
    if !answer.has("Response", "Success") {
        return Ok(Finding::inconclusive("the key logged nobody in").with(answer.evidence()));
    }
    // An alarm about a key names no account.
    let ours = |got: &Got| got.has("AccountID", &user) || got.has("Response", &key);
    for _ in 0..LOGINS {
        let login = |got: &Got| ours(got) && (got.is_event("SuccessfulAuth") || is_alarm(got));
        let event = listener.event("the event SuccessfulAuth", login).await;
        let event = event.map_err(|_| Finding::inconclusive("no login was told"))?;
        if is_alarm(&event) {
            let got = name_of(&event);
            return Ok(Finding::fail("SuccessfulAuth alone", got).with(event.evidence()));
        }
    }
    Ok(Finding::pass("SuccessfulAuth alone"))
}

async fn invalid_password(bench: &mut Bench<'_>) -> Judged {
    let listener = watch(bench).await?;
    let (user, secret) = (bench.credentials()?.username.clone(), wrong(bench));
    refused(bench, &login(&user, &secret)).await?;
    told_once(bench, listener, "InvalidPassword", of_account(&user)).await
}

async fn invalid_account(bench: &mut Bench<'_>) -> Judged {
    let listener = watch(bench).await?;
    let (nobody, secret) = (bench.id(), wrong(bench));
    refused(bench, &login(&nobody, &secret)).await?;
    told_once(bench, listener, "InvalidAccountID", of_account(&nobody)).await
}

/// A wrong answer to a challenge, which nobody else gives.
async fn wrong_key(bench: &mut Bench<'_>) -> Result<String, Finding> {
    let (mut probe, _) = bench.greeted().await?;
    let challenge = challenge(&mut probe).await?;
    let key = key(&challenge, &wrong(bench));
    let answer = by_key(bench, &mut probe, &key).await?;
    answer.expect("Response", "Error")?;
    Ok(key)
}

async fn challenge_failed(bench: &mut Bench<'_>) -> Judged {
    let listener = watch(bench).await?;
    let key = wrong_key(bench).await?;
    let ours = |got: &Got| got.has("Response", &key);
    told_once(bench, listener, "ChallengeResponseFailed", ours).await
}

async fn expected_response(bench: &mut Bench<'_>) -> Judged {
    let mut listener = watch(bench).await?;
    let key = wrong_key(bench).await?;
    let ours = |got: &Got| got.has("Response", &key);
    let event = told(&mut listener, "ChallengeResponseFailed", ours).await;
    let event = event.map_err(|_| Finding::inconclusive("a wrong answer is not told"))?;
    let got = match event.text("ExpectedResponse") {
        Some(text) if !text.is_empty() => "it does",
        _ => "it does not",
    };
    Ok(Finding::pass(got).with(event.evidence()))
}

async fn failed_acl(bench: &mut Bench<'_>) -> Judged {
    let listener = watch(bench).await?;
    let who = bench.lesser(Standing::WrongAddress)?.credentials;
    refused(bench, &who.login("off")).await?;
    told_once(bench, listener, "FailedACL", of_account(&who.username)).await
}

/// It names no account.
async fn session_limit(bench: &mut Bench<'_>) -> Judged {
    let mut listener = watch(bench).await?;
    let first = bench.lesser_session(Standing::SingleLogin, "off").await?;
    let who = bench.lesser(Standing::SingleLogin)?.credentials;
    refused(bench, &who.login("off")).await?;
    let event = told(&mut listener, "SessionLimit", |_| true).await?;
    leave(first).await;
    Ok(Finding::pass("it does").with(event.evidence()))
}

async fn not_allowed(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.lesser_session(Standing::Limited, "off").await?;
    let listener = watch(bench).await?;
    let user = bench.lesser(Standing::Limited)?.credentials.username;
    let denied = probe.ask("ModuleCheck", &[]).await?;
    if !denied.has("Message", "Permission denied") {
        let why = "the account `limited` may run ModuleCheck, or is told so otherwise";
        return Ok(Finding::inconclusive(why).with(denied.evidence()));
    }
    let ours = |got: &Got| {
        let action = got.text("RequestType").unwrap_or_default();
        got.has("AccountID", &user) && action.ends_with("ModuleCheck")
    };
    told_once(bench, listener, "RequestNotAllowed", ours).await
}
