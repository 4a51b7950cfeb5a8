//! Pages of `docs/` that are made from data: the catalogue of cases, and what documents of vendors state.

#![expect(clippy::unwrap_used, reason = "fixtures are tests too")]

mod catalogue;
mod statements;

use std::fs;
use std::path::PathBuf;

/// Set to write the pages anew; the difference is then to be read.
const WRITE: &str = "UPDATE_DOCS";

fn check(page: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, made).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let differs = made
        .lines()
        .zip(known.lines())
        .find(|(one, two)| one != two);
    assert!(
        made == known,
        "docs/{page}: {differs:?}; {WRITE}=1 writes it anew"
    );
}

/// In a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('\n', " ")
}
