//! `latency.hlog`: the HdrHistogram interval log, V2 deflated, a row per second and tag. Java's HistogramLogProcessor
//! and HdrHistogram's other readers understand it. Like all rows of a run they are additive: equal second and tag add up.

use std::path::Path;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use hdrhistogram::serialization::interval_log::{
    IntervalLogHistogram, IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag as LogTag,
};
use hdrhistogram::serialization::{Deserializer, V2DeflateSerializer};
use jiff::Timestamp;

use crate::histogram::Histogram;
use crate::layout::{Layout, Tag};
use crate::rows::{Lines, ReadError, Torn};

/// The column `max` is for people: milliseconds, as Java's writer does it.
const MAX_DIVISOR: f64 = 1e6;

/// One row: what was recorded of `tag` in the stretch from `start`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRow {
    pub tag: Tag,
    pub start: Duration,
    pub length: Duration,
    pub histogram: Histogram,
}

/// The first lines of a log whose rows count from `started_at`.
pub(crate) fn header(started_at: Timestamp) -> Vec<u8> {
    let started_at = SystemTime::from(started_at);
    let mut header = Vec::new();
    IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .with_start_time(started_at)
        .with_base_time(started_at)
        .with_max_value_divisor(MAX_DIVISOR)
        .begin_log_with(&mut header, &mut V2DeflateSerializer::new())
        .expect("a write to memory cannot fail");
    header
}

/// The lines of `rows`, given as tag text, start, length, histogram.
pub(crate) fn encode<'a>(
    rows: impl Iterator<Item = (&'a str, Duration, Duration, &'a Histogram)>,
) -> Vec<u8> {
    let mut serializer = V2DeflateSerializer::new();
    let mut lines = Vec::new();
    let mut writer = IntervalLogWriterBuilder::new()
        .with_max_value_divisor(MAX_DIVISOR)
        .begin_log_with(&mut lines, &mut serializer)
        .expect("a write to memory cannot fail");
    for (tag, start, length, histogram) in rows {
        let tag = LogTag::new(tag).expect("tags are slugs: no comma, no space, no line end");
        writer
            .write_histogram(histogram.hdr(), start, length, Some(tag))
            .expect("our bounds serialise, and a write to memory cannot fail");
    }
    // The builder repeats its remark on the divisor each time; the header has it already.
    let rows = lines
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    lines.split_off(rows)
}

/// Reads a log row by row; after the last one [`LogRows::torn`] tells of a torn end.
#[derive(Debug)]
pub struct LogRows<'a> {
    layout: &'a Layout,
    lines: Lines,
    buffer: Vec<u8>,
    deserializer: Decoder,
}

/// [`Deserializer`] has no `Debug`.
struct Decoder(Deserializer);

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoder")
    }
}

#[derive(Debug, thiserror::Error)]
enum RowError {
    #[error("the line is no row of an interval log")]
    Syntax,
    #[error("the tag {0:?} is not in the manifest's layout")]
    Tag(String),
    #[error("the histogram is not base64")]
    Base64(#[source] base64::DecodeError),
    #[error("the histogram cannot be decoded: {0:?}")]
    Histogram(hdrhistogram::serialization::DeserializeError),
}

impl<'a> LogRows<'a> {
    pub(crate) fn open(path: &Path, layout: &'a Layout) -> Result<Self, ReadError> {
        Ok(Self {
            layout,
            lines: Lines::open(path.to_owned())?,
            buffer: Vec::new(),
            deserializer: Decoder(Deserializer::new()),
        })
    }

    pub fn torn(&self) -> Option<&Torn> {
        self.lines.torn()
    }

    /// None for a comment.
    fn parse(&mut self) -> Result<Option<LogRow>, RowError> {
        match IntervalLogIterator::new(&self.buffer).next() {
            None | Some(Ok(LogEntry::StartTime(_) | LogEntry::BaseTime(_))) => Ok(None),
            Some(Err(_)) => Err(RowError::Syntax),
            Some(Ok(LogEntry::Interval(interval))) => {
                decode(&interval, self.layout, &mut self.deserializer.0).map(Some)
            }
        }
    }
}

fn decode(
    interval: &IntervalLogHistogram<'_>,
    layout: &Layout,
    deserializer: &mut Deserializer,
) -> Result<LogRow, RowError> {
    let text = interval.tag().map_or("", |tag| tag.as_str());
    let tag = layout
        .find_tag(text)
        .ok_or_else(|| RowError::Tag(text.to_owned()))?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(interval.encoded_histogram())
        .map_err(RowError::Base64)?;
    let hdr = deserializer
        .deserialize(&mut bytes.as_slice())
        .map_err(RowError::Histogram)?;
    Ok(LogRow {
        tag,
        start: interval.start_timestamp(),
        length: interval.duration(),
        histogram: Histogram::from_hdr(hdr),
    })
}

impl Iterator for LogRows<'_> {
    type Item = Result<LogRow, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Err(error) = self.lines.next_into(&mut self.buffer)? {
                return Some(Err(error));
            }
            match self.parse() {
                Ok(None) => {}
                Ok(Some(row)) => return Some(Ok(row)),
                Err(source) => return Some(Err(self.lines.row_error(source))),
            }
        }
    }
}
