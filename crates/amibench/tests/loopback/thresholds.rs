//! Thresholds that stop a run, and those that only tell.

use ami_load::run::Finished;
use ami_results::manifest::End;
use ami_results::verdict::State;

use crate::bench::{Bench, PING, Ran, constant, scenario};
use crate::fake_pbx::{FakePbx, Manners, Then};

/// Says no to every Ping.
fn refuses() -> FakePbx {
    let pbx = Manners::usual().on("Ping", |said, line| {
        line.answer(said, &["Response: Error", "Message: No"])?;
        Ok(Then::GoOn)
    });
    pbx.start()
}

/// `pbx-0` answers, `pbx-1` refuses.
fn run(threshold: &str, duration: &str) -> Ran {
    let (good, bad) = (Manners::usual().start(), refuses());
    let text = scenario(4, duration, &constant("50/s"), PING);
    let ran = Bench::new(format!("thresholds = [{threshold}]\n{text}"))
        .target(good.address())
        .target(bad.address())
        .run();
    ran.check_books();
    ran
}

fn states(finished: &Finished) -> Vec<(&str, State)> {
    let verdicts = finished.verdicts.iter();
    verdicts
        .map(|verdict| (verdict.subject.as_str(), verdict.state))
        .collect()
}

#[test]
fn one_that_fails_on_any_target_stops_the_whole_run() {
    let ran = run("{ limit = \"all.failed.rate < 10%\", abort = true }", "50s");
    let finished = ran.finished();
    let reason = "threshold failed: pbx-1 all.failed.rate < 10%, measured 100.000%";
    assert_eq!(
        finished.end,
        End::Aborted {
            reason: reason.to_owned()
        }
    );
    let expected = [
        ("pbx-0 all.failed.rate < 10%", State::Pass),
        ("pbx-1 all.failed.rate < 10%", State::Fail),
    ];
    assert_eq!(states(finished), expected);
    assert_eq!(
        finished.verdicts[1].detail.as_deref(),
        Some("it stopped the run")
    );
    for target in [0, 1] {
        let offered = ran.counts(target).offered;
        assert!((1..1_000).contains(&offered), "it stopped early: {offered}");
    }
    let mut reasons = finished.totals.validity.reasons.iter();
    assert!(reasons.all(|why| !why.contains("sent or explained")));
}

#[test]
fn one_without_abort_only_tells() {
    let ran = run("\"all.failed.rate < 10%\"", "1500ms");
    assert_eq!(ran.finished().end, End::Completed);
    assert_eq!(states(ran.finished())[1].1, State::Fail);
    assert_eq!(ran.counts(0).offered, 75);
}

#[test]
fn nothing_stops_before_its_delay() {
    let ran = run(
        "{ limit = \"all.failed.rate < 10%\", abort = true, delay = \"10s\" }",
        "1500ms",
    );
    assert_eq!(ran.finished().end, End::Completed);
    assert_eq!(states(ran.finished())[1].1, State::Fail);
}

#[test]
fn one_of_a_single_target_is_judged_there_only() {
    let ran = run(
        "{ limit = \"all.failed.rate < 10%\", abort = true, target = \"pbx-0\" }",
        "1500ms",
    );
    assert_eq!(ran.finished().end, End::Completed);
    assert_eq!(
        states(ran.finished()),
        [("pbx-0 all.failed.rate < 10%", State::Pass)]
    );
}

#[test]
fn one_of_a_phase_is_judged_there_only() {
    let (of, other) = ("in steady", "in more");
    let bad = refuses();
    let text = scenario(4, "600ms", &constant("50/s"), PING);
    let more = crate::bench::phase("more", "600ms", &constant("20/s"), "");
    let both = "{ limit = \"all.rate >= 30/s\", phase = \"steady\" }, { limit = \"all.rate >= 30/s\", phase = \"more\" }";
    let good = Manners::usual().start();
    let ran = Bench::new(format!("thresholds = [{both}]\n{text}{more}"))
        .target(good.address())
        .target(bad.address())
        .run();
    let states = states(ran.finished());
    let state = |target: &str, phase: &str| {
        let found = states
            .iter()
            .find(|(subject, _)| subject.starts_with(target) && subject.ends_with(phase));
        found.map(|(_, state)| *state)
    };
    assert_eq!(state("pbx-0", of), Some(State::Pass), "{states:?}");
    assert_eq!(state("pbx-0", other), Some(State::Fail), "{states:?}");
    assert_eq!(state("pbx-1", of), Some(State::Fail), "{states:?}");
}
