//! Recorded sessions, judged: every transcript of the corpora, captures of packets, logs; whole, and cut off anywhere.

#![expect(clippy::unwrap_used, reason = "fixtures are tests too")]

mod captures;
mod cut;
mod packets;
mod verdicts;

use std::path::PathBuf;

use ami_conform::import::{self, Recording};
use ami_conform::recorded;
use ami_conform::suite::{Judgement, Selection};
use ami_results::verdict::State;

fn corpora() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpora/transcripts")
}

/// The transcripts below a folder, by name.
fn files(folder: &PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn read(bytes: &[u8]) -> Recording {
    import::read(bytes, None).unwrap()
}

fn judge(recording: &Recording) -> Vec<Judgement> {
    let observed = recorded::observe(recording);
    recorded::judge(&observed, recording.line_ends, &Selection::default()).1
}

fn state(recording: &Recording, case: &str) -> State {
    let judgements = judge(recording);
    let judgement = judgements.iter().find(|one| one.case.id == case);
    judgement.unwrap().finding.state
}
