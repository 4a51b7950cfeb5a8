//! Calls that are not ours survive whatever happens to a run, and ours end whatever happens to it.

use std::collections::BTreeSet;
use std::time::Duration;

use ami_client::Connection;
use ami_load::run_tag::random_bits;
use ami_proto::action::channel;
use ami_proto::action::originate::{Destination, Originate};
use ami_proto::session::Answer;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, interval};

use crate::lab::{Pbx, WITHIN, channels, of_run, say, until_gone, until_up};

const COUNT: usize = 50;

#[tokio::test]
async fn foreign_calls_survive_and_ours_do_not_on_asterisk_22() {
    check("asterisk-22").await;
}

#[tokio::test]
async fn foreign_calls_survive_and_ours_do_not_on_asterisk_16() {
    check("asterisk-16").await;
}

async fn check(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let mut session = pbx.session().await;
    let foreign = place_foreign(&mut session, COUNT).await;
    normal_run(&pbx, &mut session).await;
    check_up(&mut session, &foreign).await;
    interrupted(&pbx, &mut session).await;
    check_up(&mut session, &foreign).await;
    killed(&pbx, &mut session).await;
    check_up(&mut session, &foreign).await;
    killed_and_cleaned_up(&pbx, &mut session).await;
    check_up(&mut session, &foreign).await;
    hang_up(&mut session, &foreign).await;
}

pub(crate) async fn hang_up(session: &mut Connection, foreign: &BTreeSet<String>) {
    for id in foreign {
        let hangup = channel::hangup(id).unwrap();
        session
            .request(&hangup, Answer::Single, WITHIN)
            .await
            .unwrap();
    }
}

/// Half of them bear ids like those of another run.
pub(crate) async fn place_foreign(session: &mut Connection, count: usize) -> BTreeSet<String> {
    let bits = random_bits();
    let mut ids = BTreeSet::new();
    for number in 0..count {
        let id = match number % 2 {
            0 => format!("foreign-{bits:x}-{number:010}"),
            _ => format!("amib-{:08x}-0-{number:010}", bits >> 32),
        };
        let destination = Destination::Extension {
            context: "foreign".to_owned(),
            exten: "answer".to_owned(),
            priority: "1".to_owned(),
        };
        let mut originate = Originate::new("Local/answer@foreign", destination);
        originate.channel_id = Some(id.clone());
        // They end by themselves should this test not end them.
        originate.variables = vec![("TIMEOUT(absolute)".to_owned(), "600".to_owned())];
        let action = originate.action().unwrap();
        let reply = session
            .request(&action, Answer::Single, WITHIN)
            .await
            .unwrap();
        assert!(reply.is_success(), "{}", reply.message());
        ids.insert(id);
    }
    let mut looks = interval(Duration::from_millis(100));
    let began_at = Instant::now();
    while !channels(session).await.is_superset(&ids) {
        looks.tick().await;
        assert!(
            began_at.elapsed() < WITHIN,
            "not every foreign call came up"
        );
    }
    ids
}

pub(crate) async fn check_up(session: &mut Connection, foreign: &BTreeSet<String>) {
    let up = channels(session).await;
    let gone: Vec<&String> = foreign.difference(&up).collect();
    assert!(gone.is_empty(), "foreign calls are gone: {gone:?}");
}

pub(crate) fn scenario(pbx: &Pbx, hold: &str) -> String {
    let text = format!(
        r#"
[[group]]
name = "load"
sessions = 10

[[phase]]
name = "steady"
duration = "30s"
arrival = {{ constant = {{ rate = "30/s" }} }}
mix = [{{ share = 1, ping = {{}} }}, {{ share = 2, originate = {{ role = "answers", hold = "{hold}" }} }}]
"#
    );
    pbx.write("calls.toml", &text)
}

async fn normal_run(pbx: &Pbx, session: &mut Connection) {
    let run = pbx.path("normal");
    let scenario = scenario(pbx, "20s");
    let ran = pbx.run(&[
        "load",
        &scenario,
        "-t",
        pbx.name,
        "-d",
        "2s",
        "-o",
        run.to_str().unwrap(),
    ]);
    assert!([Some(0), Some(4)].contains(&ran.status.code()), "{ran:?}");
    let tag = crate::lab::tag(&run).unwrap();
    assert_eq!(of_run(session, &tag).await, 0, "hung up at the end");
}

async fn interrupted(pbx: &Pbx, session: &mut Connection) {
    let run = pbx.path("interrupted");
    let scenario = scenario(pbx, "20s");
    let child = pbx.start(&[
        "load",
        &scenario,
        "-t",
        pbx.name,
        "-o",
        run.to_str().unwrap(),
    ]);
    let tag = until_up(session, &run, 20).await;
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(of_run(session, &tag).await, 0, "hung up at once");
}

/// The bound of a call is its hold: the PBX ends it when nobody else does.
async fn killed(pbx: &Pbx, session: &mut Connection) {
    const HOLD: Duration = Duration::from_secs(4);
    let run = pbx.path("killed");
    let scenario = scenario(pbx, "4s");
    let mut child = pbx.start(&[
        "load",
        &scenario,
        "-t",
        pbx.name,
        "-o",
        run.to_str().unwrap(),
    ]);
    let tag = until_up(session, &run, 20).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(of_run(session, &tag).await > 0, "nobody hung up");
    let slack = Duration::from_secs(1);
    let took = until_gone(session, &tag, HOLD + slack).await;
    say(&format!(
        "{}: after kill -9, all calls were gone in {took:?}, bound {HOLD:?}",
        pbx.name
    ));
}

async fn killed_and_cleaned_up(pbx: &Pbx, session: &mut Connection) {
    let run = pbx.path("cleaned");
    let scenario = scenario(pbx, "60s");
    let mut child = pbx.start(&[
        "load",
        &scenario,
        "-t",
        pbx.name,
        "-o",
        run.to_str().unwrap(),
    ]);
    let tag = until_up(session, &run, 20).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(of_run(session, &tag).await > 0, "nobody hung up");
    let cleaned = pbx.run(&["cleanup", "--run", run.to_str().unwrap()]);
    assert_eq!(cleaned.status.code(), Some(0), "{cleaned:?}");
    assert!(
        String::from_utf8_lossy(&cleaned.stdout).contains("none left"),
        "{cleaned:?}"
    );
    assert_eq!(of_run(session, &tag).await, 0);
}
