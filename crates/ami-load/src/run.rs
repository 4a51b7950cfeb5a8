//! Leads one run from the first session to the last line of its results.
//!
//! Stages: preflight on each target → every seat taken → load → answers awaited → own calls hung up → log off → verdicts.
//! A target that fails does not stop the others.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use ami_client::Clock;
use ami_client::Peer;
use ami_client::open::{Gate, OpenError};
use ami_client::target::Endpoint;
use ami_proto::session::{LoginForm, Secret};
use ami_results::host::Host;
use ami_results::manifest::{self, End, Manifest};
use ami_results::recorder::{Recorder, RecorderError, Records};
use ami_results::run_dir::RunDir;
use ami_results::totals::Totals;
use ami_results::verdict::Verdict;
use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

mod canary;
mod cleaning;
mod collector;
mod crew;
mod lead;
mod preflight;
mod start;

pub use collector::Live;
pub use preflight::PreflightError;
pub use start::{Start, StartError};

use canary::Canary;
use collector::Collector;
use crew::Crew;
use lead::{Lead, Stopped};
use preflight::Control;

use crate::fan_out::Board;
use crate::guard::Trip;
use crate::plan::{Plan, Protection, Segment, nanos};
use crate::rate::Rate;
use crate::run_tag::RunTag;
use crate::script::Script;
pub use crate::script::ScriptError;
use crate::worker::Order;

/// Batches on their way to the collector; a worker that fills this waits, and its lateness shows as lag.
const BATCHES_MAX: usize = 256;
const LOGOFF_WITHIN: Duration = Duration::from_secs(2);

/// What every part of a run shares.
#[derive(Debug)]
pub struct Setup {
    pub(crate) plan: Arc<Plan>,
    pub(crate) tag: RunTag,
    pub(crate) clock: Clock,
    pub(crate) script: Script,
    pub(crate) board: Board,
    pub(crate) sites: Vec<Site>,
}

/// Where a target is and how to get in, in the order of the plan's targets.
#[derive(Debug)]
pub struct Site {
    pub peer: Peer,
    pub account: String,
    pub secret: Secret,
    pub login: LoginForm,
    pub gate: Gate,
}

impl Setup {
    pub fn new(plan: Plan, sites: Vec<Site>, clock: Clock) -> Result<Self, ScriptError> {
        let tag = RunTag::random();
        let script = Script::build(&plan, &tag)?;
        Ok(Self {
            board: Board::new(&plan),
            plan: Arc::new(plan),
            tag,
            clock,
            script,
            sites,
        })
    }

    pub fn tag(&self) -> &RunTag {
        &self.tag
    }
}

/// What the manifest says besides the plan.
#[derive(Clone, Debug)]
pub struct Description {
    pub version: String,
    pub command: Vec<String>,
    pub scenario_text: String,
    pub labels: BTreeMap<String, String>,
    pub records: Records,
    pub start: Start,
}

/// What the operator wants of a run that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    Go,
    /// End early, but properly.
    Stop,
    /// Leave at once, without cleaning up.
    Abandon,
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    pub run_dir: PathBuf,
    pub end: End,
    pub totals: Totals,
    pub verdicts: Vec<Verdict>,
    pub failures: Vec<TargetFailure>,
    pub left: LeftUp,
}

/// Channels of the run that were left up, by target.
pub type LeftUp = Vec<(String, Vec<String>)>;

#[derive(Debug)]
pub struct TargetFailure {
    pub target: String,
    pub why: FailureWhy,
}

/// With every cause, as results and people read it.
impl fmt::Display for TargetFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        let mut causes = std::iter::successors(self.why.source(), |cause| (*cause).source());
        causes.try_for_each(|cause| write!(f, ": {cause}"))
    }
}

#[derive(Debug, Error)]
pub enum FailureWhy {
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    #[error("not every session could be opened")]
    Seat(#[source] OpenError),
    #[error("every session was lost and none came back")]
    Lost,
    #[error("the guard stopped the load {}: {trip}", moment(*.after))]
    Guard {
        /// Since the first arrival; none when the load had not begun.
        after: Option<Duration>,
        trip: Trip,
    },
    #[error(
        "calls are placed and not an event of them is seen: give account {account} the class `call` to read, in the PBX's \
         words `read = call`"
    )]
    Blind { account: String },
    #[error("failed to hang up the calls of the run; `amibench cleanup` can do it later")]
    Cleaning(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn moment(after: Option<Duration>) -> String {
    after.map_or_else(
        || "before it began".to_owned(),
        |after| format!("after {:.1} s", after.as_secs_f64()),
    )
}

#[derive(Debug, Error)]
pub enum RunError {
    #[error("no target is left to load")]
    NoTarget { failures: Vec<TargetFailure> },
    #[error("interrupted before the load began")]
    Interrupted,
    #[error("the sessions were up only after the instant of --start-at: give them more time")]
    Late,
    #[error("failed to write results")]
    Recorder(#[from] RecorderError),
    #[error("a worker could not go on")]
    Worker(#[from] io::Error),
}

/// Runs the load; `live` shows how far it is, `wish` is what the operator wants.
pub async fn run(
    setup: Setup,
    description: Description,
    run_dir: RunDir,
    live: watch::Sender<Live>,
    mut wish: watch::Receiver<Wish>,
) -> Result<Finished, RunError> {
    let setup = Arc::new(setup);
    let (readies, failures) = tokio::select! {
        checked = preflight_all(&setup) => checked,
        () = lead::wished(&mut wish, Wish::Stop) => return Err(RunError::Interrupted),
    };
    if readies.iter().all(Option::is_none) {
        return Err(RunError::NoTarget { failures });
    }
    let (batches, received) = sync_channel(BATCHES_MAX);
    let crew = Crew::start(&setup, &batches);
    drop(batches);
    // Before the clock of the load starts: its digest covers every arrival, and a long plan has millions.
    let mut manifest = manifest(&setup, &description, &readies);
    let mut lead = Lead::new(Arc::clone(&setup), crew, failures, (readies, wish.clone()));
    if let Err(error) = lead.take_seats(&mut wish).await {
        lead.crew.finish().await?;
        return Err(match error {
            lead::NotStarted::Interrupted => RunError::Interrupted,
            lead::NotStarted::NoTarget => RunError::NoTarget {
                failures: lead.failures,
            },
        });
    }
    let Some((base, started_at)) = description.start.base(setup.clock) else {
        lead.crew.finish().await?;
        return Err(RunError::Late);
    };
    manifest.started_at = started_at;
    let recorder = Recorder::new(run_dir, manifest, description.records)?;
    let (objection, objected) = oneshot::channel();
    let recording = (Arc::clone(&setup.plan), recorder);
    let collector = Collector::start(recording, received, (setup.clock, base), live, objection);
    lead.crew.order(Order::Start { base });
    let stopped = lead.load(base, &mut wish, objected).await;
    lead.crew.order(Order::HangingUp);
    let Lead {
        crew,
        mut failures,
        stopped_at,
        cleaning,
        watch,
        ..
    } = lead;
    let (left, ()) = tokio::join!(cleaning.finish(&mut failures), watch.end());
    let worked = crew.finish().await;
    let loaded = Loaded {
        stopped,
        offered_until: stopped_at.unwrap_or(Duration::MAX),
        failures,
        left,
    };
    let finished = finish(&setup, collector, base, loaded);
    worked?;
    finished
}

/// What is known when the load is over and the results are not closed yet.
struct Loaded {
    stopped: Stopped,
    /// On the clock.
    offered_until: Duration,
    failures: Vec<TargetFailure>,
    left: LeftUp,
}

/// Closes the results: verdicts first, so that the manifest's end is the last word.
fn finish(
    setup: &Setup,
    collector: Collector,
    base: Duration,
    loaded: Loaded,
) -> Result<Finished, RunError> {
    let Loaded {
        stopped,
        offered_until,
        failures,
        left,
    } = loaded;
    let (mut recorder, error) = collector.join();
    let now = nanos(setup.clock.now().saturating_sub(base));
    let run_dir = recorder.run_dir().path().to_owned();
    let failed = |target: &str| failures.iter().any(|failure| failure.target == target);
    let mut verdicts = Vec::new();
    for (target, planned) in (0u16..).zip(&setup.plan.targets) {
        if !failed(&planned.target.name) {
            let until = offered_until
                .saturating_sub(base)
                .min(setup.plan.duration());
            let thresholds = setup.plan.thresholds.iter();
            let thresholds = thresholds.filter(|threshold| threshold.is_of(target));
            verdicts.extend(thresholds.map(|threshold| threshold.judge(&recorder, target, until)));
        }
    }
    if let Stopped::Failed(failed) = &stopped {
        keep(&mut verdicts, failed);
    }
    let written = recorder.run_dir().write_verdicts(&verdicts);
    let end = match stopped {
        Stopped::Completed => End::Completed,
        Stopped::Interrupted => End::Interrupted,
        Stopped::Aborted(reason) => End::Aborted { reason },
        Stopped::Failed(Verdict {
            subject, measured, ..
        }) => End::Aborted {
            reason: format!("threshold failed: {subject}, measured {measured}"),
        },
    };
    for failure in &failures {
        recorder.target_failed(&failure.target, failure.to_string());
    }
    let finished = recorder.finish(now, end.clone());
    if let Some(error) = error {
        return Err(error.into());
    }
    written.map_err(RecorderError::from)?;
    let totals = finished?;
    Ok(Finished {
        run_dir,
        end,
        totals,
        verdicts,
        failures,
        left,
    })
}

/// The verdict that stopped the run stands, whatever the answers that came after it would make of it.
fn keep(verdicts: &mut [Verdict], failed: &Verdict) {
    let mut verdicts = verdicts.iter_mut();
    if let Some(verdict) = verdicts.find(|verdict| verdict.subject == failed.subject) {
        failed.clone_into(verdict);
        verdict.detail = Some("it stopped the run".to_owned());
    }
}

/// A target that passed its preflight.
#[derive(Debug)]
struct Ready {
    control: Control,
    canary: Option<Canary>,
}

/// The canary, where there is one, is the first to log in.
async fn preflight(setup: &Arc<Setup>, target: u16) -> Result<Ready, PreflightError> {
    let canary = match setup.plan.targets[usize::from(target)].protection {
        Protection::Guarded => Some(Canary::open(setup, target).await?),
        Protection::Unguarded => None,
    };
    let control = preflight::check(setup, target).await?;
    Ok(Ready { control, canary })
}

async fn preflight_all(setup: &Arc<Setup>) -> (Vec<Option<Ready>>, Vec<TargetFailure>) {
    let mut checks = tokio::task::JoinSet::new();
    for target in setup.plan.target_indices() {
        let setup = Arc::clone(setup);
        checks.spawn(async move { (target, preflight(&setup, target).await) });
    }
    let mut readies: Vec<Option<Ready>> = setup.sites.iter().map(|_| None).collect();
    let mut failures = Vec::new();
    while let Some(joined) = checks.join_next().await {
        let (target, result) = joined.expect("a preflight does not panic");
        match result {
            Ok(ready) => readies[usize::from(target)] = Some(ready),
            Err(error) => {
                // The workers need not try what has failed.
                setup.sites[usize::from(target)].gate.shut();
                let name = setup.plan.targets[usize::from(target)].target.name.clone();
                failures.push(TargetFailure {
                    target: name,
                    why: error.into(),
                });
            }
        }
    }
    (readies, failures)
}

fn manifest(setup: &Setup, description: &Description, readies: &[Option<Ready>]) -> Manifest {
    let plan = &setup.plan;
    let targets =
        plan.targets
            .iter()
            .zip(readies)
            .zip(&setup.sites)
            .map(|((planned, ready), site)| {
                let control = ready.as_ref().map(|ready| &ready.control);
                let target = &planned.target;
                manifest::Target {
                    name: target.name.clone(),
                    address: match &target.endpoint {
                        Endpoint::Address(address) => address.clone(),
                        Endpoint::Simulated(_) => {
                            format!("{} at {}", target.endpoint, site.peer.address)
                        }
                    },
                    account: target.account.clone(),
                    banner: control.and_then(|control| control.banner.clone()),
                    version: control.and_then(|control| control.version.clone()),
                    labels: target.labels.clone(),
                    environment: target.environment.to_string(),
                    limits: serde_json::to_value(&target.limits).expect("limits are plain numbers"),
                    failure: None,
                }
            });
    let mut offered = Vec::new();
    for target in plan.target_indices() {
        for (phase, planned) in (0u16..).zip(&plan.phases) {
            let peak = planned.arrival.peak(planned.duration);
            let arrivals = planned.arrival.count(&plan.stretch(phase), target);
            offered.push(manifest::Offered {
                target,
                phase,
                sessions: plan.sessions_per_target(),
                rate_per_s: peak.map(Rate::per_second),
                arrivals: Some(arrivals).filter(|arrivals| *arrivals > 0),
            });
        }
    }
    Manifest {
        format: manifest::FORMAT,
        run_id: setup.tag.as_str().to_owned(),
        version: description.version.clone(),
        command: description.command.clone(),
        scenario: manifest::Scenario {
            name: plan.scenario.clone(),
            text: description.scenario_text.clone(),
        },
        seed: plan.seed,
        plan_sha256: plan.sha256(),
        segment: (plan.segment != Segment::WHOLE).then_some(manifest::Segment {
            index: plan.segment.index,
            count: plan.segment.count,
        }),
        merged_from: Vec::new(),
        started_at: Timestamp::now(),
        ended_at: None,
        labels: description.labels.clone(),
        targets: targets.collect(),
        layout: plan
            .layout()
            .expect("the plan was resolved with this layout"),
        offered,
        host: Host::detect(),
        end: End::Running,
        validity: None,
        records_left_out: 0,
    }
}
