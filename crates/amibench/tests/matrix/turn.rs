//! What a defect changes of a run: who fails now, or no longer, and who observes something else.

use std::collections::BTreeMap;

use ami_conform::case::Level;
use ami_conform::suite::Judgement;
use ami_results::verdict::State;

/// The cases that are decided otherwise, with what they got. One that can no longer be decided is not turned.
pub(crate) fn turned(sound: &[Judgement], spoiled: &[Judgement]) -> BTreeMap<&'static str, String> {
    assert_eq!(sound.len(), spoiled.len());
    let pairs = sound.iter().zip(spoiled);
    pairs
        .filter(|(was, is)| is_turned(was, is))
        .map(|(_, is)| {
            let got: String = is.finding.got.chars().take(90).collect();
            (is.case.id, format!("{}: {got}", is.finding.state))
        })
        .collect()
}

fn is_turned(was: &Judgement, is: &Judgement) -> bool {
    let fails = |one: &Judgement| matches!(one.finding.state, State::Fail | State::Warn);
    let passes = |one: &Judgement| one.finding.state == State::Pass;
    let observes_otherwise = is.case.level == Level::Observe
        && passes(was)
        && passes(is)
        && was.finding.got != is.finding.got;
    observes_otherwise || (fails(is) && !fails(was)) || (passes(is) && fails(was))
}
