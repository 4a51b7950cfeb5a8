//! Real PBXs judged: what they keep is what is expected, each time again, and they are left as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use ami_client::Connection;
use ami_proto::action::Action;
use ami_proto::session::Answer;
use ami_results::judgement::log::Judgements;
use ami_results::judgement::{Judgement, Outcome};
use ami_results::verdict::State;
use tokio::time::Instant;

use crate::foreign::{check_up, hang_up, place_foreign};
use crate::lab::{Pbx, WITHIN, channels, say};
use crate::recorded::{self, Verdicts};

const EVERYTHING: &str = "noisy,creates-state,originates-call,disruptive";
/// No default run takes so long; all classes may.
const DEFAULT_WITHIN: Duration = Duration::from_secs(120);
const ALL_WITHIN: Duration = Duration::from_secs(360);
const RUNS: usize = 3;
const FOREIGN: usize = 10;
/// What a login that fails, or is turned away, is told with.
const ALARMS: [&str; 4] = [
    "FailedACL",
    "InvalidAccountID",
    "InvalidPassword",
    "ChallengeResponseFailed",
];
const LIMITED_AT_LEAST: usize = 60;

#[tokio::test]
async fn asterisk_22_is_judged_as_expected_and_left_as_it_was() {
    check("asterisk-22").await;
}

#[tokio::test]
async fn asterisk_16_is_judged_as_expected_and_left_as_it_was() {
    check("asterisk-16").await;
}

async fn check(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    if std::env::var_os("UPDATE_VERDICTS").is_some() {
        return write_verdicts(name, &everything(&pbx));
    }
    let mut session = pbx.session().await;
    let before = Trace::of(&mut session).await;
    let foreign = place_foreign(&mut session, FOREIGN).await;
    let first = quietly(&pbx, "quiet-0").await;
    for run in 1..RUNS {
        let again = quietly(&pbx, &format!("quiet-{run}")).await;
        assert_eq!(states(&first), states(&again), "{name}");
    }
    check_up(&mut session, &foreign).await;
    let all = everything(&pbx);
    check_up(&mut session, &foreign).await;
    hang_up(&mut session, &foreign).await;
    let found: Verdicts = verdicts(&all)
        .map(|(case, verdict)| (case.to_owned(), verdict))
        .collect();
    assert_eq!(
        found,
        recorded::read(name),
        "UPDATE_VERDICTS=1 writes it down"
    );
    let after = Trace::of(&mut session).await;
    assert_eq!(before, after, "{name} is not as it was");
    let up = channels(&mut session).await;
    let left: Vec<&String> = up.iter().filter(|id| id.starts_with("conf-")).collect();
    assert!(left.is_empty(), "{left:?}");
    limited(&pbx, &all);
}

/// A default run, with somebody listening for what would get our address banned.
async fn quietly(pbx: &Pbx, out: &str) -> Vec<Judgement> {
    let mut listener = pbx.listener("security").await;
    let run = pbx.path(out);
    let began_at = Instant::now();
    let args = ["conform", "-q", "-t", pbx.name, "-o", run.to_str().unwrap()];
    let mut child = pbx.start(&args);
    let mut heard = BTreeMap::new();
    loop {
        let event = listener.next_event(Duration::from_millis(100)).await;
        if let Some(event) = event.unwrap() {
            let frame = event.as_frame();
            let privilege = frame.text("Privilege").unwrap_or_default();
            assert_eq!(privilege, "security,all", "its mask is as it was");
            let name = frame.text("Event").unwrap().into_owned();
            *heard.entry(name).or_insert(0) += 1;
        } else if child.try_wait().unwrap().is_some() {
            break;
        }
        assert!(began_at.elapsed() < DEFAULT_WITHIN, "it takes too long");
    }
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{told}");
    assert!(heard.contains_key("SuccessfulAuth"), "{heard:?}");
    for alarm in ALARMS {
        assert!(!heard.contains_key(alarm), "{heard:?}");
    }
    say(&format!(
        "{}: {:.0} s, {heard:?}",
        pbx.name,
        began_at.elapsed().as_secs_f64()
    ));
    judgements(&run)
}

/// Every must and should passes, or is expected.
fn everything(pbx: &Pbx) -> Vec<Judgement> {
    let run = pbx.path("everything");
    let began_at = Instant::now();
    let out = run.to_str().unwrap();
    let ran = pbx.run(&[
        "conform", "-q", "-t", pbx.name, "-o", out, "--allow", EVERYTHING,
    ]);
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{told}");
    assert!(began_at.elapsed() < ALL_WITHIN);
    let all = judgements(&run);
    for one in all
        .iter()
        .filter(|one| ["must", "should"].contains(&one.level.as_str()))
    {
        let holds = matches!(one.state, State::Pass | State::NotApplicable);
        let expected = one.outcome() == Some(Outcome::AsExpected);
        assert!(holds || expected, "{one:#?}");
    }
    all
}

/// An account of few classes: nothing fails for it, and what it may not do is named.
fn limited(pbx: &Pbx, all: &[Judgement]) {
    let target = pbx.target_of("limited").replace(
        "[conform]\n",
        "[conform]\nread = [\"call\", \"reporting\", \"user\"]\n",
    );
    let target = pbx.write("limited.toml", &target);
    let run = pbx.path("limited");
    let known = format!("scenarios/targets/{}.expected.toml", pbx.name);
    let out = run.to_str().unwrap();
    pbx.run(&[
        "conform",
        "-q",
        "-t",
        &target,
        "-o",
        out,
        "--allow",
        EVERYTHING,
        "--expected",
        &known,
    ]);
    let judged = judgements(&run);
    let with_all = states(all);
    let mut applicable = 0;
    for one in &judged {
        match one.state {
            State::NotApplicable if with_all[&one.case] != State::NotApplicable => {
                let named = [" class ", "names no account"];
                assert!(named.iter().any(|why| one.got.contains(why)), "{one:#?}");
            }
            State::NotApplicable | State::Skipped => {}
            State::Fail => {
                assert_eq!(one.outcome(), Some(Outcome::AsExpected), "{one:#?}");
                applicable += 1;
            }
            State::Pass | State::Warn | State::Inconclusive => applicable += 1,
        }
    }
    say(&format!(
        "{}: {applicable} cases apply to a limited account",
        pbx.name
    ));
    assert!(applicable >= LIMITED_AT_LEAST, "{applicable}");
}

fn judgements(run: &Path) -> Vec<Judgement> {
    Judgements::read(run).unwrap().judgements
}

fn states(judgements: &[Judgement]) -> BTreeMap<String, State> {
    let state = |one: &Judgement| (one.case.clone(), one.state);
    judgements.iter().map(state).collect()
}

fn verdicts(judgements: &[Judgement]) -> impl Iterator<Item = (&str, String)> {
    judgements.iter().map(|one| {
        (
            &*one.case,
            recorded::verdict(&one.level, one.state, &one.got),
        )
    })
}

fn write_verdicts(pbx: &str, judgements: &[Judgement]) {
    let mut text = format!(
        "# How {pbx} of the lab ended each case, every safety class allowed. Made by\n\
         # `UPDATE_VERDICTS=1 cargo test -p amibench --test live judged`.\n\n"
    );
    for (case, verdict) in verdicts(judgements) {
        let verdict = toml::Value::String(verdict);
        writeln!(text, "{case:?} = {verdict}").unwrap();
    }
    std::fs::write(recorded::path(pbx), text).unwrap();
}

/// What a run could leave.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    members: BTreeSet<String>,
    database: Vec<String>,
}

impl Trace {
    async fn of(session: &mut Connection) -> Self {
        let status = Action::new("QueueStatus");
        let reply = session
            .request(&status, Answer::List, WITHIN)
            .await
            .unwrap();
        let member = |frame: ami_proto::frame::Frame<'_>| {
            let values = ["Queue", "Location", "Penalty", "Paused"].map(|name| frame.text(name));
            format!("{values:?}")
        };
        let members = reply.events("QueueMember").map(member).collect();
        let show = Action::new("Command")
            .with("Command", "database show")
            .unwrap();
        let reply = session
            .request(&show, Answer::Single, WITHIN)
            .await
            .unwrap();
        let frame = reply.response();
        let lines = frame
            .get_all("Output")
            .map(|line| String::from_utf8_lossy(line).into_owned());
        Self {
            members,
            database: lines.collect(),
        }
    }
}
