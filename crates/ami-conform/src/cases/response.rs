//! Answers: their kinds, their number, and those of the simplest actions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ami_proto::frame::FrameKind;
use ami_proto::transcript::Mark;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::observed::{Connection, Observed, Seen};

/// Values of `Response` that some release sends.
const KINDS: &[&str] = &["Success", "Error", "Follows", "Goodbye", "Fail"];
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "response.kind.known",
        requirement: "`Response` is Success, Error, Follows or Goodbye.",
        source: "AMI specification, responses",
        check: Check::Passive(kind),
        ..CASE
    },
    Case {
        id: "response.error.has-message",
        requirement: "An error says in `Message` what is wrong.",
        level: Level::Should,
        severity: Severity::Minor,
        source: "manager.c astman_send_error",
        check: Check::Passive(error_has_message),
        ..CASE
    },
    Case {
        id: "response.count.one-per-request",
        requirement: "A request gets one answer, no more and no fewer.",
        severity: Severity::Blocker,
        source: "AMI specification, actions",
        check: Check::Passive(one_per_request),
        ..CASE
    },
    Case {
        id: "response.count.none-unsolicited",
        requirement: "No answer comes before its request.",
        severity: Severity::Blocker,
        source: "AMI specification, actions",
        check: Check::Passive(none_unsolicited),
        ..CASE
    },
    Case {
        id: "response.ping.pong",
        requirement: "A Ping is answered by Success and `Ping: Pong`.",
        source: "manager.c action_ping, since 1.6",
        check: Check::Active(|bench| Box::pin(ping(bench))),
        ..CASE
    },
    Case {
        id: "response.ping.timestamp",
        requirement: "The answer to a Ping tells the time of the PBX in seconds with a fraction.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Since(1, 8)],
        source: "manager.c action_ping, since 1.8",
        check: Check::Active(|bench| Box::pin(timestamp(bench))),
        ..CASE
    },
    Case {
        id: "response.ping.soon",
        requirement: "One of three Pings on an idle session is answered within a second.",
        level: Level::Should,
        authority: Authority::Consensus,
        severity: Severity::Minor,
        source: "a Ping is no work; who watches a PBX gives it a few seconds at most",
        check: Check::Active(|bench| Box::pin(soon(bench))),
        ..CASE
    },
    Case {
        id: "response.ping.clock",
        requirement: "Whether the Timestamp of a Ping is the time of day.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        needs: &[Need::Since(1, 8)],
        source: "manager.c action_ping, since 1.8",
        check: Check::Active(|bench| Box::pin(clock(bench))),
        ..CASE
    },
    Case {
        id: "response.settings.version",
        requirement: "CoreSettings tells AMIversion as in the banner, and AsteriskVersion.",
        level: Level::Should,
        authority: Authority::Asterisk,
        needs: &[Need::Action("CoreSettings")],
        source: "manager.c action_coresettings, since 1.6",
        check: Check::Active(|bench| Box::pin(settings(bench))),
        ..CASE
    },
    Case {
        id: "response.status.dates",
        requirement: "CoreStatus tells when the PBX was started and reloaded, and how many calls are up.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Action("CoreStatus")],
        source: "manager.c action_corestatus, since 1.6",
        check: Check::Active(|bench| Box::pin(status(bench))),
        ..CASE
    },
    Case {
        id: "response.commands.described",
        requirement: "ListCommands tells of each action what it does and which classes it needs.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c action_listcommands",
        check: Check::Active(|bench| Box::pin(commands(bench))),
        ..CASE
    },
    Case {
        id: "response.logoff.goodbye",
        requirement: "Logoff is answered by Goodbye, and the connection is closed.",
        source: "manager.c action_logoff",
        check: Check::Active(|bench| Box::pin(goodbye(bench))),
        ..CASE
    },
    Case {
        id: "response.logoff.nothing-behind",
        requirement: "What is asked behind a Logoff is not answered.",
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(nothing_behind(bench))),
        ..CASE
    },
    Case {
        id: "response.logoff.before-login",
        requirement: "Logoff is answered without a login too.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(before_login(bench))),
        ..CASE
    },
];

fn kind(observed: &Observed<'_>) -> Finding {
    let mut answers = 0;
    for answer in observed.responses() {
        answers += 1;
        let kind = answer.frame().text("Response").unwrap_or_default();
        if !KINDS.contains(&&*kind) {
            let got = format!("`Response: {kind}`");
            return Finding::fail(KINDS.join(", "), got).with(answer.evidence());
        }
    }
    of_answers(answers)
}

fn of_answers(answers: usize) -> Finding {
    if answers == 0 {
        Finding::inconclusive("no answer was seen")
    } else {
        Finding::pass(format!("all of {answers} answers"))
    }
}

fn error_has_message(observed: &Observed<'_>) -> Finding {
    let mut errors = 0;
    for answer in observed.responses() {
        let frame = answer.frame();
        if frame.get("Response") != Some(b"Error") {
            continue;
        }
        errors += 1;
        if frame.get("Message").is_none_or(<[u8]>::is_empty) {
            return Finding::fail("a Message", "an error without one").with(answer.evidence());
        }
    }
    if errors == 0 {
        return Finding::inconclusive("no error was seen");
    }
    Finding::pass(format!("all of {errors} errors"))
}

fn one_per_request(observed: &Observed<'_>) -> Finding {
    let mut requests = 0;
    for connection in observed.begun() {
        let asked = connection.requests().count();
        let said = connection.said().filter(is_answer).count();
        let may_be_open = !matches!(connection.end, Some(Mark::Fin));
        // The last ones may still be on their way where the connection was cut off.
        if said > asked || (said < asked && !may_be_open) {
            let last = connection.said().filter(is_answer).last();
            return Finding::fail(format!("{asked} answers"), format!("{said} answers"))
                .with_all(last.map(Seen::evidence));
        }
        requests += said;
    }
    of_answers(requests)
}

fn is_answer(seen: &&Seen) -> bool {
    seen.kind() == FrameKind::Response
}

fn none_unsolicited(observed: &Observed<'_>) -> Finding {
    let mut answers = 0;
    for connection in observed.begun() {
        if let Some(early) = first_early(connection) {
            return Finding::fail("an answer behind its request", "one that nobody asked for")
                .with(early.evidence());
        }
        answers += connection.said().filter(is_answer).count();
    }
    of_answers(answers)
}

fn first_early(connection: &Connection) -> Option<&Seen> {
    let mut open = 0_usize;
    connection.messages.iter().find(|seen| match seen.kind() {
        FrameKind::Action => {
            open += 1;
            false
        }
        FrameKind::Response => match open.checked_sub(1) {
            Some(left) => {
                open = left;
                false
            }
            None => true,
        },
        _ => false,
    })
}

async fn ping(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let pong = probe.ask("Ping", &[]).await?;
    pong.expect("Response", "Success")?;
    pong.expect("Ping", "Pong")?;
    Ok(Finding::pass("Success and Pong").with(pong.evidence()))
}

async fn timestamp(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let pong = probe.ask("Ping", &[]).await?;
    let text = pong.text("Timestamp").unwrap_or_default();
    let is_time = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((seconds, fraction)) if is_time(seconds) && is_time(fraction) => {
            Ok(Finding::pass(text).with(pong.evidence()))
        }
        _ => {
            let got = format!("`Timestamp: {text}`");
            Ok(Finding::fail("seconds with a fraction", got).with(pong.evidence()))
        }
    }
}

async fn soon(bench: &mut Bench<'_>) -> Judged {
    const WITHIN: Duration = Duration::from_secs(1);
    let mut probe = bench.session().await?;
    let mut least = None;
    for _ in 0..3 {
        let sent_at = bench.now();
        let pong = probe.barrier().await?;
        let took = pong.at.saturating_sub(sent_at);
        if took < WITHIN {
            return Ok(Finding::pass("within a second").with(pong.evidence()));
        }
        least = least.into_iter().chain([took]).min();
    }
    let got = format!("{:.1} s", least.unwrap_or_default().as_secs_f64());
    Ok(Finding::fail("within a second", got))
}

async fn clock(bench: &mut Bench<'_>) -> Judged {
    /// Clocks drift, and a run on a simulated PBX goes faster than ours.
    const APART_MAX: f64 = 1800.0;
    let mut probe = bench.session().await?;
    let pong = probe.ask("Ping", &[]).await?;
    let text = pong.text("Timestamp").unwrap_or_default();
    let Ok(told) = text.parse::<f64>() else {
        return Ok(Finding::inconclusive("it tells no time").with(pong.evidence()));
    };
    let ours = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let got = match told - ours.as_secs_f64() {
        ahead if ahead > APART_MAX => "it is ahead of our clock by more than half an hour",
        ahead if ahead < -APART_MAX => "it is behind our clock by more than half an hour",
        _ => "it is",
    };
    Ok(Finding::pass(got).with(pong.evidence()))
}

async fn settings(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let answer = probe.ask("CoreSettings", &[]).await?;
    answer.expect("Response", "Success")?;
    let version = bench.device.banner.rsplit('/').next().unwrap_or_default();
    answer.expect("AMIversion", version)?;
    filled(&answer, &["AsteriskVersion"])?;
    Ok(Finding::pass(answer.text("AsteriskVersion").unwrap_or_default()).with(answer.evidence()))
}

async fn status(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let answer = probe.ask("CoreStatus", &[]).await?;
    answer.expect("Response", "Success")?;
    filled(
        &answer,
        &[
            "CoreStartupDate",
            "CoreStartupTime",
            "CoreReloadDate",
            "CoreReloadTime",
            "CoreCurrentCalls",
        ],
    )?;
    Ok(Finding::pass("all of them").with(answer.evidence()))
}

/// Each of these headers is there and has a value.
fn filled(answer: &crate::probe::Got, names: &[&str]) -> Result<(), Finding> {
    let empty = |name: &&&str| answer.text(name).is_none_or(|value| value.is_empty());
    match names.iter().find(empty) {
        None => Ok(()),
        Some(name) => {
            let got = format!("no {name}, or an empty one");
            Err(Finding::fail(names.join(", "), got).with(answer.evidence()))
        }
    }
}

async fn commands(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let answer = probe.ask("ListCommands", &[]).await?;
    answer.expect("Response", "Success")?;
    let frame = answer.frame();
    let listed = frame
        .headers()
        .filter(|header| !header.is("Response") && !header.is("ActionID"));
    let mut actions = 0;
    for header in listed {
        actions += 1;
        let text = header.text();
        if !(text.contains("(Priv: ") && text.ends_with(')')) {
            let got = format!("`{}: {text}`", String::from_utf8_lossy(header.name));
            return Ok(
                Finding::fail("`Name: what it does (Priv: classes)`", got).with(answer.evidence())
            );
        }
    }
    if actions == 0 {
        return Ok(Finding::inconclusive("it lists no action").with(answer.evidence()));
    }
    Ok(Finding::pass(format!("all of {actions} actions")).with(answer.evidence()))
}

async fn goodbye(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let answer = probe.ask("Logoff", &[]).await?;
    answer.expect("Response", "Goodbye")?;
    probe.ends(GOODBYE_WITHIN).await?;
    Ok(Finding::pass("Goodbye, and closed").with(answer.evidence()))
}

async fn nothing_behind(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let (bye, late) = (bench.id(), bench.id());
    probe
        .raw(format!(
            "Action: Logoff\r\nActionID: {bye}\r\n\r\nAction: Ping\r\nActionID: {late}\r\n\r\n"
        ))
        .await;
    let said = probe.ends(GOODBYE_WITHIN).await?;
    if let Some(pong) = said.iter().find(|got| got.has("ActionID", &late)) {
        return Ok(
            Finding::fail("nothing behind the Goodbye", "a Ping was answered")
                .with(pong.evidence()),
        );
    }
    match said.iter().find(|got| got.has("ActionID", &bye)) {
        Some(goodbye) => Ok(Finding::pass("Goodbye, then nothing").with(goodbye.evidence())),
        None => Ok(Finding::inconclusive("not even the Logoff was answered")),
    }
}

async fn before_login(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let answer = probe.ask("Logoff", &[]).await?;
    answer.expect("Response", "Goodbye")?;
    probe.ends(GOODBYE_WITHIN).await?;
    Ok(Finding::pass("Goodbye, and closed").with(answer.evidence()))
}
