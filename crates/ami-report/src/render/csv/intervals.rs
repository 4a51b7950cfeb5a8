//! `intervals.csv`: what was offered in each second, what became of it, and how long the answers of that second took.
//! A second is written when nothing can be added to it any more, so that memory holds a stretch and not the run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ami_results::histogram::{HIGHEST_NS, Histogram};
use ami_results::interval::{Cell, Counts};
use ami_results::layout::{Kind, Layout};
use ami_results::run_dir::RunDir;
use ami_results::totals::Quantiles;
use serde::Serialize;

use crate::ReportError;
use crate::summary::{Summary, series};

/// An action is counted in the second of its intended instant when it ends: that is later by its deadline and some
/// queueing, and no deadline is longer than what a histogram can hold.
const LATE_MAX_S: u64 = 2 * HIGHEST_NS / 1_000_000_000;
/// Histograms are 200 kB: one that was not added to for so many seconds is boiled down.
const OPEN_MAX_S: u64 = 4;

#[derive(Serialize)]
struct Row<'a> {
    second: u64,
    target: &'a str,
    phase: &'a str,
    action: &'a str,
    offered: u64,
    sent: u64,
    success: u64,
    rejected: u64,
    timed_out: u64,
    disconnected: u64,
    indeterminate: u64,
    skipped: u64,
    late: u64,
    lag_max_ns: u64,
    response_p50_ns: Option<u64>,
    response_p99_ns: Option<u64>,
    response_max_ns: Option<u64>,
}

/// What is known of one cell in one second.
#[derive(Default)]
struct Second {
    counts: Counts,
    lag_max_ns: u64,
    response: Response,
}

enum Response {
    Open(Option<Box<Histogram>>),
    Closed(Option<Quantiles>),
}

pub fn write(summary: &Summary, run_dir: &RunDir, out: &mut impl Write) -> Result<(), ReportError> {
    let layout = &summary.manifest.layout;
    // Tags bear the names of the run, which the summary may have replaced.
    let recorded = run_dir.manifest()?.layout;
    let mut intervals = run_dir.intervals()?.peekable();
    let responses = run_dir.histograms(&recorded)?;
    let mut responses = responses
        .filter(|row| {
            row.as_ref()
                .map_or(true, |row| row.tag.kind == Kind::Response)
        })
        .peekable();
    let mut open = BTreeMap::<(u64, Cell), Second>::new();
    let mut csv = csv::Writer::from_writer(out);
    let mut closed = 0;
    loop {
        let next = [
            intervals
                .peek()
                .map(|row| row.as_ref().map_or(0, |row| row.second)),
            responses
                .peek()
                .map(|row| row.as_ref().map_or(0, |row| row.start.as_secs())),
        ];
        let Some(now) = next.into_iter().flatten().min() else {
            break;
        };
        while let Some(row) =
            intervals.next_if(|row| row.as_ref().map_or(true, |row| row.second <= now))
        {
            let row = row?;
            let second = open.entry((row.second, row.cell())).or_default();
            second.counts.add(&row.counts);
            second.lag_max_ns = second.lag_max_ns.max(row.lag_max_ns);
        }
        while let Some(row) =
            responses.next_if(|row| row.as_ref().map_or(true, |row| row.start.as_secs() <= now))
        {
            let row = row?;
            let second = open
                .entry((row.start.as_secs(), row.tag.cell()))
                .or_default();
            second.response.add(&row.histogram);
        }
        let until = now.saturating_sub(OPEN_MAX_S);
        for (_, second) in open.range_mut((closed, Cell::FIRST)..(until, Cell::FIRST)) {
            second.response.close();
        }
        closed = until;
        let later = open.split_off(&(now.saturating_sub(LATE_MAX_S), Cell::FIRST));
        rows(layout, std::mem::replace(&mut open, later), &mut csv)?;
    }
    rows(layout, open, &mut csv)?;
    csv.flush()?;
    Ok(())
}

fn rows(
    layout: &Layout,
    seconds: BTreeMap<(u64, Cell), Second>,
    csv: &mut csv::Writer<impl Write>,
) -> io::Result<()> {
    for ((second, cell), mut known) in seconds {
        let response = known.response.close();
        let counts = &known.counts;
        csv.serialize(Row {
            second,
            target: layout.target(cell.target),
            phase: &layout.phase(cell.phase).name,
            action: &layout.action(cell.action).name,
            offered: counts.offered,
            sent: counts.sent,
            success: counts.success,
            rejected: counts.rejected,
            timed_out: counts.timed_out,
            disconnected: counts.disconnected,
            indeterminate: counts.indeterminate,
            skipped: counts.skipped,
            late: counts.late,
            lag_max_ns: known.lag_max_ns,
            response_p50_ns: response.map(|response| response.p50),
            response_p99_ns: response.map(|response| response.p99),
            response_max_ns: response.map(|response| response.max),
        })?;
    }
    Ok(())
}

impl Default for Response {
    fn default() -> Self {
        Self::Open(None)
    }
}

impl Response {
    fn add(&mut self, histogram: &Histogram) {
        match self {
            Self::Open(sum) => sum.get_or_insert_default().merge(histogram),
            Self::Closed(known) => {
                let parts = known.take().into_iter().chain(Quantiles::of(histogram));
                *known = parts.reduce(series::joined);
            }
        }
    }

    fn close(&mut self) -> Option<Quantiles> {
        if let Self::Open(sum) = self {
            *self = Self::Closed(sum.as_deref().and_then(Quantiles::of));
        }
        match self {
            Self::Closed(quantiles) => *quantiles,
            Self::Open(_) => None,
        }
    }
}
