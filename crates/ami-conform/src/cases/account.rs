//! Accounts that lack something: what they may not run, and who is not let in.

use std::collections::BTreeSet;

use ami_client::target::Standing;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::auth::{login, refused, wrong};
use crate::finding::{Finding, Judged};
use crate::logins::Lesser;
use crate::probe::{ANSWER_WITHIN, Probe};
use crate::reading::{self, listed};

/// Actions that do nothing without their headers, or only read.
const TRIED: [&str; 8] = [
    "CoreSettings",
    "CoreStatus",
    "DBGet",
    "GetConfig",
    "Getvar",
    "ListCategories",
    "ModuleCheck",
    "PJSIPShowEndpoints",
];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "auth.limited.lists-its-own",
        requirement: "ListCommands lists to an account what its classes allow, and nothing else.",
        level: Level::Should,
        authority: Authority::Asterisk,
        needs: &[
            Need::Action("ListCommands"),
            Need::Account(Standing::Limited),
        ],
        source: "manager.c action_listcommands, since 1.6",
        check: Check::Active(|bench| Box::pin(lists_its_own(bench))),
        ..CASE
    },
    Case {
        id: "auth.limited.denied",
        requirement: "An action beyond the classes of an account is answered by `Permission denied`, and the session goes on.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        needs: &[
            Need::Action("ListCommands"),
            Need::Account(Standing::Limited),
        ],
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(denied(bench))),
        ..CASE
    },
    Case {
        id: "auth.empty-item.may-no-more",
        requirement: "An empty item among the classes of an account allows no action.",
        level: Level::Should,
        authority: Authority::Consensus,
        severity: Severity::Blocker,
        needs: &[
            Need::Action("ListCommands"),
            Need::Account(Standing::EmptyItem),
        ],
        source: "manager.c ast_instring takes an empty item for every class, in every release",
        check: Check::Active(|bench| Box::pin(empty_item(bench))),
        ..CASE
    },
    Case {
        id: "auth.single-login.second",
        requirement: "A second login of an account that may have one session is refused, and the first session goes on.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Account(Standing::SingleLogin)],
        source: "manager.c check_manager_session_inuse, since 1.6",
        check: Check::Active(|bench| Box::pin(second_login(bench))),
        ..CASE
    },
    Case {
        id: "auth.refusal.wrong-address",
        requirement: "A login from an address that its account does not permit gets the same answer as a wrong secret.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        needs: &[Need::Account(Standing::WrongAddress)],
        source: "manager.c authenticate: ast_apply_acl",
        check: Check::Active(|bench| Box::pin(not_let_in(bench, Standing::WrongAddress))),
        ..CASE
    },
    Case {
        id: "auth.refusal.no-secret",
        requirement: "An account without a secret is not let in without one.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        needs: &[Need::Account(Standing::NoSecret)],
        source: "manager.c authenticate, since 1.6",
        check: Check::Active(|bench| Box::pin(not_let_in(bench, Standing::NoSecret))),
        ..CASE
    },
    Case {
        id: "auth.refusal.switched-off",
        requirement: "An account that was switched off gets the same answer as a wrong secret.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        needs: &[Need::Account(Standing::SwitchedOff)],
        source: "manager.c authenticate: there is no such account",
        check: Check::Active(|bench| Box::pin(not_let_in(bench, Standing::SwitchedOff))),
        ..CASE
    },
];

/// The classes that an account with an empty item names beside it.
pub(super) fn beside_empty_item() -> BTreeSet<String> {
    ["call", "user"].map(str::to_owned).into()
}

/// Whether an action is beyond these classes, as far as it shows.
fn is_beyond(classes: &BTreeSet<String>, listed: &str) -> bool {
    let needs = reading::classes(listed).into_iter().flatten();
    let needs = needs.filter(|class| !["all", "<none>"].contains(class));
    let mut needs = needs.peekable();
    needs.peek().is_some() && !needs.any(|class| classes.contains(class))
}

async fn lists_its_own(bench: &mut Bench<'_>) -> Judged {
    let Lesser { write, .. } = bench.lesser(Standing::Limited)?;
    nothing_beyond(bench, Standing::Limited, &write).await
}

async fn empty_item(bench: &mut Bench<'_>) -> Judged {
    nothing_beyond(bench, Standing::EmptyItem, &beside_empty_item()).await
}

async fn nothing_beyond(
    bench: &mut Bench<'_>,
    standing: Standing,
    classes: &BTreeSet<String>,
) -> Judged {
    let all = bench.device.actions.as_ref();
    if !all.is_some_and(|all| all.values().any(|listed| is_beyond(classes, listed))) {
        let why = "ListCommands names no action that this account may not run";
        return Ok(Finding::inconclusive(why));
    }
    let mut probe = bench.lesser_session(standing, "off").await?;
    let answer = probe.ask("ListCommands", &[]).await?;
    answer.expect("Response", "Success")?;
    let listed = listed(&answer);
    let beyond = listed.iter().find(|(_, text)| is_beyond(classes, text));
    if let Some((name, text)) = beyond {
        let got = format!("`{name}: {text}`");
        let expected = "what its classes allow, or needs none";
        return Ok(Finding::fail(expected, got).with(answer.evidence()));
    }
    if listed.is_empty() {
        return Ok(Finding::inconclusive("nothing is listed").with(answer.evidence()));
    }
    Ok(Finding::pass("nothing beyond its classes").with(answer.evidence()))
}

async fn denied(bench: &mut Bench<'_>) -> Judged {
    let Lesser { write, .. } = bench.lesser(Standing::Limited)?;
    let known = bench.device.actions.clone().unwrap_or_default();
    let is_beyond = |name: &&str| known.get(*name).is_some_and(|text| is_beyond(&write, text));
    let beyond: Vec<&str> = TRIED.into_iter().filter(|name| is_beyond(name)).collect();
    if beyond.is_empty() {
        return Ok(Finding::inconclusive(
            "the account may run all that is tried",
        ));
    }
    let mut probe = bench.lesser_session(Standing::Limited, "off").await?;
    let mut evidence = Vec::new();
    for action in &beyond {
        let answer = probe.ask(action, &[]).await?;
        answer.expect_error("Permission denied")?;
        evidence.push(answer.evidence());
    }
    probe.barrier().await?;
    Ok(Finding::pass(format!("each of {}", beyond.join(", "))).with_all(evidence))
}

async fn second_login(bench: &mut Bench<'_>) -> Judged {
    let mut first = bench.lesser_session(Standing::SingleLogin, "off").await?;
    let who = bench.lesser(Standing::SingleLogin)?.credentials;
    let answer = refused(bench, &who.login("off")).await?;
    first.barrier().await?;
    leave(first).await;
    Ok(answer.pass_with_message())
}

/// Logs off, so that the next login of the account finds it free.
pub(super) async fn leave(mut probe: Probe) {
    probe.send("Logoff", &[]).await;
    // How a session ends is judged elsewhere.
    let _ = probe.ends(ANSWER_WITHIN).await;
}

/// This account gets what its own name and a wrong secret get.
async fn not_let_in(bench: &mut Bench<'_>, standing: Standing) -> Judged {
    let (own, secret) = (bench.credentials()?.username.clone(), wrong(bench));
    let usual = refused(bench, &login(&own, &secret)).await?;
    let who = bench.lesser(standing)?.credentials;
    let answer = refused(bench, &who.login("off")).await?;
    let evidence = [usual.evidence(), answer.evidence()];
    if usual.text("Message") != answer.text("Message") {
        return Ok(Finding::fail(usual.summary(), answer.summary()).with_all(evidence));
    }
    Ok(Finding::pass("the same").with_all(evidence))
}
