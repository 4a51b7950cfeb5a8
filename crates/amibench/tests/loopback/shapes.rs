//! Every shape of load on real sockets: what is planned is what is offered, whoever offers it.

use ami_results::outcome::Outcome;

use crate::bench::{Bench, PING, constant, phase, scenario};
use crate::fake_pbx::{Manners, Then, usual};

const MS: u64 = 1_000_000;

fn check(arrival: &str, expected: Option<usize>) {
    let mut first: Option<Vec<(u64, u64)>> = None;
    for workers in [1, 3] {
        let pbx = Manners::usual().start();
        let bench = Bench::new(scenario(6, "1s", arrival, PING))
            .target(pbx.address())
            .workers(workers);
        let planned = usize::try_from(bench.plan().planned(0)).unwrap();
        assert!(
            expected.is_none_or(|expected| expected == planned),
            "{arrival}: {planned}"
        );
        let ran = bench.run();
        ran.check_books();
        assert_eq!(ran.count(Outcome::Success), planned, "{arrival}");
        assert_eq!(pbx.count("Ping"), planned, "{arrival}");
        assert_eq!(ran.manifest().offered[0].arrivals, Some(planned as u64));
        let offered = ran
            .records
            .iter()
            .map(|record| (record.seq, record.intended_at));
        let mut offered: Vec<(u64, u64)> = offered.collect();
        offered.sort_unstable();
        let first = first.get_or_insert_with(|| offered.clone());
        assert_eq!(*first, offered, "{arrival}: {workers} workers");
    }
}

#[test]
fn each_shape_offers_what_is_planned_with_any_number_of_workers() {
    check(&constant("60/s"), Some(60));
    check("ramp = { from = \"0/s\", to = \"120/s\" }", Some(60));
    check("ramp = { from = \"90/s\", to = \"30/s\" }", Some(60));
    check(
        "step = { from = \"20/s\", by = \"40/s\", every = \"500ms\" }",
        Some(40),
    );
    check(
        "step = { from = \"60/s\", down-by = \"40/s\", to = \"10/s\", every = \"500ms\" }",
        Some(40),
    );
    check("poisson = { rate = \"60/s\" }", None);
    check("burst = { size = 15, every = \"400ms\" }", Some(45));
}

/// More than there are sessions: the rest of a burst waits for one, and its wait counts.
#[test]
fn a_burst_is_intended_at_one_instant() {
    let pbx = Manners::usual().start();
    let burst = "burst = { size = 20, every = \"600ms\" }";
    let ran = Bench::new(scenario(4, "1s", burst, PING))
        .target(pbx.address())
        .run();
    ran.check_books();
    let at = |instant: u64| {
        let those = ran
            .records
            .iter()
            .filter(move |record| record.intended_at == instant);
        those.count()
    };
    assert_eq!((at(0), at(600 * MS), ran.records.len()), (20, 20, 40));
    let waited = ran.records.iter().filter(|record| {
        let first = ran
            .records
            .iter()
            .filter_map(|other| other.acked_at.or(other.completed_at))
            .min();
        record.intended_at == 0 && record.sent_at >= first
    });
    assert!(waited.count() >= 10, "only 4 of the 20 find a free session");
}

/// The PBX refuses everything until the warm-up is over.
#[test]
fn a_warm_up_is_recorded_and_not_measured() {
    let pbx = Manners::usual().on("Ping", {
        let seen = std::sync::atomic::AtomicU64::new(0);
        move |said, line| {
            if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 20 {
                line.answer(said, &["Response: Error", "Message: Not yet"])?;
                return Ok(Then::GoOn);
            }
            usual(said, line)
        }
    });
    let pbx = pbx.start();
    let text = [
        "thresholds = [\"all.failed.rate <= 0%\", \"all.rate >= 40/s\"]\n[[group]]\nname = \"load\"\nsessions = 4\n",
        &phase("warm", "400ms", &constant("50/s"), "warm-up = true"),
        &phase("steady", "500ms", &constant("50/s"), ""),
    ];
    let ran = Bench::new(text.concat()).target(pbx.address()).run();
    let finished = ran.finished();
    let counts = ran.counts(0);
    assert_eq!((ran.records.len(), ran.count(Outcome::Rejected)), (45, 20));
    assert_eq!(
        (counts.offered, counts.success, counts.rejected),
        (25, 25, 0)
    );
    let held = finished
        .verdicts
        .iter()
        .filter(|verdict| verdict.state == ami_results::verdict::State::Pass);
    assert_eq!(held.count(), 2, "{:?}", finished.verdicts);
    assert_eq!(finished.totals.validity.offered, 25);
    assert!(ran.manifest().layout.phases()[0].warm_up);
}
