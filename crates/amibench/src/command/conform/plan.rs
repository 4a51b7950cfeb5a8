//! What will be done, before it is done.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use ami_client::Target;
use ami_conform::case::{Case, Safety};
use ami_conform::cases;
use ami_conform::device::Device;
use ami_conform::suite::{Planned, Selection};
use ami_results::verdict::State;

/// Of a case that waits for nothing, at the pace of quiet ones.
const USUALLY: Duration = Duration::from_millis(180);

/// The cases that are asked for, by area and safety class.
pub(super) fn selected(selection: &Selection) -> String {
    let asked: Vec<&Case> = selection.cases().collect();
    let mut text = format!("{:<12}", "area");
    for safety in Safety::ALL {
        let _ = write!(text, " {safety:>15}");
    }
    text.push('\n');
    let mut told = BTreeSet::new();
    for area in asked.iter().map(|case| case.area()) {
        if told.insert(area) {
            let of_area: Vec<&Case> = asked
                .iter()
                .copied()
                .filter(|case| case.area() == area)
                .collect();
            let _ = write!(text, "{area:<12}");
            counts(&mut text, &of_area);
        }
    }
    let _ = write!(text, "{:<12}", "all");
    counts(&mut text, &asked);
    for safety in Safety::ALL {
        let count = asked.iter().filter(|case| case.safety == *safety).count();
        if count == 0 {
            continue;
        }
        let does = safety.does();
        let _ = if selection.permits(*safety) {
            writeln!(text, "{safety}: {does}")
        } else {
            writeln!(
                text,
                "{safety}: left out; --allow {safety} adds {count} and {does}"
            )
        };
    }
    let of = cases::all().count();
    let permitted = asked.iter().filter(|case| selection.permits(case.safety));
    let took = lasts(permitted.clone().copied());
    let _ = writeln!(
        text,
        "{} of {of} cases, about {} s on each target\n",
        permitted.count(),
        took.as_secs().max(1)
    );
    text
}

fn counts(text: &mut String, cases: &[&Case]) {
    for safety in Safety::ALL {
        match cases.iter().filter(|case| case.safety == *safety).count() {
            0 => {
                let _ = write!(text, " {:>15}", "-");
            }
            count => {
                let _ = write!(text, " {count:>15}");
            }
        }
    }
    text.push('\n');
}

fn lasts<'a>(cases: impl Iterator<Item = &'a Case>) -> Duration {
    cases
        .filter(|case| !case.is_passive())
        .map(|case| USUALLY + Duration::from_secs(case.waits.into()))
        .sum()
}

/// Who it is, and what of the plan applies there.
pub(super) fn of_target(
    target: &Target,
    address: &str,
    device: &Device,
    planned: &[Planned],
) -> String {
    let Target { name, account, .. } = target;
    let version = device.version.as_deref().unwrap_or("version unknown");
    let runs = planned.iter().filter_map(|one| match one {
        Planned::Run(case) => Some(*case),
        Planned::Not(..) => None,
    });
    let without = planned
        .iter()
        .filter(|one| matches!(one, Planned::Not(_, why) if why.state == State::NotApplicable))
        .count();
    let mut text = format!(
        "{name}: {version}, {:?}, account {account} at {address}: {} cases, about {} s; {without} do not apply there\n",
        device.banner,
        runs.clone().count(),
        lasts(runs).as_secs().max(1),
    );
    if let Some(dialect) = &device.dialect {
        let reasons = device.reasons.iter().filter(|one| one.fact == "dialect");
        let reasons: Vec<&str> = reasons.map(|one| &*one.seen).collect();
        let _ = writeln!(text, "  dialect {dialect}: {}", reasons.join("; "));
    }
    for conflict in &device.conflicts {
        let _ = writeln!(text, "  conflict: {conflict}");
    }
    text
}
