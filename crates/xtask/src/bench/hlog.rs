//! Reads `latency.hlog` of a run without our own crates: what is compared must not share the code that wrote it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base64::Engine as _;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

/// All rows whose action and kind are wanted, added up. A tag is `target/phase/action/kind`.
pub(crate) fn merged(run: &Path, wanted: impl Fn(&str, &str) -> bool) -> Result<Histogram<u64>> {
    let path = run.join("latency.hlog");
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut sum = Histogram::new(3).expect("three digits are allowed");
    for entry in IntervalLogIterator::new(&text) {
        let entry = entry.map_err(|error| anyhow!("{}: {error:?}", path.display()))?;
        let LogEntry::Interval(row) = entry else {
            continue;
        };
        let tag = row.tag().map_or("", |tag| tag.as_str());
        let mut from_the_end = tag.rsplit('/');
        let (kind, action) = (from_the_end.next(), from_the_end.next());
        if !wanted(action.unwrap_or_default(), kind.unwrap_or_default()) {
            continue;
        }
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(row.encoded_histogram())
            .context("a histogram that is not base64")?;
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| anyhow!("a histogram that cannot be decoded: {error:?}"))?;
        sum.add(&histogram)
            .map_err(|error| anyhow!("a histogram beyond the sum's range: {error:?}"))?;
    }
    Ok(sum)
}
