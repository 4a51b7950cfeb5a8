//! The results of a run as they are written: each row when it is known, the transcript of a target at its end.

use ami_client::Target;
use ami_conform::bench::Site;
use ami_conform::device::Device;
use ami_conform::expectation::Compared;
use ami_conform::finding::Evidence;
use ami_conform::log::Log;
use ami_conform::suite::Judgement;
use ami_proto::session::Secret;
use ami_results::judgement::log::JudgementLog;
use ami_results::judgement::{self as row, How, Row};
use ami_results::run_dir::{RunDir, WriteError};
use jiff::Timestamp;

use super::judge::Judged;
use crate::args::Conform;
use crate::command::verdicts;

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
        let options = row::Options {
            only: conform.only.clone(),
            except: conform.except.clone(),
            allow: conform.allow.iter().map(ToString::to_string).collect(),
        };
        let run = verdicts::run("conform", options, &conform.labels);
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
        let subject = verdicts::subject(target, address);
        self.row(&Row::Device(verdicts::device(subject, device, planned)));
    }

    pub(super) fn unreachable(&mut self, target: &Target, address: &str, why: &str) {
        self.row(&Row::Device(row::Device {
            unreachable: Some(why.to_owned()),
            ..verdicts::subject(target, address)
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
        let name = if self.is_one {
            "transcript.ami.jsonl".to_owned()
        } else {
            let slug = ami_client::target::slug(&judged.target);
            format!("transcript-{slug}.ami.jsonl")
        };
        let path = self.run_dir.file(&name);
        let replaced = verdicts::transcript(&path, &judged.target, site);
        if self.failed.is_none() {
            self.failed = replaced.err();
        }
    }

    pub(super) fn conclude(self) -> Result<(), WriteError> {
        self.failed.map_or(Ok(()), Err)
    }
}

/// As it is written down: with the bytes that it rests on, and without secrets.
pub(super) fn judgement(
    target: &Target,
    judgement: &Judgement,
    compared: Option<&Compared>,
    (log, secrets): (&Log, &[Secret]),
) -> row::Judgement {
    let excerpt = |evidence: &Evidence| log.excerpt(evidence, secrets);
    row::Judgement {
        expectation: compared.map(|compared| row::Expectation {
            outcome: compared.outcome,
            state: compared.state,
            reason: compared.reason.clone(),
            until: compared.until.map(|date| date.to_string()),
            advice: compared.advice.clone(),
        }),
        ..verdicts::judgement(&target.name, judgement, excerpt, secrets)
    }
}
