//! From the rows of a run directory to its summary. What a warm-up phase offered is kept by phase and in the series
//! over time, and is part of no total.

use std::collections::BTreeMap;

use ami_results::delivery::Delivery;
use ami_results::error_class::ErrorTable;
use ami_results::histogram::Histogram;
use ami_results::interval::{Cell, Counts};
use ami_results::layout::Kind;
use ami_results::manifest::Manifest;
use ami_results::outage::Outages;
use ami_results::recorder::Scope;
use ami_results::rows::{ReadError, Torn};
use ami_results::run_dir::RunDir;
use ami_results::totals::{CallTotals, Quantiles};
use ami_results::validity::{self, SecondLoad, Validity};

use crate::pseudonym::Naming;
use crate::summary::series::{self, Series};
use crate::summary::{
    Action, Histograms, Load, PhaseAction, ReadDelay, SlowSecond, Summary, SummaryError, Target,
};

const SECOND_NS: u64 = 1_000_000_000;
/// Slowest seconds listed.
const SLOWEST_MAX: usize = 5;
/// Seconds looked at for validity: a week, as the recorder does it.
const SECONDS_MAX: u64 = 7 * 86_400;

pub(super) fn read(run_dir: &RunDir) -> Result<Summary, SummaryError> {
    let manifest = run_dir.manifest()?;
    let verdicts = run_dir.verdicts()?;
    let mut reading = Reading::new(&manifest);
    reading.intervals(run_dir)?;
    reading.histograms(run_dir)?;
    reading.calls(run_dir)?;
    reading.sessions(run_dir)?;
    reading.errors(run_dir)?;
    let read_delay = reading.read_delay(run_dir)?;
    let (ended_at, validity) = (reading.ended_at(), reading.validity());
    // Before `targets`, which takes the histograms.
    let lag = reading.lag();
    let targets = reading.targets();
    let Reading { slowest, torn, .. } = reading;
    Ok(Summary {
        naming: Naming::Raw,
        validity,
        targets,
        lag,
        read_delay,
        slowest,
        torn,
        ended_at,
        verdicts,
        manifest,
    })
}

/// What is being added up.
struct Reading<'a> {
    manifest: &'a Manifest,
    counts: BTreeMap<Cell, Counts>,
    histograms: BTreeMap<Cell, Histograms>,
    failures: BTreeMap<(u16, u16), BTreeMap<u64, u64>>,
    seconds: Vec<SecondLoad>,
    warm_up_seconds: Vec<SecondLoad>,
    /// By target and the second in which a bucket begins.
    load: BTreeMap<u16, BTreeMap<u64, Load>>,
    series: BTreeMap<(u16, u16), Series>,
    slowest: Vec<SlowSecond>,
    calls: BTreeMap<u16, CallTotals>,
    outages: BTreeMap<u16, Outages>,
    deliveries: BTreeMap<u16, Delivery>,
    errors: ErrorTable,
    torn: Vec<Torn>,
    last_second: u64,
    bucket_s: u64,
}

impl<'a> Reading<'a> {
    fn new(manifest: &'a Manifest) -> Self {
        let planned_end = manifest.layout.phases().iter().map(|phase| phase.ends_at);
        Self {
            manifest,
            counts: BTreeMap::new(),
            histograms: BTreeMap::new(),
            failures: BTreeMap::new(),
            seconds: Vec::new(),
            warm_up_seconds: Vec::new(),
            load: BTreeMap::new(),
            series: BTreeMap::new(),
            slowest: Vec::new(),
            calls: BTreeMap::new(),
            outages: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            errors: ErrorTable::default(),
            torn: Vec::new(),
            last_second: 0,
            bucket_s: series::bucket_s(planned_end.max().unwrap_or(0) / SECOND_NS),
        }
    }

    fn is_measured(&self, phase: u16) -> bool {
        !self.manifest.layout.phase(phase).warm_up
    }

    fn intervals(&mut self, run_dir: &RunDir) -> Result<(), ReadError> {
        let mut rows = run_dir.intervals()?;
        for row in rows.by_ref() {
            let row = row?;
            self.counts.entry(row.cell()).or_default().add(&row.counts);
            let bucket = row.second / self.bucket_s * self.bucket_s;
            let load = self.load.entry(row.target).or_default();
            load.entry(bucket).or_default().add(&row.counts);
            let failed = row.counts.records() - row.counts.success;
            if failed > 0 {
                let failures = self.failures.entry((row.target, row.action)).or_default();
                *failures.entry(bucket).or_default() += failed;
            }
            self.last_second = self.last_second.max(row.second);
            self.load_second(row.phase, row.second, &row.counts, row.lag_max_ns);
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn load_second(&mut self, phase: u16, second: u64, counts: &Counts, lag_max_ns: u64) {
        let seconds = if self.is_measured(phase) {
            &mut self.seconds
        } else {
            &mut self.warm_up_seconds
        };
        let index = usize::try_from(second.min(SECONDS_MAX - 1)).expect("the bound fits an usize");
        if seconds.len() <= index {
            seconds.resize(index + 1, SecondLoad::default());
        }
        let small = |count| u32::try_from(count).unwrap_or(u32::MAX);
        seconds[index].add(SecondLoad {
            offered: small(counts.offered),
            late: small(counts.late),
            lag_max_ns,
        });
    }

    fn read_delay(&mut self, run_dir: &RunDir) -> Result<ReadDelay, ReadError> {
        let mut worst = ReadDelay::default();
        let mut rows = run_dir.gauges()?;
        for row in rows.by_ref() {
            let row = row?;
            worst.answers = worst.answers.max(row.answer_read_delay_max_ns);
            worst.events = worst.events.max(row.event_read_delay_max_ns);
        }
        self.torn.extend(rows.torn().cloned());
        Ok(worst)
    }

    fn histograms(&mut self, run_dir: &RunDir) -> Result<(), ReadError> {
        let mut rows = run_dir.histograms(&self.manifest.layout)?;
        for row in rows.by_ref() {
            let row = row?;
            let tag = row.tag;
            let cell = tag.cell();
            self.histograms
                .entry(cell)
                .or_default()
                .entry(tag.kind)
                .or_default()
                .merge(&row.histogram);
            if tag.kind == Kind::Response {
                let bucket_s = self.bucket_s;
                self.series
                    .entry((tag.target, tag.action))
                    .or_insert_with(|| Series::new(bucket_s))
                    .add(row.start.as_secs(), &row.histogram);
                if self.is_measured(tag.phase) {
                    self.slow(row.start.as_secs(), cell, &row.histogram);
                }
            }
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn slow(&mut self, second: u64, cell: Cell, histogram: &Histogram) {
        let Some(response) = Quantiles::of(histogram) else {
            return;
        };
        self.slowest.push(SlowSecond {
            second,
            target: cell.target,
            action: cell.action,
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
            if self.is_measured(call.phase) {
                self.calls
                    .entry(call.target)
                    .or_default()
                    .count(call.result);
            }
        }
        self.torn.extend(rows.torn().cloned());
        Ok(())
    }

    fn sessions(&mut self, run_dir: &RunDir) -> Result<(), ReadError> {
        let mut rows = run_dir.presence()?;
        for row in rows.by_ref() {
            let row = row?;
            self.outages.entry(row.target).or_default().add(&row);
        }
        self.torn.extend(rows.torn().cloned());
        let mut rows = run_dir.deliveries()?;
        for row in rows.by_ref() {
            let row = row?;
            let delivery = self.deliveries.entry(row.target).or_default();
            delivery.add(&row.delivery);
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

    fn ended_at(&self) -> u64 {
        match self.manifest.ended_at {
            Some(ended_at) => {
                let elapsed = ended_at.duration_since(self.manifest.started_at);
                u64::try_from(elapsed.as_nanos()).unwrap_or(0)
            }
            None => (self.last_second + 1) * SECOND_NS,
        }
    }

    fn validity(&self) -> Validity {
        self.manifest.validity.clone().unwrap_or_else(|| {
            let measured = self
                .counts
                .iter()
                .filter(|(cell, _)| self.is_measured(cell.phase));
            let offered = measured.map(|(_, counts)| counts.offered).sum();
            let load = validity::Load {
                planned: offered,
                accounted: offered,
            };
            Validity::judge(&self.seconds, &self.warm_up_seconds, load)
        })
    }

    fn lag(&self) -> Histogram {
        let mut lag = Histogram::new();
        self.histograms
            .iter()
            .filter(|(cell, _)| self.is_measured(cell.phase))
            .filter_map(|(_, kinds)| kinds.get(&Kind::Lag))
            .for_each(|histogram| lag.merge(histogram));
        lag
    }

    /// The end of the last second with an arrival: a run that was stopped goes on without any until its calls are down.
    fn offered_until(&self) -> u64 {
        let seconds = self.seconds.iter().rposition(|second| second.offered > 0);
        seconds.map_or(0, |last| (last as u64 + 1) * SECOND_NS)
    }

    fn targets(&mut self) -> Vec<Target> {
        let offered_until = self.offered_until();
        (0..)
            .zip(self.manifest.layout.targets())
            .map(|(index, name)| Target {
                index,
                name: name.clone(),
                actions: self.actions(index, offered_until),
                phases: self.phases(index),
                calls: self.calls.remove(&index).unwrap_or_default(),
                outages: self.outages.remove(&index).unwrap_or_default(),
                delivery: self.deliveries.remove(&index).unwrap_or_default(),
                load: self.load.remove(&index).unwrap_or_default(),
                bucket_s: self.bucket_s,
                errors: self
                    .errors
                    .rows()
                    .filter(|row| row.target == index)
                    .collect(),
            })
            .collect()
    }

    fn actions(&mut self, target: u16, offered_until: u64) -> Vec<Action> {
        (0..)
            .zip(self.manifest.layout.actions())
            .filter_map(|(index, action)| {
                let key = (target, index);
                let (counts, histograms) = self.measured(target, index)?;
                Some(Action {
                    index,
                    name: action.name.clone(),
                    shape: action.shape,
                    counts,
                    offered_for_s: self.offered_for(index, offered_until),
                    histograms,
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

    /// Of the phases that are no warm-up; None when none of them offered the action.
    fn measured(&self, target: u16, action: u16) -> Option<(Counts, Histograms)> {
        let of = |cell: &Cell| {
            cell.target == target && cell.action == action && self.is_measured(cell.phase)
        };
        let mut cells = self.counts.iter().filter(|(cell, _)| of(cell)).peekable();
        cells.peek()?;
        let mut counts = Counts::default();
        cells.for_each(|(_, of_cell)| counts.add(of_cell));
        let mut histograms = Histograms::new();
        for (_, kinds) in self.histograms.iter().filter(|(cell, _)| of(cell)) {
            for (kind, histogram) in kinds {
                histograms.entry(*kind).or_default().merge(histogram);
            }
        }
        Some((counts, histograms))
    }

    fn phases(&mut self, target: u16) -> Vec<PhaseAction> {
        let counts = self.counts.iter().filter(|(cell, _)| cell.target == target);
        counts
            .map(|(cell, counts)| PhaseAction {
                phase: cell.phase,
                action: cell.action,
                counts: *counts,
                histograms: self.histograms.remove(cell).unwrap_or_default(),
            })
            .collect()
    }

    /// The measured phases that offer the action, as far as the run got.
    fn offered_for(&self, action: u16, offered_until: u64) -> f64 {
        let scope = Scope {
            action: Some(action),
            ..Scope::default()
        };
        let nanoseconds = self.manifest.layout.offered_for(scope, offered_until);
        nanoseconds as f64 / 1e9
    }
}
