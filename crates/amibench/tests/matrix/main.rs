//! Every case passes on the profiles that keep its requirement, and fails on a simulated PBX that breaks it.

mod allowed;
mod pbx;

use ami_conform::case::Safety;
use ami_conform::cases;
use ami_conform::suite::Selection;
use ami_results::verdict::State;

fn everything() -> Selection {
    Selection {
        allow: Safety::ALL.iter().copied().collect(),
        ..Selection::default()
    }
}

/// What stock Asterisk does not keep, nor do those who imitate it byte for byte.
const KNOWN: [&str; 2] = ["event.mask.unknown-word", "limit.line.edge"];
/// What a simulated console is too short for.
const UNDECIDED: [&str; 2] = ["command.text.long", "command.text.empty-lines"];

#[test]
fn a_sound_pbx_fails_no_case() {
    for profile in ["asterisk-16", "asterisk-22"] {
        let judgements = pbx::judge(profile, |_| {}, &everything());
        assert_eq!(judgements.len(), cases::all().count());
        for judgement in &judgements {
            let expected = match judgement.case.id {
                id if KNOWN.contains(&id) => [State::Fail, State::Fail],
                id if UNDECIDED.contains(&id) => [State::Inconclusive, State::Pass],
                _ => [State::Pass, State::NotApplicable],
            };
            let state = judgement.finding.state;
            assert!(expected.contains(&state), "{profile}: {judgement:#?}");
            assert!(judgement.left.is_empty(), "{judgement:#?}");
        }
    }
}

#[test]
#[ignore = "prints which cases each defect turns"]
fn explore() {
    let profile = "asterisk-22";
    let states = |judgements: Result<Vec<ami_conform::suite::Judgement>, String>| match judgements {
        Ok(all) => all
            .into_iter()
            .map(|one| (one.case.id, one.case.level, one.finding))
            .collect(),
        Err(why) => {
            println!("  NOT READ {why}");
            Vec::new()
        }
    };
    let good = states(pbx::try_judge(profile, |_| {}, &everything()));
    for (id, _, finding) in &good {
        if !matches!(finding.state, State::Pass | State::NotApplicable) {
            println!("good: {id} {finding:?}");
        }
    }
    for defect in ami_sim::Defect::all() {
        println!("{} ({})", defect.name(), defect.check());
        let bad = states(pbx::try_judge(
            profile,
            |simulator| simulator.spoil(defect),
            &everything(),
        ));
        for ((id, level, was), (_, _, is)) in good.iter().zip(&bad) {
            let observed = *level == ami_conform::case::Level::Observe;
            if was.state != is.state || (observed && was.got != is.got) {
                println!(
                    "  {id} {}: {}",
                    is.state,
                    is.got.chars().take(90).collect::<String>()
                );
            }
        }
    }
}
