//! What endangers a PBX in production stops the load on it at once, and on no other. When the danger began is told by the PBX,
//! when the last action was sent by the records.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ami_client::OpenError;
use ami_load::Trip;
use ami_load::run::{FailureWhy, PreflightError, RunError};
use ami_results::call::HungUpBy;
use ami_results::manifest::End;
use ami_results::outcome::Outcome;
use ami_sim::{Account, Accounts, Counters, Fault, Handle, Profile, spawn_thread};
use jiff::{SignedDuration, Timestamp};

use crate::bench::{Bench, ORIGINATE, PING, Ran, SECRET, constant, scenario};
use crate::fake_pbx::{Line, Manners, Said, Then, usual};
use crate::foreign::Foreign;

/// Arrivals would go on for a minute, calls for longer.
const MIX: &str = "{ share = 4, query = \"CoreStatus\" }, \
                   { share = 1, originate = { role = \"answers\", hold = \"90s\", ring = \"2s\" } }";
/// The load is at zero by then.
const ZERO_WITHIN: Duration = Duration::from_secs(1);

fn simulated(accounts: Accounts) -> Handle {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    spawn_thread(Profile::named("asterisk-22").unwrap(), address, accounts, 1).unwrap()
}

fn accounts() -> Accounts {
    Accounts::new(Account::new("bench", SECRET, "all", "all"))
}

fn bench(mix: &str) -> Bench {
    Bench::new(scenario(6, "60s", &constant("50/s"), mix))
        .limit("\"Local/*@lab\"", "\"Local/*@amibench\"")
        .limit("\"Local/answer@lab\"", "\"Local/answer@amibench\"")
        .limit(
            "\ncontext = \"lab\"\n[roles",
            "\ncontext = \"amibench\"\n[roles",
        )
        .limit(
            "\ncontext = \"lab\"\nexten",
            "\ncontext = \"amibench\"\nexten",
        )
}

fn trip(ran: &Ran) -> &Trip {
    match &ran.finished().failures[..] {
        [failure] => match &failure.why {
            FailureWhy::Guard {
                after: Some(_),
                trip,
            } => trip,
            other => panic!("not the guard's: {other:?}"),
        },
        other => panic!("one failure: {other:?}"),
    }
}

fn began_at(counters: &Counters) -> Timestamp {
    let at = counters.faults_at.first().expect("the fault began");
    Timestamp::UNIX_EPOCH + SignedDuration::try_from(*at).unwrap()
}

/// Something was sent before that instant, and nothing on the target so long after it.
fn check_zero(ran: &Ran, target: u16, danger: Timestamp, within: Duration) {
    let manifest = ran.manifest();
    let started_at = manifest.started_at;
    let of_target = ran.records.iter().filter(|record| record.target == target);
    let sent: Vec<Timestamp> = of_target
        .filter_map(|record| {
            Some(started_at + SignedDuration::from_nanos(i64::try_from(record.sent_at?).unwrap()))
        })
        .collect();
    assert!(
        sent.iter().any(|at| *at < danger),
        "no load before the danger"
    );
    let late: Vec<&Timestamp> = sent.iter().filter(|at| **at > danger + within).collect();
    assert!(
        late.is_empty(),
        "danger at {danger}, still sent at {late:?}"
    );
}

/// No call of ours is up, and those that were are hung up by us.
fn check_calls(ran: &Ran, sim: &Handle) {
    assert_eq!(sim.counters().channels_up, 0);
    assert!(ran.finished().left.is_empty());
    assert!(!ran.calls.is_empty(), "there were calls");
    let others: Vec<_> = ran
        .calls
        .iter()
        .filter(|call| call.hung_up_by != HungUpBy::Us)
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

fn fault(name: &str) -> Fault {
    Fault::named(name).unwrap()
}

#[test]
fn a_lost_session_stops_the_load_on_its_target_and_not_on_the_other() {
    let (endangered, sound) = (simulated(accounts()), simulated(accounts()));
    endangered.plant(fault("reset.instead").planted_at("CoreStatus", 40));
    let ran = bench(MIX)
        .duration(Duration::from_secs(4))
        .target(endangered.addr())
        .target(sound.addr())
        .guarded()
        .workers(2)
        .run();
    ran.check_books();
    assert!(
        matches!(trip(&ran), Trip::SessionLost { .. }),
        "{:?}",
        trip(&ran)
    );
    check_zero(&ran, 0, began_at(&endangered.counters()), ZERO_WITHIN);
    check_calls(&ran, &endangered);
    assert_eq!(ran.finished().end, End::Completed);
    let others = ran.records.iter().filter(|record| record.target == 1);
    assert_eq!(others.count(), 200, "the other had its whole load");
}

#[test]
fn a_lost_canary_stops_the_load() {
    let sim = simulated(accounts());
    // Five are the base; nobody else pings.
    sim.plant(fault("reset.instead").planted_at("Ping", 7));
    let ran = bench(MIX).target(sim.addr()).guarded().run();
    ran.check_books();
    assert!(
        matches!(trip(&ran), Trip::CanaryLost { .. }),
        "{:?}",
        trip(&ran)
    );
    check_zero(&ran, 0, began_at(&sim.counters()), ZERO_WITHIN);
    check_calls(&ran, &sim);
    assert!(matches!(ran.finished().end, End::Aborted { .. }));
}

#[test]
fn a_pbx_that_is_slow_for_five_seconds_is_left_alone() {
    let sim = simulated(accounts());
    sim.plant(fault("link.late").planted_at("CoreStatus", 20));
    let ran = bench(MIX).target(sim.addr()).guarded().run();
    ran.check_books();
    let expected = Duration::from_millis(100);
    assert!(
        matches!(trip(&ran), Trip::Slow { limit, .. } if *limit == expected),
        "{:?}",
        trip(&ran)
    );
    // The first slow ping is sent within a second, and the danger is that none is quick for five.
    let danger = began_at(&sim.counters()) + Duration::from_secs(6);
    check_zero(&ran, 0, danger, ZERO_WITHIN);
    // Events come late too: that the calls are gone is the PBX's word.
    assert_eq!(sim.counters().channels_up, 0);
    assert!(!ran.calls.is_empty() && ran.finished().left.is_empty());
    let skipped = ran.counts(0).skipped;
    assert!(skipped > 0, "what waited was skipped");
}

#[test]
fn calls_of_others_that_begin_to_fail_stop_the_load() {
    let sim = simulated(accounts());
    let foreign = Foreign::start(sim.addr());
    let ran = bench(MIX).target(sim.addr()).guarded().run();
    let failed_at = foreign.end();
    ran.check_books();
    let Trip::ForeignCalls { failed, .. } = trip(&ran) else {
        panic!("{:?}", trip(&ran));
    };
    let last = failed_at[*failed - 1];
    check_zero(&ran, 0, last, ZERO_WITHIN);
    let ours: Vec<_> = ran
        .calls
        .iter()
        .filter(|call| call.hung_up_by != HungUpBy::Us)
        .collect();
    assert!(ours.is_empty() && !ran.calls.is_empty(), "{ours:?}");
}

/// A PBX on which every call that is placed leads to many.
fn breeder() -> Manners {
    let tag: Arc<Mutex<Option<String>>> = Arc::default();
    let seen = Arc::clone(&tag);
    let breed = move |said: &Said, line: &Line| {
        let tag = tag.lock().unwrap().take();
        for number in 100..112 {
            let Some(tag) = &tag else { break };
            let id = format!("Uniqueid: {tag}-0-{number:010}");
            line.say(&["Event: Newchannel", &id])?;
        }
        usual(said, line)
    };
    Manners::usual()
        .on("Ping", breed)
        .on("Originate", move |said, line| {
            let id = said.get("ChannelId");
            let tag = id.splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
            seen.lock().unwrap().get_or_insert(tag);
            line.answer(said, &["Response: Success"])?;
            let id = format!("Uniqueid: {id}");
            line.say(&[
                "Event: OriginateResponse",
                "Response: Success",
                "Reason: 4",
                &id,
            ])
        })
}

#[test]
fn more_calls_up_than_permitted_stop_the_load() {
    let pbx = breeder().start();
    let ran = Bench::new(scenario(3, "60s", &constant("2/s"), ORIGINATE))
        .limit("max_calls_up = 1000\n", "max_calls_up = 10\n")
        .target(pbx.address())
        .guarded()
        .run();
    let expected = Trip::CallsUp {
        up: 12,
        permitted: 10,
    };
    assert_eq!(trip(&ran), &expected);
}

#[test]
fn the_canary_is_the_first_to_log_in_and_a_refusal_is_the_last_word() {
    let pbx = Manners::usual().start();
    let pings = || Bench::new(scenario(2, "1s", &constant("20/s"), PING)).guarded();
    let ran = pings().target(pbx.address()).run();
    assert_eq!(ran.count(Outcome::Success), 20);
    assert!(ran.finished().failures.is_empty());
    let logins = pbx.said("Login");
    let masks: Vec<&str> = logins.iter().map(|said| said.get("Events")).collect();
    assert_eq!(masks, ["call", "off", "off", "off"]);
    assert_eq!(pbx.count("Logoff"), 4);
    let refuses = Manners::usual()
        .on("Login", |said, line| {
            line.answer(said, &["Response: Error", "Message: Authentication failed"])?;
            Ok(Then::Close)
        })
        .start();
    let ran = pings().target(refuses.address()).run();
    assert!(matches!(ran.result, Err(RunError::NoTarget { .. })));
    assert_eq!(refuses.count("Login"), 1);
}

#[test]
fn an_account_that_may_log_in_once_is_found_by_the_second_session() {
    let sim = simulated(accounts().one_login_each());
    let ran = Bench::new(scenario(20, "1s", &constant("20/s"), PING))
        .target(sim.addr())
        .guarded()
        .run();
    let Err(RunError::NoTarget { failures }) = &ran.result else {
        panic!("{:?}", ran.result);
    };
    let FailureWhy::Preflight(PreflightError::Open(error)) = &failures[0].why else {
        panic!("{failures:?}");
    };
    assert!(
        matches!(error, OpenError::Refused { message, .. } if message == "Login Already In Use"),
        "{error:?}"
    );
    assert_eq!(sim.counters().sessions_accepted, 2);
}

#[test]
fn an_account_that_cannot_read_calls_is_found_by_the_first_of_them() {
    let sim = simulated(Accounts::new(Account::new(
        "bench", SECRET, "system", "all",
    )));
    let ran = bench(MIX).target(sim.addr()).run();
    ran.check_books();
    let why = &ran.finished().failures[0].why;
    assert!(
        matches!(why, FailureWhy::Blind { account } if account == "bench"),
        "{why:?}"
    );
    assert!(matches!(ran.finished().end, End::Aborted { .. }));
    assert_eq!(sim.counters().channels_up, 0);
    let last = ran.records.iter().filter_map(|record| record.sent_at).max();
    assert!(last.is_some_and(|last| last < 5_000_000_000), "{last:?}");
}

/// Its steps would go on for a minute, with a pause between them.
#[test]
fn a_flow_takes_no_further_step() {
    const STEPS: usize = 30;
    let step = |number: usize| {
        format!(
            "[[flow.step]]\nname = \"step-{number}\"\nthink = \"100ms\"\nquery = \"CoreStatus\"\n"
        )
    };
    let steps: String = (0..STEPS).map(step).collect();
    let text = scenario(6, "60s", "closed = {}", "{ flow = \"long\" }");
    let (endangered, sound) = (simulated(accounts()), simulated(accounts()));
    endangered.plant(fault("reset.instead").planted_at("CoreStatus", 40));
    // With another target the run goes on, so that it is the halt that ends the flows.
    let ran = Bench::new(format!("{text}\n[[flow]]\nname = \"long\"\n{steps}"))
        .duration(Duration::from_secs(4))
        .target(endangered.addr())
        .target(sound.addr())
        .guarded()
        .run();
    ran.check_counts();
    assert!(
        matches!(trip(&ran), Trip::SessionLost { .. }),
        "{:?}",
        trip(&ran)
    );
    check_zero(&ran, 0, began_at(&endangered.counters()), ZERO_WITHIN);
    let (short, whole) = (&endangered.counters(), &sound.counters());
    assert!(short.actions_of("CoreStatus") < whole.actions_of("CoreStatus"));
}
