//! One run through the library, from a scenario text to its records.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ami_client::tls::{Fingerprint, TlsSettings, Trust};
use ami_client::{Clock, Document, Gate, Peer, Target};
use ami_load::plan::Segment;
use ami_load::run::{self, Description, Finished, Live, RunError, Setup, Site, Start, Wish};
use ami_load::{Overrides, Plan, Scenario};
use ami_proto::session::{LoginForm, Secret};
use ami_results::call::CallRecord;
use ami_results::histogram::Histogram;
use ami_results::interval::{Counts, Gauge};
use ami_results::layout::Kind;
use ami_results::manifest::Manifest;
use ami_results::outcome::Outcome;
use ami_results::record::Record;
use ami_results::recorder::Records;
use ami_results::run_dir::RunDir;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::fake_pbx::FakePbx;

pub(crate) const SECRET: &str = "correct horse";

const LIMITS: &str = r#"
account = "bench"
[limits]
max_sessions = 1000
max_actions_per_s = 100000
max_calls_up = 1000
max_calls_per_s = 100000
max_calls_total = 1000000
[[limits.dial]]
channel = "Local/*@lab"
context = "lab"
[roles.answers]
channel = "Local/answer@lab"
context = "lab"
exten = "hold"
"#;

pub(crate) struct Bench {
    scenario: String,
    targets: Vec<(String, SocketAddr)>,
    tls: Option<TlsSettings>,
    limits: String,
    secret: String,
    overrides: Overrides,
    start: Start,
    wishes: watch::Sender<Wish>,
}

/// What is left of a run.
pub(crate) struct Ran {
    /// None when nothing was recorded.
    manifest: Option<Manifest>,
    pub(crate) result: Result<Finished, RunError>,
    pub(crate) records: Vec<Record>,
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) event_delays: Histogram,
}

/// A scenario of one group and one phase.
pub(crate) fn scenario(sessions: u32, duration: &str, arrival: &str, mix: &str) -> String {
    format!(
        "[[group]]\nname = \"load\"\nsessions = {sessions}\n[[phase]]\nname = \"steady\"\nduration = \"{duration}\"\n\
         arrival = {{ {arrival} }}\nmix = [{mix}]\n"
    )
}

/// Another phase behind those of a scenario.
pub(crate) fn phase(name: &str, duration: &str, arrival: &str, more: &str) -> String {
    format!(
        "[[phase]]\nname = \"{name}\"\nduration = \"{duration}\"\narrival = {{ {arrival} }}\nmix = [{PING}]\n{more}\n"
    )
}

pub(crate) fn constant(rate: &str) -> String {
    format!("constant = {{ rate = \"{rate}\" }}")
}

pub(crate) const PING: &str = "{ ping = {} }";
/// A Ping whose answer is waited for no longer than a fifth of a second.
pub(crate) const HASTY_PING: &str = "{ ping = {}, timeout = \"200ms\" }";
pub(crate) const ORIGINATE: &str =
    "{ originate = { role = \"answers\", hold = \"1s\", ring = \"1s\" } }";

impl Bench {
    pub(crate) fn new(scenario: String) -> Self {
        Self {
            scenario,
            targets: Vec::new(),
            tls: None,
            limits: LIMITS.to_owned(),
            secret: SECRET.to_owned(),
            overrides: Overrides::default(),
            start: Start::Soon,
            wishes: watch::channel(Wish::Go).0,
        }
    }

    pub(crate) fn target(mut self, address: SocketAddr) -> Self {
        let name = format!("pbx-{}", self.targets.len());
        self.targets.push((name, address));
        self
    }

    /// TLS, and no other certificate than this.
    pub(crate) fn pin(mut self, certificate: &[u8]) -> Self {
        self.tls = Some(TlsSettings {
            trust: Trust::Pin(Fingerprint::of(certificate)),
            server_name: "localhost".try_into().expect("a host name"),
        });
        self
    }

    pub(crate) fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    pub(crate) fn limit(mut self, from: &str, to: &str) -> Self {
        assert!(self.limits.contains(from), "{from}");
        self.limits = self.limits.replace(from, to);
        self
    }

    pub(crate) fn guarded(self) -> Self {
        let account = "account = \"bench\"\n";
        self.limit(account, &format!("{account}environment = \"production\"\n"))
    }

    pub(crate) fn duration(mut self, duration: Duration) -> Self {
        self.overrides.duration = Some(duration);
        self
    }

    pub(crate) fn workers(mut self, workers: u16) -> Self {
        self.overrides.workers = Some(workers);
        self
    }

    pub(crate) fn segment(mut self, segment: &str) -> Self {
        self.overrides.segment = Some(Segment::parse(segment).expect("it is a segment"));
        self
    }

    pub(crate) fn start_at(mut self, at: Timestamp) -> Self {
        self.start = Start::At(at);
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        let document = Document::embedded("scenario", Path::new(""), &self.scenario);
        let targets = self.targets.iter().map(|(name, address)| {
            let text = format!("address = \"{address}\"\n{}", self.limits);
            Target::parse(name, &Document::embedded(name, Path::new(""), &text))
                .expect("the target is well-formed")
        });
        let scenario = Scenario::parse(&document).expect("the scenario is well-formed");
        let targets = targets.collect();
        Plan::resolve("test", &document, scenario, targets, &self.overrides)
            .expect("the plan keeps its limits")
    }

    pub(crate) fn run(self) -> Ran {
        let plan = self.plan();
        let sites = self.targets.iter().map(|(_, address)| Site {
            peer: Peer::new(address.to_string(), self.tls.as_ref()).expect("a pin needs no file"),
            account: "bench".to_owned(),
            secret: Secret::new(self.secret.as_str()),
            login: LoginForm::Plain,
            gate: Gate::default(),
        });
        let sites = sites.collect();
        let home = TempDir::new().expect("a place for results");
        let run_dir = RunDir::create(&home.path().join("run")).expect("the directory is new");
        let description = Description {
            version: "0".to_owned(),
            command: Vec::new(),
            scenario_text: self.scenario.clone(),
            labels: Default::default(),
            records: Records::KEEP,
            start: self.start,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let wish = self.wishes.subscribe();
        let (live, _shown) = watch::channel(Live::default());
        let result = runtime.block_on(async {
            let setup = Setup::new(plan, sites, Clock::start()).expect("the script can be built");
            run::run(setup, description, run_dir.clone(), live, wish).await
        });
        let records = run_dir.records().expect("records are readable");
        let records = records.map(|row| row.expect("a whole record")).collect();
        let calls = run_dir.calls().expect("calls are readable");
        let calls = calls.map(|row| row.expect("a whole call")).collect();
        let gauges = run_dir.gauges().expect("gauges are readable");
        let gauges = gauges.map(|row| row.expect("a whole gauge")).collect();
        let manifest = run_dir.manifest().ok();
        Ran {
            result,
            records,
            calls,
            gauges,
            event_delays: event_delays(&run_dir),
            manifest,
        }
    }
}

/// None of a run that did not begin.
fn event_delays(run_dir: &RunDir) -> Histogram {
    let mut delays = Histogram::new();
    if let Ok(manifest) = run_dir.manifest() {
        let rows = run_dir.histograms(&manifest.layout);
        for row in rows.expect("histograms are readable") {
            let row = row.expect("a whole row");
            if row.tag.kind == Kind::EventDelay {
                delays.merge(&row.histogram);
            }
        }
    }
    delays
}

impl Bench {
    /// Lets the operator speak when the PBX has heard so many actions of that name.
    pub(crate) fn run_until(self, pbx: &FakePbx, heard: (&str, usize), wishes: &[Wish]) -> Ran {
        let operator = self.wishes.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                pbx.wait_for(heard.0, heard.1);
                for wish in wishes {
                    operator.send_replace(*wish);
                }
            });
            self.run()
        })
    }
}

impl Ran {
    pub(crate) fn finished(&self) -> &Finished {
        self.result.as_ref().expect("the run finished")
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.manifest.as_ref().expect("the run left a manifest")
    }

    /// Of one target, all actions and phases together.
    pub(crate) fn counts(&self, target: u16) -> Counts {
        let mut counts = Counts::default();
        for action in &self.finished().totals.actions {
            if action.target == target {
                counts.add(&action.counts);
            }
        }
        counts
    }

    pub(crate) fn outcomes(&self, outcome: Outcome) -> Vec<&Record> {
        let records = self.records.iter();
        records.filter(|record| record.outcome == outcome).collect()
    }

    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.outcomes(outcome).len()
    }

    /// Invariant 7, as far as the records alone can show it: each arrival has one record at most, each record its end,
    /// and what was counted is what was recorded.
    pub(crate) fn check_books(&self) {
        let mut numbers: Vec<_> = self
            .records
            .iter()
            .map(|record| (record.target, record.phase, record.seq))
            .collect();
        numbers.sort_unstable();
        let before = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), before, "an arrival has two records");
        for record in &self.records {
            check_times(record);
        }
        self.check_counts();
    }

    /// What was counted is what was recorded, and each call has one line.
    pub(crate) fn check_counts(&self) {
        let counts = (0..).zip(&self.finished().totals.calls);
        let recorded: u64 = counts
            .map(|(target, _)| self.counts(target).records())
            .sum();
        assert_eq!(recorded, self.records.len() as u64);
        let mut calls: Vec<_> = self.calls.iter().map(|call| &call.id).collect();
        calls.sort_unstable();
        let before = calls.len();
        calls.dedup();
        assert_eq!(calls.len(), before, "a call has two lines");
    }
}

fn check_times(record: &Record) {
    let completed_at = record.completed_at.expect("every record has its end");
    assert!(record.intended_at <= record.picked_at, "{record:?}");
    assert!(record.picked_at <= completed_at, "{record:?}");
    match record.outcome {
        Outcome::Disconnected => assert_eq!(record.sent_at, None, "{record:?}"),
        _ => {
            let sent_at = record.sent_at.expect("it was sent");
            assert!(
                record.picked_at <= sent_at && sent_at <= completed_at,
                "{record:?}"
            );
        }
    }
    assert_eq!(
        record.error.is_none(),
        record.outcome == Outcome::Success,
        "{record:?}"
    );
}
