//! `amibench check`: judges recorded sessions by those cases that need nothing but what passed.

use std::path::Path;

use ami_conform::device::Device;
use ami_conform::finding::Evidence;
use ami_conform::import::{self, Content, Recording};
use ami_conform::recorded;
use ami_conform::suite::{Judgement, Selection};
use ami_proto::session::Secret;
use ami_proto::transcript::What;
use ami_results::judgement::{self as row, How};
use ami_results::verdict::State;
use anyhow::anyhow;

use crate::args::Check;
use crate::command::verdicts::{self, Verdicts};
use crate::exit_code::{Exit, Failure, OrExit};
use crate::{print, recording, results};

mod sessions;

/// A recording, and how the cases ended on it.
struct Checked {
    name: String,
    recording: Recording,
    /// What the clients in it gave as such.
    secrets: Vec<Secret>,
    device: Device,
    judgements: Vec<Judgement>,
}

pub(crate) fn run(check: &Check) -> Result<Exit, Failure> {
    let selection = Selection {
        only: check.only.clone(),
        except: check.except.clone(),
        ..Selection::default()
    };
    selection.check().or_exit(Exit::BadInput)?;
    if recorded::cases(&selection).next().is_none() {
        return Err(anyhow!(
            "no case that judges a recording is selected: `amibench check FILE` without --only names all"
        ))
        .or_exit(Exit::Inconclusive);
    }
    // All are read before the first is told, so that a wrong name does not stand behind pages of verdicts.
    let mut all = Vec::new();
    for path in &check.files {
        all.push(judge(path, check.stream, &selection)?);
    }
    let options = row::Options {
        only: check.only.clone(),
        except: check.except.clone(),
        allow: Vec::new(),
    };
    let mut verdicts = Verdicts::of(verdicts::run("check", options, &[]));
    for one in &all {
        one.introduce();
        verdicts.add(one.device(), one.rows(), How::Completed);
    }
    verdicts.print(check.cases.detail());
    if let Some(folder) = &check.out {
        let run_dir = results::create(folder)?;
        verdicts.write(&run_dir, check.names.naming())?;
        print::line(folder.display());
    }
    let exits = all.iter().map(Checked::exit);
    Ok(exits.max().unwrap_or(Exit::Held))
}

fn judge(path: &Path, stream: Option<usize>, selection: &Selection) -> Result<Checked, Failure> {
    let name = path.display().to_string();
    let recording = recording::read(path, stream)?;
    let observed = recorded::observe(&recording);
    let secrets = recorded::secrets(&observed);
    let (device, judgements) = recorded::judge(&observed, recording.line_ends, selection);
    Ok(Checked {
        name,
        secrets,
        recording,
        device,
        judgements,
    })
}

impl Checked {
    /// What it is, before how the cases end on it.
    fn introduce(&self) {
        let about = &self.recording;
        let nothing = self.nothing();
        if about.sessions.is_empty() && about.notes.is_empty() && nothing.is_none() {
            return;
        }
        print::line(&self.name);
        if !about.sessions.is_empty() {
            print::text(sessions::table(&about.sessions));
        }
        for note in &about.notes {
            print::line(format_args!("  note: {note}"));
        }
        if let Some(why) = nothing {
            print::line(format_args!("  nothing to judge: {why}"));
        }
        print::line("");
    }

    fn nothing(&self) -> Option<String> {
        let said = |what: &What| matches!(what, What::Server(bytes) if !bytes.is_empty());
        if self.recording.entries.iter().any(|one| said(&one.what)) {
            return None;
        }
        let of = |content| {
            let mut sessions = self.recording.sessions.iter();
            sessions.any(|session| session.content == content)
        };
        Some(if of(Content::Tls) {
            format!("what is encrypted cannot be judged; {}", import::WAY_OUT)
        } else {
            "no PBX says anything in it".to_owned()
        })
    }

    /// What a session did not bring about is no defect of its recording: only one that shows nothing at all is.
    fn exit(&self) -> Exit {
        let is = |states: &[State]| {
            let mut judgements = self.judgements.iter();
            judgements.any(|one| states.contains(&one.finding.state))
        };
        if is(&[State::Fail]) {
            Exit::Failed
        } else if is(&[State::Pass, State::Warn]) {
            Exit::Held
        } else {
            Exit::Inconclusive
        }
    }

    fn device(&self) -> row::Device {
        let subject = row::Device {
            target: self.name.clone(),
            ..row::Device::default()
        };
        let mut device = verdicts::device(subject, &self.device, self.judgements.len());
        let notes = self.recording.notes.iter();
        device.facts.extend(notes.map(|note| row::Fact {
            fact: "the recording".to_owned(),
            seen: note.clone(),
        }));
        device
    }

    fn rows(&self) -> Vec<row::Judgement> {
        let excerpt =
            |evidence: &Evidence| recorded::excerpt(&self.recording, evidence, &self.secrets);
        let rows = self.judgements.iter();
        rows.map(|one| verdicts::judgement(&self.name, one, excerpt, &self.secrets))
            .collect()
    }
}
