//! `docs/vendor-statements.md`, from `statements.toml`: every statement has cases that there are, or a reason that there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ami_conform::cases;
use serde::Deserialize;

use crate::{cell, check};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statements {
    reasons: BTreeMap<String, String>,
    #[serde(rename = "source")]
    sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    letter: char,
    title: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    says: String,
    /// Of these and a reason it has one.
    #[serde(default)]
    cases: Vec<String>,
    reason: Option<String>,
}

impl Source {
    fn covered(&self) -> usize {
        let judged = self.statements.iter().filter(|one| one.reason.is_none());
        judged.count()
    }
}

fn read() -> Statements {
    toml::from_str(include_str!("statements.toml")).unwrap()
}

#[test]
fn every_statement_has_its_cases_or_a_reason() {
    let statements = read();
    let mut given = BTreeSet::new();
    for statement in statements
        .sources
        .iter()
        .flat_map(|source| &source.statements)
    {
        let says = &statement.says;
        assert!(says.ends_with('.'), "{says}: a sentence");
        assert_ne!(
            statement.cases.is_empty(),
            statement.reason.is_none(),
            "{says}: cases or a reason"
        );
        for id in &statement.cases {
            let case = cases::find(id);
            assert!(
                case.is_some_and(|case| case.id == id),
                "{says}: {id} is no case"
            );
        }
        if let Some(reason) = &statement.reason {
            assert!(
                statements.reasons.contains_key(reason),
                "{says}: {reason} is no reason"
            );
            given.insert(reason);
        }
    }
    let idle: Vec<&String> = statements
        .reasons
        .keys()
        .filter(|one| !given.contains(one))
        .collect();
    assert!(idle.is_empty(), "nobody gives {idle:?}");
}

#[test]
fn the_page_of_the_statements_is_made_of_them() {
    let Statements { reasons, sources } = read();
    let mut text = "# What documents state, and the cases that judge it\n\n\
         Statements of vendors' and others' documents on AMI, numbered, in our words. Made from\n\
         `crates/ami-conform/tests/documents/statements.toml`: `UPDATE_DOCS=1 cargo test -p ami-conform --test documents` writes it\n\
         again. What no case judges has its reason.\n\n\
         | | document | statements | judged by cases | not, for a reason |\n|---|---|---|---|---|\n"
        .to_owned();
    for source in &sources {
        let (all, covered) = (source.statements.len(), source.covered());
        let (letter, title, rest) = (source.letter, &source.title, all - covered);
        writeln!(text, "| {letter} | {title} | {all} | {covered} | {rest} |").unwrap();
    }
    let all: usize = sources.iter().map(|source| source.statements.len()).sum();
    let covered: usize = sources.iter().map(Source::covered).sum();
    writeln!(text, "| | all | {all} | {covered} | {} |", all - covered).unwrap();
    for source in &sources {
        writeln!(
            text,
            "\n## {}\n\n| | states | judged by |\n|---|---|---|",
            source.title
        )
        .unwrap();
        for (number, statement) in (1..).zip(&source.statements) {
            let ids: Vec<String> = statement.cases.iter().map(|id| format!("`{id}`")).collect();
            let judged = match &statement.reason {
                Some(reason) => cell(&reasons[reason]),
                None => ids.join(", "),
            };
            let letter = source.letter;
            writeln!(
                text,
                "| {letter}{number:03} | {} | {judged} |",
                cell(&statement.says)
            )
            .unwrap();
        }
    }
    check("vendor-statements.md", &text);
}
