//! How cases ended, as it is written down: the rows of every verb that judges; and for those that judge what has already
//! passed, all of them together as a terminal, files and reports show them.

use std::collections::BTreeMap;
use std::path::Path;

use ami_client::Target;
use ami_conform::bench::Site;
use ami_conform::cases;
use ami_conform::device::{Device, Reason};
use ami_conform::finding::Evidence;
use ami_conform::log::Side;
use ami_conform::suite::Judgement;
use ami_proto::session::Secret;
use ami_proto::transcript::TranscriptHeader;
use ami_report::Naming;
use ami_report::conformance::tree::Detail;
use ami_report::conformance::{Conformance, USUAL};
use ami_results::judgement::log::{JudgementLog, Judgements};
use ami_results::judgement::{self as row, Excerpt, FORMAT, Row};
use ami_results::run_dir::{RunDir, WriteError, replace};
use anyhow::Context as _;
use jiff::Timestamp;

use crate::command::report::judged;
use crate::exit_code::{Exit, Failure, OrExit};

/// The first row.
pub(super) fn run(verb: &str, options: row::Options, labels: &[(String, String)]) -> row::Run {
    row::Run {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        verb: verb.to_owned(),
        catalogue: cases::digest(),
        started_at: Timestamp::now(),
        seed: 0,
        options,
        labels: labels.iter().cloned().collect::<BTreeMap<_, _>>(),
    }
}

/// Who is judged, before anything is known of it.
pub(super) fn subject(target: &Target, address: &str) -> row::Device {
    row::Device {
        target: target.name.clone(),
        address: Some(address.to_owned()),
        account: Some(target.account.clone()),
        labels: target.labels.clone(),
        ..row::Device::default()
    }
}

/// With what shows of it.
pub(super) fn device(subject: row::Device, device: &Device, planned: usize) -> row::Device {
    let fact = |reason: &Reason| row::Fact {
        fact: reason.fact.clone(),
        seen: reason.seen.clone(),
    };
    row::Device {
        banner: Some(device.banner.clone()).filter(|banner| !banner.is_empty()),
        version: device.version.clone(),
        dialect: device.dialect.clone(),
        facts: device.reasons.iter().map(fact).collect(),
        conflicts: device.conflicts.clone(),
        planned: u32::try_from(planned).unwrap_or(u32::MAX),
        ..subject
    }
}

/// With the bytes that it rests on, which come without secrets.
pub(super) fn judgement(
    target: &str,
    judgement: &Judgement,
    excerpt: impl Fn(&Evidence) -> Vec<u8>,
    secrets: &[Secret],
) -> row::Judgement {
    let Judgement { case, finding, .. } = judgement;
    let excerpts = finding.evidence.iter();
    row::Judgement {
        target: target.to_owned(),
        case: case.id.to_owned(),
        requirement: case.requirement.to_owned(),
        level: case.level.to_string(),
        authority: case.authority.to_string(),
        severity: case.severity.to_string(),
        safety: case.safety.to_string(),
        source: case.source.to_owned(),
        state: finding.state,
        expected: masked(&finding.expected, secrets),
        got: masked(&finding.got, secrets),
        took_ns: u64::try_from(judgement.took.as_nanos()).unwrap_or(u64::MAX),
        evidence: excerpts.map(|one| passage(one, &excerpt(one))).collect(),
        left: judgement.left.clone(),
        expectation: None,
    }
}

pub(super) fn passage(evidence: &Evidence, bytes: &[u8]) -> Excerpt {
    let side = match evidence.side {
        Side::Client => row::Side::Client,
        Side::Server => row::Side::Server,
    };
    Excerpt::new(evidence.conn, side, evidence.bytes.start, bytes)
}

/// What a PBX says may hold a secret of ours.
pub(super) fn masked(text: &str, secrets: &[Secret]) -> String {
    let hide = |text: String, secret: &Secret| match secret.expose() {
        "" => text,
        value => text.replace(value, &"*".repeat(value.len())),
    };
    secrets.iter().fold(text.to_owned(), hide)
}

/// What passed, without the secret of the account.
pub(super) fn transcript(path: &Path, target: &str, site: &Site) -> Result<(), WriteError> {
    let mut text = TranscriptHeader::captured(target, Timestamp::now().to_string()).to_line();
    let secrets = site.logins.secrets();
    for entry in site.with_log(|log| log.masked(&secrets)) {
        text.push_str(&entry.to_line());
    }
    replace(path, text.as_bytes())
}

/// All rows of a verb, complete before the first is shown.
#[derive(Debug)]
pub(super) struct Verdicts {
    rows: Judgements,
}

impl Verdicts {
    pub(super) fn of(run: row::Run) -> Self {
        Self {
            rows: Judgements {
                run,
                devices: Vec::new(),
                judgements: Vec::new(),
                ends: Vec::new(),
                torn: None,
            },
        }
    }

    pub(super) fn add(&mut self, device: row::Device, judged: Vec<row::Judgement>, how: row::How) {
        self.rows.ends.push(row::End {
            target: device.target.clone(),
            how,
            ended_at: Timestamp::now(),
            objections: Vec::new(),
        });
        self.rows.devices.push(device);
        self.rows.judgements.extend(judged);
    }

    pub(super) fn print(&self, detail: Detail) {
        judged::print(&Conformance::of(vec![self.rows.clone()]), detail);
    }

    /// The rows as they are, and reports for others.
    pub(super) fn write(&self, run_dir: &RunDir, naming: Naming) -> Result<(), Failure> {
        let mut log = JudgementLog::create(run_dir.path(), self.rows.run.clone())
            .or_exit(Exit::NotWritten)?;
        let devices = self.rows.devices.iter().cloned().map(Row::Device);
        let judgements = self.rows.judgements.iter().cloned();
        let judgements = judgements.map(|one| Row::Judgement(Box::new(one)));
        let ends = self.rows.ends.iter().cloned().map(Row::End);
        for row in devices.chain(judgements).chain(ends) {
            log.write(&row)
                .context("failed to write the verdicts")
                .or_exit(Exit::NotWritten)?;
        }
        let conformance = Conformance::of(vec![self.rows.clone()]);
        judged::write(&judged::named(&conformance, naming), &USUAL, run_dir.path())?;
        Ok(())
    }
}
