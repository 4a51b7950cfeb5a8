//! What the fuzz targets run: each is a function of bytes that panics when something does not hold.
//!
//! `crates/ami-proto/fuzz` has a line for each under libFuzzer; `tests/replay.rs` runs the same functions over the seeds, the
//! regressions and what was found before, in every `cargo test`. `reference` is the decoder as one would write it without
//! caring for speed, `session/model` what a session must make of whatever happens to it.

pub mod decoder;
pub mod dictionary;
pub mod differential;
pub mod files;
pub mod pseudonyms;
pub mod recordings;
pub mod reference;
pub mod round_trip;
pub mod seeds;
pub mod server_session;
pub mod session;

use seeds::Seeds;

/// A target of the fuzzers.
#[derive(Debug)]
pub struct Target {
    /// As its binary and its folders are called.
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: Seeds,
}

pub const TARGETS: [Target; 14] = [
    target("decode", decoder::decode, Seeds::Streams { prefix: &[1] }),
    target(
        "split",
        decoder::split,
        Seeds::Streams {
            prefix: &[2, 3, 40],
        },
    ),
    target(
        "round_trip",
        round_trip::run,
        Seeds::Streams { prefix: &[] },
    ),
    target(
        "differential",
        differential::run,
        Seeds::Streams { prefix: &[2, 70] },
    ),
    target("session", session::run, Seeds::Operations),
    target("session_bytes", session::bytes::run, Seeds::Logins),
    target("server_session", server_session::run, Seeds::Requests),
    target("transcript", recordings::transcript, Seeds::Transcripts),
    target("capture", recordings::capture, Seeds::Captures),
    target(
        "scenario",
        files::scenario,
        Seeds::Files {
            folder: "scenarios",
            suffix: ".toml",
        },
    ),
    target(
        "target",
        files::target,
        Seeds::Files {
            folder: "scenarios/targets",
            suffix: ".toml",
        },
    ),
    target("manager_conf", files::manager_conf, Seeds::ManagerConf),
    target(
        "expectations",
        files::expectations,
        Seeds::Files {
            folder: "scenarios/targets",
            suffix: ".expected.toml",
        },
    ),
    target(
        "pseudonyms",
        pseudonyms::run,
        Seeds::Streams { prefix: &[] },
    ),
];

const fn target(name: &'static str, run: fn(&[u8]), seeds: Seeds) -> Target {
    Target { name, run, seeds }
}

/// Fails on a Command body: the alarm itself is tried with it. No byte alone leads there, so that it also shows that the
/// dictionary is read and that coverage leads the search.
pub fn canary(data: &[u8]) {
    let mut decoder = ami_proto::Decoder::client(ami_proto::Limits::default());
    let mut input = data;
    while let Some(frame) = decoder.decode(&mut input) {
        assert!(frame.body().is_none(), "the canary sings");
    }
}
