//! Who may log in, how, and what is said to those who may not.

use std::collections::BTreeSet;
use std::time::Duration;

use md5::{Digest as _, Md5};

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::probe::{Got, Probe};

/// A failed login is answered after a second by stock Asterisk.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

const CHALLENGES: usize = 10;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "auth.login.accepted",
        requirement: "Login with name and secret is answered by Success.",
        severity: Severity::Blocker,
        source: "manager.c action_login",
        check: Check::Active(|bench| Box::pin(accepted(bench))),
        ..CASE
    },
    Case {
        id: "auth.login.text",
        requirement: "A login that succeeds says `Authentication accepted`.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c action_login",
        check: Check::Active(|bench| Box::pin(accepted_text(bench))),
        ..CASE
    },
    Case {
        id: "auth.login.user-case",
        requirement: "Whether the name of an account is read without regard to case.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c get_manager_by_name_locked: strcasecmp",
        check: Check::Active(|bench| Box::pin(user_case(bench))),
        ..CASE
    },
    Case {
        id: "auth.login.twice",
        requirement: "A second Login on a session does no harm.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c process_message, since 1.8",
        check: Check::Active(|bench| Box::pin(twice(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.wrong-secret",
        requirement: "A wrong secret is an error, and the connection is closed.",
        safety: Safety::Noisy,
        source: "manager.c action_login",
        check: Check::Active(|bench| Box::pin(wrong_secret(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.unknown-user",
        requirement: "An unknown account gets the same answer as a wrong secret.",
        safety: Safety::Noisy,
        source: "manager.c authenticate",
        check: Check::Active(|bench| Box::pin(unknown_user(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.missing-user",
        requirement: "A Login without a name is refused, and the connection is closed.",
        safety: Safety::Noisy,
        source: "manager.c authenticate",
        check: Check::Active(|bench| Box::pin(missing_user(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.empty-secret",
        requirement: "An empty secret is refused.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        source: "manager.c authenticate",
        check: Check::Active(|bench| Box::pin(empty_secret(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.takes-a-second",
        requirement: "A refusal takes a second, so that secrets cannot be guessed quickly.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c action_login: sleep(1)",
        check: Check::Active(|bench| Box::pin(takes_a_second(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.same-time",
        requirement: "A refusal takes as long for an unknown account as for a wrong secret.",
        level: Level::Should,
        authority: Authority::Consensus,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c action_login: sleep(1), whatever was wrong",
        check: Check::Active(|bench| Box::pin(same_time(bench))),
        ..CASE
    },
    Case {
        id: "auth.before-login.denied",
        requirement: "Without a login nothing but Login, Challenge and Logoff is carried out.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(denied_before(bench))),
        ..CASE
    },
    Case {
        id: "auth.before-login.stays-open",
        requirement: "A refused action before the login leaves the connection open: the login can follow.",
        level: Level::Should,
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(login_after_denial(bench))),
        ..CASE
    },
    Case {
        id: "auth.challenge.md5",
        requirement: "A Challenge and its MD5 key log in.",
        source: "manager.c authenticate",
        check: Check::Active(|bench| Box::pin(md5(bench))),
        ..CASE
    },
    Case {
        id: "auth.challenge.varies",
        requirement: "Challenges of different connections differ.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        source: "manager.c action_challenge: ast_random",
        check: Check::Active(|bench| Box::pin(varies(bench))),
        ..CASE
    },
    Case {
        id: "auth.challenge.stable",
        requirement: "Whether a second Challenge on a connection is the first one.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c action_challenge, since 1.6",
        check: Check::Active(|bench| Box::pin(stable(bench))),
        ..CASE
    },
    Case {
        id: "auth.challenge.unknown-type",
        requirement: "A Challenge of another type than MD5 is an error.",
        level: Level::Should,
        safety: Safety::Noisy,
        source: "manager.c action_challenge",
        check: Check::Active(|bench| Box::pin(unknown_type(bench))),
        ..CASE
    },
    Case {
        id: "auth.challenge.upper-case-key",
        requirement: "Whether a key in upper-case digits logs in.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c authenticate: strcmp",
        check: Check::Active(|bench| Box::pin(upper_case_key(bench))),
        ..CASE
    },
    Case {
        id: "auth.challenge.no-replay",
        requirement: "A key that logged in does not log in again on another connection.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        source: "manager.c authenticate",
        check: Check::Active(|bench| Box::pin(no_replay(bench))),
        ..CASE
    },
];

/// Of who is not let in.
pub(super) fn login<'a>(user: &'a str, secret: &'a str) -> [(&'a str, &'a str); 3] {
    [("Username", user), ("Secret", secret), ("Events", "off")]
}

/// Logs in by hand, with the answer.
pub(super) async fn logged_in(bench: &mut Bench<'_>) -> Result<(Probe, Got), Finding> {
    let (mut probe, _) = bench.greeted().await?;
    let account = bench.credentials()?;
    let headers = account.login("off");
    let answer = probe.ask("Login", &headers).await?;
    Ok((probe, answer))
}

async fn accepted(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, answer) = logged_in(bench).await?;
    answer.expect("Response", "Success")?;
    probe.barrier().await?;
    Ok(Finding::pass("Success").with(answer.evidence()))
}

async fn accepted_text(bench: &mut Bench<'_>) -> Judged {
    let (_, answer) = logged_in(bench).await?;
    answer.expect("Message", "Authentication accepted")?;
    Ok(Finding::pass("it does").with(answer.evidence()))
}

async fn user_case(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let account = bench.credentials()?.clone();
    let other = swap_case(&account.username);
    if other == account.username {
        return Ok(Finding::not_applicable("the account's name has no letters"));
    }
    let headers = login(&other, account.secret.expose());
    let answer = probe.ask("Login", &headers).await?;
    let got = if answer.has("Response", "Success") {
        "it is"
    } else {
        "it is not"
    };
    Ok(Finding::pass(got).with(answer.evidence()))
}

fn swap_case(name: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    name.chars().map(swap).collect()
}

async fn twice(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = logged_in(bench).await?;
    let account = bench.credentials()?;
    let headers = account.login("off");
    let again = probe.ask("Login", &headers).await?;
    again.expect("Response", "Success")?;
    probe.barrier().await?;
    Ok(again.pass_with_message())
}

/// The answer to a login that must fail, and that the connection is closed behind it.
pub(super) async fn refused(
    bench: &mut Bench<'_>,
    headers: &[(&str, &str)],
) -> Result<Got, Finding> {
    let (mut probe, _) = bench.greeted().await?;
    probe.send("Login", headers).await;
    let answer = probe.answer_within(REFUSED_WITHIN).await?;
    answer.expect("Response", "Error")?;
    probe.ends(REFUSED_WITHIN).await?;
    Ok(answer)
}

/// No account has it.
pub(super) fn wrong(bench: &Bench<'_>) -> String {
    format!("wrong-{}", bench.id())
}

async fn wrong_secret(bench: &mut Bench<'_>) -> Judged {
    let (user, secret) = (bench.credentials()?.username.clone(), wrong(bench));
    let answer = refused(bench, &login(&user, &secret)).await?;
    Ok(answer.pass_with_message())
}

async fn unknown_user(bench: &mut Bench<'_>) -> Judged {
    let (user, secret) = (bench.credentials()?.username.clone(), wrong(bench));
    let known = refused(bench, &login(&user, &secret)).await?;
    let nobody = bench.id();
    let unknown = refused(bench, &login(&nobody, &secret)).await?;
    let same = known.text("Message") == unknown.text("Message")
        && known.frame().lines().count() == unknown.frame().lines().count();
    if !same {
        let (expected, got) = (known.summary(), unknown.summary());
        return Ok(Finding::fail(expected, got)
            .with(known.evidence())
            .with(unknown.evidence()));
    }
    Ok(Finding::pass("the same").with(unknown.evidence()))
}

async fn missing_user(bench: &mut Bench<'_>) -> Judged {
    let secret = wrong(bench);
    let answer = refused(bench, &[("Secret", &secret)]).await?;
    Ok(answer.pass_with_message())
}

async fn empty_secret(bench: &mut Bench<'_>) -> Judged {
    let user = bench.credentials()?.username.clone();
    let answer = refused(bench, &login(&user, "")).await?;
    Ok(answer.pass_with_message())
}

/// How long a refusal takes, and the answer.
async fn time_of_refusal(bench: &mut Bench<'_>, user: &str) -> Result<(Duration, Got), Finding> {
    let (mut probe, _) = bench.greeted().await?;
    let secret = wrong(bench);
    let sent_at = bench.now();
    probe.send("Login", &login(user, &secret)).await;
    let answer = probe.answer_within(REFUSED_WITHIN).await?;
    answer.expect("Response", "Error")?;
    Ok((answer.at.saturating_sub(sent_at), answer))
}

async fn same_time(bench: &mut Bench<'_>) -> Judged {
    const APART_MAX: Duration = Duration::from_millis(500);
    let (known, nobody) = (bench.credentials()?.username.clone(), bench.id());
    let (one, wrong_secret) = time_of_refusal(bench, &known).await?;
    let (two, unknown_user) = time_of_refusal(bench, &nobody).await?;
    let evidence = [wrong_secret.evidence(), unknown_user.evidence()];
    if one.abs_diff(two) > APART_MAX {
        let (one, two) = (one.as_secs_f64(), two.as_secs_f64());
        let got = format!("{one:.1} s for a wrong secret, {two:.1} s for an unknown account");
        return Ok(Finding::fail("the same time", got).with_all(evidence));
    }
    Ok(Finding::pass("the same time").with_all(evidence))
}

async fn takes_a_second(bench: &mut Bench<'_>) -> Judged {
    const AT_LEAST: Duration = Duration::from_millis(900);
    let user = bench.credentials()?.username.clone();
    let (took, answer) = time_of_refusal(bench, &user).await?;
    let got = format!("{:.1} s", took.as_secs_f64());
    if took < AT_LEAST {
        return Ok(Finding::fail("a second", got).with(answer.evidence()));
    }
    Ok(Finding::pass(got).with(answer.evidence()))
}

async fn denied_before(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let mut evidence = Vec::new();
    for action in ["Ping", "CoreStatus", "ListCommands", "NoSuchAction"] {
        let answer = probe.ask(action, &[]).await?;
        answer.expect("Response", "Error")?;
        evidence.push(answer.evidence());
    }
    Ok(Finding::pass("each is an error").with_all(evidence))
}

async fn login_after_denial(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let denied = probe.ask("Ping", &[]).await?;
    denied.expect("Response", "Error")?;
    let account = bench.credentials()?;
    let headers = account.login("off");
    let answer = probe.ask("Login", &headers).await?;
    answer.expect("Response", "Success")?;
    Ok(Finding::pass("the login succeeds").with(answer.evidence()))
}

pub(super) async fn challenge(probe: &mut Probe) -> Result<String, Finding> {
    let answer = probe.ask("Challenge", &[("AuthType", "MD5")]).await?;
    answer.expect("Response", "Success")?;
    match answer.text("Challenge") {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(Finding::fail("a challenge", "none").with(answer.evidence())),
    }
}

pub(super) fn key(challenge: &str, secret: &str) -> String {
    let digest = Md5::new()
        .chain_update(challenge)
        .chain_update(secret)
        .finalize();
    super::hex(&digest)
}

pub(crate) async fn by_key(
    bench: &Bench<'_>,
    probe: &mut Probe,
    key: &str,
) -> Result<Got, Finding> {
    let user = &bench.credentials()?.username;
    let headers = [
        ("AuthType", "MD5"),
        ("Username", user),
        ("Key", key),
        ("Events", "off"),
    ];
    probe.send("Login", &headers).await;
    probe.answer_within(REFUSED_WITHIN).await
}

/// The key that logs this account in here.
pub(crate) async fn own_key(bench: &Bench<'_>, probe: &mut Probe) -> Result<String, Finding> {
    let challenge = challenge(probe).await?;
    Ok(key(&challenge, bench.credentials()?.secret.expose()))
}

async fn md5(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let key = own_key(bench, &mut probe).await?;
    let answer = by_key(bench, &mut probe, &key).await?;
    answer.expect("Response", "Success")?;
    probe.barrier().await?;
    Ok(Finding::pass("Success").with(answer.evidence()))
}

async fn varies(bench: &mut Bench<'_>) -> Judged {
    let mut seen = BTreeSet::new();
    for _ in 0..CHALLENGES {
        let (mut probe, _) = bench.greeted().await?;
        seen.insert(challenge(&mut probe).await?);
        probe.send("Logoff", &[]).await;
    }
    let got = format!("{} different ones of {CHALLENGES}", seen.len());
    // Random numbers of nine digits may meet by chance, but not often.
    if seen.len() + 1 < CHALLENGES {
        return Ok(Finding::fail(format!("{CHALLENGES} different ones"), got));
    }
    Ok(Finding::pass(got))
}

async fn stable(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let (first, second) = (challenge(&mut probe).await?, challenge(&mut probe).await?);
    let got = if first == second {
        "it is"
    } else {
        "it is another"
    };
    Ok(Finding::pass(got))
}

async fn unknown_type(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let answer = probe.ask("Challenge", &[("AuthType", "SHA")]).await?;
    answer.expect("Response", "Error")?;
    Ok(answer.pass_with_message())
}

async fn upper_case_key(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let key = own_key(bench, &mut probe).await?.to_ascii_uppercase();
    let answer = by_key(bench, &mut probe, &key).await?;
    let got = if answer.has("Response", "Success") {
        "it does"
    } else {
        "it does not"
    };
    Ok(Finding::pass(got).with(answer.evidence()))
}

async fn no_replay(bench: &mut Bench<'_>) -> Judged {
    let (mut first, _) = bench.greeted().await?;
    let key = own_key(bench, &mut first).await?;
    let answer = by_key(bench, &mut first, &key).await?;
    if !answer.has("Response", "Success") {
        return Ok(Finding::inconclusive("the key logged nobody in").with(answer.evidence()));
    }
    let (mut second, _) = bench.greeted().await?;
    challenge(&mut second).await?;
    let replayed = by_key(bench, &mut second, &key).await?;
    replayed.expect("Response", "Error")?;
    Ok(Finding::pass("refused").with(replayed.evidence()))
}
