//! What sessions went through besides their actions: outages, and events that they were to read.

use ami_results::layout::{Kind, Shape};

use super::{RowsAre, Table, columns, max, missing, p50, p99};
use crate::quantity::{count, duration, instant};
use crate::summary::{Summary, Target};

/// Outages shown per target; `sessions.jsonl` has the rest.
const OUTAGES_SHOWN: usize = 10;

pub(super) fn outages(summary: &Summary) -> Table {
    let mut rows = Vec::new();
    let mut hidden = 0;
    for target in &summary.targets {
        let told = target.outages.told();
        hidden += target.outages.untold() + told.len().saturating_sub(OUTAGES_SHOWN) as u64;
        rows.extend(told.iter().take(OUTAGES_SHOWN).map(|outage| {
            let at = |at: Option<u64>| at.map_or_else(|| "never".to_owned(), instant);
            vec![
                target.name.clone(),
                duration(outage.length(summary.ended_at)),
                count(u64::from(outage.sessions)),
                instant(outage.first_lost_at),
                instant(outage.last_lost_at),
                at(outage.first_back_at),
                at(outage.all_back_at),
                at(outage.served_at),
            ]
        }));
    }
    let more = if hidden > 0 {
        format!(" {hidden} more in sessions.jsonl.")
    } else {
        String::new()
    };
    Table {
        title: "Outages",
        header: vec![
            "target",
            "outage",
            "sessions",
            "first lost",
            "last lost",
            "first back",
            "all back",
            "first success",
        ],
        rows,
        words: 1,
        rows_are: RowsAre::Single,
        note: Some(format!(
            "From the first session lost until all were back; the first success is of an action sent after the last \
             loss.{more}"
        )),
    }
}

pub(super) fn events(summary: &Summary) -> Table {
    Table {
        title: "Events",
        header: vec![
            "target",
            "sent",
            "expected",
            "lost",
            "twice",
            "out of order",
            "delay p50",
            "p99",
            "max",
        ],
        rows: summary.targets.iter().filter_map(events_of).collect(),
        words: 1,
        rows_are: RowsAre::Single,
        note: Some(
            "Each event is expected by every session that measures and was up when it was sent; delay: read − sent."
                .to_owned(),
        ),
    }
}

fn events_of(target: &Target) -> Option<Vec<String>> {
    let delivery = &target.delivery;
    let sending = |shape| shape == Shape::FanOut;
    let action = target.actions.iter().find(|action| sending(action.shape));
    let delays = action.and_then(|action| action.quantiles(Kind::EventDelay));
    if delivery.expected == 0 && delays.is_none() {
        return None;
    }
    let sent = action.map(|action| action.counts.success);
    let mut row = vec![
        target.name.clone(),
        sent.map_or_else(missing, count),
        count(delivery.expected),
        count(delivery.lost),
        count(delivery.duplicated),
        count(delivery.reordered),
    ];
    row.extend(columns(delays, [p50, p99, max]));
    Some(row)
}
