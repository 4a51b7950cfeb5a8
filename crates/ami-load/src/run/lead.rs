//! Listens to the workers and to the operator, and decides when a stage of the run is over.

use std::sync::Arc;
use std::time::Duration;

use ami_results::verdict::Verdict;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::collector::Objection;
use super::crew::Crew;
use super::{FailureWhy, Setup, TargetFailure, Wish};
use crate::worker::{Notice, Order};

#[derive(Debug)]
pub(super) struct Lead {
    setup: Arc<Setup>,
    pub(super) crew: Crew,
    pub(super) failures: Vec<TargetFailure>,
    /// Sessions up, by worker and target: whether any is.
    up: Vec<Vec<bool>>,
    /// When arrivals were ended before their time.
    pub(super) stopped_at: Option<Duration>,
}

/// Why a run ended when it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Completed,
    Interrupted,
    Aborted(String),
    /// By a threshold, as it was judged then.
    Failed(Verdict),
}

pub(super) enum NotStarted {
    Interrupted,
    NoTarget,
}

impl Lead {
    pub(super) fn new(setup: Arc<Setup>, crew: Crew, failures: Vec<TargetFailure>) -> Self {
        let up = vec![vec![false; setup.plan.targets.len()]; crew.len()];
        Self {
            setup,
            crew,
            failures,
            up,
            stopped_at: None,
        }
    }

    /// A target that failed takes no further part.
    pub(super) fn leave(&mut self, target: u16) {
        self.setup.sites[usize::from(target)].gate.shut();
        self.crew.order(Order::Leave { target });
    }

    /// Waits until every worker has its sessions.
    pub(super) async fn take_seats(
        &mut self,
        wish: &mut watch::Receiver<Wish>,
    ) -> Result<(), NotStarted> {
        let mut waiting = self.crew.len();
        while waiting > 0 {
            tokio::select! {
                notice = self.crew.notices.recv() => match notice {
                    Some(Notice::Ready) => waiting -= 1,
                    Some(Notice::SeatFailed { target, error }) => {
                        if self.fail(target, FailureWhy::Seat(error)) {
                            self.leave(target);
                        }
                    }
                    // A worker that ended early tells why when it is joined.
                    Some(Notice::Broken) | None => return Err(NotStarted::NoTarget),
                    Some(notice) => self.note(&notice),
                },
                () = wished(wish, Wish::Stop) => return Err(NotStarted::Interrupted),
            }
        }
        if self.failures.len() == self.setup.plan.targets.len() {
            Err(NotStarted::NoTarget)
        } else {
            Ok(())
        }
    }

    /// From the first arrival until every worker has its answers.
    pub(super) async fn load(
        &mut self,
        wish: &mut watch::Receiver<Wish>,
        mut objection: oneshot::Receiver<Objection>,
    ) -> Stopped {
        let mut waiting = self.crew.len();
        let mut stopped = Stopped::Completed;
        let patience = self.setup.plan.patience;
        let mut all_lost_at: Option<Instant> = None;
        while waiting > 0 {
            let stopping = stopped != Stopped::Completed;
            tokio::select! {
                notice = self.crew.notices.recv() => match notice {
                    Some(Notice::Drained) => waiting -= 1,
                    Some(Notice::Broken) => {
                        waiting -= 1;
                        stopped = self.stop(Stopped::Aborted("a worker could not go on".to_owned()));
                    }
                    Some(Notice::SeatFailed { target, error }) => {
                        self.fail(target, FailureWhy::Seat(error));
                    }
                    Some(notice) => {
                        self.note(&notice);
                        let lost = !self.up.iter().flatten().any(|up| *up);
                        all_lost_at = lost.then(|| all_lost_at.unwrap_or_else(Instant::now));
                    }
                    None => break,
                },
                () = wished(wish, if stopping { Wish::Abandon } else { Wish::Stop }) => {
                    if stopping {
                        break;
                    }
                    stopped = self.stop(Stopped::Interrupted);
                }
                Ok(objection) = &mut objection, if !stopping => {
                    stopped = self.stop(match objection {
                        Objection::NotWritten => Stopped::Aborted("results could not be written".to_owned()),
                        Objection::Threshold(verdict) => Stopped::Failed(verdict),
                    });
                }
                () = until(all_lost_at.map(|at| at + patience)), if !stopping => {
                    stopped = self.stop(Stopped::Aborted("every session of every target was lost".to_owned()));
                }
            }
        }
        self.note_lost_targets();
        stopped
    }

    fn stop(&mut self, stopped: Stopped) -> Stopped {
        self.crew.order(Order::Stop);
        self.stopped_at
            .get_or_insert_with(|| self.setup.clock.now());
        stopped
    }

    fn note(&mut self, notice: &Notice) {
        if let Notice::Sessions { worker, target, up } = notice {
            self.up[usize::from(*worker)][usize::from(*target)] = *up > 0;
        }
    }

    /// Whether this is the first failure of the target.
    fn fail(&mut self, target: u16, why: FailureWhy) -> bool {
        let name = &self.setup.plan.targets[usize::from(target)].target.name;
        let first = !self.failures.iter().any(|failure| failure.target == *name);
        if first {
            self.failures.push(TargetFailure {
                target: name.clone(),
                why,
            });
        }
        first
    }

    fn note_lost_targets(&mut self) {
        for target in self.setup.plan.target_indices() {
            if !self.up.iter().any(|worker| worker[usize::from(target)]) {
                self.fail(target, FailureWhy::Lost);
            }
        }
    }
}

/// Until the operator wishes at least this.
pub(super) async fn wished(wish: &mut watch::Receiver<Wish>, least: Wish) {
    if wish.wait_for(|wish| *wish >= least).await.is_err() {
        // The operator's side is gone: nobody will ever wish anything.
        std::future::pending().await
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
