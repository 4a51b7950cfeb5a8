//! From the scenario as written to the parts of a plan; what cannot be resolved names its place in the file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use ami_client::dial::{self, Forbidden};
use ami_client::target::Role;
use ami_client::{Document, DocumentError, Target};
use ami_results::layout::slug;
use toml::Spanned;

use super::arrivals::{put_warm_up_first, resolve_arrivals};
use super::{
    Overrides, PlanError, PlannedAction, PlannedFlow, PlannedGroup, PlannedPhase, Segment, What,
};
use crate::arrival::MixCycle;
use crate::fan_out::BYTES_MAX;
use crate::rate::Span;
use crate::scenario::{Arrival, MixEntry, Phase, Scenario, UserEvent};
use crate::template::Names;

mod flow;

pub(super) use flow::{check_used, resolve_feeds, resolve_flows};

/// An action that is not answered by then has timed out, unless the scenario says otherwise.
const ACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Arrivals are dealt to the workers in turn: one without a session of the group could only let its share wait.
pub(super) fn check_workers(
    groups: &[PlannedGroup],
    workers: u16,
    segment: Segment,
) -> Result<(), PlanError> {
    let crew = u32::from(workers) * u32::from(segment.count);
    match groups.iter().find(|group| group.sessions < crew) {
        None => Ok(()),
        Some(group) => Err(PlanError::TooManyWorkers {
            workers: match segment.count {
                1 => format!("{workers} workers"),
                count => format!("{crew} workers ({workers} in each of {count} segments)"),
            },
            group: group.name.clone(),
            sessions: group.sessions,
        }),
    }
}

pub(super) fn resolve_groups(
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
        if let Some(measure) = &group.measure
            && group.events.get_ref() == "off"
        {
            return Err(document.error_at(
                measure.span(),
                "sessions that measure events need them: give the group an event mask, such as `events = \"user\"`",
            ));
        }
        groups.push(PlannedGroup {
            name: group.name.get_ref().clone(),
            sessions: overrides.sessions.unwrap_or(sessions),
            events: group.events.get_ref().clone(),
            measure: group.measure.as_ref().map(|measure| *measure.get_ref()),
            read_every: group.read_every.map(|Span(every)| every),
        });
    }
    if groups.is_empty() {
        return Err(document.error_at(0..0, "a scenario has at least one [[group]]"));
    }
    Ok(groups)
}

pub(super) fn resolve_phases(
    document: &Document,
    scenario: &Scenario,
    (groups, flows): (&[PlannedGroup], &[PlannedFlow]),
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
        let mix = resolve_mix(document, phase, (groups, flows), actions)?;
        let shares: Vec<u32> = mix.iter().map(|entry| entry.share).collect();
        if mix.is_empty() || MixCycle::length(&shares) > MixCycle::LENGTH_MAX {
            let message = format!(
                "a mix has entries whose reduced shares add up to at most {}",
                MixCycle::LENGTH_MAX
            );
            return Err(document.error_at(phase.mix.span(), message));
        }
        let asked = overrides.duration.filter(|_| !phase.warm_up);
        let duration = asked.unwrap_or(phase.duration.0);
        phases.push(PlannedPhase {
            name: phase.name.get_ref().clone(),
            starts_at,
            duration,
            warm_up: phase.warm_up,
            arrival: resolve_arrivals(document, &phase.arrival, duration, overrides.rate)?,
            mix,
            cycle: MixCycle::new(&shares),
        });
    }
    let Some(first) = scenario.phase.first() else {
        return Err(document.error_at(0..0, "a scenario has at least one [[phase]]"));
    };
    if phases.iter().all(|phase| phase.warm_up) {
        let message = "every phase is a warm-up: nothing would be measured";
        return Err(document.error_at(first.name.span(), message));
    }
    put_warm_up_first(document, &first.arrival, &mut phases, overrides)?;
    Ok(phases)
}

fn resolve_mix(
    document: &Document,
    phase: &Phase,
    (groups, flows): (&[PlannedGroup], &[PlannedFlow]),
    actions: &mut Vec<String>,
) -> Result<Vec<PlannedAction>, DocumentError> {
    let mut mix = Vec::new();
    for entry in phase.mix.get_ref() {
        let what = resolve_what(document, phase, entry, flows)?;
        if let What::Login = what {
            check_login(document, phase, entry)?;
        }
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
        let action = match what {
            What::Flow(flow) => {
                let flow = &flows[usize::from(flow)];
                check_group(document, entry, &groups[group], flow)?;
                usize::from(flow.action)
            }
            _ => enter(document, place(phase, entry), &what, flows, actions)?,
        };
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

/// The index of an action by its slug.
fn enter(
    document: &Document,
    place: Range<usize>,
    what: &What,
    flows: &[PlannedFlow],
    actions: &mut Vec<String>,
) -> Result<usize, DocumentError> {
    let slug = what.slug();
    let of_flows: usize = flows.iter().map(|flow| 1 + flow.steps.len()).sum();
    match actions.iter().position(|known| *known == slug) {
        Some(index) if index < of_flows => {
            let message =
                format!("results would have two actions {slug}: rename the flow or its step");
            Err(document.error_at(place, message))
        }
        Some(index) => Ok(index),
        None => {
            actions.push(slug);
            Ok(actions.len() - 1)
        }
    }
}

/// An event that the sessions do not hear would be awaited in vain.
fn check_group(
    document: &Document,
    entry: &MixEntry,
    group: &PlannedGroup,
    flow: &PlannedFlow,
) -> Result<(), DocumentError> {
    let name = entry.flow.as_ref().expect("the entry names a flow");
    if entry.timeout.is_some() {
        let message = "each step of a flow has a `timeout` of its own: this entry has none";
        return Err(document.error_at(name.span(), message));
    }
    if flow.awaits() && matches!(&*group.events, "" | "off" | "no" | "none" | "0") {
        let message = format!(
            "flow {} awaits events, and the sessions of group {} hear none: give the group `events = \"on\"`, or the \
             classes it needs",
            flow.name, group.name
        );
        return Err(document.error_at(name.span(), message));
    }
    Ok(())
}

/// Where an entry stands, as near as the file tells.
fn place(phase: &Phase, entry: &MixEntry) -> Range<usize> {
    if entry.share.span().is_empty() {
        phase.mix.span()
    } else {
        entry.share.span()
    }
}

fn resolve_what(
    document: &Document,
    phase: &Phase,
    entry: &MixEntry,
    flows: &[PlannedFlow],
) -> Result<What, DocumentError> {
    let mut whats = Vec::new();
    whats.extend(entry.ping.map(|_| What::Ping));
    whats.extend(entry.originate.as_ref().map(What::originate));
    whats.extend(entry.command.map(What::Command));
    whats.extend(entry.login.map(|_| What::Login));
    if let Some(ask) = &entry.query {
        whats.push(flow::resolve_ask(document, ask, &Names::default())?);
    }
    if let Some(written) = &entry.user_event {
        whats.push(resolve_event(document, written)?);
    }
    if let Some(name) = &entry.flow {
        whats.push(named_flow(document, name, flows)?);
    }
    match (whats.pop(), whats.is_empty()) {
        (Some(what), true) => Ok(what),
        _ => Err(document.error_at(
            place(phase, entry),
            "a mix entry has exactly one of `ping`, `originate`, `query`, `command`, `flow`, `login` and `user-event`",
        )),
    }
}

fn named_flow(
    document: &Document,
    name: &Spanned<String>,
    flows: &[PlannedFlow],
) -> Result<What, DocumentError> {
    let named = |flow: &PlannedFlow| flow.name == *name.get_ref();
    let Some(index) = flows.iter().position(named) else {
        let known: Vec<&str> = flows.iter().map(|flow| flow.name.as_str()).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        let message = format!("no flow is named {:?}; there are: {known}", name.get_ref());
        return Err(document.error_at(name.span(), message));
    };
    Ok(What::Flow(u16::try_from(index).expect("flows are few")))
}

fn resolve_event(document: &Document, written: &UserEvent) -> Result<What, DocumentError> {
    let bytes = *written.bytes.get_ref();
    if bytes > BYTES_MAX {
        let message = format!("an event carries at most {BYTES_MAX} bytes");
        return Err(document.error_at(written.bytes.span(), message));
    }
    Ok(What::UserEvent { bytes })
}

/// A login is made by nobody's session: it comes when it is due, on a connection of its own.
fn check_login(document: &Document, phase: &Phase, entry: &MixEntry) -> Result<(), DocumentError> {
    if let Arrival::Closed { .. } = phase.arrival.get_ref() {
        let message = "a login arrives by itself, and not in a closed loop of sessions: \
                       give the phase another arrival, such as `constant = { rate = \"10/s\" }`";
        return Err(document.error_at(phase.arrival.span(), message));
    }
    match &entry.group {
        None => Ok(()),
        Some(group) => {
            let message = "a login has a connection of its own and no group";
            Err(document.error_at(group.span(), message))
        }
    }
}

/// The roles that the scenario uses, as this target maps them, each permitted by its dial patterns.
pub(super) fn resolve_roles(
    document: &Document,
    scenario: &Scenario,
    target: &Target,
) -> Result<BTreeMap<String, Role>, PlanError> {
    let mut roles = BTreeMap::new();
    let entries = scenario.phase.iter().flat_map(|phase| phase.mix.get_ref());
    let steps = scenario.flow.iter().flat_map(|flow| &flow.step);
    let of_entries = entries.filter_map(|entry| entry.originate.as_ref());
    let originates = of_entries.chain(steps.filter_map(|step| step.originate.as_ref()));
    for name in originates.map(|originate| &originate.role) {
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
