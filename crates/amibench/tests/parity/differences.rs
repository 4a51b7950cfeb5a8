//! The differences that are known: each with its reason, and each a failure once it is gone.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::scene::folder;
use crate::wildcard::matches;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Differences {
    #[serde(default)]
    difference: Vec<Difference>,
    #[serde(default)]
    pending: Vec<Pending>,
    #[serde(default)]
    race: Vec<Race>,
}

/// What two threads of a real PBX settle now in one way, now in another, or what hangs on its past.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Race {
    /// `*` stands for any text.
    scenes: Vec<String>,
    #[serde(default = "both")]
    pbx: Vec<String>,
    /// Two events of one channel that come in either order when they come one after the other.
    #[serde(default)]
    between: Option<[String; 2]>,
    /// Lines of a comparison that come and go with it.
    #[serde(default)]
    what: Vec<String>,
    /// Read by people alone.
    #[serde(rename = "reason")]
    _reason: String,
}

/// One line of a comparison, or several alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// Each of these scenes has it; `*` is for whatever scene has it.
    scenes: Vec<String>,
    #[serde(default = "both")]
    pbx: Vec<String>,
    /// The line as a failing test prints it; `*` stands for any text.
    what: String,
    reason: String,
}

/// Scenes that nobody compares yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    scenes: Vec<String>,
    #[serde(default = "both")]
    pbx: Vec<String>,
    reason: String,
}

fn both() -> Vec<String> {
    vec!["asterisk-16".to_owned(), "asterisk-22".to_owned()]
}

fn is(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

fn matches_any(patterns: &[String], scene: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, scene))
}

/// What is wrong with a comparison, if anything.
pub(crate) type Complaint = Option<String>;

impl Differences {
    pub(crate) fn read() -> Result<Self> {
        let file = folder().join("differences.toml");
        let text = fs::read_to_string(&file)?;
        toml::from_str(&text).with_context(|| file.display().to_string())
    }

    pub(crate) fn of(text: &str) -> Self {
        toml::from_str(text).expect("a canary writes TOML")
    }

    /// What differs whichever thread came first.
    pub(crate) fn certain(&self, scene: &str, pbx: &str, found: &[String]) -> Vec<String> {
        let races: Vec<&Race> = self.races(scene, pbx).collect();
        let raced = |line: &&String| {
            let mut lines = races.iter().flat_map(|race| &race.what);
            lines.any(|what| matches(what, line))
        };
        found.iter().filter(|line| !raced(line)).cloned().collect()
    }

    /// Pairs of events whose order is settled now in one way, now in another.
    pub(crate) fn swaps(&self, scene: &str, pbx: &str) -> Vec<[String; 2]> {
        let races = self.races(scene, pbx);
        races.filter_map(|race| race.between.clone()).collect()
    }

    fn races(&self, scene: &str, pbx: &str) -> impl Iterator<Item = &Race> {
        let here = move |race: &&Race| matches_any(&race.scenes, scene) && is(&race.pbx, pbx);
        self.race.iter().filter(here)
    }

    /// On some PBX.
    pub(crate) fn is_pending(&self, scene: &str) -> bool {
        self.pending.iter().any(|entry| is(&entry.scenes, scene))
    }

    /// Holds what a comparison found against what is known.
    pub(crate) fn judge(&self, scene: &str, pbx: &str, found: &[String]) -> Complaint {
        let found = self.certain(scene, pbx, found);
        let pending = self.pending.iter();
        let mut pending = pending.filter(|entry| is(&entry.scenes, scene) && is(&entry.pbx, pbx));
        if let Some(pending) = pending.next() {
            let done = format!("it is equal now and no longer pending ({})", pending.reason);
            return found.is_empty().then_some(done);
        }
        let here: Vec<&Difference> = self
            .difference
            .iter()
            .filter(|entry| is(&entry.pbx, pbx))
            .filter(|entry| is(&entry.scenes, scene) || is(&entry.scenes, "*"))
            .collect();
        let unknown = found
            .iter()
            .filter(|line| !here.iter().any(|entry| matches(&entry.what, line)))
            .cloned();
        let gone = here
            .iter()
            .filter(|entry| is(&entry.scenes, scene))
            .filter(|entry| !found.iter().any(|line| matches(&entry.what, line)))
            .map(|entry| format!("gone, strike it out: {:?} ({})", entry.what, entry.reason));
        let complaints: Vec<String> = unknown.chain(gone).collect();
        (!complaints.is_empty()).then(|| complaints.join("\n"))
    }

    /// Names in the file that mean nothing, entries for every scene that no scene has, and what stands there twice.
    pub(crate) fn idle(&self, scenes: &[String], found: &[(&str, Vec<String>)]) -> Complaint {
        let named = self.difference.iter().map(|entry| &entry.scenes);
        let named = named.chain(self.pending.iter().map(|entry| &entry.scenes));
        let named = named.chain(self.race.iter().map(|entry| &entry.scenes));
        let unknown = named
            .flatten()
            .filter(|name| !scenes.iter().any(|scene| matches(name, scene)))
            .map(|name| format!("there is no scene {name:?}"));
        let everywhere = self.difference.iter();
        let gone = everywhere
            .filter(|entry| entry.scenes.iter().any(|name| name == "*"))
            .filter(|entry| {
                !found.iter().any(|(pbx, lines)| {
                    let here = entry.pbx.iter().any(|known| known == pbx);
                    here && lines.iter().any(|line| matches(&entry.what, line))
                })
            })
            .map(|entry| format!("gone, strike it out: {:?} ({})", entry.what, entry.reason));
        let twice = scenes.iter().flat_map(|scene| self.said_twice(scene));
        let twice: BTreeSet<String> = twice.collect();
        let complaints: Vec<String> = unknown.chain(gone).chain(twice).collect();
        (!complaints.is_empty()).then(|| complaints.join("\n"))
    }

    /// Rows that say again of a scene what another one says.
    fn said_twice(&self, scene: &str) -> Vec<String> {
        let here = |scenes: &[String]| matches_any(scenes, scene);
        let mut said = BTreeSet::new();
        let mut twice = Vec::new();
        let mut say = |pbxs: &[String], line: String| {
            for pbx in pbxs {
                if !said.insert((pbx.clone(), line.clone())) {
                    twice.push(format!("said twice of {scene:?}: {line}"));
                }
            }
        };
        for entry in self.difference.iter().filter(|entry| here(&entry.scenes)) {
            say(&entry.pbx, format!("difference {:?}", entry.what));
        }
        for entry in self.pending.iter().filter(|entry| here(&entry.scenes)) {
            say(&entry.pbx, "pending".to_owned());
        }
        for race in self.race.iter().filter(|race| here(&race.scenes)) {
            for what in &race.what {
                say(&race.pbx, format!("race {what:?}"));
            }
            if let Some([one, two]) = &race.between {
                say(&race.pbx, format!("race between {one} and {two}"));
            }
        }
        twice
    }
}
