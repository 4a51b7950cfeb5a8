//! The tables of a report, before any format: the same words and numbers on the terminal and in Markdown.

use ami_results::call::CallResult;
use ami_results::layout::{Kind, Shape};
use ami_results::manifest::End;
use ami_results::totals::Quantiles;
use ami_results::verdict::State;

use crate::quantity::{count, duration, instant, rate, share};
use crate::summary::{Action, CallRatios, ReadDelay, Summary, Target};

mod sessions;

/// Errors shown per target; the rest is in `errors.jsonl`.
const ERRORS_SHOWN: usize = 10;

pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) header: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
    /// Columns on the left that are words; the rest are numbers.
    pub(super) words: usize,
    pub(super) rows_are: RowsAre,
    pub(super) note: Option<String>,
}

/// Whether a narrow format may put the target above its rows instead of into each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsAre {
    /// In order of the target, which is the first column.
    ByTarget,
    Single,
}

/// The tables that have something to say.
pub(super) fn all(summary: &Summary) -> Vec<Table> {
    let tables = [
        verdicts(summary),
        actions(summary),
        latency(summary),
        phases_of_answers(summary),
        calls(summary),
        sessions::outages(summary),
        sessions::events(summary),
        errors(summary),
        slowest(summary),
        stalls(summary),
    ];
    tables
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

/// `VALID · 3 of 3 thresholds held · completed after 30.0 s`
pub(super) fn verdict_line(summary: &Summary) -> String {
    let mut parts = vec![if summary.validity.is_valid() {
        "VALID".to_owned()
    } else {
        "INVALID".to_owned()
    }];
    if !summary.verdicts.is_empty() {
        let held = summary
            .verdicts
            .iter()
            .filter(|verdict| verdict.state == State::Pass)
            .count();
        parts.push(format!(
            "{held} of {} thresholds held",
            summary.verdicts.len()
        ));
    }
    let after = duration(summary.ended_at);
    parts.push(match &summary.manifest.end {
        End::Running => format!("unfinished: results until {after}"),
        End::Completed => format!("completed after {after}"),
        End::Interrupted => format!("interrupted after {after}"),
        End::Aborted { reason } => format!("aborted after {after}: {reason}"),
    });
    parts.join(" · ")
}

/// `schedule lag p50 32 µs, p99 124 µs, max 1.20 ms; 0 of 15,600 arrivals late; …`
pub(super) fn lag_line(summary: &Summary) -> String {
    let validity = &summary.validity;
    let lag = Quantiles::of(&summary.lag).map_or_else(
        || "no arrivals".to_owned(),
        |lag| {
            format!(
                "p50 {}, p99 {}, max {}",
                duration(lag.p50),
                duration(lag.p99),
                duration(lag.max)
            )
        },
    );
    format!(
        "schedule lag {lag}; {} of {} arrivals over 10 ms late, {} of {} seconds bad",
        count(validity.late),
        count(validity.offered),
        validity.bad_seconds,
        validity.seconds
    )
}

/// `read delay at most 240 µs of answers, 21.3 ms of events that nobody waited for`
pub(super) fn read_delay_line(summary: &Summary) -> Option<String> {
    let ReadDelay { answers, events } = summary.read_delay;
    let parts = [
        (answers, "of answers"),
        (events, "of events that nobody waited for"),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .filter(|(delay, _)| *delay > 0)
        .map(|(delay, of)| format!("{} {of}", duration(delay)))
        .collect();
    (!told.is_empty()).then(|| format!("read delay at most {}", told.join(", ")))
}

/// `asterisk-22: version 22.10.0, firmware=1.0.27`
pub(super) fn target_lines(summary: &Summary) -> Vec<String> {
    summary
        .manifest
        .targets
        .iter()
        .map(|target| {
            let production =
                (target.environment == "production").then(|| "in production".to_owned());
            let version = target
                .version
                .iter()
                .map(|version| format!("version {version}"));
            let banner = target.banner.iter().map(|banner| format!("“{banner}”"));
            let labels = target
                .labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            // The first line has it where it ended the whole run.
            let is_told = |why: &str| match &summary.manifest.end {
                End::Aborted { reason } => reason.contains(why),
                End::Running | End::Completed | End::Interrupted => false,
            };
            let failure = target.failure.iter().filter(|why| !is_told(why)).cloned();
            let facts: Vec<String> = production
                .into_iter()
                .chain(version)
                .chain(banner)
                .chain(labels)
                .chain(failure)
                .collect();
            format!("{}: {}", target.name, facts.join(", "))
        })
        .collect()
}

fn verdicts(summary: &Summary) -> Table {
    Table {
        title: "Thresholds",
        header: vec!["", "subject", "limit", "measured"],
        rows: summary
            .verdicts
            .iter()
            .map(|verdict| {
                let measured = match &verdict.detail {
                    Some(detail) => format!("{} ({detail})", verdict.measured),
                    None => verdict.measured.clone(),
                };
                vec![
                    verdict.state.to_string(),
                    verdict.subject.clone(),
                    verdict.limit.clone(),
                    measured,
                ]
            })
            .collect(),
        words: 2,
        rows_are: RowsAre::Single,
        note: None,
    }
}

fn actions(summary: &Summary) -> Table {
    Table {
        title: "Actions",
        header: vec![
            "target", "action", "offered", "sent", "ok", "rejected", "timeout", "disconn.",
            "indet.", "skipped", "rate",
        ],
        rows: each_action(summary, |target, action| {
            let counts = &action.counts;
            let numbers = [
                counts.offered,
                counts.sent,
                counts.success,
                counts.rejected,
                counts.timed_out,
                counts.disconnected,
                counts.indeterminate,
                counts.skipped,
            ];
            let mut row = vec![target.name.clone(), action.name.clone()];
            row.extend(numbers.map(count));
            row.push(action.rate().map_or_else(missing, rate));
            Some(row)
        }),
        words: 2,
        rows_are: RowsAre::ByTarget,
        note: None,
    }
}

fn latency(summary: &Summary) -> Table {
    Table {
        title: "Latency",
        header: vec![
            "target",
            "action",
            "response p50",
            "p90",
            "p99",
            "p99.9",
            "max",
            "service p50",
            "p99",
        ],
        rows: each_action(summary, |target, action| {
            let response = action.quantiles(Kind::Response);
            let service = action.quantiles(Kind::Service);
            let mut row = vec![target.name.clone(), action.name.clone()];
            row.extend(columns(response, [p50, p90, p99, p999, max]));
            row.extend(columns(service, [p50, p99]));
            Some(row)
        }),
        words: 2,
        rows_are: RowsAre::ByTarget,
        note: Some(
            "Successes only. Response counts from the intended instant, service from the write."
                .to_owned(),
        ),
    }
}

fn phases_of_answers(summary: &Summary) -> Table {
    Table {
        title: "Stages of two-phase actions and lists",
        header: vec![
            "target",
            "action",
            "ack p50",
            "p99",
            "first item p50",
            "p99",
            "complete p50",
            "p99",
        ],
        rows: each_action(summary, |target, action| {
            if !matches!(action.shape, Shape::TwoPhase | Shape::List) {
                return None;
            }
            let mut row = vec![target.name.clone(), action.name.clone()];
            for kind in [Kind::Ack, Kind::FirstItem, Kind::Complete] {
                row.extend(columns(action.quantiles(kind), [p50, p99]));
            }
            Some(row)
        }),
        words: 2,
        rows_are: RowsAre::ByTarget,
        note: None,
    }
}

fn calls(summary: &Summary) -> Table {
    let called = || {
        summary
            .targets
            .iter()
            .filter(|target| target.calls.attempted() > 0)
    };
    Table {
        title: "Calls",
        header: vec![
            "target", "attempted", "answered", "busy", "no answer", "congestion", "failed", "unknown",
            "SER", "SEER",
        ],
        rows: called()
            .map(|target| {
                let ratios = CallRatios::of(&target.calls);
                let mut row = vec![target.name.clone(), count(target.calls.attempted())];
                row.extend(CallResult::ALL.map(|result| count(target.calls.of(result))));
                row.push(share(ratios.established, ratios.seen));
                row.push(share(ratios.effective, ratios.seen));
                row
            })
            .collect(),
        words: 1,
        rows_are: RowsAre::Single,
        note: Some(
            "SER (ASR): answered; SEER: answered, busy or no answer; after RFC 6076, of the calls with a known result."
                .to_owned(),
        ),
    }
}

fn errors(summary: &Summary) -> Table {
    let mut rows = Vec::new();
    let mut hidden = 0;
    for target in &summary.targets {
        let mut errors: Vec<_> = target.errors.iter().collect();
        errors.sort_by_key(|row| (std::cmp::Reverse(row.count), row.first_seen));
        hidden += errors.len().saturating_sub(ERRORS_SHOWN);
        rows.extend(errors.into_iter().take(ERRORS_SHOWN).map(|row| {
            vec![
                target.name.clone(),
                summary.manifest.layout.action(row.action).name.clone(),
                row.outcome.to_string(),
                // A PBX's text must not steer the terminal.
                row.error.replace(char::is_control, " "),
                count(row.count),
                instant(row.first_seen),
                instant(row.last_seen),
            ]
        }));
    }
    Table {
        title: "Errors",
        header: vec![
            "target",
            "action",
            "outcome",
            "error",
            "count",
            "first seen",
            "last seen",
        ],
        rows,
        words: 4,
        rows_are: RowsAre::ByTarget,
        note: note_on_errors(summary, hidden),
    }
}

fn note_on_errors(summary: &Summary, hidden: usize) -> Option<String> {
    let more = (hidden > 0).then(|| format!("{hidden} more in errors.jsonl."));
    let warm_up =
        (!warm_ups(summary).is_empty()).then(|| "Those of the warm-up are among them.".to_owned());
    let notes: Vec<String> = more.into_iter().chain(warm_up).collect();
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// The names of phases that are recorded and not measured.
pub(super) fn warm_ups(summary: &Summary) -> Vec<&str> {
    let phases = summary.manifest.layout.phases().iter();
    let warm_ups = phases.filter(|phase| phase.warm_up);
    warm_ups.map(|phase| phase.name.as_str()).collect()
}

/// `segment 2/4; not measured: warm-up`
pub(super) fn extent_line(summary: &Summary) -> Option<String> {
    let segment = summary.manifest.segment;
    let segment = segment.map(|segment| {
        format!(
            "segment {}/{} of the load",
            segment.index + 1,
            segment.count
        )
    });
    let warm_ups = warm_ups(summary);
    let warm_up = (!warm_ups.is_empty()).then(|| {
        format!(
            "recorded but in none of the figures: phase {}",
            warm_ups.join(", ")
        )
    });
    let parts: Vec<String> = segment.into_iter().chain(warm_up).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn slowest(summary: &Summary) -> Table {
    Table {
        title: "Slowest seconds",
        header: vec!["target", "action", "at", "count", "p50", "p90", "max"],
        rows: summary
            .slowest
            .iter()
            .map(|slow| {
                let layout = &summary.manifest.layout;
                let mut row = vec![
                    layout.target(slow.target).to_owned(),
                    layout.action(slow.action).name.clone(),
                    format!("+{} s", slow.second),
                    count(slow.response.count),
                ];
                row.extend(columns(Some(slow.response), [p50, p90, max]));
                row
            })
            .collect(),
        words: 2,
        rows_are: RowsAre::Single,
        note: None,
    }
}

fn stalls(summary: &Summary) -> Table {
    Table {
        title: "Stalls of the generator",
        header: vec!["at", "offered", "over 10 ms late", "worst lag"],
        rows: summary
            .validity
            .stalls
            .iter()
            .map(|stall| {
                let at = if stall.warm_up {
                    format!("+{} s (warm-up)", stall.second)
                } else {
                    format!("+{} s", stall.second)
                };
                vec![
                    at,
                    count(u64::from(stall.offered)),
                    count(u64::from(stall.late)),
                    duration(stall.lag_max_ns),
                ]
            })
            .collect(),
        words: 0,
        rows_are: RowsAre::Single,
        note: None,
    }
}

fn each_action(
    summary: &Summary,
    row: impl Fn(&Target, &Action) -> Option<Vec<String>>,
) -> Vec<Vec<String>> {
    summary
        .targets
        .iter()
        .flat_map(|target| target.actions.iter().map(move |action| (target, action)))
        .filter_map(|(target, action)| row(target, action))
        .collect()
}

fn columns<const N: usize>(
    quantiles: Option<Quantiles>,
    columns: [fn(&Quantiles) -> Option<u64>; N],
) -> [String; N] {
    columns.map(|column| {
        quantiles
            .and_then(|quantiles| column(&quantiles))
            .map_or_else(missing, duration)
    })
}

fn p50(quantiles: &Quantiles) -> Option<u64> {
    Some(quantiles.p50)
}

// A quantile that so few samples cannot tell from the maximum is not shown.

fn p90(quantiles: &Quantiles) -> Option<u64> {
    (quantiles.count >= 10).then_some(quantiles.p90)
}

fn p99(quantiles: &Quantiles) -> Option<u64> {
    (quantiles.count >= 100).then_some(quantiles.p99)
}

fn p999(quantiles: &Quantiles) -> Option<u64> {
    (quantiles.count >= 1000).then_some(quantiles.p999)
}

fn max(quantiles: &Quantiles) -> Option<u64> {
    Some(quantiles.max)
}

fn missing() -> String {
    "–".to_owned()
}
