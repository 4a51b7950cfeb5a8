//! The whole run so far, in memory: counts per cell, a histogram per tag, load per second, calls per target.
//! Its size depends on the layout, not on how long the run is (but for 16 bytes a second, bounded).

use std::collections::BTreeMap;

use crate::call::CallRecord;
use crate::delivery::{Delivery, DeliveryRow};
use crate::histogram::Histogram;
use crate::interval::{Cell, Counts, IntervalRow};
use crate::layout::{Kind, Layout, Phase, Tag};
use crate::outage::{Outages, PresenceRow};
use crate::record::{Record, Skipped};
use crate::recorder::Scope;
use crate::totals::{ActionTotals, CallTotals, Quantiles, Totals};
use crate::unwritten::SECOND_NS;
use crate::validity::{LATE_NS, Load, SecondLoad, Validity};

/// A week; later seconds count into the last one. 10 MB at most.
const SECONDS_MAX: u64 = 7 * 86_400;

#[derive(Debug)]
pub(crate) struct Tally {
    /// Target and action of every cell that the layout offers, in order.
    offered: Vec<(u16, u16)>,
    histograms: BTreeMap<Tag, Histogram>,
    counts: BTreeMap<Cell, Counts>,
    last_second: LastSecond,
    seconds: Vec<SecondLoad>,
    /// In which nothing but warm-up was offered, or that too.
    warm_up_seconds: Vec<SecondLoad>,
    /// By target and phase.
    calls: BTreeMap<(u16, u16), CallTotals>,
    outages: Vec<Outages>,
    deliveries: Vec<Delivery>,
    accounted: u64,
    /// Why the run is invalid whatever was counted.
    objections: Vec<String>,
    phases: Vec<Phase>,
    targets: u16,
}

/// What the live line shows.
#[derive(Debug, Default)]
struct LastSecond {
    second: u64,
    counts: BTreeMap<Cell, Counts>,
}

impl Tally {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            offered: offered(layout),
            histograms: BTreeMap::new(),
            counts: BTreeMap::new(),
            last_second: LastSecond::default(),
            seconds: Vec::new(),
            warm_up_seconds: Vec::new(),
            calls: BTreeMap::new(),
            outages: vec![Outages::default(); layout.targets().len()],
            deliveries: vec![Delivery::default(); layout.targets().len()],
            accounted: 0,
            objections: Vec::new(),
            phases: layout.phases().to_vec(),
            targets: u16::try_from(layout.targets().len()).expect("tags bound the targets"),
        }
    }

    pub(crate) fn record(&mut self, record: &Record) {
        let counts = self.counts.entry(record.cell()).or_default();
        counts.count_offered(record.lag());
        counts.sent += u64::from(record.sent_at.is_some());
        counts.count_outcome(record.outcome);
        self.arrival(record.phase, record.intended_at, record.lag());
    }

    pub(crate) fn skipped(&mut self, skipped: &Skipped) {
        let counts = self.counts.entry(skipped.cell()).or_default();
        counts.offered += 1;
        counts.skipped += 1;
        self.arrival(skipped.phase, skipped.intended_at, 0);
    }

    pub(crate) fn call(&mut self, call: &CallRecord) {
        let calls = self.calls.entry((call.target, call.phase)).or_default();
        calls.count(call.result);
    }

    pub(crate) fn interval(&mut self, row: &IntervalRow) {
        self.counts.entry(row.cell()).or_default().add(&row.counts);
        let small = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let load = SecondLoad {
            offered: small(row.counts.offered),
            late: small(row.counts.late),
            lag_max_ns: row.lag_max_ns,
        };
        self.arrivals(row.phase, row.second, load);
    }

    pub(crate) fn latency(&mut self, tag: Tag, histogram: &Histogram) {
        self.histograms.entry(tag).or_default().merge(histogram);
    }

    pub(crate) fn object(&mut self, reason: String) {
        self.objections.push(reason);
    }

    pub(crate) fn presence(&mut self, row: &PresenceRow) {
        self.outages[usize::from(row.target)].add(row);
    }

    pub(crate) fn outages(&self, target: u16) -> &Outages {
        &self.outages[usize::from(target)]
    }

    pub(crate) fn delivery(&mut self, row: &DeliveryRow) {
        self.deliveries[usize::from(row.target)].add(&row.delivery);
    }

    pub(crate) fn duration(&mut self, tag: Tag, nanoseconds: u64) {
        self.histograms.entry(tag).or_default().record(nanoseconds);
    }

    /// `second` is the last that ended; its rows may come in several calls.
    pub(crate) fn second_ended(&mut self, second: u64, rows: &[IntervalRow]) {
        if second > self.last_second.second {
            self.last_second = LastSecond {
                second,
                counts: BTreeMap::new(),
            };
        }
        for row in rows.iter().filter(|row| row.second == second) {
            let counts = self.last_second.counts.entry(row.cell()).or_default();
            counts.add(&row.counts);
        }
    }

    pub(crate) fn histogram(&self, scope: Scope, kind: Kind) -> Histogram {
        let mut merged = Histogram::new();
        for (tag, histogram) in &self.histograms {
            let cell = Cell {
                target: tag.target,
                phase: tag.phase,
                action: tag.action,
            };
            if tag.kind == kind && self.holds(scope, cell) {
                merged.merge(histogram);
            }
        }
        merged
    }

    pub(crate) fn counts(&self, scope: Scope) -> Counts {
        self.sum(&self.counts, scope)
    }

    pub(crate) fn calls(&self, scope: Scope) -> CallTotals {
        let mut total = CallTotals::default();
        for (&(target, phase), calls) in &self.calls {
            let of_target = scope.target.is_none_or(|one| one == target);
            if of_target && scope.holds_phase(phase, &self.phases[usize::from(phase)]) {
                total.add(calls);
            }
        }
        total
    }

    pub(crate) fn validity(&self, planned: u64) -> Validity {
        let load = Load {
            planned: planned.max(self.accounted),
            accounted: self.accounted,
        };
        let mut validity = Validity::judge(&self.seconds, &self.warm_up_seconds, load);
        validity.reasons.extend(self.objections.iter().cloned());
        validity
    }

    pub(crate) fn totals(&self, planned: u64) -> Totals {
        Totals {
            actions: self
                .offered
                .iter()
                .map(|&(target, action)| self.action_totals(target, action))
                .collect(),
            calls: (0..self.targets)
                .map(|target| self.calls(of_target(target)))
                .collect(),
            outages: self.outages.clone(),
            deliveries: self.deliveries.clone(),
            lag: Quantiles::of(&self.histogram(Scope::default(), Kind::Lag)),
            validity: self.validity(planned),
        }
    }

    fn action_totals(&self, target: u16, action: u16) -> ActionTotals {
        let scope = Scope {
            target: Some(target),
            phase: None,
            action: Some(action),
        };
        let quantiles = |kind| Quantiles::of(&self.histogram(scope, kind));
        ActionTotals {
            target,
            action,
            counts: self.sum(&self.counts, scope),
            last_second: self.last_second.sum(target, action),
            response: quantiles(Kind::Response),
            service: quantiles(Kind::Service),
            ack: quantiles(Kind::Ack),
            failed: quantiles(Kind::Failed),
        }
    }

    fn arrival(&mut self, phase: u16, intended_at: u64, lag: u64) {
        let load = SecondLoad {
            offered: 1,
            late: u32::from(lag > LATE_NS),
            lag_max_ns: lag,
        };
        self.arrivals(phase, intended_at / SECOND_NS, load);
    }

    fn arrivals(&mut self, phase: u16, second: u64, load: SecondLoad) {
        let seconds = if self.phases[usize::from(phase)].warm_up {
            &mut self.warm_up_seconds
        } else {
            self.accounted += u64::from(load.offered);
            &mut self.seconds
        };
        let second = usize::try_from(second.min(SECONDS_MAX - 1)).expect("the bound fits an usize");
        if seconds.len() <= second {
            seconds.resize(second + 1, SecondLoad::default());
        }
        seconds[second].add(load);
    }

    fn holds(&self, scope: Scope, cell: Cell) -> bool {
        let is = |wanted: Option<u16>, index| wanted.is_none_or(|wanted| wanted == index);
        is(scope.target, cell.target)
            && is(scope.action, cell.action)
            && scope.holds_phase(cell.phase, &self.phases[usize::from(cell.phase)])
    }

    fn sum(&self, counts: &BTreeMap<Cell, Counts>, scope: Scope) -> Counts {
        let mut total = Counts::default();
        for (_, counts) in counts.iter().filter(|(cell, _)| self.holds(scope, **cell)) {
            total.add(counts);
        }
        total
    }
}

impl LastSecond {
    /// In a warm-up too.
    fn sum(&self, target: u16, action: u16) -> Counts {
        let mut total = Counts::default();
        for (cell, counts) in &self.counts {
            if (cell.target, cell.action) == (target, action) {
                total.add(counts);
            }
        }
        total
    }
}

impl Scope {
    pub(crate) fn holds_phase(self, index: u16, phase: &Phase) -> bool {
        self.phase.map_or(!phase.warm_up, |one| one == index)
    }
}

fn of_target(target: u16) -> Scope {
    Scope {
        target: Some(target),
        ..Scope::default()
    }
}

fn offered(layout: &Layout) -> Vec<(u16, u16)> {
    let mut actions: Vec<u16> = layout
        .phases()
        .iter()
        .flat_map(|phase| phase.actions.iter().copied())
        .collect();
    actions.sort_unstable();
    actions.dedup();
    (0..)
        .zip(layout.targets())
        .flat_map(|(target, _)| actions.iter().map(move |&action| (target, action)))
        .collect()
}
