//! The results of a run as they are written: each row when it is known, the transcript of a target at its end.

use std::fmt::Write as _;

use ami_client::Target;
use ami_conform::bench::Site;
use ami_conform::cases;
use ami_conform::device::Device;
use ami_conform::expectation::Compared;
use ami_conform::finding::Evidence;
use ami_conform::log::{Log, Side};
use ami_conform::suite::Judgement;
use ami_proto::session::Secret;
use ami_proto::transcript::TranscriptHeader;
use ami_results::judgement::log::JudgementLog;
use ami_results::judgement::{self as row, Excerpt, FORMAT, How, Row};
use ami_results::run_dir::{RunDir, WriteError, replace};
use jiff::Timestamp;

use super::judge::Judged;
use crate::args::Conform;

/// The first failure to write is kept until the end: the run goes on, what is found is printed.
#[derive(Debug)]
pub(super) struct Written {
    run_dir: RunDir,
    log: JudgementLog,
    failed: Option<WriteError>,
    is_one: bool,
}

impl Written {
    pub(super) fn create(
        conform: &Conform,
        run_dir: &RunDir,
        targets: usize,
    ) -> Result<Self, WriteError> {
        let run = row::Run {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            verb: "conform".to_owned(),
            catalogue: cases::digest(),
            started_at: Timestamp::now(),
            seed: 0,
            options: row::Options {
                only: conform.only.clone(),
                except: conform.except.clone(),
                allow: conform.allow.iter().map(ToString::to_string).collect(),
            },
            labels: conform.labels.iter().cloned().collect(),
        };
        Ok(Self {
            run_dir: run_dir.clone(),
            log: JudgementLog::create(run_dir.path(), run)?,
            failed: None,
            is_one: targets == 1,
        })
    }

    fn row(&mut self, row: &Row) {
        if self.failed.is_none() {
            self.failed = self.log.write(row).err();
        }
    }

    pub(super) fn device(
        &mut self,
        target: &Target,
        address: &str,
        device: &Device,
        planned: usize,
    ) {
        let fact = |reason: &ami_conform::device::Reason| row::Fact {
            fact: reason.fact.clone(),
            seen: reason.seen.clone(),
        };
        self.row(&Row::Device(row::Device {
            banner: Some(device.banner.clone()),
            version: device.version.clone(),
            facts: device.reasons.iter().map(fact).collect(),
            conflicts: device.conflicts.clone(),
            planned: u32::try_from(planned).unwrap_or(u32::MAX),
            ..of_target(target, address)
        }));
    }

    pub(super) fn unreachable(&mut self, target: &Target, address: &str, why: &str) {
        self.row(&Row::Device(row::Device {
            unreachable: Some(why.to_owned()),
            ..of_target(target, address)
        }));
    }

    pub(super) fn judgement(&mut self, row: row::Judgement) {
        self.row(&Row::Judgement(Box::new(row)));
    }

    /// With what passed, where anything did.
    pub(super) fn end(&mut self, judged: &Judged, site: Option<&Site>) {
        self.row(&Row::End(row::End {
            target: judged.target.clone(),
            how: judged.how.unwrap_or(How::Interrupted),
            ended_at: Timestamp::now(),
            objections: judged.objections.clone(),
        }));
        let Some(site) = site else { return };
        let mut text =
            TranscriptHeader::captured(&judged.target, Timestamp::now().to_string()).to_line();
        let secrets = [site.credentials.secret.clone()];
        for entry in site.with_log(|log| log.masked(&secrets)) {
            let _ = write!(text, "{}", entry.to_line());
        }
        let name = if self.is_one {
            "transcript.ami.jsonl".to_owned()
        } else {
            let slug = ami_client::target::slug(&judged.target);
            format!("transcript-{slug}.ami.jsonl")
        };
        let replaced = replace(&self.run_dir.file(&name), text.as_bytes());
        if self.failed.is_none() {
            self.failed = replaced.err();
        }
    }

    pub(super) fn conclude(self) -> Result<(), WriteError> {
        self.failed.map_or(Ok(()), Err)
    }
}

fn of_target(target: &Target, address: &str) -> row::Device {
    row::Device {
        target: target.name.clone(),
        address: Some(address.to_owned()),
        account: Some(target.account.clone()),
        labels: target.labels.clone(),
        ..row::Device::default()
    }
}

/// As it is written down: with the bytes that it rests on, and without secrets.
pub(super) fn judgement(
    target: &Target,
    judgement: &Judgement,
    compared: Option<&Compared>,
    (log, secrets): (&Log, &[Secret]),
) -> row::Judgement {
    let Judgement { case, finding, .. } = judgement;
    let excerpt = |evidence: &Evidence| {
        let side = match evidence.side {
            Side::Client => row::Side::Client,
            Side::Server => row::Side::Server,
        };
        let bytes = log.excerpt(evidence, secrets);
        Excerpt::new(evidence.conn, side, evidence.bytes.start, &bytes)
    };
    row::Judgement {
        target: target.name.clone(),
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
        evidence: finding.evidence.iter().map(excerpt).collect(),
        left: judgement.left.clone(),
        expectation: compared.map(|compared| row::Expectation {
            outcome: compared.outcome,
            state: compared.state,
            reason: compared.reason.clone(),
            until: compared.until.map(|date| date.to_string()),
            advice: compared.advice.clone(),
        }),
    }
}

/// What a PBX says may hold a secret of ours.
fn masked(text: &str, secrets: &[Secret]) -> String {
    let hide = |text: String, secret: &Secret| match secret.expose() {
        "" => text,
        value => text.replace(value, &"*".repeat(value.len())),
    };
    secrets.iter().fold(text.to_owned(), hide)
}
