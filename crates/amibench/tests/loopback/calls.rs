//! Calls: what their completion says, what becomes of them without one, and what is hung up at the end.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use ami_results::call::{CallResult, HungUpBy};
use ami_results::outcome::Outcome;

use crate::bench::{Bench, ORIGINATE, Ran, constant, scenario};
use crate::fake_pbx::{FakePbx, Line, Manners, Said, Then, list, usual};

/// What a PBX with calls knows: who listens to call events, and which channels are up.
#[derive(Default)]
struct Exchange {
    observers: Mutex<Vec<Line>>,
    channels: Mutex<BTreeSet<String>>,
    accounts: Mutex<BTreeSet<String>>,
}

impl Exchange {
    fn tell(&self, lines: &[&str]) {
        for observer in self.observers.lock().unwrap().iter() {
            // One that has gone hears nothing.
            let _ = observer.say(lines);
        }
    }

    fn up(&self, said: &Said) {
        let id = said.get("ChannelId").to_owned();
        self.accounts
            .lock()
            .unwrap()
            .insert(said.get("Account").to_owned());
        let unique = format!("Uniqueid: {id}");
        self.tell(&["Event: Newchannel", &unique]);
        self.channels.lock().unwrap().insert(id);
    }

    fn down(&self, id: &str) {
        if self.channels.lock().unwrap().remove(id) {
            let unique = format!("Uniqueid: {id}");
            self.tell(&["Event: Hangup", &unique, "Cause: 16"]);
        }
    }

    fn completed(&self, said: &Said) {
        let unique = format!("Uniqueid: {}", said.get("ChannelId"));
        let id = format!("ActionID: {}", said.get("ActionID"));
        self.tell(&[
            "Event: OriginateResponse",
            &id,
            "Response: Success",
            "Reason: 4",
            &unique,
        ]);
    }

    /// Our channels, and two of other people.
    fn show(&self, said: &Said, line: &Line) -> io::Result<Then> {
        let ids = self.channels.lock().unwrap().clone();
        let mut rows: Vec<Vec<String>> = ids
            .iter()
            .map(|id| {
                vec![
                    format!("Channel: Local/answer@lab-{id}"),
                    format!("Uniqueid: {id}"),
                ]
            })
            .collect();
        for foreign in FOREIGN {
            rows.push(vec![
                format!("Channel: PJSIP/boss-{foreign}"),
                format!("Uniqueid: {foreign}"),
            ]);
        }
        let rows: Vec<Vec<&str>> = rows
            .iter()
            .map(|row| {
                let mut lines = vec!["Event: CoreShowChannel"];
                lines.extend(row.iter().map(String::as_str));
                lines
            })
            .collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        list(said, line, &rows, rows.len())
    }
}

/// One is shaped like a tag of another run.
const FOREIGN: [&str; 2] = ["1795248963.2", "amib-00000000-0-0"];

type Script = fn(&Exchange, &Said, &Line) -> io::Result<Then>;

fn pbx(originate: Script, hangup: Script) -> (FakePbx, Arc<Exchange>) {
    let exchange = Arc::new(Exchange::default());
    let (of_login, of_originate) = (Arc::clone(&exchange), Arc::clone(&exchange));
    let (of_hangup, of_list) = (Arc::clone(&exchange), Arc::clone(&exchange));
    let manners = Manners::usual()
        .on("Login", move |said, line| {
            usual(said, line)?;
            if said.get("Events") == "call" {
                of_login.observers.lock().unwrap().push(line.clone());
            }
            Ok(Then::GoOn)
        })
        .on("Originate", move |said, line| {
            originate(&of_originate, said, line)
        })
        .on("Hangup", move |said, line| hangup(&of_hangup, said, line))
        .on("CoreShowChannels", move |said, line| {
            of_list.show(said, line)
        });
    (manners.start(), exchange)
}

fn hang_up(exchange: &Exchange, said: &Said, line: &Line) -> io::Result<Then> {
    exchange.down(said.get("Channel"));
    usual(said, line)
}

fn calls(sessions: u32, rate: &str) -> Bench {
    Bench::new(scenario(sessions, "1s", &constant(rate), ORIGINATE))
}

fn run(pbx: &FakePbx) -> Ran {
    let ran = calls(2, "10/s").target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.counts(0).records() + ran.counts(0).skipped, 10);
    only_own_calls_were_hung_up(pbx);
    ran
}

fn only_own_calls_were_hung_up(pbx: &FakePbx) {
    let own: BTreeSet<String> = pbx
        .said("Originate")
        .iter()
        .map(|said| said.get("ChannelId").to_owned())
        .collect();
    for said in pbx.said("Hangup") {
        let channel = said.get("Channel");
        assert!(own.contains(channel), "{channel} is not ours");
    }
}

#[test]
fn calls_are_followed_and_hung_up_at_the_end() {
    let answer: Script = |exchange, said, line| {
        usual(said, line)?;
        exchange.up(said);
        exchange.completed(said);
        Ok(Then::GoOn)
    };
    let (pbx, exchange) = pbx(answer, hang_up);
    let ran = run(&pbx);
    assert_eq!(ran.count(Outcome::Success), 10);
    assert_eq!(ran.calls.len(), 10);
    for call in &ran.calls {
        assert_eq!(
            (call.result, call.hung_up_by),
            (CallResult::Answered, HungUpBy::Us)
        );
    }
    assert!(exchange.channels.lock().unwrap().is_empty());
    assert!(ran.finished().left.is_empty());
    assert_eq!(pbx.count("Hangup"), 10);
}

#[test]
fn the_completion_may_come_before_the_answer() {
    let early: Script = |exchange, said, line| {
        exchange.up(said);
        exchange.completed(said);
        exchange.down(said.get("ChannelId"));
        usual(said, line)
    };
    let (pbx, _) = pbx(early, hang_up);
    let ran = run(&pbx);
    assert_eq!(ran.count(Outcome::Success), 10);
    for call in &ran.calls {
        assert_eq!(
            (call.result, call.hung_up_by),
            (CallResult::Answered, HungUpBy::Pbx)
        );
    }
    assert_eq!((ran.calls.len(), pbx.count("Hangup")), (10, 0));
}

/// Lasts the drain time of ten seconds: that is the bound under test.
#[test]
fn an_originate_without_completion_is_indeterminate() {
    let silent: Script = |exchange, said, line| {
        exchange.up(said);
        usual(said, line)
    };
    let (pbx, exchange) = pbx(silent, hang_up);
    let ran = run(&pbx);
    assert_eq!(ran.count(Outcome::Indeterminate), 10);
    assert!(ran.records.iter().all(|record| record.acked_at.is_some()));
    assert_eq!(ran.calls.len(), 10);
    assert!(
        ran.calls
            .iter()
            .all(|call| call.result == CallResult::Unknown)
    );
    assert!(
        exchange.channels.lock().unwrap().is_empty(),
        "they were hung up"
    );
}

#[test]
fn an_originate_that_is_refused_is_no_call() {
    let refuse: Script = |_, said, line| {
        line.answer(
            said,
            &["Response: Error", "Message: Extension does not exist."],
        )
    };
    let (pbx, _) = pbx(refuse, hang_up);
    let ran = run(&pbx);
    assert_eq!(ran.count(Outcome::Rejected), 10);
    assert!(ran.calls.is_empty());
}

#[test]
fn with_its_observer_lost_a_completion_stays_unknown() {
    let blind: Script = |exchange, said, line| {
        usual(said, line)?;
        exchange.up(said);
        for observer in exchange.observers.lock().unwrap().drain(..) {
            observer.close();
        }
        Ok(Then::GoOn)
    };
    let (pbx, exchange) = pbx(blind, hang_up);
    let ran = calls(1, "1/s").target(pbx.address()).run();
    ran.check_books();
    let lost = ran.outcomes(Outcome::Indeterminate);
    assert_eq!(lost.len(), 1);
    assert_eq!(
        lost[0].error.as_deref(),
        Some("the observing session was lost")
    );
    assert!(
        exchange.channels.lock().unwrap().is_empty(),
        "it was hung up"
    );
    only_own_calls_were_hung_up(&pbx);
}

#[test]
fn channels_that_cannot_be_hung_up_are_told() {
    let answer: Script = |exchange, said, line| {
        usual(said, line)?;
        exchange.up(said);
        exchange.completed(said);
        Ok(Then::GoOn)
    };
    let refuse: Script = |_, said, line| line.answer(said, &["Response: Error", "Message: No"]);
    let (pbx, _) = pbx(answer, refuse);
    let ran = calls(1, "1/s").target(pbx.address()).run();
    ran.check_books();
    let (target, left) = &ran.finished().left[0];
    assert_eq!((target.as_str(), left.len()), ("pbx-0", 1));
    assert!(left[0].starts_with("Local/answer@lab-amib-"), "{left:?}");
    assert_eq!(ran.calls[0].hung_up_by, HungUpBy::Nobody);
    only_own_calls_were_hung_up(&pbx);
}

#[test]
fn a_channel_is_ours_by_its_account_code_too() {
    let answer: Script = |exchange, said, line| {
        usual(said, line)?;
        exchange.up(said);
        exchange.completed(said);
        Ok(Then::GoOn)
    };
    let (pbx, exchange) = pbx(answer, hang_up);
    let ran = run(&pbx);
    assert_eq!(exchange.accounts.lock().unwrap().len(), 1, "one tag a run");
    assert_eq!(ran.count(Outcome::Success), 10);
}

/// With as many calls up as the target permits, a long queue of arrivals is skipped in one go.
#[test]
fn a_full_queue_of_calls_that_may_not_be_placed_is_skipped() {
    let held: Script = |exchange, said, line| {
        // The first answer never comes: meanwhile the queue grows behind the only session.
        if !said.get("ChannelId").ends_with("-0-0") {
            usual(said, line)?;
        }
        exchange.up(said);
        exchange.completed(said);
        Ok(Then::GoOn)
    };
    let (pbx, _) = pbx(held, hang_up);
    let mix = "{ originate = { role = \"answers\", hold = \"1ms\", ring = \"1s\" }, timeout = \"500ms\" }";
    let ran = Bench::new(scenario(1, "1s", &constant("9000/s"), mix))
        .target(pbx.address())
        .limit("max_calls_up = 1000", "max_calls_up = 9")
        .run();
    ran.check_books();
    let counts = ran.counts(0);
    assert_eq!(
        (counts.offered, counts.records() + counts.skipped),
        (9000, 9000)
    );
}
