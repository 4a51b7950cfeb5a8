//! What is too long, too many or too slow, and what a PBX makes of it.

use std::time::Duration;

use ami_proto::frame::FrameKind;
use ami_results::verdict::State;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::probe::{Got, Heard};
use crate::reading::text_of;

const LOGIN_TIME_MAX: Duration = Duration::from_secs(45);
/// Beyond the 50 of a stock manager.conf, and beyond what a PBX that has lost count of them takes more.
const WAITING_MAX: usize = 55;
const AT_ONCE: usize = 10;
const UNREAD: usize = 300;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "limit.line.1022",
        requirement: "A line of 1022 bytes and its CR LF is read.",
        level: Level::Should,
        authority: Authority::Asterisk,
        source: "manager.c: a buffer of 1025 bytes",
        check: Check::Active(|bench| Box::pin(line_of_1022(bench))),
        ..CASE
    },
    Case {
        id: "limit.line.longer-is-error",
        requirement: "A longer line is one error, and the session goes on.",
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Since(1, 8)],
        source: "manager.c get_input, since 1.8.18",
        check: Check::Active(|bench| Box::pin(longer(bench, &[2000, 10_000]))),
        ..CASE
    },
    Case {
        id: "limit.line.edge",
        requirement: "A line that just does not fit is one error, not two.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Since(1, 8)],
        source: "manager.c get_input: stock leaves the line's end for the next request",
        check: Check::Active(|bench| Box::pin(longer(bench, &[1023, 1024]))),
        ..CASE
    },
    Case {
        id: "limit.line.action-id",
        requirement: "The error for a line that is too long bears the ActionID that stood before it.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Since(1, 8)],
        source: "manager.c do_message, since 1.8.18",
        check: Check::Active(|bench| Box::pin(long_line_with_id(bench))),
        ..CASE
    },
    Case {
        id: "limit.headers.100",
        requirement: "A request of 100 headers is answered.",
        level: Level::Should,
        authority: Authority::Asterisk,
        source: "manager.h AST_MAX_MANHEADERS: 128",
        check: Check::Active(|bench| Box::pin(headers(bench, 100))),
        ..CASE
    },
    Case {
        id: "limit.headers.128",
        requirement: "A request of 128 headers is answered.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.h AST_MAX_MANHEADERS: 128",
        check: Check::Active(|bench| Box::pin(headers(bench, 128))),
        ..CASE
    },
    Case {
        id: "limit.headers.more-are-an-error",
        requirement: "Too many headers are an error, and the session goes on.",
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Since(1, 8)],
        source: "manager.c do_message, since 1.8.9",
        check: Check::Active(|bench| Box::pin(too_many_headers(bench))),
        ..CASE
    },
    Case {
        id: "limit.login.time",
        requirement: "A connection that does not log in is closed after a while.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Since(1, 8)],
        source: "manager.conf authtimeout: 30 s",
        waits: 31,
        check: Check::Active(|bench| Box::pin(login_time(bench, None))),
        ..CASE
    },
    Case {
        id: "limit.login.time-is-fixed",
        requirement: "Headers that trickle in do not give a connection more time to log in.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Since(1, 8)],
        source: "manager.c get_input: authtimeout",
        waits: 31,
        check: Check::Active(|bench| Box::pin(login_time(bench, Some(Duration::from_secs(1))))),
        ..CASE
    },
    Case {
        id: "limit.login.sessions",
        requirement: "How many of 55 connections may wait for their login at once.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Disruptive,
        needs: &[Need::Since(1, 8)],
        source: "manager.conf authlimit: 50",
        check: Check::Active(|bench| Box::pin(login_sessions(bench))),
        ..CASE
    },
    Case {
        id: "limit.sessions.at-once",
        requirement: "Thirty sessions of an account are logged in at once.",
        level: Level::Should,
        authority: Authority::Consensus,
        safety: Safety::Noisy,
        source: "manager.c has no limit of its own; vendors and allowmultiplelogin have",
        check: Check::Active(|bench| Box::pin(sessions_at_once(bench))),
        ..CASE
    },
    Case {
        id: "limit.connect.ten-at-once",
        requirement: "Ten connections that are opened at once are all greeted.",
        level: Level::Should,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c: a listen backlog of 10",
        check: Check::Active(|bench| Box::pin(ten_at_once(bench))),
        ..CASE
    },
    Case {
        id: "limit.output.unread",
        requirement: "A session that reads none of its answers disturbs no other.",
        safety: Safety::Noisy,
        source: "manager.conf writetimeout",
        check: Check::Active(|bench| Box::pin(unread(bench))),
        ..CASE
    },
    Case {
        id: "limit.output.unread-session",
        requirement: "What becomes of a session that reads none of its answers for three seconds.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.conf writetimeout",
        check: Check::Active(|bench| Box::pin(unread_session(bench))),
        ..CASE
    },
    Case {
        id: "limit.events.released",
        requirement: "Events that all sessions have heard are not kept.",
        level: Level::Should,
        authority: Authority::Asterisk,
        needs: &[Need::Action("Command"), Need::Since(1, 8)],
        source: "manager.c purge_events; `manager show eventq` prints what is kept",
        check: Check::Active(|bench| Box::pin(events_released(bench))),
        ..CASE
    },
    Case {
        id: "limit.sessions.one-after-another",
        requirement: "A hundred sessions that log in and off one after another are all served.",
        authority: Authority::Consensus,
        safety: Safety::Noisy,
        source: "manager.c session_do frees a session at its end",
        check: Check::Active(|bench| Box::pin(one_after_another(bench))),
        ..CASE
    },
];

async fn line_of_1022(bench: &mut Bench<'_>) -> Judged {
    let name = "X-Filler: ";
    let filler = format!("{name}{}", "x".repeat(1022 - name.len()));
    super::pong(
        bench,
        &format!("Action: Ping\r\nActionID: {{id}}\r\n{filler}\r\n\r\n"),
    )
    .await
}

fn answers(messages: &[Got]) -> Vec<&Got> {
    let answers = messages.iter().filter(|got| got.kind() != FrameKind::Event);
    answers.collect()
}

async fn longer(bench: &mut Bench<'_>, lengths: &[usize]) -> Judged {
    let mut evidence = Vec::new();
    for length in lengths {
        let mut probe = bench.rude_session().await?;
        let line = "x".repeat(*length);
        probe.raw(format!("Action: Ping\r\n{line}\r\n\r\n")).await;
        let messages = probe.barrier_behind().await?;
        let answers = answers(&messages);
        let shown = answers.iter().take(super::SHOWN).map(|got| got.evidence());
        let [answer] = answers.as_slice() else {
            let got = format!("{} answers to a line of {length} bytes", answers.len());
            return Ok(Finding::fail("one error", got).with_all(shown));
        };
        answer.expect("Response", "Error")?;
        evidence.extend(shown);
    }
    Ok(Finding::pass("one error for each").with_all(evidence))
}

async fn long_line_with_id(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    let line = "x".repeat(2000);
    probe
        .raw(format!("ActionID: {id}\r\nAction: Ping\r\n{line}\r\n\r\n"))
        .await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Error")?;
    answer.expect("ActionID", &id)?;
    probe.barrier().await?;
    Ok(Finding::pass("it does").with(answer.evidence()))
}

/// A Ping of so many headers in all.
fn ping_of(headers: usize) -> String {
    let fillers: String = (2..headers).map(|n| format!("X{n}: y\r\n")).collect();
    format!("Action: Ping\r\nActionID: {{id}}\r\n{fillers}\r\n")
}

async fn headers(bench: &mut Bench<'_>, count: usize) -> Judged {
    super::pong(bench, &ping_of(count)).await
}

async fn too_many_headers(bench: &mut Bench<'_>) -> Judged {
    let mut evidence = Vec::new();
    for count in [200, 500] {
        let mut probe = bench.rude_session().await?;
        let id = bench.id();
        probe.raw(ping_of(count).replace("{id}", &id)).await;
        let answer = probe.answer().await?;
        answer.expect("Response", "Error")?;
        evidence.push(answer.evidence());
        // What did not fit may be one more request without an action.
        probe.barrier_behind().await?;
    }
    Ok(Finding::pass("an error").with_all(evidence))
}

/// How long a connection that does not log in is kept; it may say a header every now and then.
async fn login_time(bench: &mut Bench<'_>, trickle: Option<Duration>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let began = bench.now();
    loop {
        let took = bench.now().saturating_sub(began);
        if took >= LOGIN_TIME_MAX {
            let got = format!("still open after {:.0} s", took.as_secs_f64());
            return Ok(Finding::fail("closed within that time", got));
        }
        match probe.next(trickle.unwrap_or(LOGIN_TIME_MAX)).await {
            Heard::End(_) => {
                let took = bench.now().saturating_sub(began);
                return Ok(Finding::pass(format!("after {:.0} s", took.as_secs_f64())));
            }
            // That a stranger hears events is another case.
            Heard::Message(said) if said.kind() == FrameKind::Event => {}
            Heard::Message(said) => {
                let got = format!("`{}`", said.summary());
                return Ok(Finding::fail("closed without a word", got).with(said.evidence()));
            }
            Heard::Silence if trickle.is_some() => probe.raw("X: y\r\n").await,
            Heard::Silence => {}
        }
    }
}

async fn login_sessions(bench: &mut Bench<'_>) -> Judged {
    let mut open = Vec::new();
    for count in 0..WAITING_MAX {
        match bench.greeted().await {
            Ok((probe, Some(_))) => open.push(probe),
            Err(not_permitted) if not_permitted.state == State::Skipped => {
                return Err(not_permitted);
            }
            Ok((_, None)) | Err(_) => return Ok(Finding::pass(format!("{count}"))),
        }
    }
    Ok(Finding::pass(format!("{WAITING_MAX}")))
}

async fn ten_at_once(bench: &mut Bench<'_>) -> Judged {
    let mut open = Vec::new();
    for _ in 0..AT_ONCE {
        open.push(bench.connect().await?);
    }
    for (number, probe) in open.iter_mut().enumerate() {
        match probe.next(Duration::from_secs(5)).await {
            Heard::Message(banner) if banner.kind() == FrameKind::Banner => {}
            other => {
                let got = format!("connection {}: {other:?}", number + 1);
                return Ok(Finding::fail("a banner", got));
            }
        }
    }
    for probe in &mut open {
        probe.send("Logoff", &[]).await;
    }
    Ok(Finding::pass("all of them"))
}

async fn sessions_at_once(bench: &mut Bench<'_>) -> Judged {
    const SESSIONS: usize = 30;
    let mut open = vec![bench.session().await?];
    for count in 1..SESSIONS {
        match bench.session().await {
            Ok(probe) => open.push(probe),
            Err(not_permitted) if not_permitted.state == State::Skipped => {
                return Err(not_permitted);
            }
            Err(refused) => {
                let got = format!("{count}, then: {}", refused.got);
                return Ok(Finding::fail(format!("{SESSIONS} sessions"), got));
            }
        }
    }
    let pong = open[0].barrier().await?;
    Ok(Finding::pass(format!("{SESSIONS} sessions")).with(pong.evidence()))
}

async fn one_after_another(bench: &mut Bench<'_>) -> Judged {
    const SESSIONS: usize = 100;
    bench.session().await?;
    for count in 0..SESSIONS {
        match bench.session().await {
            Ok(mut probe) => {
                probe.ask("Logoff", &[]).await?;
            }
            Err(not_permitted) if not_permitted.state == State::Skipped => {
                return Err(not_permitted);
            }
            Err(refused) => {
                let got = format!("{count}, then: {}", refused.got);
                return Ok(Finding::fail(format!("{SESSIONS} sessions"), got));
            }
        }
    }
    Ok(Finding::pass(format!("{SESSIONS} sessions")))
}

async fn unread_session(bench: &mut Bench<'_>) -> Judged {
    const DEAF_FOR: Duration = Duration::from_secs(3);
    let mut deaf = bench.rude_session().await?;
    let requests: String = (0..UNREAD)
        .map(|_| format!("Action: ListCommands\r\nActionID: {}\r\n\r\n", bench.id()))
        .collect();
    let _ = tokio::time::timeout(Duration::from_secs(1), deaf.raw(requests)).await;
    tokio::time::sleep(DEAF_FOR).await;
    let mut answers = 0;
    loop {
        match deaf.next(DEAF_FOR).await {
            Heard::Message(_) => answers += 1,
            Heard::End(_) => return Ok(Finding::pass("it is closed")),
            Heard::Silence if answers == 0 => {
                return Ok(Finding::inconclusive("nothing was answered"));
            }
            Heard::Silence => return Ok(Finding::pass("its answers wait for it")),
        }
    }
}

async fn events_released(bench: &mut Bench<'_>) -> Judged {
    const KEPT_MAX: usize = 500;
    let mut probe = bench.session().await?;
    let answer = probe
        .ask("Command", &[("Command", "manager show eventq")])
        .await?;
    let text = text_of(&answer);
    let mut counts = text.lines().filter_map(|line| line.split_once("Usecount:"));
    if counts.clone().next().is_none() {
        let why = "`manager show eventq` prints no event here";
        return Ok(Finding::inconclusive(why).with(answer.evidence()));
    }
    // The oldest comes first; what stands behind one in use, its session has not heard yet.
    let heard = counts.by_ref().take_while(|(_, count)| count.trim() == "0");
    let kept = heard.count();
    if kept > KEPT_MAX {
        let got = format!("{kept} are kept");
        return Ok(Finding::fail(format!("at most {KEPT_MAX}"), got).with(answer.evidence()));
    }
    Ok(Finding::pass("few are kept").with(answer.evidence()))
}

async fn unread(bench: &mut Bench<'_>) -> Judged {
    let mut other = bench.session().await?;
    let mut deaf = bench.rude_session().await?;
    let requests: String = (0..UNREAD)
        .map(|_| format!("Action: ListCommands\r\nActionID: {}\r\n\r\n", bench.id()))
        .collect();
    // The PBX may stop reading as well: what it does not take within a second it need not.
    let _ = tokio::time::timeout(Duration::from_secs(1), deaf.raw(requests)).await;
    let pong = other.barrier().await?;
    Ok(Finding::pass("another is answered").with(pong.evidence()))
}
