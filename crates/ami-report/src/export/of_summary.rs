//! From a summary to what is published of it.

use ami_results::call::CallResult;
use ami_results::delivery::Delivery;
use ami_results::error_class::ErrorRow;
use ami_results::histogram::Histogram;
use ami_results::host;
use ami_results::interval;
use ami_results::layout::Layout;
use ami_results::manifest::{self, Manifest};
use ami_results::outage;
use ami_results::totals::CallTotals;
use ami_results::validity;
use ami_results::verdict::Verdict;

use super::{
    Action, Calls, Counts, End, Error, Events, Export, Host, Latencies, Latency, Outage, Part,
    Phase, PhaseAction, ReadDelay, Run, Stall, Target, Threshold, VERSION, Validity,
};
use crate::summary::{self, CallRatios, Histograms, Summary};

impl Export {
    pub(super) fn of(summary: &Summary) -> Self {
        let manifest = &summary.manifest;
        let phases = manifest.layout.phases().iter();
        Self {
            naming: summary.naming.slug(),
            format: VERSION,
            run: run(summary),
            validity: validity(&summary.validity),
            lag: Latency::of(&summary.lag),
            read_delay: ReadDelay {
                answers_max_ns: summary.read_delay.answers,
                events_max_ns: summary.read_delay.events,
            },
            phases: phases
                .map(|phase| Phase {
                    name: phase.name.clone(),
                    warm_up: phase.warm_up,
                    starts_at_ns: phase.starts_at,
                    ends_at_ns: phase.ends_at,
                })
                .collect(),
            targets: summary
                .targets
                .iter()
                .zip(&manifest.targets)
                .map(|(target, described)| self::target(summary, target, described))
                .collect(),
        }
    }
}

fn run(summary: &Summary) -> Run {
    let manifest = &summary.manifest;
    Run {
        id: manifest.run_id.clone(),
        version: manifest.version.clone(),
        scenario: manifest.scenario.name.clone(),
        seed: manifest.seed,
        plan_sha256: manifest.plan_sha256.clone(),
        started_at: manifest.started_at.to_string(),
        ended_at: manifest.ended_at.map(|at| at.to_string()),
        duration_ns: summary.ended_at,
        end: end(manifest),
        labels: manifest.labels.clone(),
        segment: manifest.segment.map(|segment| segment.to_string()),
        merged_from: manifest.merged_from.iter().map(part).collect(),
        host: host(&manifest.host),
    }
}

fn end(manifest: &Manifest) -> End {
    let (state, reason) = match &manifest.end {
        manifest::End::Running => ("running", None),
        manifest::End::Completed => ("completed", None),
        manifest::End::Interrupted => ("interrupted", None),
        manifest::End::Aborted { reason } => ("aborted", Some(reason.clone())),
    };
    End { state, reason }
}

fn part(part: &manifest::Part) -> Part {
    Part {
        id: part.run_id.clone(),
        segment: part.segment.to_string(),
        started_at: part.started_at.to_string(),
        host: host(&part.host),
    }
}

fn host(host: &host::Host) -> Host {
    Host {
        os: host.os.clone(),
        kernel: host.kernel.clone(),
        cpus: host.cpus as u64,
        scheduling_policy: host.scheduling_policy.clone(),
    }
}

fn validity(validity: &validity::Validity) -> Validity {
    Validity {
        valid: validity.is_valid(),
        reasons: validity.reasons.clone(),
        planned: validity.planned,
        offered: validity.offered,
        late: validity.late,
        seconds: validity.seconds,
        bad_seconds: validity.bad_seconds,
        stalls: validity
            .stalls
            .iter()
            .map(|stall| Stall {
                second: stall.second,
                offered: stall.offered.into(),
                late: stall.late.into(),
                lag_max_ns: stall.lag_max_ns,
                warm_up: stall.warm_up,
            })
            .collect(),
    }
}

fn target(summary: &Summary, target: &summary::Target, described: &manifest::Target) -> Target {
    let layout = &summary.manifest.layout;
    Target {
        name: target.name.clone(),
        address: described.address.clone(),
        account: described.account.clone(),
        banner: described.banner.clone(),
        version: described.version.clone(),
        labels: described.labels.clone(),
        failure: described.failure.clone(),
        thresholds: summary.verdicts_of(target).map(threshold).collect(),
        actions: target
            .actions
            .iter()
            .map(|action| Action {
                action: action.name.clone(),
                rate_per_s: action.rate(),
                counts: counts(&action.counts),
                latency: latencies(&action.histograms),
            })
            .collect(),
        phases: target
            .phases
            .iter()
            .map(|cell| PhaseAction {
                phase: layout.phase(cell.phase).name.clone(),
                action: layout.action(cell.action).name.clone(),
                counts: counts(&cell.counts),
                latency: latencies(&cell.histograms),
            })
            .collect(),
        calls: (target.calls.attempted() > 0).then(|| calls(&target.calls)),
        outages: target
            .outages
            .told()
            .iter()
            .map(|told| outage(told, summary.ended_at))
            .collect(),
        outages_left_out: target.outages.untold(),
        events: (target.delivery.expected > 0).then(|| events(&target.delivery)),
        errors: target.errors.iter().map(|row| error(layout, row)).collect(),
    }
}

fn threshold(verdict: &Verdict) -> Threshold {
    Threshold {
        subject: verdict.subject.clone(),
        state: verdict.state.slug(),
        limit: verdict.limit.clone(),
        measured: verdict.measured.clone(),
        detail: verdict.detail.clone(),
    }
}

fn counts(counts: &interval::Counts) -> Counts {
    Counts {
        offered: counts.offered,
        sent: counts.sent,
        success: counts.success,
        rejected: counts.rejected,
        timed_out: counts.timed_out,
        disconnected: counts.disconnected,
        indeterminate: counts.indeterminate,
        skipped: counts.skipped,
        late: counts.late,
    }
}

fn latencies(histograms: &Histograms) -> Latencies {
    histograms
        .iter()
        .filter_map(|(kind, histogram)| Some((kind.slug(), Latency::of(histogram)?)))
        .collect()
}

impl Latency {
    /// None of an empty histogram.
    pub(crate) fn of(histogram: &Histogram) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of durations"
        )]
        let mean_ns = histogram.mean()?.round() as u64;
        Some(Self {
            count: histogram.count(),
            min_ns: histogram.min()?,
            mean_ns,
            p50_ns: histogram.quantile(0.5)?,
            p90_ns: histogram.quantile(0.9)?,
            p95_ns: histogram.quantile(0.95)?,
            p99_ns: histogram.quantile(0.99)?,
            p99_9_ns: histogram.quantile(0.999)?,
            max_ns: histogram.max()?,
        })
    }
}

fn outage(told: &outage::Outage, run_ended_at: u64) -> Outage {
    Outage {
        sessions: told.sessions,
        duration_ns: told.length(run_ended_at),
        first_lost_at_ns: told.first_lost_at,
        last_lost_at_ns: told.last_lost_at,
        first_back_at_ns: told.first_back_at,
        all_back_at_ns: told.all_back_at,
        first_success_at_ns: told.served_at,
    }
}

fn events(delivery: &Delivery) -> Events {
    let Delivery {
        expected,
        lost,
        duplicated,
        reordered,
    } = *delivery;
    Events {
        expected,
        lost,
        duplicated,
        reordered,
    }
}

fn calls(calls: &CallTotals) -> Calls {
    let ratios = CallRatios::of(calls);
    let ratio = |part: u64| (ratios.seen > 0).then(|| part as f64 / ratios.seen as f64);
    Calls {
        attempted: calls.attempted(),
        answered: calls.of(CallResult::Answered),
        results: CallResult::ALL
            .into_iter()
            .map(|result| (result.slug(), calls.of(result)))
            .collect(),
        ser: ratio(ratios.established),
        seer: ratio(ratios.effective),
    }
}

fn error(layout: &Layout, row: &ErrorRow) -> Error {
    Error {
        action: layout.action(row.action).name.clone(),
        outcome: row.outcome.slug(),
        error: row.error.clone(),
        count: row.count,
        first_seen_ns: row.first_seen,
        last_seen_ns: row.last_seen,
    }
}
