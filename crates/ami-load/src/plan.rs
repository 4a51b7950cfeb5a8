//! Everything resolved: scenario × targets × seed, with every default filled and every limit checked.
//!
//! A plan is parameters and seed, not the number of workers; its SHA-256 covers each arrival of the open-loop phases.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_client::dial::{self, Forbidden};
use ami_client::target::Role;
use ami_client::{Document, DocumentError, Target};
use ami_proto::session::Answer;
use ami_results::layout::{self, Layout, LayoutError, Shape, slug};
use serde::Serialize;
use thiserror::Error;
use toml::Spanned;

use crate::arrival::MixCycle;
use crate::query::Query;
use crate::rate::{Rate, Span};
use crate::scenario::{Arrival, MixEntry, Phase, Scenario};
use crate::threshold::Threshold;

mod describe;
mod limits;

/// An action that is not answered by then has timed out, unless the scenario says otherwise.
const ACTION_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Plan {
    pub scenario: String,
    pub seed: u64,
    pub workers: u16,
    pub targets: Vec<PlannedTarget>,
    pub groups: Vec<PlannedGroup>,
    pub phases: Vec<PlannedPhase>,
    /// Slugs of the actions, as results name them.
    pub actions: Vec<String>,
    pub thresholds: Vec<Threshold>,
}

#[derive(Debug)]
pub struct PlannedTarget {
    pub target: Target,
    pub roles: BTreeMap<String, Role>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedGroup {
    pub name: String,
    pub sessions: u32,
    pub events: String,
}

#[derive(Debug)]
pub struct PlannedPhase {
    pub name: String,
    pub starts_at: Duration,
    pub duration: Duration,
    pub arrival: Arrivals,
    pub mix: Vec<PlannedAction>,
    pub cycle: MixCycle,
}

impl PlannedPhase {
    pub fn ends_at(&self) -> Duration {
        self.starts_at + self.duration
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Arrivals {
    Constant { rate: Rate },
    Closed { think: Duration },
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

#[derive(Clone, Debug)]
pub enum What {
    Ping,
    Query(Query),
    Originate {
        role: String,
        hold: Duration,
        ring: Duration,
    },
}

impl What {
    pub fn slug(&self) -> String {
        match self {
            Self::Ping => "ping".to_owned(),
            Self::Query(query) => query.slug().to_owned(),
            Self::Originate { role, .. } => format!("originate-{}", slug(role)),
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Self::Ping => Shape::OnePhase,
            Self::Originate { .. } => Shape::TwoPhase,
            Self::Query(query) => match query.answer() {
                Answer::List => Shape::List,
                Answer::Single | Answer::Raw => Shape::OnePhase,
            },
        }
    }
}

/// What the command line changes in a scenario.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub seed: Option<u64>,
    pub rate: Option<Rate>,
    pub sessions: Option<u32>,
    pub duration: Option<Duration>,
    pub workers: Option<u16>,
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
        "{workers} workers cannot share the sessions of group {group}, which has {sessions} on each target: each worker \
         needs one"
    )]
    TooManyWorkers {
        workers: u16,
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
        let groups = resolve_groups(document, &scenario, overrides)?;
        let workers = overrides.workers.unwrap_or(1).max(1);
        check_workers(&groups, workers)?;
        let mut actions = Vec::new();
        let phases = resolve_phases(document, &scenario, &groups, overrides, &mut actions)?;
        for threshold in &scenario.thresholds {
            check_threshold(document, threshold, &actions)?;
        }
        let mut planned = Vec::new();
        for target in targets {
            let roles = resolve_roles(document, &scenario, &target)?;
            planned.push(PlannedTarget { target, roles });
        }
        let plan = Self {
            scenario: name.to_owned(),
            seed: overrides.seed.unwrap_or(scenario.seed),
            workers,
            targets: planned,
            groups,
            phases,
            actions,
            thresholds: scenario
                .thresholds
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
        };
        plan.keep_limits()?;
        plan.layout()?;
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

    pub fn originates(&self) -> bool {
        self.phases
            .iter()
            .flat_map(|phase| &phase.mix)
            .any(|entry| matches!(entry.what, What::Originate { .. }))
    }

    /// The share of a worker in what the target permits.
    pub fn calls_up_max(&self, target: u16, worker: u16) -> u32 {
        let permitted = self.targets[usize::from(target)].target.limits.max_calls_up;
        let workers = u32::from(self.workers);
        permitted / workers + u32::from(u32::from(worker) < permitted % workers)
    }

    pub fn layout(&self) -> Result<Layout, LayoutError> {
        let phases = self.phases.iter().map(|phase| {
            let mut actions: Vec<u16> = phase.mix.iter().map(|entry| entry.action).collect();
            actions.sort_unstable();
            actions.dedup();
            layout::Phase {
                name: phase.name.clone(),
                starts_at: nanos(phase.starts_at),
                ends_at: nanos(phase.starts_at + phase.duration),
                actions,
            }
        });
        let entries = || self.phases.iter().flat_map(|phase| &phase.mix);
        let actions = (0u16..).zip(&self.actions).map(|(index, name)| {
            let entry = entries()
                .find(|entry| entry.action == index)
                .expect("each action stands in a mix");
            layout::Action {
                name: name.clone(),
                shape: entry.what.shape(),
            }
        });
        let targets = self
            .targets
            .iter()
            .map(|planned| planned.target.name.clone());
        Layout::new(targets.collect(), phases.collect(), actions.collect())
    }
}

/// A duration as results count it.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("a run lasts under 500 years")
}

/// Arrivals are dealt to the workers in turn: one without a session of the group could only let its share wait.
fn check_workers(groups: &[PlannedGroup], workers: u16) -> Result<(), PlanError> {
    match groups
        .iter()
        .find(|group| group.sessions < u32::from(workers))
    {
        None => Ok(()),
        Some(group) => Err(PlanError::TooManyWorkers {
            workers,
            group: group.name.clone(),
            sessions: group.sessions,
        }),
    }
}

fn resolve_groups(
    document: &Document,
    scenario: &Scenario,
    overrides: &Overrides,
) -> Result<Vec<PlannedGroup>, DocumentError> {
    let mut groups: Vec<PlannedGroup> = Vec::new();
    for group in &scenario.group {
        check_name(
            document,
            &group.name,
            groups.iter().map(|group| group.name.as_str()),
        )?;
        let sessions = *group.sessions.get_ref();
        if sessions == 0 {
            return Err(
                document.error_at(group.sessions.span(), "a group has at least one session")
            );
        }
        if group.events.get_ref().contains(['\r', '\n']) {
            return Err(document.error_at(
                group.events.span(),
                "an event mask is one line, such as `off` or `call`",
            ));
        }
        groups.push(PlannedGroup {
            name: group.name.get_ref().clone(),
            sessions: overrides.sessions.unwrap_or(sessions),
            events: group.events.get_ref().clone(),
        });
    }
    if groups.is_empty() {
        return Err(document.error_at(0..0, "a scenario has at least one [[group]]"));
    }
    Ok(groups)
}

fn resolve_phases(
    document: &Document,
    scenario: &Scenario,
    groups: &[PlannedGroup],
    overrides: &Overrides,
    actions: &mut Vec<String>,
) -> Result<Vec<PlannedPhase>, DocumentError> {
    let mut phases: Vec<PlannedPhase> = Vec::new();
    for phase in &scenario.phase {
        check_name(
            document,
            &phase.name,
            phases.iter().map(|phase| phase.name.as_str()),
        )?;
        let starts_at = phases.iter().map(|phase| phase.duration).sum();
        let mix = resolve_mix(document, phase, groups, actions)?;
        let shares: Vec<u32> = mix.iter().map(|entry| entry.share).collect();
        if mix.is_empty() || MixCycle::length(&shares) > MixCycle::LENGTH_MAX {
            let message = format!(
                "a mix has entries whose reduced shares add up to at most {}",
                MixCycle::LENGTH_MAX
            );
            return Err(document.error_at(phase.mix.span(), message));
        }
        phases.push(PlannedPhase {
            name: phase.name.get_ref().clone(),
            starts_at,
            duration: overrides.duration.unwrap_or(phase.duration.0),
            arrival: match (*phase.arrival.get_ref(), overrides.rate) {
                (Arrival::Constant { .. }, Some(rate)) => Arrivals::Constant { rate },
                (Arrival::Constant { rate }, None) => Arrivals::Constant { rate },
                (Arrival::Closed { think }, _) => Arrivals::Closed {
                    think: think.map_or(Duration::ZERO, |Span(think)| think),
                },
            },
            mix,
            cycle: MixCycle::new(&shares),
        });
    }
    if phases.is_empty() {
        return Err(document.error_at(0..0, "a scenario has at least one [[phase]]"));
    }
    Ok(phases)
}

fn resolve_mix(
    document: &Document,
    phase: &Phase,
    groups: &[PlannedGroup],
    actions: &mut Vec<String>,
) -> Result<Vec<PlannedAction>, DocumentError> {
    let mut mix = Vec::new();
    for entry in phase.mix.get_ref() {
        let what = resolve_what(document, phase, entry)?;
        let share = *entry.share.get_ref();
        if share == 0 {
            return Err(document.error_at(entry.share.span(), "a share is at least 1"));
        }
        let group = match &entry.group {
            None => 0,
            Some(name) => groups
                .iter()
                .position(|group| group.name == *name.get_ref())
                .ok_or_else(|| {
                    let known: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
                    let message = format!(
                        "no group is named {:?}; there are: {}",
                        name.get_ref(),
                        known.join(", ")
                    );
                    document.error_at(name.span(), message)
                })?,
        };
        let slug = what.slug();
        let action = actions
            .iter()
            .position(|known| *known == slug)
            .unwrap_or_else(|| {
                actions.push(slug);
                actions.len() - 1
            });
        mix.push(PlannedAction {
            action: u16::try_from(action).expect("actions are bounded by the tags"),
            group: u16::try_from(group).expect("groups are few"),
            share,
            timeout: entry
                .timeout
                .map_or(ACTION_TIMEOUT, |Span(timeout)| timeout),
            what,
        });
    }
    Ok(mix)
}

fn resolve_what(
    document: &Document,
    phase: &Phase,
    entry: &MixEntry,
) -> Result<What, DocumentError> {
    match (entry.ping, &entry.originate, entry.query) {
        (Some(_), None, None) => Ok(What::Ping),
        (None, None, Some(query)) => Ok(What::Query(query)),
        (None, Some(originate), None) => Ok(What::Originate {
            role: originate.role.get_ref().clone(),
            hold: originate.hold.0,
            ring: originate.ring.0,
        }),
        _ => {
            let span = if entry.share.span().is_empty() {
                phase.mix.span()
            } else {
                entry.share.span()
            };
            Err(document.error_at(
                span,
                "a mix entry has exactly one of `ping`, `originate` and `query`",
            ))
        }
    }
}

/// The roles that the scenario uses, as this target maps them, each permitted by its dial patterns.
fn resolve_roles(
    document: &Document,
    scenario: &Scenario,
    target: &Target,
) -> Result<BTreeMap<String, Role>, PlanError> {
    let mut roles = BTreeMap::new();
    let entries = scenario.phase.iter().flat_map(|phase| phase.mix.get_ref());
    for name in entries
        .filter_map(|entry| entry.originate.as_ref())
        .map(|originate| &originate.role)
    {
        let role_name = name.get_ref().clone();
        let (pbx, origin) = (target.name.clone(), target.origin.clone());
        if target.dial.is_empty() {
            let channel = target
                .roles
                .get(&role_name)
                .map_or("anything", |role| role.channel.as_str())
                .to_owned();
            return Err(PlanError::NotPermitted {
                target: pbx,
                origin,
                role: role_name,
                channel,
            });
        }
        let Some(role) = target.roles.get(&role_name) else {
            let known: Vec<&str> = target.roles.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            let message =
                format!("target {pbx} maps no role {role_name:?}; in {origin} it maps: {known}");
            return Err(document.error_at(name.span(), message).into());
        };
        match dial::permit(role, &target.dial) {
            Ok(()) => {}
            Err(Forbidden::NoPattern) => {
                let channel = role.channel.clone();
                return Err(PlanError::NotPermitted {
                    target: pbx,
                    origin,
                    role: role_name,
                    channel,
                });
            }
            Err(Forbidden::TrunkNeedsExactPattern { name }) => {
                return Err(PlanError::Trunk {
                    target: pbx,
                    origin,
                    role: role_name,
                    name,
                });
            }
            Err(Forbidden::Emergency { number }) => {
                return Err(PlanError::Emergency {
                    target: pbx,
                    role: role_name,
                    number,
                });
            }
        }
        roles.insert(role_name, role.clone());
    }
    Ok(roles)
}

fn check_threshold(
    document: &Document,
    threshold: &Spanned<Threshold>,
    actions: &[String],
) -> Result<(), DocumentError> {
    match threshold.get_ref().measure.action() {
        Some(action) if !actions.iter().any(|known| known == action) => {
            let message = format!(
                "no action is named {action:?} in this scenario; there are: {}",
                actions.join(", ")
            );
            Err(document.error_at(threshold.span(), message))
        }
        _ => Ok(()),
    }
}

/// Names become parts of histogram tags and of file names.
fn check_name<'a>(
    document: &Document,
    name: &Spanned<String>,
    mut earlier: impl Iterator<Item = &'a str>,
) -> Result<(), DocumentError> {
    let text = name.get_ref();
    if text.is_empty() || slug(text) != *text {
        let message =
            format!("{text:?} is no name: use lower-case letters, digits and single dashes");
        return Err(document.error_at(name.span(), message));
    }
    if earlier.any(|known| known == text) {
        return Err(document.error_at(name.span(), format!("the name {text:?} is given twice")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
