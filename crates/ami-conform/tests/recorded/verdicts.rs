//! The verdicts on every transcript of the corpora are those that are written down beside this file.

use std::fmt::Write as _;
use std::path::PathBuf;

use ami_conform::recorded;
use ami_results::verdict::State;

use super::{corpora, files, judge, read};

/// Set to write them anew; the difference is then to be read, line by line.
const WRITE: &str = "UPDATE_CORPORA";

const STATES: [State; 5] = [
    State::Fail,
    State::Warn,
    State::NotApplicable,
    State::Inconclusive,
    State::Pass,
];

#[test]
fn the_verdicts_on_the_corpora_are_the_recorded_ones() {
    for folder in files(&corpora()) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let told = told(&folder);
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/recorded/verdicts/{name}.txt"));
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = told
            .lines()
            .zip(known.lines())
            .find(|(one, two)| one != two);
        assert!(
            told == known,
            "{}: {differs:?}; {WRITE}=1 writes them anew",
            path.display()
        );
    }
}

/// A paragraph a transcript; failures with what was found.
fn told(folder: &PathBuf) -> String {
    let mut text = String::new();
    for path in files(folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let recording = read(&std::fs::read(&path).unwrap());
        let judgements = judge(&recording);
        writeln!(text, "{name}").unwrap();
        let device = recorded::device(&recorded::observe(&recording));
        if let Some(dialect) = device.dialect {
            writeln!(text, "  dialect: {dialect}").unwrap();
        }
        for conflict in device.conflicts {
            writeln!(text, "  conflict: {conflict}").unwrap();
        }
        for state in STATES {
            let of_state = judgements.iter().filter(|one| one.finding.state == state);
            if matches!(state, State::Fail | State::Warn) {
                for one in of_state {
                    writeln!(text, "  {state} {}: {}", one.case.id, one.finding.got).unwrap();
                }
            } else {
                let ids: Vec<&str> = of_state.map(|one| one.case.id).collect();
                if !ids.is_empty() {
                    writeln!(text, "  {state}: {}", ids.join(" ")).unwrap();
                }
            }
        }
    }
    text
}
