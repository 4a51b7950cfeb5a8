//! Sessions beside each other, and how they end.

use std::time::Duration;

use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::probe::Heard;

const ENDS_WITHIN: Duration = Duration::from_secs(5);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "session.end.after-ours",
        requirement: "A PBX closes its half of a connection once we have closed ours.",
        level: Level::Should,
        severity: Severity::Minor,
        source: "manager.c session_do ends at the end of the stream",
        check: Check::Active(|bench| Box::pin(end_after_ours(bench))),
        ..CASE
    },
    Case {
        id: "session.end.others-go-on",
        requirement: "A connection that breaks off in the middle of an answer disturbs no other.",
        source: "manager.c: a thread for each session",
        check: Check::Active(|bench| Box::pin(others_go_on(bench))),
        ..CASE
    },
    Case {
        id: "session.answers.own-only",
        requirement: "A session gets the answers to its own requests and to no others.",
        severity: Severity::Blocker,
        source: "manager.c: a thread for each session",
        check: Check::Active(|bench| Box::pin(own_answers(bench))),
        ..CASE
    },
    Case {
        id: "session.mask.own-only",
        requirement: "The mask of one session is not that of another of the same account.",
        safety: Safety::CreatesState,
        needs: &[Need::Action("UserEvent"), Need::Read("user")],
        source: "manager.c action_events",
        check: Check::Active(|bench| Box::pin(own_mask(bench))),
        ..CASE
    },
    Case {
        id: "session.events.none-before-login",
        requirement: "A connection that has not logged in hears no event.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        needs: &[Need::Action("UserEvent"), Need::Read("user")],
        source: "manager.c process_events",
        check: Check::Active(|bench| Box::pin(none_before_login(bench))),
        ..CASE
    },
    Case {
        id: "session.account.several",
        requirement: "Whether an account may have several sessions.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        source: "manager.conf allowmultiplelogin",
        check: Check::Active(|bench| Box::pin(several(bench))),
        ..CASE
    },
];

async fn end_after_ours(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    probe.half_close().await;
    probe.ends(ENDS_WITHIN).await?;
    Ok(Finding::pass("it does"))
}

async fn others_go_on(bench: &mut Bench<'_>) -> Judged {
    let mut other = bench.session().await?;
    let mut broken = bench.session().await?;
    broken.send("ListCommands", &[]).await;
    drop(broken);
    let pong = other.barrier().await?;
    Ok(Finding::pass("another is answered").with(pong.evidence()))
}

async fn own_answers(bench: &mut Bench<'_>) -> Judged {
    const ROUNDS: usize = 20;
    let mut sessions = [bench.session().await?, bench.session().await?];
    let mut sent: [Vec<String>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (session, ids) in sessions.iter_mut().zip(&mut sent) {
            ids.push(session.send("Ping", &[]).await);
        }
    }
    for (session, ids) in sessions.iter_mut().zip(&sent) {
        for id in ids {
            session.answer().await?.expect("ActionID", id)?;
        }
    }
    Ok(Finding::pass(format!("{ROUNDS} answers on each of two")))
}

async fn own_mask(bench: &mut Bench<'_>) -> Judged {
    let (mut hearing, mut deaf) = (bench.listener("user").await?, bench.listener("user").await?);
    deaf.ask("Events", &[("EventMask", "off")])
        .await?
        .expect("Response", "Success")?;
    let mut teller = bench.session().await?;
    let name = bench.id();
    teller.ask("UserEvent", &[("UserEvent", &name)]).await?;
    let event = hearing
        .event("the UserEvent", |got| got.has("UserEvent", &name))
        .await?;
    let stray = deaf.barrier_behind().await?;
    if let Some(stray) = stray.iter().find(|got| got.has("UserEvent", &name)) {
        return Ok(Finding::fail("nothing on the other", "the event").with(stray.evidence()));
    }
    Ok(Finding::pass("it is not").with(event.evidence()))
}

async fn none_before_login(bench: &mut Bench<'_>) -> Judged {
    let (mut stranger, _) = bench.greeted().await?;
    let mut teller = bench.listener("user").await?;
    let name = bench.id();
    teller.ask("UserEvent", &[("UserEvent", &name)]).await?;
    teller
        .event("the UserEvent", |got| got.has("UserEvent", &name))
        .await?;
    stranger.send("Ping", &[]).await;
    match stranger.next(ENDS_WITHIN).await {
        Heard::Message(got) if got.kind() == FrameKind::Event => {
            let event = format!("`{}`", got.summary());
            Ok(Finding::fail("no event", event).with(got.evidence()))
        }
        Heard::Message(got) => Ok(Finding::pass("none").with(got.evidence())),
        Heard::End(_) => Ok(Finding::pass("none, and closed")),
        Heard::Silence => Ok(Finding::inconclusive("it was not answered at all")),
    }
}

async fn several(bench: &mut Bench<'_>) -> Judged {
    let _first = bench.session().await?;
    Ok(match bench.session().await {
        Ok(_) => Finding::pass("it may"),
        Err(refused) => Finding::pass(format!("it may not: {}", refused.got)),
    })
}
