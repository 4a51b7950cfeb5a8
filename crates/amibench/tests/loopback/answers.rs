//! How each action ends: answered, refused, late, torn, cut off.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ami_results::outcome::Outcome;

use crate::bench::{Bench, HASTY_PING, PING, Ran, constant, scenario};
use crate::fake_pbx::{FakePbx, Line, Manners, Said, Then, list, usual};

const STATUS: &str = "{ query = \"Status\" }";

/// A second of one kind of action at 50/s over two sessions.
fn run(pbx: &FakePbx, mix: &str) -> Ran {
    let ran = Bench::new(scenario(2, "1s", &constant("50/s"), mix))
        .target(pbx.address())
        .run();
    ran.check_books();
    assert_eq!(ran.counts(0).offered, 50);
    assert_eq!(ran.counts(0).records() + ran.counts(0).skipped, 50);
    ran
}

/// Does `odd` on the first action of that name and what is usual on all others.
fn first(
    action: &'static str,
    odd: impl Fn(&Said, &Line) -> std::io::Result<Then> + Send + Sync + 'static,
) -> Manners {
    let seen = AtomicUsize::new(0);
    Manners::usual().on(action, move |said, line| {
        if seen.fetch_add(1, Ordering::SeqCst) == 0 {
            odd(said, line)
        } else {
            usual(said, line)
        }
    })
}

#[test]
fn every_action_is_answered_once() {
    let pbx = Manners::usual().start();
    let ran = run(&pbx, PING);
    assert_eq!(ran.count(Outcome::Success), 50);
    assert_eq!(pbx.count("Ping"), 50);
    // Two sessions and the one that checks and cleans up; each says goodbye.
    assert_eq!((pbx.connections(), pbx.count("Logoff")), (3, 3));
}

#[test]
fn a_session_that_the_pbx_closes_is_indeterminate_and_comes_back() {
    let pbx = first("Ping", |_, _| Ok(Then::Close)).start();
    let ran = run(&pbx, PING);
    assert_eq!(ran.count(Outcome::Indeterminate), 1);
    assert_eq!(ran.count(Outcome::Success), 49);
    assert_eq!(pbx.count("Login"), 4);
}

#[test]
fn a_goodbye_that_nobody_asked_for_costs_no_action() {
    let pbx = first("Ping", |said, line| {
        line.answer(said, &["Response: Success", "Ping: Pong"])?;
        line.say(&["Response: Goodbye", "Message: Shutting down"])
    })
    .start();
    let ran = run(&pbx, PING);
    assert_eq!(ran.count(Outcome::Success), 50);
    assert_eq!(pbx.count("Login"), 4);
}

#[test]
fn after_a_timeout_the_session_gets_nothing_more() {
    let pbx = first("Ping", |_, _| Ok(Then::GoOn)).start();
    let ran = run(&pbx, HASTY_PING);
    assert_eq!(ran.count(Outcome::TimedOut), 1);
    assert_eq!(ran.count(Outcome::Success), 49);
    let silent = pbx.said("Ping")[0].connection;
    let on_it = pbx.said("Ping");
    let on_it = on_it.iter().filter(|said| said.connection == silent);
    assert_eq!(on_it.count(), 1);
}

#[test]
fn after_its_late_answer_the_session_is_used_again() {
    let held: Mutex<Option<(Said, Line)>> = Mutex::new(None);
    let seen = AtomicUsize::new(0);
    let pbx = Manners::usual()
        .on("Ping", move |said, line| {
            match seen.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    *held.lock().unwrap() = Some((said.clone(), line.clone()));
                    Ok(Then::GoOn)
                }
                // At 50/s that is 0.7 s later, long after the timeout.
                35 => {
                    usual(said, line)?;
                    let (said, line) = held.lock().unwrap().take().unwrap();
                    usual(&said, &line)
                }
                _ => usual(said, line),
            }
        })
        .start();
    let ran = run(&pbx, HASTY_PING);
    assert_eq!(ran.count(Outcome::TimedOut), 1);
    assert_eq!(ran.count(Outcome::Success), 49);
    let pings = pbx.said("Ping");
    let late = pings[0].connection;
    let places: Vec<usize> = (0..pings.len())
        .filter(|place| pings[*place].connection == late)
        .collect();
    assert!(places.len() > 1 && places[1] >= 36, "{places:?}");
    assert_eq!(pbx.count("Login"), 3, "it is the same session");
}

#[test]
fn an_answer_may_come_byte_by_byte() {
    let pbx = Manners::usual()
        .on("Ping", |said, line| {
            let id = said.get("ActionID");
            let text = format!("Response: Success\r\nActionID: {id}\r\nPing: Pong\r\n\r\n");
            for byte in text.as_bytes() {
                line.write(std::slice::from_ref(byte))?;
            }
            Ok(Then::GoOn)
        })
        .start();
    assert_eq!(run(&pbx, PING).count(Outcome::Success), 50);
}

#[test]
fn an_error_is_rejected_with_its_message() {
    let pbx = Manners::usual()
        .on("Ping", |said, line| {
            line.answer(said, &["Response: Error", "Message: Permission denied"])
        })
        .start();
    let ran = run(&pbx, PING);
    let rejected = ran.outcomes(Outcome::Rejected);
    assert_eq!(rejected.len(), 50);
    for record in rejected {
        assert_eq!(record.error.as_deref(), Some("Permission denied"));
    }
}

#[test]
fn an_answer_without_action_id_belongs_to_the_action_in_flight() {
    let message = "Message: Failed to parse message: line too long";
    let pbx = first("Ping", move |_, line| {
        line.say(&["Response: Error", message])
    })
    .start();
    let ran = run(&pbx, PING);
    assert_eq!(ran.count(Outcome::Success), 49);
    let rejected = ran.outcomes(Outcome::Rejected);
    assert_eq!(
        rejected[0].error.as_deref(),
        Some("Failed to parse message: line too long")
    );
}

#[test]
fn answers_to_nothing_are_passed_over() {
    let pbx = Manners::usual()
        .on("Ping", |said, line| {
            line.say(&["Response: Success", "ActionID: 0-0-0"])?;
            line.say(&["Event: Status", "ActionID: nobody"])?;
            line.write(b"no header at all\r\n\r\n")?;
            usual(said, line)?;
            usual(said, line)
        })
        .start();
    assert_eq!(run(&pbx, PING).count(Outcome::Success), 50);
}

#[test]
fn list_items_are_counted_whatever_the_pbx_claims() {
    let item: &[&str] = &["Event: Status", "Channel: SIP/1"];
    let pbx = Manners::usual()
        .on("Status", move |said, line| list(said, line, &[item; 3], 7))
        .start();
    let ran = run(&pbx, STATUS);
    assert_eq!(ran.count(Outcome::Success), 50);
    for record in &ran.records {
        assert_eq!(record.items, Some(3));
        let (acked, first) = (record.acked_at.unwrap(), record.first_item_at.unwrap());
        assert!(acked <= first && first <= record.completed_at.unwrap());
    }
}

#[test]
fn a_list_that_is_cut_off_is_indeterminate() {
    let pbx = first("Status", |said, line| {
        line.answer(said, &["Response: Success", "EventList: start"])?;
        line.answer(said, &["Event: Status", "Channel: SIP/1"])?;
        Ok(Then::Close)
    })
    .start();
    let ran = run(&pbx, STATUS);
    let cut = ran.outcomes(Outcome::Indeterminate);
    assert_eq!(cut.len(), 1);
    assert!(cut[0].acked_at.is_some() && cut[0].items.is_none());
    assert_eq!(ran.count(Outcome::Success), 49);
}

#[test]
fn a_list_that_stops_times_out() {
    let pbx = first("Status", |said, line| {
        line.answer(said, &["Response: Success", "EventList: start"])
    })
    .start();
    let ran = run(&pbx, "{ query = \"Status\", timeout = \"200ms\" }");
    assert_eq!(ran.count(Outcome::TimedOut), 1);
    assert_eq!(ran.count(Outcome::Success), 49);
}
