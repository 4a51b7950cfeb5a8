//! Limits that a run must keep: judged on each target at its end, and once a second where they stop it.

use std::fmt::{self, Write as _};
use std::time::Duration;

use ami_client::{Document, DocumentError};
use ami_results::call::CallResult;
use ami_results::layout::Layout;
use ami_results::recorder::{Recorder, Scope};
use ami_results::verdict::{State, Verdict};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::plan::nanos;
use crate::rate::{Span, show_duration};

mod criterion;

pub use criterion::{Comparison, Criterion, Limit, Measure, Statistic, ThresholdError};

#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub criterion: Criterion,
    /// Of one phase only; else of all that are measured.
    pub phase: Option<u16>,
    pub target: Option<u16>,
    pub failing: Failing,
    /// As people read it.
    pub text: String,
}

/// What a threshold that fails does to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// It is told at the end.
    Told,
    /// It stops the run, once so much of the measured phases is over.
    Stops { after: Duration },
}

/// As written: its text alone, or a table.
#[derive(Debug)]
pub struct Written {
    limit: Criterion,
    phase: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    abort: bool,
    delay: Option<Spanned<Span>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenTable {
    limit: Criterion,
    phase: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    #[serde(default)]
    abort: bool,
    delay: Option<Spanned<Span>>,
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable)
    }
}

struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a threshold such as \"ping.response.p99 < 50ms\", or a table with `limit`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Written, E> {
        Ok(Written {
            limit: Criterion::parse(text).map_err(E::custom)?,
            phase: None,
            target: None,
            abort: false,
            delay: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        let table = WrittenTable::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Written {
            limit: table.limit,
            phase: table.phase,
            target: table.target,
            abort: table.abort,
            delay: table.delay,
        })
    }
}

impl Written {
    /// For a run with this layout.
    pub fn resolve(
        document: &Document,
        spanned: &Spanned<Self>,
        layout: &Layout,
    ) -> Result<Threshold, DocumentError> {
        let written = spanned.get_ref();
        let criterion = written.limit.clone();
        let actions = || layout.actions().iter().map(|action| action.name.as_str());
        if let Some(action) = criterion.measure.action()
            && !actions().any(|known| known == action)
        {
            let message = nothing_named("action", action, "in this scenario", actions());
            return Err(document.error_at(spanned.span(), message));
        }
        let failing = match (&written.delay, written.abort) {
            (Some(delay), false) => {
                let message = "only a threshold with `abort = true` has a `delay`";
                return Err(document.error_at(delay.span(), message));
            }
            (_, false) => Failing::Told,
            (delay, true) => Failing::Stops {
                after: delay
                    .as_ref()
                    .map_or(Duration::ZERO, |delay| delay.get_ref().0),
            },
        };
        let phase = written.phase.as_ref();
        let phase = phase.map(|name| measured_phase(document, name, layout));
        let target = written.target.as_ref();
        let target = target.map(|name| target_named(document, name, layout));
        Ok(Threshold {
            text: text(written, failing),
            criterion,
            phase: phase.transpose()?,
            target: target.transpose()?,
            failing,
        })
    }
}

fn measured_phase(
    document: &Document,
    name: &Spanned<String>,
    layout: &Layout,
) -> Result<u16, DocumentError> {
    let measured = || {
        (0..)
            .zip(layout.phases())
            .filter(|(_, phase)| !phase.warm_up)
    };
    match measured().find(|(_, phase)| phase.name == *name.get_ref()) {
        Some((index, _)) => Ok(index),
        None => {
            let known = measured().map(|(_, phase)| phase.name.as_str());
            let message = nothing_named("phase", name.get_ref(), "that is measured", known);
            Err(document.error_at(name.span(), message))
        }
    }
}

fn target_named(
    document: &Document,
    name: &Spanned<String>,
    layout: &Layout,
) -> Result<u16, DocumentError> {
    let mut targets = (0..).zip(layout.targets());
    match targets.find(|(_, known)| *known == name.get_ref()) {
        Some((index, _)) => Ok(index),
        None => {
            let known = layout.targets().iter().map(String::as_str);
            let message = nothing_named("target", name.get_ref(), "in this run", known);
            Err(document.error_at(name.span(), message))
        }
    }
}

fn nothing_named<'a>(
    what: &str,
    name: &str,
    among: &str,
    known: impl Iterator<Item = &'a str>,
) -> String {
    let known = known.collect::<Vec<_>>().join(", ");
    format!("no {what} is named {name:?} {among}; there are: {known}")
}

fn text(written: &Written, failing: Failing) -> String {
    let mut text = written.limit.text.clone();
    if let Some(phase) = &written.phase {
        let _ = write!(text, " in {}", phase.get_ref());
    }
    if let Some(target) = &written.target {
        let _ = write!(text, " on {}", target.get_ref());
    }
    match failing {
        Failing::Told => {}
        Failing::Stops { after } if after.is_zero() => text += ", or stop",
        Failing::Stops { after } => {
            let _ = write!(text, ", or stop (from {} on)", show_duration(after));
        }
    }
    text
}

impl Threshold {
    pub fn is_of(&self, target: u16) -> bool {
        self.target.is_none_or(|only| only == target)
    }

    /// What was measured on one target until `now`, against the limit.
    pub fn judge(&self, recorder: &Recorder, target: u16, now: Duration) -> Verdict {
        let layout = recorder.layout();
        let mut subject = format!("{} {}", layout.target(target), self.criterion.text);
        if let Some(phase) = self.phase {
            let _ = write!(subject, " in {}", layout.phase(phase).name);
        }
        let limit = self.criterion.limit.to_string();
        let Some(measured) = self.measured(recorder, target, now) else {
            return Verdict {
                target: Some(target),
                state: State::Inconclusive,
                subject,
                limit,
                measured: "nothing".to_owned(),
                detail: Some("nothing was observed".to_owned()),
            };
        };
        let comparison = self.criterion.comparison;
        let (holds, measured) = match self.criterion.limit {
            Limit::Duration(limit) => (
                comparison.holds(measured, limit.as_secs_f64()),
                format!("{:.3} ms", measured * 1000.0),
            ),
            Limit::Share(share) => (
                comparison.holds(measured, share),
                format!("{:.3}%", measured * 100.0),
            ),
            Limit::Rate(rate) => (
                comparison.holds(measured, rate.per_second()),
                format!("{measured:.3}/s"),
            ),
        };
        Verdict {
            target: Some(target),
            state: if holds { State::Pass } else { State::Fail },
            subject,
            limit,
            measured,
            detail: None,
        }
    }

    /// Seconds, a share or a rate; nothing when nothing was observed.
    fn measured(&self, recorder: &Recorder, target: u16, now: Duration) -> Option<f64> {
        let measure = &self.criterion.measure;
        let actions = recorder.layout().actions();
        let position = measure
            .action()
            .and_then(|name| actions.iter().position(|known| known.name == name));
        let scope = Scope {
            target: Some(target),
            phase: self.phase,
            action: position.and_then(|index| u16::try_from(index).ok()),
        };
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let calls = |results: &[CallResult]| {
            let calls = recorder.calls(scope);
            let part = results.iter().map(|result| calls.of(*result)).sum();
            share(part, calls.attempted())
        };
        match measure {
            Measure::Latency {
                kind, statistic, ..
            } => {
                let histogram = recorder.histogram(scope, *kind);
                let ns = match statistic {
                    Statistic::Quantile(quantile) => histogram.quantile(*quantile)? as f64,
                    Statistic::Mean => histogram.mean()?,
                    Statistic::Max => histogram.max()? as f64,
                };
                Some(ns / 1e9)
            }
            Measure::FailedShare { .. } => {
                let counts = recorder.counts(scope);
                let ended = counts.offered - counts.skipped;
                share(ended - counts.success, ended)
            }
            Measure::SkippedShare { .. } => {
                let counts = recorder.counts(scope);
                share(counts.skipped, counts.offered)
            }
            Measure::Achieved { .. } => {
                let counts = recorder.counts(scope);
                let offered_ns = recorder.layout().offered_for(scope, nanos(now));
                let seconds = offered_ns as f64 / 1e9;
                (counts.offered > 0 && seconds > 0.0).then(|| counts.success as f64 / seconds)
            }
            Measure::AnsweredShare => calls(&[CallResult::Answered]),
            Measure::FailedCallsShare => calls(&[CallResult::Failed, CallResult::Congestion]),
            Measure::LostEventsShare => {
                let delivery = recorder.totals().deliveries[usize::from(target)];
                share(delivery.lost, delivery.expected)
            }
            Measure::LongestOutage => Some(recorder.longest_outage(target) as f64 / 1e9),
        }
    }
}
