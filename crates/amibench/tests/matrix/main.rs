//! Every case passes on the profiles that keep its requirement, and fails on a simulated PBX that breaks it.

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

#[test]
fn a_sound_pbx_fails_no_case() {
    for profile in ["asterisk-16", "asterisk-22"] {
        let judgements = pbx::judge(profile, |_| {}, &everything());
        assert_eq!(judgements.len(), cases::all().count());
        for judgement in &judgements {
            let sound = matches!(
                judgement.finding.state,
                State::Pass | State::Warn | State::NotApplicable
            );
            assert!(sound, "{profile}: {judgement:#?}");
            assert!(judgement.left.is_empty(), "{judgement:#?}");
        }
    }
}
