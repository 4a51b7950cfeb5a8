//! What a PBX says first.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::observed::Observed;
use ami_proto::frame::FrameKind;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "banner.line.present",
        requirement: "The PBX speaks first: one line that names a manager and its version.",
        severity: Severity::Blocker,
        source: "manager.c, session_do: astman_append of the banner",
        check: Check::Passive(present),
        ..CASE
    },
    Case {
        id: "banner.line.alone",
        requirement: "Nothing follows the banner before the first request is answered.",
        level: Level::Should,
        authority: Authority::Consensus,
        safety: Safety::Noisy,
        source: "a multiplexer that sends an empty line behind it",
        check: Check::Active(|bench| Box::pin(alone(bench))),
        ..CASE
    },
];

fn present(observed: &Observed<'_>) -> Finding {
    let mut seen = None;
    for connection in &observed.connections {
        let Some(first) = connection.said().next() else {
            continue;
        };
        let banner = matches!(first.kind(), FrameKind::Banner);
        if !banner {
            return Finding::fail("a banner", "another message first").with(first.evidence());
        }
        seen = Some(first.evidence());
    }
    match seen {
        Some(evidence) => Finding::pass("a banner first, on each connection").with(evidence),
        None => Finding::inconclusive("no connection was seen from its start"),
    }
}

async fn alone(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = bench.greeted().await?;
    let refused = probe.ask("Ping", &[]).await?;
    Ok(Finding::pass("the first answer is that to the first request").with(refused.evidence()))
}
