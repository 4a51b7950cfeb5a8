//! `amibench check`: judges recorded sessions by those cases that need nothing but what passed.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ami_conform::device::Device;
use ami_conform::finding::Evidence;
use ami_conform::import::{self, Content, Recording};
use ami_conform::log::Side;
use ami_conform::suite::{Judgement, Selection};
use ami_conform::{cases, recorded};
use ami_proto::transcript::What;
use ami_results::verdict::State;
use anyhow::{Context as _, anyhow};

use crate::args::Check;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

mod sessions;
mod written;

use written::Written;

/// A recording, and how the cases ended on it.
struct Checked {
    name: String,
    recording: Recording,
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
    let mut written = check
        .out
        .as_deref()
        .map(|folder| Written::create(folder, check))
        .transpose()?;
    let mut exit = Exit::Held;
    for one in &all {
        exit = exit.max(one.print());
        if let Some(written) = &mut written {
            written.add(one)?;
        }
    }
    if let Some(folder) = &check.out {
        print::line(folder.display());
    }
    Ok(exit)
}

fn judge(path: &Path, stream: Option<usize>, selection: &Selection) -> Result<Checked, Failure> {
    let name = path.display().to_string();
    let file = File::open(path)
        .with_context(|| format!("failed to open {name}"))
        .or_exit(Exit::BadInput)?;
    let recording = import::read(BufReader::new(file), stream)
        .map_err(|error| anyhow!("{name}: failed to {error}"))
        .or_exit(Exit::BadInput)?;
    let (device, judgements) = recorded::judge(&recording, selection);
    Ok(Checked {
        name,
        recording,
        device,
        judgements,
    })
}

impl Checked {
    fn print(&self) -> Exit {
        print::line(&self.name);
        if !self.recording.sessions.is_empty() {
            print::text(sessions::table(&self.recording.sessions));
        }
        for note in &self.recording.notes {
            print::line(format_args!("  note: {note}"));
        }
        if let Some(why) = self.nothing() {
            print::line(format_args!("  nothing to judge: {why}"));
            return Exit::Inconclusive;
        }
        if !self.device.banner.is_empty() {
            print::line(format_args!("  banner: {}", self.device.banner));
        }
        for judgement in &self.judgements {
            self.print_judgement(judgement);
        }
        self.print_sums()
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

    fn print_judgement(&self, judgement: &Judgement) {
        let Judgement { case, finding, .. } = judgement;
        let (state, got) = (finding.state, &finding.got);
        print::line(format_args!("  {state:<15} {:<40} {got}", case.id));
        if !matches!(state, State::Fail | State::Warn) {
            return;
        }
        print::line(format_args!("      {}", case.requirement));
        if !finding.expected.is_empty() {
            print::line(format_args!("      expected {}", finding.expected));
        }
        for evidence in &finding.evidence {
            self.print_evidence(evidence);
        }
    }

    fn print_evidence(&self, evidence: &Evidence) {
        /// Enough for the lines that tell what a message is.
        const SHOWN: usize = 6;
        let Evidence { conn, side, bytes } = evidence;
        let side = match side {
            Side::Client => "client",
            Side::Server => "PBX",
        };
        let (start, end) = (bytes.start, bytes.end);
        print::line(format_args!(
            "      connection {conn}, bytes {start}..{end} of the {side}:"
        ));
        let excerpt = recorded::excerpt(&self.recording, evidence);
        let lines: Vec<&[u8]> = excerpt.split_inclusive(|byte| *byte == b'\n').collect();
        for line in lines.iter().take(SHOWN) {
            print::line(format_args!("        {}", line.escape_ascii()));
        }
        if lines.len() > SHOWN {
            print::line(format_args!("        … {} lines", lines.len() - SHOWN));
        }
    }

    fn print_sums(&self) -> Exit {
        let of = |state: State| {
            let of_state = |one: &&Judgement| one.finding.state == state;
            self.judgements.iter().filter(of_state).count()
        };
        print::line(format_args!(
            "  {} of {} cases judge a recording: {} pass, {} fail, {} warn, {} inconclusive, {} not applicable",
            self.judgements.len(),
            cases::all().count(),
            of(State::Pass),
            of(State::Fail),
            of(State::Warn),
            of(State::Inconclusive),
            of(State::NotApplicable),
        ));
        // What a session did not bring about is no defect of its recording: only one that shows nothing at all is.
        match (of(State::Fail), of(State::Pass) + of(State::Warn)) {
            (0, 0) => Exit::Inconclusive,
            (0, _) => Exit::Held,
            _ => Exit::Failed,
        }
    }
}
