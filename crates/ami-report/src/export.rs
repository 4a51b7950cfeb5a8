//! A run for other programs: the types of `summary.json`, and the schema that is published for them.
//!
//! Durations and instants are whole nanoseconds and end in `_ns`; instants count from the start of the run.

use std::collections::BTreeMap;

use ami_results::judgement::Row;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Serialize;

use crate::summary::Summary;

mod of_summary;

/// Grows when a reader of the old one would misread the new one; keys may be added without.
const VERSION: u32 = 1;
const ID: &str = "urn:amibench:schema:summary:1";
const JUDGEMENTS_ID: &str = "urn:amibench:schema:judgements:1";

/// A run of amibench.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Export {
    /// `pseudonyms`: numbers, names and addresses were replaced, the same by the same. `raw`: they are as they were.
    naming: &'static str,
    /// Of this format. A reader of version 1 ignores keys it does not know.
    format: u32,
    run: Run,
    validity: Validity,
    /// How late the generator picked up its arrivals: its own fault. None when nothing was measured.
    lag: Option<Latency>,
    /// How long bytes lay in the generator's sockets before they were read, at the worst.
    read_delay: ReadDelay,
    phases: Vec<Phase>,
    targets: Vec<Target>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReadDelay {
    /// Of sessions that waited for an answer.
    answers_max_ns: u64,
    /// Of sessions that waited for nothing.
    events_max_ns: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Run {
    id: String,
    /// Version of amibench.
    version: String,
    scenario: String,
    seed: u64,
    /// Runs of the same load on the same targets share it.
    plan_sha256: String,
    /// RFC 3339.
    started_at: String,
    ended_at: Option<String>,
    duration_ns: u64,
    end: End,
    labels: BTreeMap<String, String>,
    /// Such as `2/4`, when this process offered a part of the load.
    segment: Option<String>,
    /// Runs that were added up to this one.
    merged_from: Vec<Part>,
    host: Host,
}

#[derive(Debug, Serialize, JsonSchema)]
struct End {
    /// `running` (not ended, or killed), `completed`, `interrupted` or `aborted`.
    state: &'static str,
    /// Why it was aborted.
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    id: String,
    segment: String,
    started_at: String,
    host: Host,
}

/// The machine that made the load.
#[derive(Debug, Serialize, JsonSchema)]
struct Host {
    os: String,
    kernel: String,
    cpus: u64,
    scheduling_policy: String,
}

/// Whether the generator kept its schedule. How the targets did is in their outcomes.
#[derive(Debug, Serialize, JsonSchema)]
struct Validity {
    valid: bool,
    /// Why not.
    reasons: Vec<String>,
    planned: u64,
    offered: u64,
    /// Arrivals picked up more than 10 ms late.
    late: u64,
    seconds: u64,
    /// Seconds in which over 1 % of the arrivals were late.
    bad_seconds: u64,
    /// The worst seconds, longest first.
    stalls: Vec<Stall>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Stall {
    second: u64,
    offered: u64,
    late: u64,
    lag_max_ns: u64,
    /// In a warm-up, which makes no run invalid.
    warm_up: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Phase {
    name: String,
    /// In no total and no threshold.
    warm_up: bool,
    starts_at_ns: u64,
    ends_at_ns: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Target {
    name: String,
    address: String,
    account: String,
    banner: Option<String>,
    version: Option<String>,
    labels: BTreeMap<String, String>,
    /// Why it was not loaded to the end, or not at all.
    failure: Option<String>,
    thresholds: Vec<Threshold>,
    /// Totals by action over all phases but warm-ups.
    actions: Vec<Action>,
    /// The same by phase, warm-ups too.
    phases: Vec<PhaseAction>,
    /// Of all phases but warm-ups; none when nothing was called.
    calls: Option<Calls>,
    /// Stretches in which sessions were gone, in order of time.
    outages: Vec<Outage>,
    /// Shorter ones that are not listed.
    outages_left_out: u64,
    /// Whether the events that the run sent reached its sessions; none where no session measured it.
    events: Option<Events>,
    errors: Vec<Error>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Threshold {
    subject: String,
    /// `pass`, `fail`, `warn`, `not-applicable`, `skipped` or `inconclusive`.
    state: &'static str,
    limit: String,
    measured: String,
    detail: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Action {
    action: String,
    /// Sent per second of the time in which it was offered.
    rate_per_s: Option<f64>,
    counts: Counts,
    latency: Latencies,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PhaseAction {
    phase: String,
    action: String,
    counts: Counts,
    latency: Latencies,
}

/// `offered` is `skipped` and the five outcomes added up.
#[derive(Debug, Serialize, JsonSchema)]
struct Counts {
    offered: u64,
    /// Handed to the kernel.
    sent: u64,
    success: u64,
    /// The PBX said no.
    rejected: u64,
    /// No answer before the deadline.
    timed_out: u64,
    /// The session ended before it was sent.
    disconnected: u64,
    /// Sent, and the answer was lost: it may have run.
    indeterminate: u64,
    /// No free session, and the queue was full.
    skipped: u64,
    /// Picked up more than 10 ms after the intended instant.
    late: u64,
}

/// By kind: `response` (end − intended), `service` (end − sent), `ack`, `first-item`, `complete`, `event-delay` (all of
/// successes), `lag`, `wait`, and `failed` (end − intended of what did not succeed). A kind without samples is left out.
type Latencies = BTreeMap<&'static str, Latency>;

/// HDR histogram of three significant digits. A quantile is given however few the samples are.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Latency {
    pub(crate) count: u64,
    pub(crate) min_ns: u64,
    pub(crate) mean_ns: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p90_ns: u64,
    pub(crate) p95_ns: u64,
    pub(crate) p99_ns: u64,
    pub(crate) p99_9_ns: u64,
    pub(crate) max_ns: u64,
}

/// Calls that Originates made.
#[derive(Debug, Serialize, JsonSchema)]
struct Calls {
    attempted: u64,
    answered: u64,
    /// By result: `answered`, `busy`, `no-answer`, `congestion`, `failed`, `unknown` (nobody saw how it went).
    results: BTreeMap<&'static str, u64>,
    /// Session Establishment Ratio of RFC 6076: answered, of the calls with a known result. Equals E.411's answer
    /// seizure ratio here.
    ser: Option<f64>,
    /// Session Establishment Effectiveness Ratio of RFC 6076: answered, busy or no answer, of the same.
    seer: Option<f64>,
}

/// From the first session lost until all were back; instants since the origin of the run.
#[derive(Debug, Serialize, JsonSchema)]
struct Outage {
    /// How many were gone at a time.
    sessions: u32,
    /// Until the run ended, where not all came back.
    duration_ns: u64,
    first_lost_at_ns: u64,
    last_lost_at_ns: u64,
    first_back_at_ns: Option<u64>,
    all_back_at_ns: Option<u64>,
    /// The first success of an action sent after the last loss.
    first_success_at_ns: Option<u64>,
}

/// Added up over the sessions that listened. Their delay is the kind `event-delay` of the action.
#[derive(Debug, Serialize, JsonSchema)]
struct Events {
    expected: u64,
    lost: u64,
    duplicated: u64,
    reordered: u64,
}

/// Failures of one class.
#[derive(Debug, Serialize, JsonSchema)]
struct Error {
    action: String,
    outcome: &'static str,
    error: String,
    count: u64,
    first_seen_ns: u64,
    last_seen_ns: u64,
}

/// `summary.json`, ending in a line end.
pub fn json(summary: &Summary) -> String {
    let mut text = serde_json::to_string_pretty(&Export::of(summary))
        .expect("the export has string keys only, so it always serialises");
    text.push('\n');
    text
}

/// The JSON Schema of [`json`].
pub fn schema() -> Schema {
    schema_of::<Export>(ID, "amibench summary")
}

/// The JSON Schema of each line of a run's judgements.
pub fn judgements_schema() -> Schema {
    schema_of::<Row>(JUDGEMENTS_ID, "a line of amibench judgements")
}

fn schema_of<T: JsonSchema>(id: &str, title: &str) -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), id.into());
    schema.insert("title".to_owned(), title.into());
    schema
}
