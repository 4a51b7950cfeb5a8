//! From the scenario as written to the parts of a plan; what cannot be resolved names its place in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_client::dial::{self, Forbidden};
use ami_client::target::Role;
use ami_client::{Document, DocumentError, Target};
use ami_results::layout::slug;
use toml::Spanned;

use super::arrivals::{put_warm_up_first, resolve_arrivals};
use super::{Overrides, PlanError, PlannedAction, PlannedGroup, PlannedPhase, Segment, What};
use crate::arrival::MixCycle;
use crate::fan_out::BYTES_MAX;
use crate::rate::Span;
use crate::scenario::{Arrival, MixEntry, Originate, Phase, Scenario, UserEvent};

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
    groups: &[PlannedGroup],
    actions: &mut Vec<String>,
) -> Result<Vec<PlannedAction>, DocumentError> {
    let mut mix = Vec::new();
    for entry in phase.mix.get_ref() {
        let what = resolve_what(document, phase, entry)?;
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
    let originate = |written: &Originate| What::Originate {
        role: written.role.get_ref().clone(),
        hold: written.hold.0,
        ring: written.ring.0,
    };
    let event = entry.user_event.as_ref();
    let event = event.map(|written| resolve_event(document, written));
    let given = [
        entry.ping.map(|_| What::Ping),
        entry.query.map(What::Query),
        entry.originate.as_ref().map(originate),
        entry.login.map(|_| What::Login),
        event.transpose()?,
    ];
    let mut given = given.into_iter().flatten();
    if let (Some(what), None) = (given.next(), given.next()) {
        return Ok(what);
    }
    let span = if entry.share.span().is_empty() {
        phase.mix.span()
    } else {
        entry.share.span()
    };
    let message =
        "a mix entry has exactly one of `ping`, `originate`, `query`, `login` and `user-event`";
    Err(document.error_at(span, message))
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
