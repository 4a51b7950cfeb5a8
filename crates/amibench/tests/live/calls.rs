//! The books of a run against the books of the PBX.

use std::fs;
use std::time::Duration;

use ami_results::call::{CallRecord, CallResult};
use ami_results::interval::Counts;
use ami_results::run_dir::RunDir;
use tokio::time::{Instant, interval};

use crate::lab::{Pbx, WITHIN, of_run};

/// Ten pings to each call; three calls in four are answered.
const SCENARIO: &str = r#"
[[group]]
name = "load"
sessions = 50

[[phase]]
name = "steady"
duration = "5s"
arrival = { constant = { rate = "112/s" } }
mix = [
    { share = 24, ping = {} },
    { share = 3, originate = { role = "answers", hold = "1s" } },
    { share = 1, originate = { role = "busy", hold = "1s" } },
]
"#;
const PINGS: u64 = 480;
const CALLS: u64 = 80;
const ANSWERED: usize = 60;

#[tokio::test]
async fn every_action_has_one_outcome_and_every_call_a_cdr_on_asterisk_22() {
    check("asterisk-22", "asterisk-22").await;
}

#[tokio::test]
async fn every_action_has_one_outcome_and_every_call_a_cdr_on_asterisk_16() {
    check("asterisk-16", "asterisk-16").await;
}

#[tokio::test]
async fn the_books_are_as_exact_over_tls_on_asterisk_22() {
    check("asterisk-22", "asterisk-22-tls").await;
}

#[tokio::test]
async fn the_books_are_as_exact_over_tls_on_asterisk_16() {
    check("asterisk-16", "asterisk-16-tls").await;
}

async fn check(name: &str, target: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let scenario = pbx.write("books.toml", SCENARIO);
    let run = pbx.path("run");
    let out = run.to_str().unwrap();
    let ran = pbx.run(&["load", &scenario, "-t", target, "--records", "--out", out]);
    let code = ran.status.code();
    // A machine that tests much else may be late, which is 4 and no fault of the books.
    assert!(
        [Some(0), Some(4)].contains(&code),
        "{code:?} {}",
        String::from_utf8_lossy(&ran.stderr)
    );

    let (run_dir, manifest) = RunDir::open(&run).unwrap();
    let mut counts = Counts::default();
    for row in run_dir.intervals().unwrap() {
        counts.add(&row.unwrap().counts);
    }
    let failed = counts.rejected + counts.timed_out + counts.disconnected + counts.indeterminate;
    assert_eq!(
        (counts.offered, counts.sent),
        (PINGS + CALLS, PINGS + CALLS),
        "{counts:?}"
    );
    assert_eq!(
        (counts.success, failed + counts.skipped),
        (PINGS + CALLS, 0),
        "{counts:?}"
    );
    assert_eq!(run_dir.records().unwrap().count() as u64, counts.offered);

    let calls: Vec<CallRecord> = run_dir.calls().unwrap().map(Result::unwrap).collect();
    let answered = calls
        .iter()
        .filter(|call| call.result == CallResult::Answered)
        .count();
    assert_eq!((calls.len() as u64, answered), (CALLS, ANSWERED));
    assert_eq!(
        cdr(&pbx, &manifest.run_id, calls.len()).await,
        (calls.len(), ANSWERED)
    );
    let tag = ami_load::RunTag::parse(&manifest.run_id).unwrap();
    assert_eq!(
        of_run(&mut pbx.session().await, &tag).await,
        0,
        "none of ours is left"
    );
}

/// Calls of the run in the PBX's call detail records, and those of them that were answered. A row is written when its
/// call ends, so the last may come a moment later. The second half of a Local channel has a row of its own.
async fn cdr(pbx: &Pbx, account: &str, awaited: usize) -> (usize, usize) {
    let mut looks = interval(Duration::from_millis(100));
    let began_at = Instant::now();
    loop {
        looks.tick().await;
        let text = fs::read_to_string(pbx.cdr_file()).unwrap();
        let rows: Vec<Vec<String>> = text
            .lines()
            .map(fields)
            .filter(|row| row[ACCOUNT] == account && !row[UNIQUE_ID].ends_with(";2"))
            .collect();
        if rows.len() >= awaited || began_at.elapsed() > WITHIN {
            let answered = rows.iter().filter(|row| row[DISPOSITION] == "ANSWERED");
            return (rows.len(), answered.count());
        }
    }
}

/// Columns of Master.csv.
const ACCOUNT: usize = 0;
const DISPOSITION: usize = 14;
const UNIQUE_ID: usize = 16;

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields.resize(UNIQUE_ID + 1, String::new());
    fields
}
