//! A recording that is cut off: no panic, no pass of what was not seen, and no failure that the whole does not have.
//!
//! `AMIBENCH_CUTS=full` cuts the small ones at every byte and the others at every 97th, in some minutes; a usual run at a few.

use std::collections::BTreeMap;

use ami_conform::import::Recording;
use ami_conform::log::Manners;
use ami_conform::observed::Connection;
use ami_conform::recorded;
use ami_proto::transcript::{Entry, Mark, What};
use ami_results::verdict::State;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{corpora, files, judge, read};

/// Of each transcript in a usual run; every byte of all takes hours.
const CUTS: u64 = 40;
/// Up to that length a full run cuts at every byte.
const SMALL: u64 = 4096;

fn length(entry: &Entry) -> u64 {
    match &entry.what {
        What::Client(bytes) | What::Server(bytes) => bytes.len() as u64,
        What::Mark(_) => 0,
    }
}

/// The first `at` bytes that passed.
fn first(whole: &Recording, at: u64) -> Recording {
    let mut left = at;
    let mut entries = Vec::new();
    for entry in &whole.entries {
        let mut entry = entry.clone();
        let length = length(&entry);
        if let What::Client(bytes) | What::Server(bytes) = &mut entry.what {
            bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let is_cut = length > left;
        left = left.saturating_sub(length);
        entries.push(entry);
        if is_cut {
            break;
        }
    }
    Recording {
        entries,
        ..Recording::default()
    }
}

fn states(recording: &Recording) -> BTreeMap<&'static str, State> {
    let judgements = judge(recording);
    let of = |one: &ami_conform::suite::Judgement| (one.case.id, one.finding.state);
    judgements.iter().map(of).collect()
}

/// Connections that are not judged because the client was rude on them.
fn rude(recording: &Recording) -> Vec<u32> {
    let observed = recorded::observe(recording);
    let rude = |one: &&Connection| one.manners == Manners::Rude;
    let connections = observed.connections.iter().filter(rude);
    connections.map(|one| one.conn).collect()
}

fn check(name: &str, whole: &Whole, at: u64) {
    let cut = first(&whole.recording, at);
    let said = cut
        .entries
        .iter()
        .any(|entry| matches!(&entry.what, What::Server(bytes) if bytes.contains(&b'\n')));
    // What becomes rude behind the cut is judged before it.
    let as_rude = rude(&cut) == whole.rude;
    for (case, state) in states(&cut) {
        let was = whole.states[case];
        let context = || format!("{name}, cut at byte {at}: {case} is {state}, was {was}");
        match state {
            State::Fail | State::Warn => assert!(was_said(was) || !as_rude, "{}", context()),
            State::Pass => assert!(
                said && (was != State::Inconclusive || !as_rude),
                "{}",
                context()
            ),
            _ => {}
        }
    }
}

struct Whole {
    recording: Recording,
    states: BTreeMap<&'static str, State>,
    rude: Vec<u32>,
}

fn was_said(state: State) -> bool {
    matches!(state, State::Fail | State::Warn)
}

/// Where a recording of that length is cut.
fn cuts(length: u64, random: &mut ChaCha8Rng) -> Vec<u64> {
    match std::env::var("AMIBENCH_CUTS").as_deref() {
        Ok("full") => {
            let step = if length <= SMALL { 1 } else { 97 };
            (0..=length).step_by(step).collect()
        }
        Ok(other) => panic!("AMIBENCH_CUTS is full, or not set, not {other}"),
        Err(_) => {
            let some = (0..CUTS).map(|_| random.next_u64() % (length + 1));
            [0, 1].into_iter().chain(some).collect()
        }
    }
}

#[test]
fn cut_off_anywhere_nothing_fails_that_did_not_and_nothing_passes_unseen() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for path in files(&corpora()).iter().flat_map(files) {
        let recording = read(&std::fs::read(&path).unwrap());
        let whole = Whole {
            states: states(&recording),
            rude: rude(&recording),
            recording,
        };
        let length = whole.recording.entries.iter().map(length).sum();
        for at in cuts(length, &mut random) {
            check(&path.display().to_string(), &whole, at);
        }
    }
}

/// What is cut off at its end was not closed by the PBX.
#[test]
fn the_end_of_a_cut_one_is_not_the_pbxs() {
    let path = corpora().join("asterisk-22.10.1/login-plain.ami.jsonl");
    let whole = read(&std::fs::read(path).unwrap());
    let cut = first(&whole, 40);
    assert!(
        !cut.entries
            .iter()
            .any(|entry| entry.what == What::Mark(Mark::Fin))
    );
}

/// A file that ends anywhere is read, or names its place.
#[test]
fn files_that_are_cut_off_are_read_or_refused() {
    let folder =
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/captures");
    for path in files(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(401) {
            if let Ok(recording) = ami_conform::import::read(&bytes[..at], None) {
                judge(&recording);
            }
        }
    }
    let path = corpora().join("asterisk-22.10.1/login-plain.ami.jsonl");
    let bytes = std::fs::read(path).unwrap();
    for at in (0..bytes.len()).step_by(3) {
        match ami_conform::import::read(&bytes[..at], None) {
            Ok(recording) => drop(judge(&recording)),
            Err(error) => assert!(error.to_string().contains("line"), "{at}: {error}"),
        }
    }
}
