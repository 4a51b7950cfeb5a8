//! A run directory read and added up: the one input of every renderer and plot. Reads row by row, so that its size
//! depends on the layout and not on the length of the run.

use std::collections::BTreeMap;

use ami_results::call::CallResult;
use ami_results::error_class::{ErrorRow, ErrorTable};
use ami_results::histogram::Histogram;
use ami_results::interval::Counts;
use ami_results::layout::{Kind, Shape};
use ami_results::manifest::{End, Manifest};
use ami_results::rows::{ReadError, Torn};
use ami_results::run_dir::{OpenError, RunDir};
use ami_results::totals::{CallTotals, Quantiles};
use ami_results::validity::{Load, SecondLoad, Validity};
use ami_results::verdict::Verdict;

use crate::summary::series::{Point, Series};

pub mod series;

const SECOND_NS: u64 = 1_000_000_000;
/// Slowest seconds listed.
const SLOWEST_MAX: usize = 5;
/// Seconds looked at for validity: a week, as the recorder does it.
const SECONDS_MAX: u64 = 7 * 86_400;

#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

#[derive(Debug, Clone)]
pub struct Summary {
    pub manifest: Manifest,
    pub validity: Validity,
    pub verdicts: Vec<Verdict>,
    pub targets: Vec<Target>,
    /// Of all records: our own lateness.
    pub lag: Option<Quantiles>,
    pub slowest: Vec<SlowSecond>,
    /// Files that end in the middle of a line: the run was killed.
    pub torn: Vec<Torn>,
    /// How far the run got, in nanoseconds since its origin.
    pub ended_at: u64,
}

#[derive(Debug, Clone)]
pub struct Target {
    pub index: u16,
    pub name: String,
    pub actions: Vec<Action>,
    pub calls: CallTotals,
    pub errors: Vec<ErrorRow>,
}

#[derive(Debug, Clone)]
pub struct Action {
    pub index: u16,
    pub name: String,
    pub shape: Shape,
    pub counts: Counts,
    /// Seconds in which the run offered it.
    pub offered_for_s: f64,
    pub histograms: BTreeMap<Kind, Histogram>,
    /// Response times over time.
    pub points: Vec<Point>,
    /// How many did not succeed, by second of their end.
    pub failures: BTreeMap<u64, u64>,
}

/// A second in which an action took longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowSecond {
    pub second: u64,
    pub target: u16,
    pub action: u16,
    pub response: Quantiles,
}

impl Summary {
    pub fn read(run_dir: &RunDir) -> Result<Self, SummaryError> {
        let manifest = run_dir.manifest()?;
        let verdicts = run_dir.verdicts()?;
        let mut reading = Reading::new(&manifest);
        reading.intervals(run_dir)?;
        reading.histograms(run_dir, &manifest)?;
        reading.calls(run_dir)?;
        reading.errors(run_dir)?;
        let ended_at = reading.ended_at(&manifest);
        Ok(Self {
            validity: reading.validity(&manifest),
            targets: reading.targets(&manifest),
            lag: Quantiles::of(&reading.lag),
            slowest: reading.slowest,
            torn: reading.torn,
            ended_at,
            verdicts,
            manifest,
        })
    }

    /// The run was killed, or it runs still.
    pub fn is_unfinished(&self) -> bool {
        self.manifest.end == End::Running
    }
}

impl Action {
    pub fn quantiles(&self, kind: Kind) -> Option<Quantiles> {
        self.histograms.get(&kind).and_then(Quantiles::of)
    }

    /// Sent per second of the time in which it was offered.
    pub fn rate(&self) -> Option<f64> {
        (self.offered_for_s > 0.0).then(|| self.counts.sent as f64 / self.offered_for_s)
    }
}

/// What is being added up.
struct Reading {
    counts: BTreeMap<(u16, u16), Counts>,
    failures: BTreeMap<(u16, u16), BTreeMap<u64, u64>>,
    seconds: Vec<SecondLoad>,
    histograms: BTreeMap<(u16, u16, Kind), Histogram>,
    series: BTreeMap<(u16, u16), Series>,
    lag: Histogram,
    slowest: Vec<SlowSecond>,
    calls: BTreeMap<u16, CallTotals>,
    errors: ErrorTable,
    torn: Vec<Torn>,
    last_second: u64,
    bucket_s: u64,
}

impl Reading {
    fn new(manifest: &Manifest) -> Self {
        let planned_end = manifest.layout.phases().iter().map(|phase| phase.ends_at);
        Self {
            counts: BTreeMap::new(),
            failures: BTreeMap::new(),
            seconds: Vec::new(),
            histograms: BTreeMap::new(),
            series: BTreeMap::new(),
            lag: Histogram::new(),
            slowest: Vec::new(),
            calls: BTreeMap::new(),
            errors: ErrorTable::default(),
            torn: Vec::new(),
            last_second: 0,
            bucket_s: series::bucket_s(planned_end.max().unwrap_or(0) / SECOND_NS),
        }
    }

    fn intervals(&mut self, run_dir: &RunDir) -> Result<(), ReadError> {
        let mut rows = run_dir.intervals()?;
        for row in rows.by_ref() {
            let row = row?;
            let key = (row.target, row.action);
            self.counts.entry(key).or_default().add(&row.counts);
            let failed = row.counts.records() - row.counts.success;
            if failed > 0 {
                let bucket = row.second / self.bucket_s * self.bucket_s;
                let failures = self.failures.entry(key).or_default();
                *failures.entry(bucket).or_default() += failed;
            }
            self.last_second = self.last_second.max(row.second);
            self.load(row.second, &row.counts, row.lag_max_ns);
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn load(&mut self, second: u64, counts: &Counts, lag_max_ns: u64) {
        let index = usize::try_from(second.min(SECONDS_MAX - 1)).expect("the bound fits an usize");
        if self.seconds.len() <= index {
            self.seconds.resize(index + 1, SecondLoad::default());
        }
        let small = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let load = &mut self.seconds[index];
        load.offered = load.offered.saturating_add(small(counts.offered));
        load.late = load.late.saturating_add(small(counts.late));
        load.lag_max_ns = load.lag_max_ns.max(lag_max_ns);
    }

    fn histograms(&mut self, run_dir: &RunDir, manifest: &Manifest) -> Result<(), ReadError> {
        let mut rows = run_dir.histograms(&manifest.layout)?;
        for row in rows.by_ref() {
            let row = row?;
            let (target, action, kind) = (row.tag.target, row.tag.action, row.tag.kind);
            self.histograms
                .entry((target, action, kind))
                .or_default()
                .merge(&row.histogram);
            match kind {
                Kind::Lag => self.lag.merge(&row.histogram),
                Kind::Response => {
                    let bucket_s = self.bucket_s;
                    self.series
                        .entry((target, action))
                        .or_insert_with(|| Series::new(bucket_s))
                        .add(row.start.as_secs(), &row.histogram);
                    self.slow(row.start.as_secs(), target, action, &row.histogram);
                }
                _ => {}
            }
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn slow(&mut self, second: u64, target: u16, action: u16, histogram: &Histogram) {
        let Some(response) = Quantiles::of(histogram) else {
            return;
        };
        self.slowest.push(SlowSecond {
            second,
            target,
            action,
            response,
        });
        self.slowest
            .sort_by_key(|slow| (std::cmp::Reverse(slow.response.max), slow.second));
        self.slowest.truncate(SLOWEST_MAX);
    }

    fn calls(&mut self, run_dir: &RunDir) -> Result<(), ReadError> {
        let mut rows = run_dir.calls()?;
        for row in rows.by_ref() {
            let call = row?;
            self.calls
                .entry(call.target)
                .or_default()
                .count(call.result);
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn errors(&mut self, run_dir: &RunDir) -> Result<(), ReadError> {
        let mut rows = run_dir.errors()?;
        for row in rows.by_ref() {
            self.errors.add(&row?);
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn ended_at(&self, manifest: &Manifest) -> u64 {
        match manifest.ended_at {
            Some(ended_at) => {
                let elapsed = ended_at.duration_since(manifest.started_at);
                u64::try_from(elapsed.as_nanos()).unwrap_or(0)
            }
            None => (self.last_second + 1) * SECOND_NS,
        }
    }

    fn validity(&self, manifest: &Manifest) -> Validity {
        manifest.validity.clone().unwrap_or_else(|| {
            let offered = self.counts.values().map(|counts| counts.offered).sum();
            let load = Load {
                planned: offered,
                accounted: offered,
            };
            Validity::judge(&self.seconds, load)
        })
    }

    /// The end of the last second with an arrival: a run that was stopped goes on without any until its calls are down.
    fn offered_until(&self) -> u64 {
        let seconds = self.seconds.iter().rposition(|second| second.offered > 0);
        seconds.map_or(0, |last| (last as u64 + 1) * 1_000_000_000)
    }

    fn targets(&mut self, manifest: &Manifest) -> Vec<Target> {
        let offered_until = self.offered_until();
        (0..)
            .zip(manifest.layout.targets())
            .map(|(index, name)| Target {
                index,
                name: name.clone(),
                actions: self.actions(manifest, index, offered_until),
                calls: self.calls.remove(&index).unwrap_or_default(),
                errors: self
                    .errors
                    .rows()
                    .filter(|row| row.target == index)
                    .collect(),
            })
            .collect()
    }

    fn actions(&mut self, manifest: &Manifest, target: u16, offered_until: u64) -> Vec<Action> {
        (0..)
            .zip(manifest.layout.actions())
            .filter_map(|(index, action)| {
                let key = (target, index);
                Some(Action {
                    index,
                    name: action.name.clone(),
                    shape: action.shape,
                    counts: self.counts.remove(&key)?,
                    offered_for_s: offered_for(manifest, index, offered_until),
                    histograms: Kind::ALL
                        .into_iter()
                        .filter_map(|kind| {
                            Some((kind, self.histograms.remove(&(target, index, kind))?))
                        })
                        .collect(),
                    points: self
                        .series
                        .remove(&key)
                        .map(Series::finish)
                        .unwrap_or_default(),
                    failures: self.failures.remove(&key).unwrap_or_default(),
                })
            })
            .collect()
    }
}

/// The phases that offer the action, as far as the run got.
fn offered_for(manifest: &Manifest, action: u16, offered_until: u64) -> f64 {
    let nanoseconds: u64 = manifest
        .layout
        .phases()
        .iter()
        .filter(|phase| phase.actions.contains(&action))
        .map(|phase| {
            phase
                .ends_at
                .min(offered_until)
                .saturating_sub(phase.starts_at)
        })
        .sum();
    nanoseconds as f64 / 1e9
}

/// RFC 6076 and E.411 ratios as an originator sees them, over the calls whose result was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRatios {
    pub seen: u64,
    /// Session Establishment Ratio; the same as E.411's answer seizure ratio (ASR) here.
    pub established: u64,
    /// Session Establishment Effectiveness Ratio: busy and no answer are the far end's doing.
    pub effective: u64,
}

impl CallRatios {
    pub fn of(calls: &CallTotals) -> Self {
        let established = calls.of(CallResult::Answered);
        Self {
            seen: calls.attempted() - calls.of(CallResult::Unknown),
            established,
            effective: established + calls.of(CallResult::Busy) + calls.of(CallResult::NoAnswer),
        }
    }
}
