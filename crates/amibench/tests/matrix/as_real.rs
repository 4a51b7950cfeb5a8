//! The simulated PBXs of the lab's profiles are judged as the real ones were, case by case.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ami_conform::cases;
use serde::Deserialize;

use crate::recorded::{self, Verdicts, verdict};
use crate::{PLANTED, everything, pbx};

const PBXS: [&str; 2] = ["asterisk-16", "asterisk-22"];

/// `differences.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differences {
    #[serde(default, rename = "difference")]
    all: Vec<Difference>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    pbx: Option<String>,
    case: String,
    simulated: String,
    #[serde(rename = "reason")]
    _reason: String,
}

impl Differences {
    fn read() -> Self {
        toml::from_str(include_str!("../verdicts/differences.toml")).unwrap()
    }
}

impl Difference {
    fn is_of(&self, pbx: &str, case: &str) -> bool {
        self.case == case && self.pbx.as_deref().is_none_or(|own| own == pbx)
    }
}

fn simulated(profile: &str) -> Verdicts {
    let judgements = pbx::judge(profile, |_| {}, &everything());
    let catalogue = judgements
        .into_iter()
        .filter(|one| one.case.id != PLANTED.id);
    catalogue
        .map(|one| {
            let (case, finding) = (one.case, one.finding);
            let verdict = verdict(case.level.slug(), finding.state, &finding.got);
            (case.id.to_owned(), verdict)
        })
        .collect()
}

/// What to mend, a line each; an entry of `known` that says nothing true is among it.
fn complaints(pbx: &str, real: &Verdicts, simulated: &Verdicts, known: &[Difference]) -> String {
    let mut text = String::new();
    for case in real.keys().filter(|case| !simulated.contains_key(*case)) {
        let _ = writeln!(text, "{pbx}: {case} is no case: delete its line");
    }
    for (case, simulated) in simulated {
        let entry = known.iter().find(|one| one.is_of(pbx, case));
        let is_known = entry.is_some_and(|one| one.simulated == *simulated);
        match (real.get(case), entry) {
            (None, _) => {
                let _ = writeln!(text, "{pbx}: {case} was not judged on the lab");
            }
            (Some(real), Some(_)) if real == simulated => {
                let _ = writeln!(text, "{pbx}: {case} is no difference any more");
            }
            (Some(real), _) if real != simulated && !is_known => {
                let _ = writeln!(
                    text,
                    "{pbx}: {case}\n  real      {real}\n  simulated {simulated}"
                );
            }
            _ => {}
        }
    }
    text
}

#[test]
fn simulated_ones_are_judged_as_the_real_ones() {
    let known = Differences::read().all;
    let mut text = String::new();
    for pbx in PBXS {
        text += &complaints(pbx, &recorded::read(pbx), &simulated(pbx), &known);
    }
    assert!(
        text.is_empty(),
        "{text}`UPDATE_VERDICTS=1 cargo test -p amibench --test live judged` writes down how the lab's PBXs are judged"
    );
    let ids: BTreeSet<&str> = cases::all().map(|case| case.id).collect();
    let idle: Vec<&Difference> = known
        .iter()
        .filter(|one| !ids.contains(&*one.case))
        .collect();
    assert!(idle.is_empty(), "no case is called so: {idle:?}");
}

#[test]
fn a_difference_shows_and_an_idle_entry_too() {
    let verdicts = |text: &str| toml::from_str::<Verdicts>(text).unwrap();
    let entry = |simulated: &str| Difference {
        pbx: None,
        case: "a.b.c".to_owned(),
        simulated: simulated.to_owned(),
        _reason: String::new(),
    };
    let (real, same) = (verdicts("'a.b.c' = 'pass'"), verdicts("'a.b.c' = 'pass'"));
    let fails = verdicts("'a.b.c' = 'fail: no'");
    let check = |simulated: &Verdicts, known: &[Difference], expected: &str| {
        let text = complaints("pbx", &real, simulated, known);
        assert_eq!(text.lines().next().unwrap_or_default(), expected);
    };
    check(&same, &[], "");
    check(&fails, &[], "pbx: a.b.c");
    check(&fails, &[entry("fail: no")], "");
    check(&fails, &[entry("fail: yes")], "pbx: a.b.c");
    check(
        &same,
        &[entry("fail: no")],
        "pbx: a.b.c is no difference any more",
    );
    check(
        &Verdicts::new(),
        &[],
        "pbx: a.b.c is no case: delete its line",
    );
    let text = complaints("pbx", &Verdicts::new(), &same, &[]);
    assert_eq!(text, "pbx: a.b.c was not judged on the lab\n");
}
