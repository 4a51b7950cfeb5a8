//! What lets events pass to a session, and what keeps them back: masks and filters.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::event::{TELLS, heard, named, tell};
use crate::cases::refused;
use crate::finding::{Finding, Judged};
use crate::probe::{Got, Probe};

const FILTERS: &[Need] = &[
    Need::Action("UserEvent"),
    Need::Read("user"),
    Need::Action("Filter"),
    Need::Since(1, 8),
];
const ADVANCED: &[Need] = &[
    Need::Action("UserEvent"),
    Need::Read("user"),
    Need::Action("Filter"),
    Need::Since(22, 1),
];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "event.mask.off",
        requirement: "`EventMask: off` stops events until it is on again.",
        safety: Safety::CreatesState,
        needs: TELLS,
        source: "manager.c action_events",
        check: Check::Active(|bench| Box::pin(off_and_on(bench))),
        ..CASE
    },
    Case {
        id: "event.mask.classes",
        requirement: "A mask of classes lets those pass and no others.",
        safety: Safety::CreatesState,
        needs: TELLS,
        source: "manager.c action_events",
        check: Check::Active(|bench| Box::pin(classes(bench))),
        ..CASE
    },
    Case {
        id: "event.mask.answer",
        requirement: "Events is answered by `Events: On` or `Events: Off`.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c action_events",
        check: Check::Active(|bench| Box::pin(mask_answer(bench))),
        ..CASE
    },
    Case {
        id: "event.mask.empty",
        requirement: "An empty mask is an error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c action_events, since 1.4.32",
        check: Check::Active(|bench| Box::pin(mask_refused(bench, ""))),
        ..CASE
    },
    Case {
        id: "event.mask.unknown-word",
        requirement: "A mask of an unknown word is an error, not silence.",
        level: Level::Should,
        authority: Authority::Consensus,
        safety: Safety::Noisy,
        source: "manager.c get_perm knows no unknown words: stock answers `Events: Off`",
        check: Check::Active(|bench| Box::pin(mask_refused(bench, "nosuchclass"))),
        ..CASE
    },
    Case {
        id: "event.mask.empty-item",
        requirement: "What a mask with an empty item lets pass.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c ast_instring: an empty item matches every class",
        check: Check::Active(|bench| Box::pin(mask_observed(bench, ",x"))),
        ..CASE
    },
    Case {
        id: "event.mask.number",
        requirement: "What a mask that is a number does.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c strings_to_mask: atoi",
        check: Check::Active(|bench| Box::pin(mask_observed(bench, "64"))),
        ..CASE
    },
    Case {
        id: "event.filter.include",
        requirement: "A filter lets pass what its pattern finds, and nothing else.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::CreatesState,
        needs: FILTERS,
        source: "manager.c match_filter, since 1.8.18",
        check: Check::Active(|bench| Box::pin(filtered(bench, &["{tag}-yes"], &["yes"]))),
        ..CASE
    },
    Case {
        id: "event.filter.exclude",
        requirement: "A filter that begins with `!` keeps back what its pattern finds.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::CreatesState,
        needs: FILTERS,
        source: "manager.c match_filter, since 1.8.18",
        check: Check::Active(|bench| Box::pin(filtered(bench, &["!{tag}-no"], &["yes", "both"]))),
        ..CASE
    },
    Case {
        id: "event.filter.both",
        requirement: "What is included and excluded is excluded.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::CreatesState,
        needs: FILTERS,
        source: "manager.c match_filter, since 1.8.18",
        check: Check::Active(|bench| {
            Box::pin(filtered(
                bench,
                &["{tag}-(yes|both)", "!{tag}-both"],
                &["yes"],
            ))
        }),
        ..CASE
    },
    Case {
        id: "event.filter.bad-pattern",
        requirement: "A pattern that is no regular expression is an error, and changes nothing.",
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: FILTERS,
        source: "manager.c action_filter, since 1.8.18",
        check: Check::Active(|bench| Box::pin(bad_pattern(bench))),
        ..CASE
    },
    Case {
        id: "event.filter.empty",
        requirement: "What an empty filter is.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        needs: FILTERS,
        source: "manager.c action_filter: an error since 22.1, all before",
        check: Check::Active(|bench| Box::pin(empty_filter(bench))),
        ..CASE
    },
    Case {
        id: "event.filter.match-criteria",
        requirement: "A filter with match criteria tests the name or a header of an event by itself.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::CreatesState,
        needs: ADVANCED,
        source: "manager.c parse_match_criteria, since 18.26, 20.11, 21.6, 22.1",
        check: Check::Active(|bench| Box::pin(match_criteria(bench))),
        ..CASE
    },
];

/// Adds this one.
fn filter(pattern: &str) -> [(&str, &str); 2] {
    [("Operation", "Add"), ("Filter", pattern)]
}

async fn mask(listener: &mut Probe, mask: &str) -> Result<Got, Finding> {
    listener.ask("Events", &[("EventMask", mask)]).await
}

async fn kept_back(listener: &mut Probe, name: &str) -> Result<(), Finding> {
    let messages = listener.barrier_behind().await?;
    match messages.iter().find(|got| named(name)(got)) {
        None => Ok(()),
        Some(event) => Err(Finding::fail("nothing", "the UserEvent").with(event.evidence())),
    }
}

async fn off_and_on(bench: &mut Bench<'_>) -> Judged {
    let (mut listener, mut teller) = (bench.listener("user").await?, bench.session().await?);
    let name = bench.id();
    mask(&mut listener, "off")
        .await?
        .expect("Response", "Success")?;
    tell(&mut teller, &name, &[("Number", "while off")]).await?;
    kept_back(&mut listener, &name).await?;
    mask(&mut listener, "on")
        .await?
        .expect("Response", "Success")?;
    tell(&mut teller, &name, &[("Number", "while on")]).await?;
    let event = heard(&mut listener, &name).await?;
    event.expect("Number", "while on")?;
    Ok(Finding::pass("it does").with(event.evidence()))
}

async fn classes(bench: &mut Bench<'_>) -> Judged {
    let (mut listener, mut teller) = (bench.listener("off").await?, bench.session().await?);
    let name = bench.id();
    mask(&mut listener, "call")
        .await?
        .expect("Response", "Success")?;
    tell(&mut teller, &name, &[("Number", "kept back")]).await?;
    kept_back(&mut listener, &name).await?;
    mask(&mut listener, "user")
        .await?
        .expect("Response", "Success")?;
    tell(&mut teller, &name, &[("Number", "let pass")]).await?;
    let event = heard(&mut listener, &name).await?;
    event.expect("Number", "let pass")?;
    Ok(Finding::pass("it does").with(event.evidence()))
}

async fn mask_answer(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let on = mask(&mut probe, "on").await?;
    on.expect("Events", "On")?;
    let off = mask(&mut probe, "off").await?;
    off.expect("Events", "Off")?;
    Ok(Finding::pass("both")
        .with(on.evidence())
        .with(off.evidence()))
}

async fn mask_refused(bench: &mut Bench<'_>, text: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = mask(&mut probe, text).await?;
    answer.expect("Response", "Error")?;
    Ok(answer.pass_with_message())
}

async fn mask_observed(bench: &mut Bench<'_>, text: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = mask(&mut probe, text).await?;
    Ok(Finding::pass(answer.summary()).with(answer.evidence()))
}

/// A session with filters of these patterns hears of three events, `yes`, `no` and `both`, only those named.
async fn filtered(bench: &mut Bench<'_>, patterns: &[&str], expected: &[&str]) -> Judged {
    let tag = bench.id();
    let (mut listener, mut teller) = (bench.listener("user").await?, bench.session().await?);
    for pattern in patterns {
        let pattern = pattern.replace("{tag}", &tag);
        let answer = listener.ask("Filter", &filter(&pattern)).await?;
        answer.expect("Response", "Success")?;
    }
    let heard = heard_of(&mut listener, &mut teller, &tag).await?;
    of_heard(&heard, expected)
}

/// Which of `yes`, `no` and `both` a session hears.
async fn heard_of(
    listener: &mut Probe,
    teller: &mut Probe,
    tag: &str,
) -> Result<Vec<String>, Finding> {
    for which in ["yes", "no", "both"] {
        tell(teller, &format!("{tag}-{which}"), &[]).await?;
    }
    let messages = listener.barrier_behind().await?;
    let prefix = format!("{tag}-");
    let names = messages.iter().filter_map(|got| got.text("UserEvent"));
    Ok(names
        .filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned))
        .collect())
}

fn of_heard(heard: &[String], expected: &[&str]) -> Judged {
    let got = format!(
        "heard {}",
        if heard.is_empty() {
            "none".to_owned()
        } else {
            heard.join(", ")
        }
    );
    if heard == expected {
        Ok(Finding::pass(got))
    } else {
        Ok(Finding::fail(format!("hears {}", expected.join(", ")), got))
    }
}

async fn bad_pattern(bench: &mut Bench<'_>) -> Judged {
    refused(bench, "Filter", &filter("[")).await
}

async fn empty_filter(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = probe.ask("Filter", &filter("")).await?;
    Ok(Finding::pass(answer.summary()).with(answer.evidence()))
}

async fn match_criteria(bench: &mut Bench<'_>) -> Judged {
    let tag = bench.id();
    let (mut listener, mut teller) = (bench.listener("user").await?, bench.session().await?);
    let wanted = format!("{tag}-yes");
    let answer = listener
        .ask(
            "Filter",
            &[
                ("Operation", "Add"),
                (
                    "MatchCriteria",
                    "action(include),name(UserEvent),header(UserEvent),method(exact)",
                ),
                ("Filter", &wanted),
            ],
        )
        .await?;
    answer.expect("Response", "Success")?;
    let heard = heard_of(&mut listener, &mut teller, &tag).await?;
    of_heard(&heard, &["yes"])
}
