//! What is offered: every arrival once over all workers, and closed loops that keep their think time and their limit.

use std::collections::BTreeMap;

use ami_load::run::Wish;
use ami_results::outcome::Outcome;

use crate::bench::{Bench, HASTY_PING, PING, Ran, constant, scenario};
use crate::fake_pbx::{Manners, Then};

const MS: u64 = 1_000_000;

#[test]
fn each_arrival_is_sent_once_by_any_number_of_workers() {
    for workers in [1, 2, 3] {
        let pbx = Manners::usual().start();
        let ran = Bench::new(scenario(6, "1s", &constant("200/s"), PING))
            .target(pbx.address())
            .workers(workers)
            .run();
        ran.check_books();
        let mut numbers: Vec<u64> = ran.records.iter().map(|record| record.seq).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..200).collect::<Vec<u64>>(), "{workers} workers");
        for record in &ran.records {
            assert_eq!(record.intended_at, record.seq * 5 * MS);
        }
        assert_eq!(pbx.count("Ping"), 200);
        assert!(
            ran.finished()
                .totals
                .validity
                .reasons
                .iter()
                .all(|why| !why.contains("sent"))
        );
    }
}

#[test]
fn the_longest_idle_session_is_next() {
    let pbx = Manners::usual().start();
    let ran = Bench::new(scenario(4, "1s", &constant("100/s"), PING))
        .target(pbx.address())
        .run();
    let mut used: BTreeMap<u32, u64> = BTreeMap::new();
    ran.records
        .iter()
        .for_each(|record| *used.entry(record.session).or_default() += 1);
    assert_eq!(used.len(), 4);
    assert!(used.values().all(|count| *count >= 15), "{used:?}");
}

#[test]
fn an_arrival_waits_for_a_session_and_the_wait_is_kept() {
    let pbx = Manners::usual().on("Ping", |_, _| Ok(Then::GoOn)).start();
    let ran = Bench::new(scenario(1, "1s", &constant("50/s"), HASTY_PING))
        .target(pbx.address())
        .run_until(&pbx, ("Ping", 2), &[Wish::Stop]);
    ran.check_books();
    let counts = ran.counts(0);
    assert_eq!((counts.offered, counts.timed_out), (50, 2));
    assert_eq!(counts.skipped, 48);
    // The second waited until its session had been given up and opened again.
    let second = &ran.records[1];
    assert!(second.sent_at.unwrap() > second.picked_at + 1_000 * MS);
}

fn by_session(ran: &Ran) -> BTreeMap<u32, Vec<(u64, u64)>> {
    let mut by_session: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for record in &ran.records {
        let turn = (record.intended_at, record.completed_at.unwrap());
        by_session.entry(record.session).or_default().push(turn);
    }
    by_session
        .values_mut()
        .for_each(|turns| turns.sort_unstable());
    by_session
}

#[test]
fn a_closed_loop_keeps_its_think_time() {
    let pbx = Manners::usual().start();
    let closed = scenario(10, "1s", "closed = { think = \"100ms\" }", PING);
    let ran = Bench::new(closed).target(pbx.address()).run();
    let sessions = by_session(&ran);
    assert_eq!(sessions.len(), 10);
    assert_eq!(ran.count(Outcome::Success), ran.records.len());
    for (session, turns) in sessions {
        // They begin spread over one think time, in the order of their numbers.
        assert_eq!(turns[0].0, u64::from(session) * 10 * MS);
        for pair in turns.windows(2) {
            assert!(
                pair[1].0 >= pair[0].1 + 100 * MS,
                "session {session}: {pair:?}"
            );
        }
        assert!(turns.last().unwrap().0 < 1_000 * MS);
    }
}

#[test]
fn a_closed_loop_keeps_the_limit_of_its_target() {
    for workers in [1, 2] {
        let pbx = Manners::usual().start();
        let ran = Bench::new(scenario(8, "1s", "closed = {}", PING))
            .target(pbx.address())
            .limit("max_actions_per_s = 100000", "max_actions_per_s = 50")
            .workers(workers)
            .run();
        let mut intended: Vec<u64> = ran
            .records
            .iter()
            .map(|record| record.intended_at)
            .collect();
        intended.sort_unstable();
        assert!(
            intended.len() <= 50 + usize::from(workers),
            "{}",
            intended.len()
        );
        assert!(intended.len() >= 40, "{}", intended.len());
        assert_eq!(by_session(&ran).len(), 8, "every session had its turn");
        if workers == 1 {
            for pair in intended.windows(2) {
                assert!(pair[1] - pair[0] >= 20 * MS, "{pair:?}");
            }
        }
    }
}

#[test]
fn phases_follow_each_other_without_a_gap_in_the_books() {
    let pbx = Manners::usual().start();
    let phase = |name: &str, arrival: &str| {
        format!(
            "[[phase]]\nname = \"{name}\"\nduration = \"400ms\"\narrival = {{ {arrival} }}\nmix = [{PING}]\n"
        )
    };
    let closed = "closed = { think = \"40ms\" }";
    let text = ["[[group]]\nname = \"load\"\nsessions = 4\n".to_owned()]
        .into_iter()
        .chain([
            phase("a", &constant("50/s")),
            phase("b", closed),
            phase("c", &constant("100/s")),
            phase("d", closed),
        ])
        .collect::<String>();
    let ran = Bench::new(text).target(pbx.address()).run();
    let of = |phase: u16| {
        ran.records
            .iter()
            .filter(move |record| record.phase == phase)
    };
    assert_eq!((of(0).count(), of(2).count()), (20, 40));
    for closed in [1, 3] {
        let mut sessions: Vec<u32> = of(closed).map(|record| record.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        assert_eq!(sessions, [0, 1, 2, 3], "phase {closed}");
        let (begin, end) = (
            u64::from(closed) * 400 * MS,
            u64::from(closed + 1) * 400 * MS,
        );
        assert!(of(closed).all(|record| (begin..end).contains(&record.intended_at)));
    }
    assert_eq!(ran.count(Outcome::Success), ran.records.len());
    assert_eq!(pbx.count("Ping"), ran.records.len());
}
