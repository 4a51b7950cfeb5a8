//! Events that the run sends to itself: how long each is under way to whom, and what becomes of them on a PBX that is not
//! careful with them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use ami_results::delivery::Delivery;
use ami_results::outcome::Outcome;
use ami_sim::{Account, Accounts, Profile, spawn_thread};

use crate::bench::{Bench, Ran, SECRET, constant};
use crate::fake_pbx::{FakePbx, Line, Manners, Said, usual};

const LISTENERS: u64 = 3;

/// Two sessions that send, three that listen.
fn scenario(mix: &str) -> String {
    format!(
        "[[group]]\nname = \"senders\"\nsessions = 2\n\
         [[group]]\nname = \"listeners\"\nsessions = {LISTENERS}\nevents = \"user\"\nmeasure = \"event-delay\"\n\
         [[phase]]\nname = \"steady\"\nduration = \"1s\"\narrival = {{ {} }}\nmix = [{mix}]\n",
        constant("100/s")
    )
}

const EVENT: &str = "{ user-event = { bytes = 2000 } }";

fn delivery(ran: &Ran) -> Delivery {
    ran.finished().totals.deliveries[0]
}

fn deliveries(expected: u64, lost: u64, duplicated: u64, reordered: u64) -> Delivery {
    Delivery {
        expected,
        lost,
        duplicated,
        reordered,
    }
}

#[test]
fn every_event_reaches_every_listener_whichever_worker_it_is_on() {
    for name in ["asterisk-22", "ucm6xxx", "yeastar-s"] {
        for workers in [1, 2] {
            let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let profile = Profile::named(name).unwrap();
            let sim = spawn_thread(profile, address, accounts, 1).unwrap();
            let bench = Bench::new(scenario(EVENT)).workers(workers);
            let ran = bench.target(sim.addr()).run();
            ran.check_books();
            assert_eq!(ran.count(Outcome::Success), 100, "{name}");
            assert_eq!(
                delivery(&ran),
                deliveries(100 * LISTENERS, 0, 0, 0),
                "{name}"
            );
            let read = ran.event_delays.count();
            assert_eq!(read, 100 * LISTENERS, "{name}: each has its delay");
        }
    }
}

type Fate = fn(number: usize, event: &[String]) -> Vec<Vec<String>>;

/// A PBX that passes events on as `fate` says: which come of the `number`-th.
fn careless(fate: Fate) -> FakePbx {
    let listeners: Arc<Mutex<Vec<Line>>> = Arc::default();
    let (known, sent) = (Arc::clone(&listeners), Mutex::new(0));
    Manners::usual()
        .on("Login", move |said, line| {
            if said.get("Events") == "user" {
                known.lock().unwrap().push(line.clone());
            }
            usual(said, line)
        })
        .on("UserEvent", move |said, line| {
            // One after the other, as a PBX does it: the order of two senders is that of the answers.
            let mut number = sent.lock().unwrap();
            let then = usual(said, line)?;
            for event in fate(*number, &event_of(said)) {
                let lines: Vec<&str> = event.iter().map(String::as_str).collect();
                for listener in listeners.lock().unwrap().iter() {
                    listener.say(&lines)?;
                }
            }
            *number += 1;
            Ok(then)
        })
        .start()
}

fn event_of(said: &Said) -> Vec<String> {
    vec![
        "Event: UserEvent".to_owned(),
        "UserEvent: Amibench".to_owned(),
        format!("Mark: {}", said.get("Mark")),
    ]
}

fn lost_or_not(fate: Fate) -> Delivery {
    let pbx = careless(fate);
    // One sender: what comes out of order was sent in order.
    let text = scenario(EVENT).replace("sessions = 2", "sessions = 1");
    let ran = Bench::new(text).target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), 100);
    delivery(&ran)
}

#[test]
fn what_a_careless_pbx_does_to_events_is_counted() {
    let whole = 100 * LISTENERS;
    let careful = lost_or_not(|_, event| vec![event.to_vec()]);
    assert_eq!(careful, deliveries(whole, 0, 0, 0));
    let loses = lost_or_not(|number, event| match number % 10 {
        3 => Vec::new(),
        _ => vec![event.to_vec()],
    });
    assert_eq!(loses, deliveries(whole, 10 * LISTENERS, 0, 0));
    let doubles = lost_or_not(|number, event| match number % 10 {
        3 => vec![event.to_vec(), event.to_vec()],
        _ => vec![event.to_vec()],
    });
    assert_eq!(doubles, deliveries(whole, 0, 10 * LISTENERS, 0));
}

#[test]
fn events_that_come_late_are_out_of_order_and_not_lost() {
    static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);
    let late = lost_or_not(|number, event| {
        let mut held = HELD.lock().unwrap();
        if number % 10 == 3 {
            *held = Some(event.to_vec());
            return Vec::new();
        }
        [Some(event.to_vec()), held.take()]
            .into_iter()
            .flatten()
            .collect()
    });
    assert_eq!(late, deliveries(100 * LISTENERS, 0, 0, 10 * LISTENERS));
}

#[test]
fn an_event_that_the_pbx_did_not_take_is_missed_by_nobody() {
    let pbx = Manners::usual()
        .on("UserEvent", |said, line| {
            line.answer(said, &["Response: Error", "Message: No"])
        })
        .start();
    let ran = Bench::new(scenario(EVENT)).target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Rejected), 100);
    assert_eq!(delivery(&ran), deliveries(0, 0, 0, 0));
}
