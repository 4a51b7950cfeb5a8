//! Everything resolved: scenario × targets × seed, with every default filled and every limit checked.
//!
//! A plan is parameters and seed, not the number of workers; its SHA-256 covers each arrival of the open-loop phases.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_client::target::{Environment, Role};
use ami_client::{Document, DocumentError, Target};
use ami_results::layout::{self, Layout, LayoutError, Shape};
use serde::Serialize;
use thiserror::Error;

use crate::arrival::{MixCycle, Stretch};
use crate::feed::{Feed, FeedError};
use crate::rate::{Rate, Span};
use crate::scenario::{Measure, Scenario};
use crate::threshold::{Threshold, Written};

mod arrivals;
mod describe;
mod describe_flow;
pub(crate) mod feed;
pub mod flow;
mod limits;
mod listening;
mod resolve;
mod segment;
mod what;

pub use crate::arrival::Arrivals;
pub use flow::{PlannedFlow, PlannedStep};
pub use limits::VISITORS_MAX;
use listening::LISTENING_MAX;
pub use segment::{Segment, SegmentError};
pub use what::{Asked, What};

/// With no session left anywhere for so long, the rest of a run would measure nothing, unless the scenario says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// The slug of actions that make events.
pub(crate) const USER_EVENT: &str = "user-event";

#[derive(Debug)]
pub struct Plan {
    pub scenario: String,
    pub seed: u64,
    pub workers: u16,
    /// The part of the load that this process offers; not part of the plan's SHA-256.
    pub segment: Segment,
    pub targets: Vec<PlannedTarget>,
    pub groups: Vec<PlannedGroup>,
    pub feeds: Vec<Feed>,
    pub flows: Vec<PlannedFlow>,
    pub phases: Vec<PlannedPhase>,
    /// How long the run waits for a session to come back where every target has lost all of its own.
    pub patience: Duration,
    /// Slugs of the actions, as results name them.
    pub actions: Vec<String>,
    pub thresholds: Vec<Threshold>,
}

#[derive(Debug)]
pub struct PlannedTarget {
    pub target: Target,
    pub roles: BTreeMap<String, Role>,
    pub protection: Protection,
}

/// Whether a guard stops the load on a target that it endangers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    Guarded,
    #[default]
    Unguarded,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedGroup {
    pub name: String,
    pub sessions: u32,
    pub events: String,
    /// Sessions that measure are read at once, whatever else is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_every: Option<Duration>,
}

/// When the bytes of a session are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As soon as there are any.
    Prompt,
    /// At once while an action is open, and with the sweep while nobody waits for anything.
    WhenAwaited,
    /// Only so often: a client that cannot keep up.
    Every(Duration),
}

impl PlannedGroup {
    pub fn reading(&self) -> Reading {
        match self.read_every {
            Some(every) => Reading::Every(every),
            // Nothing comes unasked.
            None if self.events == "off" => Reading::Prompt,
            None if self.measure.is_some() => Reading::Prompt,
            None => Reading::WhenAwaited,
        }
    }
}

#[derive(Debug)]
pub struct PlannedPhase {
    pub name: String,
    pub starts_at: Duration,
    pub duration: Duration,
    /// Offered and recorded, but measured by nothing.
    pub warm_up: bool,
    pub arrival: Arrivals,
    pub mix: Vec<PlannedAction>,
    pub cycle: MixCycle,
}

impl PlannedPhase {
    /// Whether its sessions act by themselves.
    pub fn is_closed(&self) -> bool {
        matches!(self.arrival, Arrivals::Closed { .. })
    }

    pub fn ends_at(&self) -> Duration {
        self.starts_at + self.duration
    }
}

#[derive(Clone, Debug)]
pub struct PlannedAction {
    /// Index into the plan's action slugs.
    pub action: u16,
    pub group: u16,
    pub share: u32,
    pub timeout: Duration,
    pub what: What,
}

/// What the command line changes in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub seed: Option<u64>,
    pub rate: Option<Rate>,
    pub sessions: Option<u32>,
    /// Of each phase that is measured.
    pub duration: Option<Duration>,
    /// A phase of that length before the others.
    pub warm_up: Option<Duration>,
    pub workers: Option<u16>,
    pub segment: Option<Segment>,
    /// For targets that are not in production: those are always guarded.
    pub protection: Protection,
}

#[derive(Debug, Error)]
pub enum PlanError {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("no target: name one with --target, or list `targets` in the scenario")]
    NoTarget,
    #[error("target {name} is named twice")]
    TargetTwice { name: String },
    #[error(
        "{workers} cannot share the sessions of group {group}, which has {sessions} on each target: each worker \
         needs one"
    )]
    TooManyWorkers {
        workers: String,
        group: String,
        sessions: u32,
    },
    #[error(
        "target {target} permits {permitted} and this run needs {needed}: raise `{key}` under [limits] in {origin}, \
         or lower the load"
    )]
    Limit {
        target: String,
        origin: String,
        key: &'static str,
        permitted: u64,
        needed: u64,
    },
    #[error(
        "target {target} permits no call to {channel} (role {role}): add a [[limits.dial]] with `channel`, `context` \
         and `exten` patterns to {origin}"
    )]
    NotPermitted {
        target: String,
        origin: String,
        role: String,
        channel: String,
    },
    #[error(
        "target {target}, role {role}: {name} looks like a trunk, which only a [[limits.dial]] without `*` opens, \
         in {origin}"
    )]
    Trunk {
        target: String,
        origin: String,
        role: String,
        name: String,
    },
    #[error("target {target}, role {role}: {number} is an emergency number; no test may dial it")]
    Emergency {
        target: String,
        role: String,
        number: String,
    },
    #[error(
        "{listeners} sessions that measure the events of {senders} sessions on each target are too many to follow: \
         {LISTENING_MAX} pairs at most, use fewer senders"
    )]
    TooMuchListening { listeners: u32, senders: u32 },
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error("failed to {0}")]
    Layout(#[from] LayoutError),
}

impl Plan {
    pub fn resolve(
        name: &str,
        document: &Document,
        scenario: Scenario,
        targets: Vec<Target>,
        overrides: &Overrides,
    ) -> Result<Self, PlanError> {
        if targets.is_empty() {
            return Err(PlanError::NoTarget);
        }
        for (index, target) in targets.iter().enumerate() {
            if targets[..index]
                .iter()
                .any(|earlier| earlier.name == target.name)
            {
                return Err(PlanError::TargetTwice {
                    name: target.name.clone(),
                });
            }
        }
        let groups = resolve::resolve_groups(document, &scenario, overrides)?;
        let workers = overrides.workers.unwrap_or(1).max(1);
        let segment = overrides.segment.unwrap_or(Segment::WHOLE);
        resolve::check_workers(&groups, workers, segment)?;
        let mut actions = Vec::new();
        let feeds = resolve::resolve_feeds(document, &scenario)?;
        let flows = resolve::resolve_flows(document, &scenario, &feeds, &mut actions)?;
        let phases = resolve::resolve_phases(
            document,
            &scenario,
            (&groups, &flows),
            overrides,
            &mut actions,
        )?;
        resolve::check_used(document, &scenario)?;
        let mut planned = Vec::new();
        for target in targets {
            let roles = resolve::resolve_roles(document, &scenario, &target)?;
            let guarded = target.environment == Environment::Production
                || scenario.guard
                || overrides.protection == Protection::Guarded;
            planned.push(PlannedTarget {
                target,
                roles,
                protection: if guarded {
                    Protection::Guarded
                } else {
                    Protection::Unguarded
                },
            });
        }
        let feed_names: Vec<_> = scenario.feed.iter().map(|feed| feed.name.span()).collect();
        let mut plan = Self {
            scenario: name.to_owned(),
            seed: overrides.seed.unwrap_or(scenario.seed),
            workers,
            segment,
            targets: planned,
            groups,
            feeds,
            flows,
            phases,
            patience: scenario
                .patience
                .map_or(PATIENCE, |Span(patience)| patience),
            actions,
            thresholds: Vec::new(),
        };
        plan.check_listening(document, &scenario.group)?;
        plan.check_unique_feeds(document, &feed_names)?;
        plan.keep_limits()?;
        let layout = plan.layout()?;
        let written = scenario.thresholds.iter();
        plan.thresholds = written
            .map(|written| Written::resolve(document, written, &layout))
            .collect::<Result<_, _>>()?;
        Ok(plan)
    }

    pub fn duration(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }

    pub fn target_indices(&self) -> impl Iterator<Item = u16> + use<> {
        0..u16::try_from(self.targets.len()).expect("targets are bounded by the tags")
    }

    pub fn entry(&self, phase: u16, mix: u16) -> &PlannedAction {
        &self.phases[usize::from(phase)].mix[usize::from(mix)]
    }

    pub fn sessions_per_target(&self) -> u32 {
        self.groups.iter().map(|group| group.sessions).sum()
    }

    /// The actions that an arrival of the entry sends: one, or those of a flow's steps.
    pub fn whats<'a>(&'a self, entry: &'a PlannedAction) -> Vec<&'a What> {
        match entry.what {
            What::Flow(flow) => self.flows[usize::from(flow)].whats().collect(),
            _ => vec![&entry.what],
        }
    }

    /// A turn of a closed loop sends so many actions at most.
    pub fn actions_a_turn_max(&self) -> usize {
        let entries = self.phases.iter().flat_map(|phase| &phase.mix);
        let actions = entries.map(|entry| self.whats(entry).len());
        actions.max().unwrap_or_default().max(1)
    }

    /// Every kind of action that the run sends.
    pub fn all_whats(&self) -> impl Iterator<Item = &What> {
        let entries = self.phases.iter().flat_map(|phase| &phase.mix);
        entries.flat_map(|entry| self.whats(entry))
    }

    pub fn originates(&self) -> bool {
        self.does(|what| matches!(what, What::Originate { .. }))
    }

    pub fn logs_in(&self) -> bool {
        self.does(|what| matches!(what, What::Login))
    }

    fn does(&self, is: impl Fn(&What) -> bool) -> bool {
        self.all_whats().any(is)
    }

    /// Workers of all segments together.
    pub fn crew(&self) -> u32 {
        u32::from(self.workers) * u32::from(self.segment.count)
    }

    /// The number of a worker of this process among those of all segments.
    pub fn member(&self, worker: u16) -> u16 {
        self.segment.index * self.workers + worker
    }

    /// The sessions of this segment on each target.
    pub fn own_sessions_per_target(&self) -> u32 {
        let crew = self.crew();
        let first = u32::from(self.member(0));
        let mine = (first..first + u32::from(self.workers)).flat_map(|member| {
            let of_group = move |group: &PlannedGroup| (group.sessions + crew - 1 - member) / crew;
            self.groups.iter().map(of_group)
        });
        mine.sum()
    }

    pub(crate) fn stretch(&self, phase: u16) -> Stretch {
        Stretch {
            duration: self.phases[usize::from(phase)].duration,
            targets: u16::try_from(self.targets.len()).expect("targets are bounded by the tags"),
            seed: self.seed,
            phase,
        }
    }

    /// When the first phase that is measured begins.
    pub fn measured_from(&self) -> Duration {
        let measured = self.phases.iter().find(|phase| !phase.warm_up);
        measured.map_or(Duration::ZERO, |phase| phase.starts_at)
    }

    /// The share of a worker, by its number among all, in what the target permits.
    pub fn calls_up_max(&self, target: u16, member: u16) -> u32 {
        let permitted = self.targets[usize::from(target)].target.limits.max_calls_up;
        limits::share(permitted, member, self.crew())
    }

    pub fn layout(&self) -> Result<Layout, LayoutError> {
        let phases = self.phases.iter().map(|phase| {
            let offered = phase.mix.iter().flat_map(|entry| self.offered(entry));
            let mut actions: Vec<u16> = offered.map(|(action, _)| action).collect();
            actions.sort_unstable();
            actions.dedup();
            layout::Phase {
                name: phase.name.clone(),
                starts_at: nanos(phase.starts_at),
                ends_at: nanos(phase.starts_at + phase.duration),
                actions,
                warm_up: phase.warm_up,
            }
        });
        let entries = self.phases.iter().flat_map(|phase| &phase.mix);
        let shapes: BTreeMap<u16, Shape> = entries.flat_map(|entry| self.offered(entry)).collect();
        let actions = (0u16..).zip(&self.actions).map(|(index, name)| {
            let shape = *shapes.get(&index).expect("each action stands in a mix");
            layout::Action {
                name: name.clone(),
                shape,
            }
        });
        let targets = self
            .targets
            .iter()
            .map(|planned| planned.target.name.clone());
        Layout::new(targets.collect(), phases.collect(), actions.collect())
    }
}

impl Plan {
    /// What has records of its own: the entry, and each step when it is a flow.
    fn offered(&self, entry: &PlannedAction) -> Vec<(u16, Shape)> {
        let mut offered = vec![(entry.action, entry.what.shape())];
        if let What::Flow(flow) = entry.what {
            let steps = &self.flows[usize::from(flow)].steps;
            offered.extend(steps.iter().map(|step| (step.action, step.shape())));
        }
        offered
    }
}

/// A duration as results count it.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("a run lasts under 500 years")
}

#[cfg(test)]
mod tests;
