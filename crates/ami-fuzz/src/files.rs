//! Files that users write: each is read, or refused with its place and without a panic.

use std::path::Path;
use std::sync::OnceLock;

use ami_client::{Document, DocumentError, Target};
use ami_conform::expectation::Expectations;
use ami_load::plan::PlanError;
use ami_load::{Overrides, Plan, Scenario};
use ami_sim::{ManagerConf, Profile};

const TARGET: &str = "simulate = \"asterisk-22\"\n[limits]\nmax_sessions = 10000\n";

/// None for bytes that are no text: those are refused before they are read as anything.
fn document(data: &[u8]) -> Option<Document> {
    let text = std::str::from_utf8(data).ok()?;
    Some(Document::embedded("fuzz", Path::new("/nonexistent"), text))
}

/// `file:line:column` within the text, and a sentence.
fn assert_placed(error: &DocumentError, text: &str) {
    let DocumentError::Invalid { place, message } = error else {
        panic!("nothing is read here: {error}");
    };
    let lines = text.split('\n').count();
    assert!(
        (1..=lines).contains(&place.line) && place.column >= 1,
        "{error}"
    );
    assert!(!message.is_empty(), "{error}");
}

/// A scenario, and the plan of what one simulated PBX would be offered.
pub fn scenario(data: &[u8]) {
    let Some(document) = document(data) else {
        return;
    };
    let scenario = match Scenario::parse(&document) {
        Ok(scenario) => scenario,
        Err(error) => return assert_placed(&error, document.text()),
    };
    if !scenario.feed.is_empty() {
        // A plan would open the file, whatever it is.
        return;
    }
    let target = Document::embedded("target", Path::new("/nonexistent"), TARGET);
    let target = Target::parse("one", &target).expect("it is a literal");
    match Plan::resolve(
        "fuzz",
        &document,
        scenario,
        vec![target],
        &Overrides::default(),
    ) {
        Ok(plan) => assert!(!plan.phases.is_empty()),
        Err(PlanError::Document(error)) => assert_placed(&error, document.text()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub fn target(data: &[u8]) {
    if let Some(document) = document(data)
        && let Err(error) = Target::parse("fuzz", &document)
    {
        assert_placed(&error, document.text());
    }
}

pub fn expectations(data: &[u8]) {
    let Some(document) = document(data) else {
        return;
    };
    match Expectations::parse(&document) {
        Ok(expectations) => assert!(
            expectations
                .objections()
                .iter()
                .all(|line| line.contains(':'))
        ),
        Err(error) => assert_placed(&error, document.text()),
    }
}

/// A byte that picks the profile, then the file.
pub fn manager_conf(data: &[u8]) {
    static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
    let profiles = PROFILES.get_or_init(|| Profile::names().filter_map(Profile::named).collect());
    let Some((pick, Ok(text))) = data
        .split_first()
        .map(|(pick, text)| (pick, std::str::from_utf8(text)))
    else {
        return;
    };
    let mut profile = profiles[usize::from(*pick) % profiles.len()].clone();
    let lines = text.split('\n').count();
    let is_placed = |note: &ami_sim::Note| {
        (1..=lines).contains(&note.line) && note.column >= 1 && !note.text.is_empty()
    };
    match ManagerConf::parse(text, &profile) {
        Ok(conf) => {
            assert!(conf.warnings.iter().all(is_placed), "{:?}", conf.warnings);
            let accounts = conf.apply(&mut profile);
            assert!(
                accounts
                    .iter()
                    .all(|account| accounts.find(&account.name).is_some())
            );
        }
        Err(note) => assert!(is_placed(&note), "{note}"),
    }
}
