//! What accounts hear that may not hear everything, and that a reload is told.

use std::collections::BTreeSet;

use ami_client::target::Standing;
use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::account::beside_empty_item;
use crate::finding::{Finding, Judged};
use crate::logins::Lesser;
use crate::probe::{Got, Probe};

const LIMITED: &[Need] = &[
    Need::Read("security"),
    Need::Since(12, 0),
    Need::Account(Standing::Limited),
];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "event.limited.hears-its-own",
        requirement: "An account hears no event of a class that it may not read.",
        severity: Severity::Blocker,
        needs: LIMITED,
        source: "manager.c process_events",
        check: Check::Active(|bench| Box::pin(limited(bench, Mask::AtLogin))),
        ..CASE
    },
    Case {
        id: "event.mask.within-rights",
        requirement: "A mask gives an account nothing that it may not read.",
        severity: Severity::Blocker,
        needs: LIMITED,
        source: "manager.c process_events: both the mask and the rights count",
        check: Check::Active(|bench| Box::pin(limited(bench, Mask::Afterwards))),
        ..CASE
    },
    Case {
        id: "event.empty-item.hears-no-more",
        requirement: "An empty item among the classes of an account lets it hear nothing.",
        level: Level::Should,
        authority: Authority::Consensus,
        severity: Severity::Blocker,
        needs: &[
            Need::Read("security"),
            Need::Since(12, 0),
            Need::Account(Standing::EmptyItem),
        ],
        source: "manager.c ast_instring takes an empty item for every class, in every release",
        check: Check::Active(|bench| Box::pin(empty_item(bench))),
        ..CASE
    },
    Case {
        id: "event.reload.told",
        requirement: "A reload is told, also that of a module which there is not.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Disruptive,
        needs: &[Need::Action("Reload"), Need::Read("system")],
        source: "loader.c publish_reload_message",
        check: Check::Active(|bench| Box::pin(reload(bench))),
        ..CASE
    },
];

/// When an account asks for events.
#[derive(Clone, Copy)]
enum Mask {
    AtLogin,
    Afterwards,
}

async fn limited(bench: &mut Bench<'_>, mask: Mask) -> Judged {
    let Lesser { read, .. } = bench.lesser(Standing::Limited)?;
    if read.contains("security") {
        let why = "the account `limited` reads class security, by which this is tried";
        return Ok(Finding::not_applicable(why));
    }
    let deaf = match mask {
        Mask::AtLogin => bench.lesser_session(Standing::Limited, "on").await?,
        Mask::Afterwards => {
            let mut deaf = bench.lesser_session(Standing::Limited, "off").await?;
            let mask = [("EventMask", "system,security")];
            deaf.ask("Events", &mask)
                .await?
                .expect("Response", "Success")?;
            deaf
        }
    };
    hears_only(bench, deaf, &read).await
}

async fn empty_item(bench: &mut Bench<'_>) -> Judged {
    let deaf = bench.lesser_session(Standing::EmptyItem, "on").await?;
    hears_only(bench, deaf, &beside_empty_item()).await
}

/// Somebody logs in, which class security is told of: whoever may not read it does not hear it.
async fn hears_only(bench: &mut Bench<'_>, mut deaf: Probe, classes: &BTreeSet<String>) -> Judged {
    let mut hearing = bench.listener("security").await?;
    let told = hearing
        .event("SuccessfulAuth", |got| got.is_event("SuccessfulAuth"))
        .await
        .map_err(|_| Finding::inconclusive("no login was told, so there was nothing to hear"))?;
    // What was told before a request may be written behind its answer, but not behind the next one.
    let mut heard = deaf.barrier_behind().await?;
    heard.extend(deaf.barrier_behind().await?);
    if let Some(stray) = heard.iter().find(|got| is_beyond(got, classes)) {
        let [name, class] = ["Event", "Privilege"].map(|name| stray.text(name).unwrap_or_default());
        let got = format!("{name} of class {class}");
        let expected = "no event beyond its classes";
        return Ok(Finding::fail(expected, got).with(stray.evidence()));
    }
    Ok(Finding::pass("a login was told, and not to it").with(told.evidence()))
}

/// An event is for those who may read all of its classes.
fn is_beyond(got: &Got, classes: &BTreeSet<String>) -> bool {
    let privilege = got.text("Privilege").unwrap_or_default();
    let mut needed = privilege.split(',').filter(|class| *class != "all");
    got.kind() == FrameKind::Event
        && !privilege.is_empty()
        && needed.any(|class| !classes.contains(class))
}

async fn reload(bench: &mut Bench<'_>) -> Judged {
    let (mut listener, mut probe) = (bench.listener("system").await?, bench.session().await?);
    // Nobody has it: nothing is reloaded.
    let module = format!("nosuch-{}", bench.id());
    probe.ask("Reload", &[("Module", &module)]).await?;
    let event = listener
        .event("the event Reload", |got| {
            got.is_event("Reload") && got.has("Module", &module)
        })
        .await?;
    Ok(Finding::pass("it is").with(event.evidence()))
}
