//! What is printed of a target once it is judged: what failed, and the sums.

use std::fmt::Write as _;

use ami_conform::suite::Judgement;
use ami_results::judgement::Outcome;
use ami_results::verdict::State;

use super::judge::Judged;
use crate::print;

pub(super) fn print(judged: &Judged) {
    let target = &judged.target;
    if let Some(why) = &judged.unreachable {
        print::error(format_args!("{target}: {why}"));
        return;
    }
    for (judgement, compared) in &judged.judgements {
        let outcome = compared.as_ref().map(|compared| compared.outcome);
        let told = match (judgement.finding.state, outcome) {
            (_, Some(Outcome::Fixed)) => "FIXED",
            (_, Some(Outcome::Stale)) => "stale",
            (_, Some(Outcome::Unexpected)) => "unexpected",
            (State::Fail, _) => "fail",
            (State::Warn, _) => "warn",
            (State::Inconclusive, _) => "inconclusive",
            (State::Pass | State::NotApplicable | State::Skipped, _) => continue,
        };
        let is_known = outcome == Some(Outcome::AsExpected);
        print::line(format_args!(
            "{told:<12} {:<40} {}{}",
            judgement.case.id,
            judgement.finding.got,
            if is_known { " (as expected)" } else { "" }
        ));
        if !is_known {
            print::line(format_args!("    {}", judgement.case.requirement));
            if !judgement.finding.expected.is_empty() {
                print::line(format_args!("    expected {}", judgement.finding.expected));
            }
        }
        if let Some(advice) = compared.as_ref().and_then(|one| one.advice.as_ref()) {
            print::line(format_args!("    {advice}"));
        }
    }
    for objection in &judged.objections {
        print::error(objection);
    }
    for (judgement, _) in &judged.judgements {
        for left in &judgement.left {
            let id = judgement.case.id;
            print::error(format_args!("{target}: {id} left behind {left}"));
        }
    }
    print::line(sums(judged));
}

fn sums(judged: &Judged) -> String {
    let count = |is: &dyn Fn(&Judgement) -> bool| {
        let all = judged.judgements.iter();
        all.filter(|(judgement, _)| is(judgement)).count()
    };
    let of = |state: State| count(&|one| one.finding.state == state);
    let known = |outcome: Outcome| {
        let all = judged
            .judgements
            .iter()
            .filter_map(|(_, compared)| compared.as_ref());
        all.filter(|compared| compared.outcome == outcome).count()
    };
    let applied = judged.judgements.len() - of(State::NotApplicable) - of(State::Skipped);
    let mut text = format!(
        "{}: {applied} of {} cases applied: {} pass, {} fail, {} warn, {} inconclusive; {} not applicable, {} skipped",
        judged.target,
        judged.planned,
        of(State::Pass),
        of(State::Fail),
        of(State::Warn),
        of(State::Inconclusive),
        of(State::NotApplicable),
        of(State::Skipped),
    );
    for outcome in [
        Outcome::AsExpected,
        Outcome::Unexpected,
        Outcome::Fixed,
        Outcome::Stale,
    ] {
        let count = known(outcome);
        if count > 0 {
            let _ = write!(text, "; {count} {}", outcome.slug());
        }
    }
    text
}
