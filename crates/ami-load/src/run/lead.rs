//! Listens to the workers, to the canaries and to the operator, and decides when a stage of the run is over.

use std::sync::Arc;
use std::time::Duration;

use ami_results::verdict::Verdict;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::canary::Watch;
use super::cleaning::Cleaning;
use super::collector::Objection;
use super::crew::Crew;
use super::{FailureWhy, Ready, Setup, TargetFailure, Wish};
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
    pub(super) watch: Watch,
    pub(super) cleaning: Cleaning,
    /// Targets that are loaded no more.
    gone: Vec<bool>,
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
    /// `wish` is the operator's; a target that is not ready is left at once.
    pub(super) fn new(
        setup: Arc<Setup>,
        crew: Crew,
        failures: Vec<TargetFailure>,
        (readies, wish): (Vec<Option<Ready>>, watch::Receiver<Wish>),
    ) -> Self {
        let targets = setup.plan.targets.len();
        let (controls, canaries): (Vec<_>, Vec<_>) = readies
            .into_iter()
            .map(|ready| match ready {
                Some(Ready { control, canary }) => (Some(control), canary),
                None => (None, None),
            })
            .unzip();
        let absent: Vec<bool> = controls.iter().map(Option::is_none).collect();
        let mut lead = Self {
            up: vec![vec![false; targets]; crew.len()],
            watch: Watch::start(canaries),
            cleaning: Cleaning::new(Arc::clone(&setup), controls, wish),
            gone: vec![false; targets],
            setup,
            crew,
            failures,
            stopped_at: None,
        };
        for (target, absent) in (0..).zip(absent) {
            if absent {
                lead.leave(target);
            }
        }
        lead
    }

    /// A target that failed takes no further part.
    fn leave(&mut self, target: u16) {
        self.gone[usize::from(target)] = true;
        self.setup.sites[usize::from(target)].gate.shut();
        self.crew.order(Order::Leave { target });
    }

    /// Nothing more is sent to the target, and our calls on it are hung up; the others go on. When none is left the run ends.
    fn halt(&mut self, target: u16, why: FailureWhy) -> Option<Stopped> {
        self.fail(target, why);
        self.gone[usize::from(target)] = true;
        self.crew.order(Order::Halt { target });
        // Nor does a session that is on its way back get in.
        self.setup.sites[usize::from(target)].gate.shut();
        self.cleaning.begin(target);
        let all_gone = self.gone.iter().all(|gone| *gone);
        all_gone.then(|| {
            let texts: Vec<String> = self.failures.iter().map(ToString::to_string).collect();
            self.stop(Stopped::Aborted(texts.join("; ")))
        })
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
                    Some(notice) => self.note(notice),
                },
                (target, trip) = self.watch.tripped() => {
                    self.fail(target, FailureWhy::Guard { after: None, trip });
                    self.leave(target);
                }
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
        base: Duration,
        wish: &mut watch::Receiver<Wish>,
        mut objection: oneshot::Receiver<Objection>,
    ) -> Stopped {
        let mut waiting = self.crew.len();
        let mut stopped = Stopped::Completed;
        let patience = self.setup.plan.patience;
        let mut all_lost_at: Option<Instant> = None;
        self.watch.load_begins();
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
                    Some(Notice::Blind { target }) => {
                        let account = self.setup.sites[usize::from(target)].account.clone();
                        let ended = self.halt(target, FailureWhy::Blind { account });
                        stopped = ended.filter(|_| !stopping).unwrap_or(stopped);
                    }
                    Some(notice) => {
                        self.note(notice);
                        let lost = !self.up.iter().flatten().any(|up| *up);
                        all_lost_at = lost.then(|| all_lost_at.unwrap_or_else(Instant::now));
                    }
                    None => break,
                },
                (target, trip) = self.watch.tripped() => {
                    let after = Some(self.setup.clock.now().saturating_sub(base));
                    let ended = self.halt(target, FailureWhy::Guard { after, trip });
                    stopped = ended.filter(|_| !stopping).unwrap_or(stopped);
                }
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

    fn note(&mut self, notice: Notice) {
        match notice {
            Notice::Sessions { worker, target, up } => {
                self.up[usize::from(worker)][usize::from(target)] = up > 0;
            }
            Notice::SessionLost { target, why } => self.watch.session_lost(target, why),
            Notice::Ready
            | Notice::SeatFailed { .. }
            | Notice::Blind { .. }
            | Notice::Drained
            | Notice::Broken => {}
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
