//! One load offered by several processes: together they are the whole, and nothing is offered twice.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use ami_load::RunTag;
use ami_sim::{Account, Accounts, Profile, spawn_thread};
use jiff::{SignedDuration, Timestamp};

use crate::bench::{Bench, PING, Ran, SECRET, constant, scenario};
use crate::fake_pbx::Manners;

const MIX: &str = "{ share = 5, ping = {} }, \
                   { share = 2, originate = { role = \"answers\", hold = \"1s\", ring = \"2s\" } }";

fn bench(address: SocketAddr) -> Bench {
    let ramp = "ramp = { from = \"50/s\", to = \"150/s\" }";
    Bench::new(scenario(8, "1s", ramp, MIX))
        .target(address)
        .limit(
            "channel = \"Local/*@lab\"",
            "channel = \"Local/*@amibench\"",
        )
        .limit("\"Local/answer@lab\"", "\"Local/answer@amibench\"")
        .limit("context = \"lab\"", "context = \"amibench\"")
}

/// Number, instant and action of every arrival.
fn offered(ran: &Ran) -> BTreeSet<(u64, u64, u16)> {
    let records = ran.records.iter();
    records
        .map(|record| (record.seq, record.intended_at, record.action))
        .collect()
}

#[test]
fn four_segments_are_the_whole_load() {
    let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let profile = Profile::named("asterisk-22").unwrap();
    let sim = spawn_thread(profile, nobody, accounts, 1).unwrap();
    let whole = bench(sim.addr());
    let (sha256, planned) = (whole.plan().sha256(), whole.plan().planned(0));
    let whole = whole.run();
    whole.check_books();
    let expected = offered(&whole);
    assert_eq!((expected.len() as u64, planned), (100, 100));

    let segments: Vec<Ran> = std::thread::scope(|scope| {
        let segment = |index| format!("{index}/4");
        let running: Vec<_> = (1..=4)
            .map(|index| {
                let bench = bench(sim.addr()).segment(&segment(index)).workers(2);
                assert_eq!(bench.plan().sha256(), sha256);
                scope.spawn(|| bench.run())
            })
            .collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (mut together, mut sessions, mut workers, mut own) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), 0);
    for (index, ran) in (0..).zip(&segments) {
        ran.check_books();
        let segment = ran.manifest().segment.expect("it is a segment");
        assert_eq!((segment.index, segment.count), (index, 4));
        assert_eq!(ran.manifest().plan_sha256, sha256);
        let of_segment = offered(ran);
        assert!(together.is_disjoint(&of_segment));
        assert!(of_segment.len() >= 20, "{}", of_segment.len());
        assert_eq!(
            ran.finished().totals.validity.planned,
            of_segment.len() as u64
        );
        own += of_segment.len();
        together.extend(of_segment);
        let used: BTreeSet<u32> = ran.records.iter().map(|record| record.session).collect();
        assert!(used.iter().all(|session| session / 2 == u32::from(index)));
        sessions.extend(used);
        let tag = RunTag::parse(&ran.manifest().run_id).unwrap();
        let keys = ran
            .calls
            .iter()
            .map(|call| tag.key_in(call.id.as_bytes()).unwrap());
        let of_calls: BTreeSet<u16> = keys.map(|key| key.worker).collect();
        assert!(workers.is_disjoint(&of_calls));
        workers.extend(of_calls);
    }
    assert_eq!((together, own), (expected, 100));
    assert_eq!(sessions, (0..8).collect(), "every session has its turn");
    assert_eq!(workers, (0..8).collect(), "calls are dealt to every worker");
    let tags: BTreeSet<&str> = segments
        .iter()
        .map(|ran| ran.manifest().run_id.as_str())
        .collect();
    assert_eq!(tags.len(), 4);
    assert_eq!(
        sim.counters().actions_of("Originate"),
        2 * whole.calls.len() as u64
    );
}

#[test]
fn a_load_begins_at_the_instant_that_was_agreed() {
    let pbx = Manners::usual().start();
    let at = Timestamp::now() + SignedDuration::from_millis(700);
    let ran = Bench::new(scenario(2, "200ms", &constant("50/s"), PING))
        .target(pbx.address())
        .start_at(at)
        .run();
    ran.check_books();
    assert_eq!((ran.manifest().started_at, ran.records.len()), (at, 10));
    let after = Timestamp::now().duration_since(at);
    assert!(
        after >= SignedDuration::from_millis(200),
        "no arrival was early: {after:?}"
    );
}

#[test]
fn a_load_whose_instant_has_passed_is_not_offered() {
    let pbx = Manners::usual().start();
    let ran = Bench::new(scenario(2, "200ms", &constant("50/s"), PING))
        .target(pbx.address())
        .start_at(Timestamp::now())
        .run();
    assert!(ran.result.unwrap_err().to_string().contains("--start-at"));
    assert_eq!(pbx.count("Ping"), 0);
}
