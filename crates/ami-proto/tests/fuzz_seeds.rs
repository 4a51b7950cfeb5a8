//! The fuzz targets on stable: the corpora are their seeds, each also with single bytes changed and cut short.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

#[path = "../fuzz/targets.rs"]
mod targets;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora");
/// Changed bytes a seed; every place would take minutes.
const MUTATIONS: usize = 12;
const BYTES: &[u8] = b"\r\n:\0 \xffR-";

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("ami" | "jsonl") => seeds.push(fs::read(&path).unwrap()),
                _ => {}
            }
        }
    }
    assert!(seeds.len() >= 50, "the corpora are there");
    seeds.sort();
    seeds
}

fn run(target: fn(&[u8])) {
    for seed in seeds() {
        target(&seed);
        for mutation in 0..MUTATIONS.min(seed.len()) {
            let at = mutation * seed.len() / MUTATIONS.min(seed.len());
            let mut changed = seed.clone();
            changed[at] = BYTES[mutation % BYTES.len()];
            target(&changed);
            target(&seed[..at]);
        }
    }
}

#[test]
fn decode() {
    run(targets::decode);
}

#[test]
fn split() {
    run(targets::split);
}

#[test]
fn round_trip() {
    run(targets::round_trip);
}

#[test]
fn session_ops() {
    run(|data| {
        targets::session_ops(data);
    });
}

#[test]
fn transcript() {
    run(targets::transcript);
}

/// The login must be reachable, or the target would test nothing behind it.
#[test]
fn session_ops_gets_past_the_login() {
    let mut wire = b"Asterisk Call Manager/2.8.0\r\n".to_vec();
    wire.extend(b"Response: Success\r\nChallenge: 1\r\n\r\n".repeat(2));
    for slot in 0..3 {
        wire.extend(
            format!(
                "Response: Success\r\nActionID: {:016x}-{slot}-{slot}\r\nPing: Pong\r\n\r\n",
                0
            )
            .bytes(),
        );
        wire.extend(
            format!(
                "Event: XComplete\r\nActionID: {:016x}-{slot}-{slot}\r\n\r\n",
                0
            )
            .bytes(),
        );
    }
    assert_ne!(targets::session_ops(&wire), 0);
}
