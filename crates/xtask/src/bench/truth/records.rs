//! What amibench says of each action it sent: `records.jsonl` of the run.

use std::fs::File;
use std::io::{BufRead, BufReader};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::bench::product::Run;

#[derive(Debug, Deserialize)]
struct Record {
    action: usize,
    sent_at_ns: Option<u64>,
    acked_at_ns: Option<u64>,
}

/// An action that was answered, in nanoseconds of the run's own clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) sent_at: u64,
    pub(super) acked_at: u64,
}

/// Those whose name begins with `tag`.
pub(super) fn sent(run: &Run, tag: &str) -> Result<Vec<Sent>> {
    let actions = run.manifest()?.layout.actions;
    let path = run.dir.join("records.jsonl");
    let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
    let mut sent = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("reading {}", path.display()))?;
        let record: Record = serde_json::from_str(&line)
            .with_context(|| format!("understanding {}: {line}", path.display()))?;
        let named = actions.get(record.action);
        let wanted = named.is_some_and(|action| action.name.starts_with(tag));
        if let (true, Some(sent_at), Some(acked_at)) =
            (wanted, record.sent_at_ns, record.acked_at_ns)
        {
            sent.push(Sent { sent_at, acked_at });
        }
    }
    Ok(sent)
}
