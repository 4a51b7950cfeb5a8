//! From the arrivals of a phase as written, and what the command line changes in them, to those of a plan.

use std::time::Duration;

use ami_client::{Document, DocumentError};
use toml::Spanned;

use super::{Arrivals, Overrides, PlannedPhase};
use crate::arrival::{Direction, Ramp, Stairs};
use crate::rate::{Level, Rate, Span};
use crate::scenario::Arrival;

/// What `--warm-up` puts before a scenario is named so.
const WARM_UP: &str = "warm-up";

/// Says what is wrong at the place of the arrival.
type Told<'a> = &'a dyn Fn(&str) -> DocumentError;

pub(super) fn resolve_arrivals(
    document: &Document,
    arrival: &Spanned<Arrival>,
    duration: Duration,
    rate: Option<Rate>,
) -> Result<Arrivals, DocumentError> {
    let told = |message: &str| document.error_at(arrival.span(), message);
    let written = as_written(*arrival.get_ref(), duration, &told)?;
    match rate {
        None => Ok(written),
        Some(rate) => scaled(written, duration, rate, &told),
    }
}

fn as_written(
    arrival: Arrival,
    duration: Duration,
    told: Told<'_>,
) -> Result<Arrivals, DocumentError> {
    match arrival {
        Arrival::Constant { rate } => Ok(Arrivals::Constant { rate }),
        Arrival::Ramp { from, to } => ramp(from.0, to.0, duration, told),
        Arrival::Step {
            from: Level(from),
            by,
            down_by,
            every: Span(every),
            to,
        } => {
            let change = match (by, down_by) {
                (Some(by), None) => (Direction::Up, by),
                (None, Some(by)) => (Direction::Down, by),
                _ => return Err(told("a step has either `by` or `down-by`")),
            };
            let stairs = Stairs::new(from, change, to.map(|Level(to)| to), every);
            steps(stairs, duration, told)
        }
        Arrival::Poisson { rate } => Ok(Arrivals::Poisson { rate }),
        Arrival::Burst { size: 0, .. } => Err(told("a burst has at least one arrival")),
        Arrival::Burst { size, every } => Ok(Arrivals::Burst {
            size,
            every: every.0,
        }),
        Arrival::Closed { think } => Ok(Arrivals::Closed {
            think: think.map_or(Duration::ZERO, |Span(think)| think),
        }),
    }
}

fn ramp(
    from: Rate,
    to: Rate,
    duration: Duration,
    told: Told<'_>,
) -> Result<Arrivals, DocumentError> {
    if from.count == 0 && to.count == 0 {
        return Err(told("a ramp from 0/s to 0/s offers nothing"));
    }
    Ramp::new(from, to, duration)
        .map(Arrivals::Ramp)
        .ok_or_else(|| {
            told("the instants of so long a ramp cannot be computed exactly: divide it, or round its rates")
        })
}

fn steps(
    stairs: Option<Stairs>,
    duration: Duration,
    told: Told<'_>,
) -> Result<Arrivals, DocumentError> {
    let Some(stairs) = stairs else {
        return Err(told(
            "the rates of a step have no common period: write them all by the second",
        ));
    };
    if stairs.count_in(duration) > Stairs::COUNT_MAX {
        let message = format!("a phase has at most {} stairs", Stairs::COUNT_MAX);
        return Err(told(&message));
    }
    if !stairs.are_countable(duration) {
        return Err(told(
            "the stairs lead to a rate beyond all sense: give `to`",
        ));
    }
    if !stairs.reach_their_end() {
        return Err(told(
            "`to` is above `from` with `by`, and below it with `down-by`",
        ));
    }
    Ok(Arrivals::Step(stairs))
}

/// The same shape with its peak at `rate`.
fn scaled(
    arrivals: Arrivals,
    duration: Duration,
    rate: Rate,
    told: Told<'_>,
) -> Result<Arrivals, DocumentError> {
    let peak = arrivals.peak(duration);
    let scale = |part: Rate| {
        let peak = peak.filter(|peak| peak.count > 0);
        peak.and_then(|peak| part.scaled(rate, peak))
            .ok_or_else(|| told("--rate cannot scale this arrival: give a rounder rate"))
    };
    match arrivals {
        Arrivals::Constant { .. } => Ok(Arrivals::Constant { rate }),
        Arrivals::Poisson { .. } => Ok(Arrivals::Poisson { rate }),
        Arrivals::Ramp(Ramp { from, to, .. }) => ramp(scale(from)?, scale(to)?, duration, told),
        Arrivals::Step(stairs) => {
            let change = (stairs.direction, scale(stairs.by())?);
            let to = stairs.to().map(scale).transpose()?;
            let stairs = Stairs::new(scale(stairs.from())?, change, to, stairs.every);
            steps(stairs, duration, told)
        }
        Arrivals::Burst { .. } => Err(told(
            "--rate cannot scale a burst, which has a size and no rate: change it here",
        )),
        closed @ Arrivals::Closed { .. } => Ok(closed),
    }
}

/// What `--warm-up` asks for: the first phase at its starting rate, before everything else.
pub(super) fn put_warm_up_first(
    document: &Document,
    first: &Spanned<Arrival>,
    phases: &mut Vec<PlannedPhase>,
    overrides: &Overrides,
) -> Result<(), DocumentError> {
    let Some(duration) = overrides.warm_up else {
        return Ok(());
    };
    let told = |message: &str| document.error_at(first.span(), message);
    if phases
        .iter()
        .any(|phase| phase.warm_up || phase.name == WARM_UP)
    {
        return Err(told(
            "--warm-up is for a scenario without a warm-up of its own",
        ));
    }
    let at_rate = |rate: Rate| match rate.count {
        0 => Err(told(
            "--warm-up would offer the rate at which this begins, which is none: write a phase with `warm-up = true`",
        )),
        _ => Ok(Arrivals::Constant { rate }),
    };
    let arrival = match phases[0].arrival {
        Arrivals::Ramp(ramp) => at_rate(ramp.from)?,
        Arrivals::Step(stairs) => at_rate(stairs.from())?,
        same => same,
    };
    for phase in &mut *phases {
        phase.starts_at += duration;
    }
    let warm_up = PlannedPhase {
        name: WARM_UP.to_owned(),
        starts_at: Duration::ZERO,
        duration,
        warm_up: true,
        arrival,
        mix: phases[0].mix.clone(),
        cycle: phases[0].cycle.clone(),
    };
    phases.insert(0, warm_up);
    Ok(())
}
