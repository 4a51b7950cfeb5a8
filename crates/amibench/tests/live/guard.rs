//! A load on production that is stopped since others' calls begin to fail: ours are gone, theirs are all there.

use std::time::Duration;

use ami_client::Connection;
use ami_proto::action::originate::{Destination, Originate};
use ami_proto::session::Answer;
use tokio::time::interval;

use crate::foreign::{check_up, hang_up, place_foreign, scenario};
use crate::lab::{Pbx, WITHIN, of_run, say, until_up};

const FOREIGN: usize = 20;
/// For 30 s, one each …
const FAILURES_MAX: usize = 600;
const PACE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn failing_calls_of_others_end_the_load_on_asterisk_22() {
    check("asterisk-22").await;
}

#[tokio::test]
async fn failing_calls_of_others_end_the_load_on_asterisk_16() {
    check("asterisk-16").await;
}

async fn check(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let mut session = pbx.session().await;
    let foreign = place_foreign(&mut session, FOREIGN).await;
    let target = format!("environment = \"production\"\n{}", pbx.target_of("bench"));
    let target = pbx.write("production.toml", &target);
    let run = pbx.path("guarded");
    let (scenario, out) = (scenario(&pbx, "60s"), run.to_str().unwrap().to_owned());
    let args = ["load", &scenario, "-t", &target, "-o", &out];
    let refused = pbx.run(&args);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("add --confirm production"), "{told}");
    assert_eq!(refused.status.code(), Some(2));
    let mut child = pbx.start(&[&args[..], &["--confirm", "production"]].concat());
    let tag = until_up(&mut session, &run, 20).await;
    // Until it is seen, also where tests of somebody else place calls that do not fail.
    let mut pace = interval(PACE);
    for _ in 0..FAILURES_MAX {
        pace.tick().await;
        fail(&mut session).await;
        if child.try_wait().unwrap().is_some() {
            break;
        }
    }
    let ran = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{told}");
    assert!(told.contains("the guard stopped the load after"), "{told}");
    assert!(told.contains("calls that are not ours failed"), "{told}");
    assert_eq!(of_run(&mut session, &tag).await, 0, "ours are hung up");
    check_up(&mut session, &foreign).await;
    hang_up(&mut session, &foreign).await;
    say(&format!("{name}: {}", told.trim_end()));
}

/// A call of somebody else that ends in a congestion.
async fn fail(session: &mut Connection) {
    let destination = Destination::Extension {
        context: "amibench".to_owned(),
        exten: "hold".to_owned(),
        priority: "1".to_owned(),
    };
    let action = Originate::new("Local/congestion@amibench", destination)
        .action()
        .unwrap();
    session
        .request(&action, Answer::Single, WITHIN)
        .await
        .unwrap();
}
