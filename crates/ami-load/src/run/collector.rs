//! The thread that turns batches of the workers into results, once a second, and shows how far the run is.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use ami_client::Clock;
use ami_results::interval::Gauge;
use ami_results::recorder::{Recorder, RecorderError};
use ami_results::totals::Totals;
use ami_results::verdict::{State, Verdict};
use tokio::sync::{oneshot, watch};

use crate::ledger::Batch;
use crate::plan::{Plan, nanos};
use crate::threshold::Failing;

/// The live line moves this often; results are written, and totals made, once a second.
const SHOW_EVERY: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
/// Samples of a second may come this much after it ended.
const SETTLING: Duration = Duration::from_millis(500);

/// What the live line shows.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub elapsed: Duration,
    /// None before the first second is over.
    pub totals: Option<Totals>,
    /// The latest gauge of each target, summed over workers.
    pub gauges: Vec<Gauge>,
}

/// Why the results want the run to stop.
#[derive(Debug)]
pub(super) enum Objection {
    NotWritten,
    /// A threshold that stops the run has failed.
    Threshold(Verdict),
}

#[derive(Debug)]
pub(super) struct Collector {
    thread: JoinHandle<(Recorder, Option<RecorderError>)>,
}

impl Collector {
    /// `base` is the instant that the records count from.
    pub(super) fn start(
        (plan, recorder): (Arc<Plan>, Recorder),
        batches: Receiver<Batch>,
        (clock, base): (Clock, Duration),
        live: watch::Sender<Live>,
        objection: oneshot::Sender<Objection>,
    ) -> Self {
        let collecting = Collecting {
            gauges: Gauges::new(recorder.layout().targets().len()),
            recorder,
            clock,
            base,
            live,
            plan,
            objection: Some(objection),
            error: None,
            planned: 0,
        };
        let thread = std::thread::Builder::new()
            .name("collector".to_owned())
            .spawn(move || collecting.run(&batches))
            .expect("the system gives a thread at the start of a run");
        Self { thread }
    }

    /// Waits until the last worker has handed in its last batch.
    pub(super) fn join(self) -> (Recorder, Option<RecorderError>) {
        self.thread.join().expect("the collector does not panic")
    }
}

struct Collecting {
    recorder: Recorder,
    clock: Clock,
    base: Duration,
    live: watch::Sender<Live>,
    plan: Arc<Plan>,
    /// Told once.
    objection: Option<oneshot::Sender<Objection>>,
    error: Option<RecorderError>,
    planned: u64,
    gauges: Gauges,
}

impl Collecting {
    fn run(mut self, receiver: &Receiver<Batch>) -> (Recorder, Option<RecorderError>) {
        let (mut shown_at, mut flushed_at) = (Duration::ZERO, Duration::ZERO);
        loop {
            match receiver.recv_timeout(SHOW_EVERY) {
                Ok(batch) => self.take(batch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.clock.now();
            if now >= flushed_at + SECOND {
                flushed_at = now;
                self.flush(now);
                self.watch(now);
            }
            if now >= shown_at + SHOW_EVERY {
                shown_at = now;
                self.show(now);
            }
        }
        for gauge in self.gauges.latest.iter().flatten() {
            self.recorder.gauge(*gauge);
        }
        (self.recorder, self.error)
    }

    fn take(&mut self, batch: Batch) {
        batch
            .records
            .iter()
            .for_each(|record| self.recorder.record(record));
        batch
            .skipped
            .iter()
            .for_each(|skipped| self.recorder.skipped(skipped));
        batch.calls.iter().for_each(|call| self.recorder.call(call));
        for gauge in batch.gauges {
            if let Some(complete) = self.gauges.add(gauge) {
                self.recorder.gauge(complete);
            }
        }
        for event in &batch.delays {
            let recorder = &mut self.recorder;
            recorder.event_delay(event.cell, event.read_at, event.delay);
        }
        let (deliveries, presence) = (&batch.deliveries, &batch.presence);
        deliveries
            .iter()
            .for_each(|row| self.recorder.delivery(row));
        presence.iter().for_each(|row| self.recorder.presence(row));
        self.planned += batch.planned;
        self.recorder.planned(self.planned);
    }

    fn flush(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.base);
        if let Err(error) = self
            .recorder
            .flush_second(nanos(elapsed.saturating_sub(SETTLING)))
            && self.error.is_none()
        {
            self.error = Some(error);
            // The run may be over already: then it learns of the error from `join`.
            self.object(Objection::NotWritten);
        }
        let totals = self.recorder.totals();
        self.live.send_modify(|live| live.totals = Some(totals));
    }

    fn object(&mut self, objection: Objection) {
        if let Some(sender) = self.objection.take() {
            // Nobody listens when the load is over: then there is nothing to stop.
            let _ = sender.send(objection);
        }
    }

    /// The first threshold that fails on any target stops the run.
    fn watch(&mut self, now: Duration) {
        if self.objection.is_none() {
            return;
        }
        let elapsed = now.saturating_sub(self.base);
        let watched = self
            .plan
            .thresholds
            .iter()
            .filter(|threshold| match threshold.failing {
                Failing::Told => false,
                Failing::Stops { after } => elapsed >= self.plan.measured_from() + after,
            });
        let mut verdicts = watched.flat_map(|threshold| {
            let targets = self
                .plan
                .target_indices()
                .filter(|target| threshold.is_of(*target));
            targets.map(|target| threshold.judge(&self.recorder, target, elapsed))
        });
        if let Some(failed) = verdicts.find(|verdict| verdict.state == State::Fail) {
            self.object(Objection::Threshold(failed));
        }
    }

    fn show(&self, now: Duration) {
        self.live.send_modify(|live| {
            live.elapsed = now.saturating_sub(self.base);
            live.gauges.clear();
            live.gauges.extend(self.gauges.latest.iter().flatten());
        });
    }
}

/// Sums the gauges of the workers: a second is complete when the next begins.
struct Gauges {
    latest: Vec<Option<Gauge>>,
}

impl Gauges {
    fn new(targets: usize) -> Self {
        Self {
            latest: vec![None; targets],
        }
    }

    fn add(&mut self, gauge: Gauge) -> Option<Gauge> {
        let latest = &mut self.latest[usize::from(gauge.target)];
        match latest {
            Some(sum) if gauge.second == sum.second => {
                sum.add(&gauge);
                None
            }
            // A worker that was held up for a second: its row cannot be completed any more.
            Some(sum) if gauge.second < sum.second => None,
            _ => latest.replace(gauge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(target: u16, second: u64, sessions_ready: u32) -> Gauge {
        Gauge {
            target,
            second,
            sessions_ready,
            in_flight: 1,
            calls_up: 0,
            answer_read_delay_max_ns: 0,
            event_read_delay_max_ns: second,
        }
    }

    #[test]
    fn a_second_is_the_sum_over_workers_and_complete_with_the_next() {
        let mut gauges = Gauges::new(2);
        assert_eq!(gauges.add(gauge(0, 3, 10)), None);
        assert_eq!(gauges.add(gauge(1, 3, 7)), None);
        assert_eq!(gauges.add(gauge(0, 3, 11)), None);
        let complete = gauges.add(gauge(0, 4, 9)).expect("second 3 is over");
        assert_eq!(
            (complete.second, complete.sessions_ready, complete.in_flight),
            (3, 21, 2)
        );
        assert_eq!(gauges.add(gauge(0, 3, 1)), None);
        assert_eq!(gauges.latest[0], Some(gauge(0, 4, 9)));
    }
}
