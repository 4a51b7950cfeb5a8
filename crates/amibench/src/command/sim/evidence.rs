//! What stands behind the simulated PBXs: how much was captured of each, and where every value of a profile comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ami_sim::{Defect, Evidence, Explained, Fault, Profile};
use anyhow::anyhow;

use crate::simulators::profile_named;

/// The recordings of one folder of `corpora/transcripts`, in bytes that the PBX said.
struct Corpus {
    folder: &'static str,
    captured: usize,
    reconstructed: usize,
}

/// Counted when the program is built.
const CORPORA: &[Corpus] = include!(concat!(env!("OUT_DIR"), "/corpora.rs"));

pub(super) fn list() -> String {
    let mut text = "PBXs, their Asterisk, and the bytes of theirs in corpora/:\n".to_owned();
    for profile in Profile::names().filter_map(Profile::named) {
        let name = &profile.name;
        let _ = writeln!(
            text,
            "  {name:<12} {:<8} {}",
            profile.base.to_string(),
            held_to(name)
        );
    }
    text.push_str(
        "`amibench sim --explain NAME` tells where every value of a profile comes from.\n",
    );
    text.push_str("\nFaults, for --fault: what goes wrong with delivery.\n");
    for fault in Fault::all() {
        let _ = writeln!(text, "  {:<24} {}", fault.name(), fault.what());
    }
    text.push_str("\nDefects, for --defect: what a PBX does wrong.\n");
    for defect in Defect::all() {
        let _ = writeln!(text, "  {:<34} {}", defect.name(), defect.what());
    }
    text
}

fn held_to(profile: &str) -> String {
    let own = CORPORA
        .iter()
        .filter(|corpus| is_of(corpus.folder, profile));
    let (captured, reconstructed) = own.fold((0, 0), |(captured, reconstructed), corpus| {
        (
            captured + corpus.captured,
            reconstructed + corpus.reconstructed,
        )
    });
    match (captured, reconstructed) {
        (0, 0) => "none".to_owned(),
        (captured, 0) => format!("{captured} captured"),
        (0, reconstructed) => format!("{reconstructed} reconstructed"),
        _ => format!("{captured} captured, {reconstructed} reconstructed"),
    }
}

/// A folder is named after its profile, with the release or the year behind it.
fn is_of(folder: &str, profile: &str) -> bool {
    let rest = folder.strip_prefix(profile);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

pub(super) fn explain(profile: &str) -> anyhow::Result<String> {
    profile_named(profile)?;
    let rows = Profile::explain(profile)
        .ok_or_else(|| anyhow!("the profile {profile:?} is not embedded"))?;
    let mut by_evidence: BTreeMap<Evidence, Vec<Explained>> = BTreeMap::new();
    for row in rows {
        by_evidence
            .entry(row.evidence.clone())
            .or_default()
            .push(row);
    }
    let mut text = String::new();
    for (Evidence { confidence, from }, rows) in by_evidence {
        let _ = writeln!(text, "{confidence}: {from}");
        rows.iter().for_each(|row| push(&mut text, row));
    }
    Ok(text)
}

/// Entries of a list that are tables have a line each.
fn push(text: &mut String, row: &Explained) {
    let (key, value) = (&row.key, &row.value);
    let tables = value
        .as_array()
        .filter(|list| list.iter().any(toml::Value::is_table));
    match tables {
        Some(list) => list.iter().for_each(|entry| {
            let _ = writeln!(text, "  {key} = {entry}");
        }),
        None => {
            let _ = writeln!(text, "  {key} = {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_belongs_to_the_profile_that_it_is_named_after() {
        assert!(is_of("asterisk-16.28.0", "asterisk-16"));
        assert!(is_of("yeastar-s-2016", "yeastar-s"));
        assert!(is_of("ucm6xxx", "ucm6xxx"));
        assert!(!is_of("asterisk-160", "asterisk-16"));
    }

    #[test]
    fn every_corpus_belongs_to_a_profile_and_says_something() {
        for corpus in CORPORA {
            assert!(
                Profile::names().any(|profile| is_of(corpus.folder, profile)),
                "{}",
                corpus.folder
            );
            assert!(
                corpus.captured + corpus.reconstructed > 0,
                "{}",
                corpus.folder
            );
        }
        assert!(held_to("asterisk-13").ends_with(" captured"));
    }
}
