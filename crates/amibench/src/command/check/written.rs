//! The verdicts as `judgements.jsonl`, each file as a target of its own.

use std::path::Path;

use ami_conform::device::Reason;
use ami_conform::finding::Evidence;
use ami_conform::log::Side;
use ami_conform::suite::Judgement;
use ami_conform::{cases, recorded};
use ami_results::judgement::log::JudgementLog;
use ami_results::judgement::{self as row, Excerpt, FORMAT, How, Row};
use ami_results::run_dir::{RunDir, WriteError};
use anyhow::Context as _;
use jiff::Timestamp;

use super::Checked;
use crate::args::Check;
use crate::exit_code::{Exit, Failure, OrExit};

pub(super) struct Written {
    log: JudgementLog,
}

impl Written {
    pub(super) fn create(folder: &Path, check: &Check) -> Result<Self, Failure> {
        let run_dir = RunDir::create(folder)
            .context("failed to prepare the results")
            .or_exit(Exit::NotWritten)?;
        let run = row::Run {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            verb: "check".to_owned(),
            catalogue: cases::digest(),
            started_at: Timestamp::now(),
            seed: 0,
            options: row::Options {
                only: check.only.clone(),
                except: check.except.clone(),
                allow: Vec::new(),
            },
            labels: [].into(),
        };
        let log = JudgementLog::create(run_dir.path(), run);
        Ok(Self {
            log: log.or_exit(Exit::NotWritten)?,
        })
    }

    pub(super) fn add(&mut self, checked: &Checked) -> Result<(), Failure> {
        self.rows(checked)
            .context("failed to write the verdicts")
            .or_exit(Exit::NotWritten)
    }

    fn rows(&mut self, checked: &Checked) -> Result<(), WriteError> {
        let device = &checked.device;
        let fact = |reason: &Reason| row::Fact {
            fact: reason.fact.clone(),
            seen: reason.seen.clone(),
        };
        let banner = Some(device.banner.clone()).filter(|banner| !banner.is_empty());
        self.log.write(&Row::Device(row::Device {
            target: checked.name.clone(),
            banner,
            version: device.version.clone(),
            facts: device.reasons.iter().map(fact).collect(),
            planned: u32::try_from(checked.judgements.len()).unwrap_or(u32::MAX),
            ..row::Device::default()
        }))?;
        for judgement in &checked.judgements {
            let row = judgement_row(checked, judgement);
            self.log.write(&Row::Judgement(Box::new(row)))?;
        }
        self.log.write(&Row::End(row::End {
            target: checked.name.clone(),
            how: How::Completed,
            ended_at: Timestamp::now(),
            objections: checked.recording.notes.clone(),
        }))
    }
}

fn judgement_row(checked: &Checked, judgement: &Judgement) -> row::Judgement {
    let Judgement { case, finding, .. } = judgement;
    let excerpt = |evidence: &Evidence| {
        let side = match evidence.side {
            Side::Client => row::Side::Client,
            Side::Server => row::Side::Server,
        };
        let bytes = recorded::excerpt(&checked.recording, evidence);
        Excerpt::new(evidence.conn, side, evidence.bytes.start, &bytes)
    };
    row::Judgement {
        target: checked.name.clone(),
        case: case.id.to_owned(),
        requirement: case.requirement.to_owned(),
        level: case.level.to_string(),
        authority: case.authority.to_string(),
        severity: case.severity.to_string(),
        safety: case.safety.to_string(),
        source: case.source.to_owned(),
        state: finding.state,
        expected: finding.expected.clone(),
        got: finding.got.clone(),
        took_ns: 0,
        evidence: finding.evidence.iter().map(excerpt).collect(),
        left: Vec::new(),
        expectation: None,
    }
}
