//! How the lab's PBXs ended each case, every safety class allowed, as it stands in `<pbx>.toml` beside this file: what a
//! simulated one is held to, and what a real one is compared with each time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ami_results::verdict::State;

/// Of each case: its state, and what was found where that is more than a pass.
pub(crate) type Verdicts = BTreeMap<String, String>;

/// What ids of a run begin with; each run has its own behind it.
const TAG: &str = "conf-";
/// So many hexadecimal digits.
const TAG_LENGTH: usize = 8;
/// Longer runs of one letter fill something up.
const RUN_MAX: usize = 4;

/// What two runs have in common: numbers, ids and fillings are theirs.
pub(crate) fn verdict(level: &str, state: State, got: &str) -> String {
    match state {
        State::Pass if level != "observe" => state.to_string(),
        _ => format!("{state}: {}", shape(got)),
    }
}

pub(crate) fn read(pbx: &str) -> Verdicts {
    let text = fs::read_to_string(path(pbx)).unwrap_or_default();
    toml::from_str(&text).unwrap()
}

pub(crate) fn path(pbx: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts");
    folder.join(format!("{pbx}.toml"))
}

fn shape(got: &str) -> String {
    let mut parts = got.split(TAG);
    let first = parts.next().unwrap_or_default().to_owned();
    let untagged = parts.fold(first, |text, part| {
        let rest = part.get(TAG_LENGTH..).unwrap_or_default();
        text + TAG + "#" + rest
    });
    let letters: Vec<char> = untagged.chars().collect();
    let mut text = String::new();
    for run in letters.chunk_by(|one, other| one == other || are_digits(*one, *other)) {
        match run {
            [digit, ..] if digit.is_ascii_digit() => text.push('#'),
            [letter, ..] if run.len() > RUN_MAX => text.extend([*letter, '…']),
            _ => text.extend(run),
        }
    }
    text
}

fn are_digits(one: char, other: char) -> bool {
    one.is_ascii_digit() && other.is_ascii_digit()
}
