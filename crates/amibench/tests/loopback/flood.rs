//! Peers that say too much: a run has its end and its books all the same.

use ami_load::run::Wish;
use ami_results::outcome::Outcome;

use crate::bench::{Bench, HASTY_PING, ORIGINATE, PING, Ran, constant, scenario};
use crate::fake_pbx::{FakePbx, Line, Manners, Then, usual};

const MIB: usize = 1 << 20;

fn bench(mix: &str) -> Bench {
    Bench::new(scenario(2, "1s", &constant("20/s"), mix))
}

fn run(pbx: &FakePbx, mix: &str) -> Ran {
    let ran = bench(mix).target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.counts(0).records() + ran.counts(0).skipped, 20);
    ran
}

/// Says events until the client is gone, more at a time than one read takes.
fn flood(line: &Line) {
    let event = "Event: VarSet\r\nPrivilege: dialplan,all\r\nVariable: X\r\nValue: y\r\n\r\n";
    line.go_on_saying(event.repeat(4000).into_bytes());
}

#[test]
fn a_flood_of_events_ends_neither_the_run_nor_its_start() {
    let pbx = Manners::usual()
        .on("Login", |said, line| {
            usual(said, line)?;
            flood(line);
            Ok(Then::GoOn)
        })
        .start();
    let ran = run(&pbx, PING);
    assert_eq!(ran.count(Outcome::Success), 20);
    for record in &ran.records {
        assert!(record.completed_at > record.sent_at);
    }
}

#[test]
fn a_flood_does_not_hide_that_an_answer_is_missing() {
    let pbx = Manners::usual()
        .on("Login", |said, line| {
            usual(said, line)?;
            if said.connection > 0 {
                flood(line);
            }
            Ok(Then::GoOn)
        })
        .on("Ping", |_, _| Ok(Then::GoOn))
        .start();
    let ran = bench(HASTY_PING)
        .target(pbx.address())
        .run_until(&pbx, ("Ping", 2), &[Wish::Stop]);
    ran.check_books();
    assert_eq!(ran.count(Outcome::TimedOut), 2);
}

#[test]
fn a_flood_on_the_cleaning_session_is_bounded_too() {
    let pbx = Manners::usual()
        .on("CoreShowChannels", |_, line| {
            flood(line);
            Ok(Then::GoOn)
        })
        .on("Originate", |said, line| {
            line.answer(said, &["Response: Error", "Message: No"])
        })
        .start();
    let ran = bench(ORIGINATE).target(pbx.address()).run_until(
        &pbx,
        ("CoreShowChannels", 1),
        &[Wish::Abandon],
    );
    ran.check_books();
    assert_eq!(ran.count(Outcome::Rejected), 20);
    assert_eq!(ran.finished().failures.len(), 1, "the cleaning failed");
}

#[test]
fn a_frame_without_end_is_survived() {
    let pbx = Manners::usual()
        .on("Ping", |said, line| {
            if said.connection == 1 && said.get("ActionID").ends_with("-0") {
                line.write(b"Event: Endless\r\n")?;
                let chunk = format!("Variable: {}\r\n", "x".repeat(1000)).repeat(1024);
                for _ in 0..50 * MIB / chunk.len() {
                    line.write(chunk.as_bytes())?;
                }
                line.write(b"\r\n")?;
            }
            usual(said, line)
        })
        .start();
    let ran = run(&pbx, PING);
    assert_eq!(ran.count(Outcome::Success), 20);
    assert_eq!(pbx.count("Login"), 3, "no session was lost");
}

#[test]
fn a_line_without_end_times_out() {
    let pbx = Manners::usual()
        .on("Ping", |said, line| {
            if said.connection > 1 {
                return usual(said, line);
            }
            line.write(b"Response: ")?;
            line.write(&vec![b'x'; 20 * MIB])
        })
        .start();
    let ran = run(&pbx, HASTY_PING);
    assert_eq!(ran.count(Outcome::TimedOut), 1);
    assert_eq!(ran.count(Outcome::Success), 19);
}
