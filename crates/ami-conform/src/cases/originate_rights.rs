//! Originate by an account that may do nothing else.

use ami_client::target::Standing;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::originate_refusal::NOWHERE;
use crate::finding::{Finding, Judged};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "originate.rights.one-class",
        requirement: "Class originate is enough for an Originate.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Account(Standing::OriginateOnly)],
        source: "manager.c: Originate is of class originate, since 1.6",
        check: Check::Active(|bench| Box::pin(one_class(bench))),
        ..CASE
    },
    Case {
        id: "originate.rights.system",
        requirement: "An account without class system originates nothing that runs programs.",
        authority: Authority::Asterisk,
        severity: Severity::Blocker,
        safety: Safety::OriginatesCall,
        needs: &[Need::Account(Standing::OriginateOnly), Need::Since(11, 0)],
        source: "manager.c action_originate, since 1.8.11.1 and 10.3.1",
        catches: &["CVE-2012-2414"],
        check: Check::Active(|bench| {
            let programs = &[
                ("System", "true"),
                ("TrySystem", "true"),
                ("NoOp", "${SHELL(true)}"),
            ];
            Box::pin(refused(bench, programs))
        }),
        ..CASE
    },
    Case {
        id: "originate.rights.function-in-data",
        requirement: "An account without class system originates nothing that reads files.",
        authority: Authority::Asterisk,
        severity: Severity::Blocker,
        safety: Safety::OriginatesCall,
        needs: &[Need::Account(Standing::OriginateOnly), Need::Since(22, 0)],
        source: "manager.c is_restricted_app_data, since 18.24.2, 20.9.2, 21.4.2 and 22.0",
        catches: &["CVE-2024-42365"],
        check: Check::Active(|bench| {
            Box::pin(refused(bench, &[("NoOp", "${FILE(/etc/hostname)}")]))
        }),
        ..CASE
    },
];

/// A request that is wrong is told so, and is not denied.
async fn one_class(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.lesser_session(Standing::OriginateOnly, "off").await?;
    let answer = probe.ask("Originate", &[]).await?;
    answer.expect_error("Channel not specified")?;
    probe.barrier().await?;
    Ok(Finding::pass("`Channel not specified`").with(answer.evidence()))
}

/// Each of these applications with its data.
async fn refused(bench: &mut Bench<'_>, runs: &[(&str, &str)]) -> Judged {
    let mut probe = bench.lesser_session(Standing::OriginateOnly, "off").await?;
    let mut said = Finding::pass("");
    for (application, data) in runs {
        let headers = [
            NOWHERE,
            ("Async", "true"),
            ("Application", *application),
            ("Data", *data),
        ];
        let answer = probe.ask("Originate", &headers).await?;
        answer.expect("Response", "Error")?;
        said.got = answer.text("Message").unwrap_or_default();
        said.evidence.push(answer.evidence());
    }
    Ok(said)
}
