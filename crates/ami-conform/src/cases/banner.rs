//! What a PBX says first.

use ami_proto::anomaly::Anomaly;
use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::observed::{Observed, Seen};

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
    Case {
        id: "banner.line.crlf",
        requirement: "The banner ends with CR LF.",
        level: Level::Should,
        severity: Severity::Minor,
        source: "manager.c session_do",
        check: Check::Passive(crlf),
        ..CASE
    },
    Case {
        id: "banner.version.dotted",
        requirement: "The version in the banner is two or three numbers with dots.",
        source: "manager.h AMI_VERSION, 1.0 to 12.0.0",
        check: Check::Passive(dotted),
        ..CASE
    },
    Case {
        id: "banner.version.same",
        requirement: "Each connection gets the same banner.",
        level: Level::Should,
        authority: Authority::Consensus,
        severity: Severity::Minor,
        source: "a PBX is of one version",
        check: Check::Passive(same),
        ..CASE
    },
    Case {
        id: "banner.version.of-the-release",
        requirement: "The version in the banner is that of the release.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Since(12, 0)],
        source: "manager.h AMI_VERSION at each release",
        check: Check::Active(|bench| Box::pin(of_the_release(bench))),
        ..CASE
    },
    Case {
        id: "banner.product.name",
        requirement: "What the PBX calls itself.",
        level: Level::Observe,
        authority: Authority::Consensus,
        severity: Severity::Info,
        source: "vendors and proxies rename it",
        catches: &["clients that look for `Asterisk Call Manager`"],
        check: Check::Active(|bench| Box::pin(product(bench))),
        ..CASE
    },
];

/// The banners of all connections, as they came.
fn banners<'a>(observed: &'a Observed<'_>) -> impl Iterator<Item = &'a Seen> {
    let first = observed
        .connections
        .iter()
        .filter_map(|one| one.said().next());
    first.filter(|seen| seen.kind() == FrameKind::Banner)
}

fn of_banners(count: usize) -> Finding {
    if count == 0 {
        Finding::inconclusive("no banner was seen")
    } else {
        Finding::pass(format!("all of {count} banners"))
    }
}

fn crlf(observed: &Observed<'_>) -> Finding {
    let mut count = 0;
    for banner in banners(observed) {
        count += 1;
        if !banner.frame().bytes().ends_with(b"\r\n") {
            return Finding::fail("CR LF", "another line end").with(banner.evidence());
        }
    }
    of_banners(count)
}

fn dotted(observed: &Observed<'_>) -> Finding {
    let mut count = 0;
    for banner in banners(observed) {
        count += 1;
        let line = banner.frame().lines().next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let version = line.rsplit_once('/').map_or("", |(_, version)| version);
        let numbers: Vec<&str> = version.split('.').collect();
        let is_number =
            |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !(2..=3).contains(&numbers.len()) || !numbers.iter().all(is_number) {
            let got = format!("`{line}`");
            return Finding::fail("`…/1.2` or `…/1.2.3`", got).with(banner.evidence());
        }
    }
    of_banners(count)
}

fn same(observed: &Observed<'_>) -> Finding {
    let mut banners = banners(observed);
    let Some(first) = banners.next() else {
        return of_banners(0);
    };
    let mut count = 1;
    for banner in banners {
        count += 1;
        if banner.frame().bytes() != first.frame().bytes() {
            return Finding::fail("the same", "another")
                .with(first.evidence())
                .with(banner.evidence());
        }
    }
    of_banners(count)
}

/// Majors of the banner by those of the release: 12 has 2, 13 has 2, then one up for each.
async fn of_the_release(bench: &mut Bench<'_>) -> Judged {
    let (_, Some(banner)) = bench.greeted().await? else {
        return Ok(Finding::inconclusive("there is no banner"));
    };
    let Some(release) = bench.device.release else {
        return Ok(Finding::inconclusive("the release does not show"));
    };
    let expected = match release.major {
        12 | 13 => vec![2],
        14 => vec![2, 3],
        major => vec![major - 11],
    };
    let line = bench.device.banner.clone();
    let version = line.rsplit_once('/').map_or("", |(_, version)| version);
    let major = version
        .split('.')
        .next()
        .and_then(|text| text.parse::<u16>().ok());
    let got = format!("`{line}` on {}.{}", release.major, release.minor);
    if major.is_some_and(|major| expected.contains(&major)) {
        return Ok(Finding::pass(got).with(banner.evidence()));
    }
    let expected: Vec<String> = expected.iter().map(u16::to_string).collect();
    Ok(Finding::fail(format!("major {}", expected.join(" or ")), got).with(banner.evidence()))
}

async fn product(bench: &mut Bench<'_>) -> Judged {
    let (_, Some(banner)) = bench.greeted().await? else {
        return Ok(Finding::inconclusive("there is no banner"));
    };
    let line = bench.device.banner.clone();
    let name = line
        .rsplit_once('/')
        .map_or(line.as_str(), |(name, _)| name);
    Ok(Finding::pass(format!("`{name}`")).with(banner.evidence()))
}

fn present(observed: &Observed<'_>) -> Finding {
    let mut seen = None;
    let begun = observed.connections.iter().filter(|one| one.begun);
    for connection in begun {
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
    let id = probe.send("Ping", &[]).await;
    let refused = probe.answer().await?;
    let is_extra = |anomaly: &Anomaly| matches!(anomaly, Anomaly::ExtraBlankLines { .. });
    if refused.frame().anomalies().iter().any(is_extra) {
        let got = "an empty line before it";
        return Ok(Finding::fail("the answer to a Ping", got).with(refused.evidence()));
    }
    if !refused.answers(&id) {
        let got = format!("`{}`", refused.summary());
        return Ok(Finding::fail("the answer to a Ping", got).with(refused.evidence()));
    }
    Ok(Finding::pass("the first answer is that to the first request").with(refused.evidence()))
}
