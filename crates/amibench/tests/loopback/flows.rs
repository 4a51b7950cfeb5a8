//! Flows on real sockets: their steps in order on one session, their values, and how they break.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use ami_load::run::Wish;
use ami_results::call::HungUpBy;
use ami_results::outcome::Outcome;
use ami_results::record::Record;
use ami_results::verdict::State;
use ami_sim::{Account, Accounts, Profile, spawn_thread};

use crate::bench::{Bench, Ran, SECRET, constant};
use crate::fake_pbx::{FakePbx, Manners, Then, list, usual};

const MS: u64 = 1_000_000;

/// Sessions that hear calls, and one flow, named `f`.
pub(crate) fn scenario(sessions: u32, arrival: &str, steps: &str) -> String {
    format!(
        "[[group]]\nname = \"load\"\nsessions = {sessions}\nevents = \"call\"\n[[flow]]\nname = \"f\"\n{steps}\n\
         [[phase]]\nname = \"steady\"\nduration = \"1s\"\narrival = {{ {arrival} }}\nmix = [{{ flow = \"f\" }}]\n"
    )
}

pub(crate) fn step(keys: &str) -> String {
    format!("[[flow.step]]\n{keys}\n")
}

fn run(pbx: &FakePbx, rate: &str, steps: &[&str]) -> Ran {
    let steps: String = steps.iter().map(|keys| step(keys)).collect();
    let ran = Bench::new(scenario(2, &constant(rate), &steps))
        .target(pbx.address())
        .run();
    check(&ran);
    ran
}

/// Action 0 is the flow; its steps are those after it.
pub(crate) fn of(ran: &Ran, action: u16) -> Vec<&Record> {
    let mut records: Vec<_> = ran
        .records
        .iter()
        .filter(|record| record.action == action)
        .collect();
    records.sort_unstable_by_key(|record| record.seq);
    records
}

/// Each flow and each of its steps has one record, with instants in order.
pub(crate) fn check(ran: &Ran) {
    ran.check_counts();
    let mut keys: Vec<_> = ran
        .records
        .iter()
        .map(|record| {
            (
                record.target,
                record.phase,
                record.session,
                record.seq,
                record.action,
            )
        })
        .collect();
    keys.sort_unstable();
    let before = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), before, "a step has two records");
    for record in &ran.records {
        let completed_at = record.completed_at.expect("every record has its end");
        assert!(
            record.intended_at <= record.picked_at && record.picked_at <= completed_at,
            "{record:?}"
        );
        assert_eq!(
            record.error.is_none(),
            record.outcome == Outcome::Success,
            "{record:?}"
        );
        let sent_at = record.sent_at.unwrap_or(record.picked_at);
        assert!(
            record.picked_at <= sent_at && sent_at <= completed_at,
            "{record:?}"
        );
    }
    let reasons = &ran.finished().totals.validity.reasons;
    assert!(
        reasons.iter().all(|why| !why.contains("sent")),
        "{reasons:?}"
    );
}

#[test]
fn steps_follow_each_other_on_one_session_and_hand_on_values() {
    let pbx = Manners::usual()
        .on("MailboxCount", |said, line| {
            let new = format!("NewMessages: n{}", said.get("Mailbox"));
            line.answer(said, &["Response: Success", &new])
        })
        .start();
    let ran = run(
        &pbx,
        "20/s",
        &[
            "name = \"count\"\nquery = { action = \"MailboxCount\", Mailbox = \"${number}\" }\ncapture = { new = \"NewMessages\" }",
            "name = \"look\"\nthink = \"20ms\"\nquery = { action = \"Getvar\", Variable = \"X\", Channel = \"${new}@${target}\" }",
            "name = \"end\"\nping = {}",
        ],
    );
    assert_eq!(ran.count(Outcome::Success), 4 * 20, "{:?}", ran.records);
    for number in 0..20 {
        let [whole, count, look, end] = [0, 1, 2, 3].map(|action| of(&ran, action)[number]);
        assert_eq!(count.intended_at, whole.intended_at);
        assert_eq!(look.intended_at, count.completed_at.unwrap() + 20 * MS);
        assert!(look.sent_at.unwrap() >= look.intended_at);
        assert_eq!(end.intended_at, look.completed_at.unwrap());
        assert_eq!(
            (whole.sent_at, whole.completed_at),
            (count.sent_at, end.completed_at)
        );
        let session = whole.session;
        assert!(
            [count, look, end]
                .iter()
                .all(|record| record.session == session)
        );
        let channel = format!("n{number}@pbx-0");
        let looks = pbx.said("Getvar");
        assert_eq!(
            looks
                .iter()
                .filter(|said| said.get("Channel") == channel)
                .count(),
            1
        );
    }
    let counts = ran.counts(0);
    assert_eq!((counts.offered, counts.skipped), (80, 0));
}

#[test]
fn an_answer_that_was_not_expected_ends_the_flow() {
    let pbx = Manners::usual()
        .on("MailboxCount", |said, line| {
            line.answer(said, &["Response: Success", "NewMessages: 7"])
        })
        .on("Getvar", |said, line| {
            line.answer(said, &["Response: Error", "Message: No such channel"])
        })
        .start();
    let ran = run(
        &pbx,
        "10/s",
        &[
            "name = \"gone\"\nquery = { action = \"Getvar\", Variable = \"X\" }\n\
             expect = { response = \"Error\", where = { Message = { matches = \"^No such\" } } }",
            "name = \"count\"\nquery = { action = \"MailboxCount\", Mailbox = \"1\" }\n\
             expect = { where = { NewMessages = \"0\" } }",
            "name = \"never\"\nping = {}",
        ],
    );
    let why = "expected NewMessages to be \"0\", got \"7\"";
    assert!(
        of(&ran, 1)
            .iter()
            .all(|record| record.outcome == Outcome::Success)
    );
    for (record, whole) in of(&ran, 2).iter().zip(of(&ran, 0)) {
        assert_eq!(
            (record.outcome, record.error.as_deref()),
            (Outcome::Rejected, Some(why))
        );
        let named = format!("count, step 2 of 3: {why}");
        assert_eq!(
            (whole.outcome, whole.error.as_deref()),
            (Outcome::Rejected, Some(&*named))
        );
    }
    assert_eq!([0, 2, 3].map(|action| of(&ran, action).len()), [10, 10, 0]);
    assert_eq!(pbx.count("Ping"), 0);
}

#[test]
fn an_error_where_success_was_expected_ends_the_flow_with_the_words_of_the_pbx() {
    let pbx = Manners::usual()
        .on("Getvar", |said, line| {
            line.answer(said, &["Response: Error", "Message: No such channel"])
        })
        .start();
    let getvar = "name = \"get\"\nquery = { action = \"Getvar\", Variable = \"X\" }";
    let ran = run(&pbx, "5/s", &[getvar]);
    let errors: Vec<_> = of(&ran, 1)
        .iter()
        .map(|record| record.error.as_deref())
        .collect();
    assert_eq!(errors, [Some("No such channel"); 5]);
}

#[test]
fn all_is_the_steps_and_not_the_flow_again() {
    let pbx = Manners::usual()
        .on("Getvar", |said, line| {
            line.answer(said, &["Response: Error", "Message: No such channel"])
        })
        .start();
    let steps = step("name = \"a\"\nping = {}")
        + &step("name = \"b\"\nquery = { action = \"Getvar\", Variable = \"X\" }");
    let thresholds = "thresholds = [\"all.failed.rate <= 50%\", \"f.failed.rate >= 100%\"]\n";
    let ran = Bench::new(thresholds.to_owned() + &scenario(2, &constant("10/s"), &steps))
        .target(pbx.address())
        .run();
    check(&ran);
    let verdicts = &ran.finished().verdicts;
    let passed = verdicts
        .iter()
        .filter(|verdict| verdict.state == State::Pass);
    assert_eq!(passed.count(), 2, "{verdicts:?}");
}

#[test]
fn a_session_that_is_lost_ends_its_flow() {
    let seen = AtomicUsize::new(0);
    let pbx = Manners::usual()
        .on("Status", move |said, line| {
            match seen.fetch_add(1, Ordering::SeqCst) {
                2 => Ok(Then::Close),
                _ => usual(said, line),
            }
        })
        .start();
    let ran = run(
        &pbx,
        "10/s",
        &[
            "name = \"a\"\nping = {}",
            "name = \"b\"\nquery = \"Status\"",
            "name = \"c\"\nping = {}",
        ],
    );
    let lost: Vec<_> = ran.outcomes(Outcome::Indeterminate);
    assert_eq!(
        lost.iter().map(|record| record.action).collect::<Vec<_>>(),
        [2, 0]
    );
    assert_eq!(
        lost[1].error.as_deref(),
        Some("b, step 2 of 3: the PBX closed the connection")
    );
    assert_eq!(
        (of(&ran, 1).len(), of(&ran, 2).len(), of(&ran, 3).len()),
        (10, 10, 9)
    );
    assert_eq!(pbx.count("Login"), 4, "its seat was taken again");
}

#[test]
fn a_session_that_is_lost_between_steps_is_told_with_the_step_that_did_not_begin() {
    let pbx = Manners::usual()
        .on("Ping", |said, line| {
            usual(said, line)?;
            Ok(Then::Close)
        })
        .start();
    let ran = run(
        &pbx,
        "2/s",
        &[
            "name = \"a\"\nping = {}",
            "name = \"b\"\nthink = \"300ms\"\nquery = \"Status\"",
        ],
    );
    let why = "b, step 2 of 2: not begun: the PBX closed the connection";
    for whole in of(&ran, 0) {
        assert_eq!(
            (whole.outcome, whole.error.as_deref()),
            (Outcome::Indeterminate, Some(why))
        );
    }
    assert_eq!([0, 1, 2].map(|action| of(&ran, action).len()), [2, 2, 0]);
}

const AWAIT: &str = "name = \"wait\"\nquery = { action = \"Getvar\", Variable = \"X\" }\n\
    await = { event = \"Hangup\", where = { Uniqueid = \"u${number}\" }, timeout = \"200ms\", capture = { cause = \"Cause\" } }";
const TELL: &str = "name = \"tell\"\nquery = { action = \"MailboxCount\", Mailbox = \"${cause}\" }";

/// Answers Getvar, and says these events before and after, of the call of the arrival.
fn hanging_up(before: &'static [&'static str], after: &'static [&'static str]) -> FakePbx {
    let seen = AtomicUsize::new(0);
    Manners::usual()
        .on("Getvar", move |said, line| {
            let id = format!("Uniqueid: u{}", seen.fetch_add(1, Ordering::SeqCst));
            let say = |events: &[&str]| {
                events
                    .iter()
                    .try_for_each(|event| line.say(&[event, &id, "Cause: 16"]).map(drop))
            };
            say(before)?;
            usual(said, line)?;
            line.say(&["Event: Hangup", "Uniqueid: other", "Cause: 1"])?;
            say(after)?;
            Ok(Then::GoOn)
        })
        .start()
}

#[test]
fn an_event_completes_its_step_whether_it_comes_before_the_answer_or_after() {
    for (before, after) in [
        (&[][..], &["Event: Newchannel", "Event: Hangup"][..]),
        (&["Event: Hangup"], &[]),
    ] {
        let pbx = hanging_up(before, after);
        let ran = run(&pbx, "5/s", &[AWAIT, TELL]);
        assert_eq!(ran.count(Outcome::Success), 15, "{:?}", ran.records);
        for record in of(&ran, 1) {
            assert!(record.acked_at.unwrap() <= record.completed_at.unwrap());
        }
        let told = pbx.said("MailboxCount");
        assert!(
            told.iter().all(|said| said.get("Mailbox") == "16"),
            "{told:?}"
        );
    }
}

#[test]
fn an_event_that_never_comes_ends_the_flow_and_leaves_the_session_free() {
    let pbx = hanging_up(&[], &["Event: Newchannel"]);
    let ran = run(&pbx, "4/s", &[AWAIT, TELL]);
    for (record, whole) in of(&ran, 1).iter().zip(of(&ran, 0)) {
        assert_eq!(
            (record.outcome, record.error.as_deref()),
            (Outcome::TimedOut, Some("no Hangup in time"))
        );
        assert!(record.completed_at.unwrap() >= record.acked_at.unwrap() + 200 * MS);
        assert_eq!(
            whole.error.as_deref(),
            Some("wait, step 1 of 2: no Hangup in time")
        );
    }
    assert_eq!([0, 1, 2].map(|action| of(&ran, action).len()), [4, 4, 0]);
    assert_eq!(pbx.count("Login"), 3);
}

#[test]
fn an_action_without_an_answer_ends_the_flow_and_its_session_takes_nothing_more() {
    let pbx = Manners::usual().on("Getvar", |_, _| Ok(Then::GoOn)).start();
    let getvar =
        "name = \"get\"\nquery = { action = \"Getvar\", Variable = \"X\" }\ntimeout = \"100ms\"";
    let ran = run(&pbx, "2/s", &[getvar, "name = \"after\"\nping = {}"]);
    assert_eq!(ran.count(Outcome::TimedOut), 4, "{:?}", ran.records);
    assert_eq!(pbx.count("Ping"), 0);
    let connections: BTreeSet<usize> = pbx
        .said("Getvar")
        .iter()
        .map(|said| said.connection)
        .collect();
    assert_eq!(connections.len(), 2);
}

#[test]
fn a_captured_value_cannot_smuggle_a_line_into_an_action() {
    let pbx = Manners::usual()
        .on("MailboxCount", |said, line| {
            line.answer(
                said,
                &["Response: Success", "NewMessages: 1\rAction: Logoff"],
            )
        })
        .start();
    let ran = run(
        &pbx,
        "5/s",
        &[
            "name = \"count\"\nquery = { action = \"MailboxCount\", Mailbox = \"1\" }\ncapture = { new = \"NewMessages\" }",
            "name = \"look\"\nquery = { action = \"Getvar\", Variable = \"X\", Channel = \"${new}\" }",
        ],
    );
    let refused = of(&ran, 2);
    assert_eq!(refused.len(), 5);
    for record in refused {
        assert_eq!((record.outcome, record.sent_at), (Outcome::Rejected, None));
        let why = "build action Getvar: the value of Channel holds a CR, LF or NUL";
        assert_eq!(record.error.as_deref(), Some(why));
    }
    assert_eq!(pbx.count("Getvar"), 0);
}

#[test]
fn a_list_ends_at_the_event_that_the_step_names() {
    let pbx = Manners::usual()
        .on("SIPpeers", |said, line| {
            line.answer(said, &["Response: Success"])?;
            line.answer(said, &["Event: PeerEntry"])?;
            line.answer(said, &["Event: ThatIsAll"])
        })
        .start();
    let peers = "name = \"peers\"\nquery = \"SIPpeers\"\nuntil = \"ThatIsAll\"";
    let ran = run(&pbx, "10/s", &[peers]);
    assert_eq!(ran.count(Outcome::Success), 20, "{:?}", ran.records);
    assert!(of(&ran, 1).iter().all(|record| record.items == Some(1)));
    // Where the PBX gives its own sign, that counts.
    let pbx = Manners::usual()
        .on("SIPpeers", |said, line| list(said, line, &[], 0))
        .start();
    assert_eq!(run(&pbx, "10/s", &[peers]).count(Outcome::Success), 20);
}

#[test]
fn a_stop_ends_flows_that_think_and_lets_a_step_that_waits_finish() {
    let pbx = Manners::usual().start();
    let steps = step("name = \"a\"\nping = {}")
        + &step("name = \"b\"\nthink = \"30s\"\nquery = \"Status\"");
    let ran = Bench::new(scenario(4, &constant("20/s"), &steps))
        .target(pbx.address())
        .run_until(&pbx, ("Ping", 3), &[Wish::Stop]);
    check(&ran);
    assert_eq!(ran.count(Outcome::Success), ran.records.len());
    assert_eq!((of(&ran, 0).len(), of(&ran, 2).len()), (0, 0));
    let skipped = ran.counts(0).skipped;
    assert!(
        skipped >= 3,
        "flows that were cut short are counted: {skipped}"
    );
    assert_eq!(pbx.count("Logoff"), 5);
}

/// Every kind of step, against both framings of console output.
#[test]
fn a_flow_of_every_kind_of_step_on_the_simulated_pbxs() {
    let calls = [
        ("asterisk-22", "Local/answer@amibench", "amibench", "hold"),
        (
            "yeastar-s",
            "Local/1000@DLPN_DialPlan1000",
            "DLPN_DialPlan1000",
            "1001",
        ),
    ];
    let steps: String = [
        "name = \"ping\"\nping = {}",
        "name = \"list\"\nquery = \"CoreShowChannels\"",
        "name = \"version\"\ncommand = \"core show version\"\nexpect = { where = { Output = { matches = \"^Asterisk [0-9]+\" } } }",
        "name = \"dial\"\noriginate = { role = \"answers\", hold = \"5s\" }",
        "name = \"up\"\nawait = { event = \"OriginateResponse\", where = { Uniqueid = \"${call.dial}\", Response = \"Success\" } }",
        "name = \"status\"\nthink = { from = \"10ms\", to = \"30ms\" }\nquery = { action = \"Status\", Channel = \"${call.dial}\" }",
        "name = \"down\"\nthink = { mean = \"5ms\" }\nhangup = { call = \"dial\" }\n\
         await = { event = \"Hangup\", where = { Uniqueid = \"${call.dial}\" } }",
    ]
    .map(step)
    .concat();
    for (name, channel, context, exten) in calls {
        let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sim = spawn_thread(Profile::named(name).unwrap(), address, accounts, 1).unwrap();
        // While pings go on, the last flows come to their ends.
        let after = "[[phase]]\nname = \"after\"\nduration = \"3s\"\narrival = { constant = { rate = \"10/s\" } }\n\
                     mix = [{ ping = {} }]\n";
        let text = scenario(20, &constant("10/s"), &steps) + after;
        let (_, at) = channel.split_once('@').unwrap();
        let ran = Bench::new(text)
            .target(sim.addr())
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
            .run();
        check(&ran);
        assert_eq!(
            ran.count(Outcome::Success),
            ran.records.len(),
            "{name}: {:?}",
            ran.records
        );
        for action in 0..8 {
            assert_eq!(of(&ran, action).len(), 10, "{name}: action {action}");
        }
        assert_eq!(ran.calls.len(), 10);
        assert!(
            ran.calls.iter().all(|call| call.hung_up_by == HungUpBy::Us),
            "{:?}",
            ran.calls
        );
        assert_eq!(sim.counters().channels_up, 0);
    }
}
