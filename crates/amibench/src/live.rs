//! The progress line of a run; nothing at all where standard error is no terminal.

use std::time::Duration;

use ami_load::run::Live;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

/// Shows the run until its sender is dropped.
pub(crate) async fn show(mut live: watch::Receiver<Live>, whole: Duration) {
    let bar = ProgressBar::new(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:24.cyan/dim} {msg}")
        .expect("the template is a constant");
    bar.set_style(style);
    bar.set_message("opening sessions");
    bar.enable_steady_tick(Duration::from_millis(250));
    while live.changed().await.is_ok() {
        let now = live.borrow_and_update().clone();
        let elapsed = now.elapsed.min(whole);
        bar.set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        bar.set_message(line(&now, whole));
    }
    bar.finish_and_clear();
}

fn line(live: &Live, whole: Duration) -> String {
    let (mut sent, mut succeeded, mut skipped, mut failed) = (0, 0, 0, 0);
    for action in live.totals.iter().flat_map(|totals| &totals.actions) {
        sent += action.last_second.sent;
        succeeded += action.counts.success;
        skipped += action.counts.skipped;
        let counts = &action.counts;
        failed += counts.rejected + counts.timed_out + counts.disconnected + counts.indeterminate;
    }
    let sessions: u32 = live.gauges.iter().map(|gauge| gauge.sessions_ready).sum();
    let calls: u32 = live.gauges.iter().map(|gauge| gauge.calls_up).sum();
    let elapsed = live.elapsed.as_secs();
    let phase = if live.elapsed >= whole {
        "finishing".to_owned()
    } else {
        format!("{elapsed}/{} s", whole.as_secs())
    };
    format!(
        "{phase}  {sent}/s  ok {succeeded}  failed {failed}  skipped {skipped}  sessions {sessions}  calls {calls}"
    )
}
