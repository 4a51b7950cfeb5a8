//! AMI over TLS: the same as without, however it is cut into records.

use std::fmt::Write as _;
use std::time::Duration;

use ami_client::tls::Versions;
use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::device::Release;
use crate::finding::{Finding, Judged};
use crate::probe::{ANSWER_WITHIN, End, Heard, Probe};

const PINGS: usize = 100;
/// Together over 1,024 bytes and under 2,048.
const PINGS_OF_A_RECORD: usize = 30;
const SILENT: Duration = Duration::from_secs(2);
/// Lines of 100 bytes: 2,600 bytes in all.
const LONG_LINES: usize = 26;
/// 30 s, and a little.
const PUT_OUT_WITHIN: Duration = Duration::from_secs(36);

const TLS: Case = Case {
    authority: Authority::Asterisk,
    needs: &[Need::Tls],
    source: "tcptls.c, iostream.c",
    ..CASE
};
/// Of stock Asterisk in all versions.
const STALL: &[&str] =
    &["stock Asterisk: what of a record does not fit into 1,024 bytes waits for another record"];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "tls.version.offered",
        requirement: "Which of TLS 1.2 and 1.3 the PBX speaks.",
        level: Level::Observe,
        severity: Severity::Info,
        check: Check::Active(|bench| Box::pin(versions(bench))),
        ..TLS
    },
    Case {
        id: "tls.answers.as-plain",
        requirement: "Over TLS an action has the same answer, byte for byte, as without.",
        needs: &[Need::Tls, Need::Plain, Need::Action("CoreSettings")],
        check: Check::Active(|bench| Box::pin(as_plain(bench))),
        ..TLS
    },
    Case {
        id: "tls.record.one-each",
        requirement: "A hundred actions, each in a record of its own, are all answered.",
        severity: Severity::Blocker,
        safety: Safety::Noisy,
        check: Check::Active(|bench| Box::pin(one_each(bench))),
        ..TLS
    },
    Case {
        id: "tls.record.line-each",
        requirement: "An action whose lines come in records of their own is answered.",
        severity: Severity::Blocker,
        check: Check::Active(|bench| Box::pin(line_each(bench))),
        ..TLS
    },
    Case {
        id: "tls.record.over-1024",
        requirement: "Thirty actions in one record of over 1,024 bytes are all answered.",
        safety: Safety::Noisy,
        catches: STALL,
        check: Check::Active(|bench| Box::pin(over_1024(bench))),
        ..TLS
    },
    Case {
        id: "tls.record.large-action",
        requirement: "An action of 2,600 bytes in one record is answered.",
        safety: Safety::Noisy,
        catches: STALL,
        check: Check::Active(|bench| Box::pin(large_action(bench))),
        ..TLS
    },
    Case {
        id: "tls.silence.put-out",
        requirement: "Who connects for TLS and says nothing is put out within 36 s.",
        level: Level::Should,
        safety: Safety::Noisy,
        needs: &[Need::Tls, Need::Since(20, 17)],
        source: "tcptls.c, since 20.17, 22.7 and 23.1",
        catches: &["sessions used up by who says nothing (issue 1559 of Asterisk)"],
        waits: 36,
        check: Check::Active(|bench| Box::pin(silence(bench))),
        ..TLS
    },
    Case {
        id: "tls.plain.unanswered",
        requirement: "Who speaks without TLS on the port for it hears no AMI, and the connection is closed.",
        level: Level::Should,
        safety: Safety::Noisy,
        check: Check::Active(|bench| Box::pin(plain(bench))),
        ..TLS
    },
    Case {
        id: "tls.end.announced",
        requirement: "Whether TLS announces the end of a session that logged off.",
        level: Level::Observe,
        severity: Severity::Info,
        check: Check::Active(|bench| Box::pin(end(bench))),
        ..TLS
    },
];

async fn versions(bench: &mut Bench<'_>) -> Judged {
    let mut spoken = Vec::new();
    let mut why = None;
    for (versions, name) in [(Versions::Only12, "TLS 1.2"), (Versions::Only13, "TLS 1.3")] {
        match bench.tls_session(versions).await {
            Ok(_) => spoken.push(name),
            Err(refused) => why = Some(refused),
        }
    }
    match (spoken.as_slice(), why) {
        ([], Some(why)) => Ok(why),
        (spoken, _) => Ok(Finding::pass(spoken.join(" and "))),
    }
}

async fn as_plain(bench: &mut Bench<'_>) -> Judged {
    let (mut tls, mut plain) = (
        bench.tls_session(Versions::Usual).await?,
        bench.session().await?,
    );
    let id = plain.send("CoreSettings", &[]).await;
    let expected = plain.answer_to(&id).await?;
    tls.raw(format!("Action: CoreSettings\r\nActionID: {id}\r\n\r\n"))
        .await;
    let got = tls.answer_to(&id).await?;
    let evidence = [expected.evidence(), got.evidence()];
    if got.frame().bytes() != expected.frame().bytes() {
        return Ok(Finding::fail("the same bytes", "others").with_all(evidence));
    }
    Ok(Finding::pass("the same bytes").with_all(evidence))
}

async fn one_each(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.tls_session(Versions::Usual).await?;
    let mut ids = Vec::new();
    for _ in 0..PINGS {
        ids.push(probe.send("Ping", &[]).await);
    }
    for id in &ids {
        probe.answer_to(id).await?.expect("Response", "Success")?;
    }
    Ok(Finding::pass(format!("{PINGS} answers")))
}

async fn line_each(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.tls_session(Versions::Usual).await?;
    let id = bench.id();
    for line in ["Action: Ping", &format!("ActionID: {id}"), "X: y", ""] {
        probe.raw(format!("{line}\r\n")).await;
    }
    let answer = probe.answer_to(&id).await?;
    answer.expect("Response", "Success")?;
    Ok(Finding::pass("it is").with(answer.evidence()))
}

/// All of `ids` are answered; else whether the rest is only forgotten shows with another record.
async fn all_answered(probe: &mut Probe, ids: &[String], sent: usize) -> Judged {
    let record = probe.sent_last(sent);
    let mut answered = 0;
    while answered < ids.len() {
        match probe.next(SILENT).await {
            Heard::Message(got) if got.kind() == FrameKind::Event => {}
            Heard::Message(got) => {
                got.expect("ActionID", &ids[answered])?;
                answered += 1;
            }
            Heard::End(_) => {
                return Ok(Finding::fail("an answer to each", "the end").with(record));
            }
            Heard::Silence => {
                let awake = probe.barrier_behind().await;
                let got = match awake.is_ok_and(|before| answered + before.len() == ids.len()) {
                    true => "the last answers come only behind another record",
                    false => "the last ones are not answered at all",
                };
                return Ok(Finding::fail("an answer to each", got).with(record));
            }
        }
    }
    Ok(Finding::pass("all are answered").with(record))
}

async fn over_1024(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.tls_session(Versions::Usual).await?;
    let ids: Vec<String> = (0..PINGS_OF_A_RECORD).map(|_| bench.id()).collect();
    let mut record = String::new();
    for id in &ids {
        let _ = write!(record, "Action: Ping\r\nActionID: {id}\r\n\r\n");
    }
    probe.raw(&record).await;
    all_answered(&mut probe, &ids, record.len()).await
}

async fn large_action(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.tls_session(Versions::Usual).await?;
    let id = bench.id();
    let mut record = format!("Action: Ping\r\nActionID: {id}\r\n");
    for line in 0..LONG_LINES {
        let _ = write!(record, "X-{line:02}: {}\r\n", "x".repeat(92));
    }
    record.push_str("\r\n");
    probe.raw(&record).await;
    all_answered(&mut probe, &[id], record.len()).await
}

async fn silence(bench: &mut Bench<'_>) -> Judged {
    let without = [(21, u16::MAX), (22, 7), (23, 1)];
    if let Some(Release { major, minor }) = bench.device.release
        && without
            .iter()
            .any(|(of, since)| *of == major && minor < *since)
    {
        let why = format!("this is {major}.{minor}, which lets who says nothing stay");
        return Ok(Finding::not_applicable(why));
    }
    let mut probe = bench.under_tls().await?;
    let said = probe.ends(PUT_OUT_WITHIN).await?;
    if let Some(said) = said.first() {
        let got = format!("`{}` before", said.summary());
        return Ok(Finding::fail("the end", got).with(said.evidence()));
    }
    Ok(Finding::pass("it is"))
}

async fn plain(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.under_tls().await?;
    let id = probe.send("Ping", &[]).await;
    for said in probe.ends(ANSWER_WITHIN).await? {
        let is_ami = said.kind() == FrameKind::Banner || said.answers(&id);
        if is_ami {
            let got = format!("`{}`", said.summary());
            return Ok(Finding::fail("no AMI", got).with(said.evidence()));
        }
    }
    Ok(Finding::pass("closed"))
}

async fn end(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.tls_session(Versions::Usual).await?;
    probe.send("Logoff", &[]).await;
    loop {
        return Ok(match probe.next(ANSWER_WITHIN).await {
            Heard::Message(_) => continue,
            Heard::End(End::Fin) => Finding::pass("announced"),
            Heard::End(End::Unannounced) => Finding::pass("closed without a word of TLS"),
            Heard::End(End::Reset) => Finding::pass("reset"),
            Heard::Silence => Finding::inconclusive("it did not end"),
        });
    }
}
