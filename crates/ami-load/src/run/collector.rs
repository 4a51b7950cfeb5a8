//! The thread that turns batches of the workers into results, once a second, and shows how far the run is.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use ami_client::Clock;
use ami_results::interval::Gauge;
use ami_results::recorder::{Recorder, RecorderError};
use ami_results::totals::Totals;
use tokio::sync::{oneshot, watch};

use crate::ledger::Batch;
use crate::plan::nanos;

const FLUSH_EVERY: Duration = Duration::from_millis(200);
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

#[derive(Debug)]
pub(super) struct Collector {
    thread: JoinHandle<(Recorder, Option<RecorderError>)>,
}

impl Collector {
    /// `base` is the instant that the records count from; `failed` is told when results cannot be written any more.
    pub(super) fn start(
        recorder: Recorder,
        batches: Receiver<Batch>,
        (clock, base): (Clock, Duration),
        live: watch::Sender<Live>,
        failed: oneshot::Sender<()>,
    ) -> Self {
        let collecting = Collecting {
            gauges: Gauges::new(recorder.layout().targets().len()),
            recorder,
            clock,
            base,
            live,
            failed: Some(failed),
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
    /// Told once, when results cannot be written any more.
    failed: Option<oneshot::Sender<()>>,
    error: Option<RecorderError>,
    planned: u64,
    gauges: Gauges,
}

impl Collecting {
    fn run(mut self, receiver: &Receiver<Batch>) -> (Recorder, Option<RecorderError>) {
        let mut flushed_at = Duration::ZERO;
        loop {
            match receiver.recv_timeout(FLUSH_EVERY) {
                Ok(batch) => self.take(batch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.clock.now();
            if now >= flushed_at + FLUSH_EVERY {
                flushed_at = now;
                self.flush(now);
            }
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
            if let Some(failed) = self.failed.take() {
                // The run may be over already: then it learns of the error from `join`.
                let _ = failed.send(());
            }
        }
        let totals = Some(self.recorder.totals());
        self.live.send_replace(Live {
            elapsed,
            totals,
            gauges: self.gauges.latest.clone(),
        });
    }
}

/// Sums the gauges of the workers: a second is complete when the next begins.
struct Gauges {
    latest: Vec<Gauge>,
}

impl Gauges {
    fn new(targets: usize) -> Self {
        let empty = |target| Gauge {
            target,
            second: 0,
            sessions_ready: 0,
            in_flight: 0,
            calls_up: 0,
        };
        let targets = u16::try_from(targets).expect("targets are few");
        Self {
            latest: (0..targets).map(empty).collect(),
        }
    }

    fn add(&mut self, gauge: Gauge) -> Option<Gauge> {
        let sum = &mut self.latest[usize::from(gauge.target)];
        if gauge.second > sum.second {
            let complete = *sum;
            *sum = gauge;
            return Some(complete);
        }
        sum.sessions_ready += gauge.sessions_ready;
        sum.in_flight += gauge.in_flight;
        sum.calls_up += gauge.calls_up;
        None
    }
}
