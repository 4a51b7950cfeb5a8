//! The same engine against the simulated PBXs: what we count is what they count.

use std::net::{Ipv4Addr, SocketAddr};

use ami_results::call::CallResult;
use ami_results::outcome::Outcome;
use ami_sim::{Account, Accounts, Profile, Tls, spawn_thread, spawn_tls_thread};

use crate::bench::{Bench, SECRET, constant, scenario};

const MIX: &str = "{ share = 9, ping = {} }, \
                   { share = 1, originate = { role = \"answers\", hold = \"3s\", ring = \"2s\" } }, \
                   { share = 1, query = \"CoreShowChannels\" }";

/// Channel, context and extension of a call that is answered.
const ANSWERS: [(&str, &str, &str, &str); 3] = [
    ("asterisk-22", "Local/answer@amibench", "amibench", "hold"),
    (
        "ucm6xxx",
        "Local/1000@from-internal",
        "from-internal",
        "1001",
    ),
    (
        "yeastar-s",
        "Local/1000@DLPN_DialPlan1000",
        "DLPN_DialPlan1000",
        "1001",
    ),
];

#[test]
fn our_books_are_those_of_the_pbx() {
    check(None);
}

#[test]
fn our_books_are_those_of_the_pbx_over_tls() {
    check(Some(&Tls::self_signed()));
}

fn check(tls: Option<&Tls>) {
    for (name, channel, context, exten) in ANSWERS {
        let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let profile = Profile::named(name).unwrap();
        let sim = match tls {
            None => spawn_thread(profile, address, accounts, 1),
            Some(tls) => spawn_tls_thread(profile, address, accounts, 1, tls.clone()),
        };
        let sim = sim.unwrap();
        let (_, at) = channel.split_once('@').unwrap();
        let bench = Bench::new(scenario(6, "1s", &constant("110/s"), MIX)).target(sim.addr());
        let bench = match tls {
            None => bench,
            Some(tls) => bench.pin(tls.certificate()),
        };
        let ran = bench
            .limit(
                "channel = \"Local/*@lab\"",
                &format!("channel = \"Local/*@{at}\""),
            )
            .limit(
                "channel = \"Local/answer@lab\"",
                &format!("channel = \"{channel}\""),
            )
            .limit("context = \"lab\"", &format!("context = \"{context}\""))
            .limit("exten = \"hold\"", &format!("exten = \"{exten}\""))
            .workers(2)
            .run();
        ran.check_books();
        let counters = sim.counters();
        assert_eq!(ran.count(Outcome::Success), 110, "{:?}", ran.records);
        assert_eq!(counters.actions_of("Ping"), 90);
        assert_eq!(counters.actions_of("Originate"), 10);
        let calls = (counters.calls_placed, counters.calls_answered);
        assert_eq!(calls, (10, 10), "{name}: {:?}", ran.calls);
        assert_eq!(counters.channels_up, 0, "nothing is left");
        assert_eq!(ran.calls.len(), 10);
        assert!(
            ran.calls
                .iter()
                .all(|call| call.result == CallResult::Answered)
        );
        assert!(ran.finished().left.is_empty() && ran.finished().failures.is_empty());
    }
}
