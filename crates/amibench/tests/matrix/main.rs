//! Every case passes on a PBX that keeps its requirement, and fails on a simulated one that breaks it: `kin.toml` has the defects.

#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

mod allowed;
mod as_real;
mod dialects;
mod kin;
mod pbx;
#[path = "../verdicts/recorded.rs"]
mod recorded;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ami_conform::case::{CASE, Case, Check, Safety};
use ami_conform::cases;
use ami_conform::finding::Finding;
use ami_conform::suite::{Judgement, Selection};
use ami_results::verdict::State;
use ami_sim::Defect;

use crate::kin::{Kin, Row};
use crate::turn::turned;

/// What stock Asterisk does not keep, nor do those who imitate it byte for byte.
const KNOWN: [&str; 12] = [
    "action-id.length.138-and-more",
    "action-id.length.244-and-more",
    "auth.empty-item.may-no-more",
    "call.variable.no-line-ends",
    "event.empty-item.hears-no-more",
    "event.mask.unknown-word",
    "limit.line.edge",
    "http.digest.count-once",
    "http.inject.action-id",
    "http.inject.user-event",
    "tls.record.over-1024",
    "tls.record.large-action",
];
const SOUND: [&str; 3] = ["asterisk-13", "asterisk-16", "asterisk-22"];

/// A wrong case: it passes whatever the PBX does. No defect turns it, and that must show.
const PLANTED: Case = Case {
    id: "planted.always.passes",
    check: Check::Passive(|_| Finding::pass("always")),
    ..CASE
};

fn everything() -> Selection {
    Selection {
        allow: Safety::ALL.iter().copied().collect(),
        ..Selection::default()
    }
}

#[test]
fn a_sound_pbx_fails_no_case() {
    let mut passed = BTreeSet::new();
    for profile in SOUND {
        let judgements = pbx::judge(profile, |_| {}, &everything());
        assert_eq!(judgements.len(), cases::all().count() + 1);
        for judgement in &judgements {
            let (id, state) = (judgement.case.id, judgement.finding.state);
            let expected = match id {
                id if KNOWN.contains(&id) => [State::Fail, State::NotApplicable],
                _ => [State::Pass, State::NotApplicable],
            };
            assert!(expected.contains(&state), "{profile}: {judgement:#?}");
            assert!(judgement.left.is_empty(), "{judgement:#?}");
            if state != State::NotApplicable {
                passed.insert(id);
            }
        }
    }
    let never: Vec<&str> = ids().filter(|id| !passed.contains(id)).collect();
    assert!(
        never.is_empty(),
        "they apply to none of {SOUND:?}: {never:?}"
    );
}

/// Of all cases, and of the planted one.
fn ids() -> impl Iterator<Item = &'static str> {
    cases::all().chain([&PLANTED]).map(|case| case.id)
}

/// Beside what it says itself, a row of `kin.toml` stands for what the defect fails by name.
#[test]
fn each_defect_turns_its_own_case_and_its_kin_and_no_other() {
    let kin = Kin::read();
    let sound: BTreeMap<&str, Vec<Judgement>> = SOUND
        .into_iter()
        .map(|profile| (profile, pbx::judge(profile, |_| {}, &everything())))
        .collect();
    let own_turned = Mutex::new(BTreeSet::new());
    let wrong = Mutex::new(Vec::new());
    in_parallel(&kin.rows, |row| {
        let spoiled = pbx::judge(
            &row.profile,
            |simulator| simulator.spoil(row.defect),
            &everything(),
        );
        let turned = turned(&sound[&*row.profile], &spoiled);
        if let Some(own) = row.defect.case().filter(|own| turned.contains_key(own)) {
            own_turned.lock().unwrap().insert(own);
        }
        let difference = difference(row, &turned);
        wrong.lock().unwrap().extend(difference);
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let own_turned = own_turned.into_inner().unwrap();
    let unturned: Vec<&str> = ids().filter(|id| !own_turned.contains(id)).collect();
    assert_eq!(
        unturned,
        [PLANTED.id],
        "no defect is there for these; the planted one is there to be found"
    );
}

/// What to change in `kin.toml`, or in the case, or in the defect.
fn difference(row: &Row, turned: &BTreeMap<&'static str, String>) -> Option<String> {
    let is: BTreeSet<&str> = turned.keys().copied().collect();
    let listed: BTreeSet<&str> = row.turns().collect();
    if is == listed {
        return None;
    }
    let name = row.defect.name();
    let mut text = format!("{name} ({})", row.profile);
    for id in is.difference(&listed) {
        text = format!("{text}\n  turns {id}: {}", turned[id]);
    }
    for id in listed.difference(&is) {
        text = format!("{text}\n  leaves {id} as it is");
    }
    Some(text)
}

/// Each on one of as many threads as there are processors.
fn in_parallel(rows: &[Row], run: impl Fn(&Row) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(row);
                }
            });
        }
    });
}

#[test]
fn every_defect_has_a_row() {
    let kin = Kin::read();
    let rows: Vec<&str> = kin.rows.iter().map(|row| row.defect.name()).collect();
    let defects: Vec<&str> = Defect::all().map(Defect::name).collect();
    assert_eq!(
        rows, defects,
        "one each, in the order of `amibench sim --list`"
    );
    for row in &kin.rows {
        for id in row.turns() {
            let case = cases::find(id);
            assert!(case.is_some_and(|case| case.id == id), "{id}");
        }
    }
}
