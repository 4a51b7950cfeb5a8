//! Profiles as files that build on each other: which there are, how they merge, and where each value comes from.
//!
//! A file takes the values of the one that it `extends` and says only what differs. What is configured on it is a file of its
//! own, its `setup`. The `[evidence.*]` tables of a file name the origin of each value that it gives.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::{Table, Value};

use super::ProfileError;

/// The PBXs, and last the layers that they share.
const FILES: [(&str, &str); 13] = [
    ("asterisk-13", include_str!("asterisk-13.toml")),
    ("asterisk-16", include_str!("asterisk-16.toml")),
    ("asterisk-18", include_str!("asterisk-18.toml")),
    ("asterisk-20", include_str!("asterisk-20.toml")),
    ("asterisk-22", include_str!("asterisk-22.toml")),
    ("freepbx-16", include_str!("freepbx-16.toml")),
    ("mikopbx", include_str!("mikopbx.toml")),
    ("ucm6xxx", include_str!("ucm6xxx.toml")),
    ("yeastar-s", include_str!("yeastar-s.toml")),
    ("yeastar-tg", include_str!("yeastar-tg.toml")),
    ("lab", include_str!("lab.toml")),
    ("numbering", include_str!("numbering.toml")),
    ("stock", include_str!("stock.toml")),
];

const SHARED: [&str; 3] = ["lab", "numbering", "stock"];

/// How sure a value is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Bytes of a real one.
    Captured,
    /// The source that emits it.
    Source,
    /// The vendor's documents.
    Documented,
    /// Concluded from one of these.
    Inferred,
    /// Ours: what a simulator needs and no PBX prescribes.
    Chosen,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Captured => "captured",
            Self::Source => "source",
            Self::Documented => "documented",
            Self::Inferred => "inferred",
            Self::Chosen => "chosen",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    pub confidence: Confidence,
    pub from: String,
}

/// One value of a profile and its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// As `timing.setup_us`.
    pub key: String,
    pub value: Value,
    pub evidence: Evidence,
}

/// One file.
#[derive(Debug, Deserialize)]
struct Layer {
    #[serde(skip)]
    file: &'static str,
    extends: Option<String>,
    /// That of the file it extends when it names none.
    setup: Option<String>,
    #[serde(default)]
    evidence: BTreeMap<Confidence, BTreeMap<String, String>>,
    #[serde(flatten)]
    values: Table,
}

impl Layer {
    fn parse(file: &'static str, text: &str) -> Result<Self, ProfileError> {
        let mut layer: Self = toml::from_str(text)?;
        layer.file = file;
        Ok(layer)
    }

    /// What is said of a value, be it by its own key or by one above it.
    fn evidence_of(&self, path: &str) -> Vec<Evidence> {
        let all = self.evidence.iter();
        all.flat_map(|(confidence, rows)| rows.iter().map(move |row| (*confidence, row)))
            .filter(|(_, (key, _))| covers(key, path))
            .map(|(confidence, (_, from))| Evidence {
                confidence,
                from: from.clone(),
            })
            .collect()
    }
}

fn covers(key: &str, path: &str) -> bool {
    path.strip_prefix(key)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let files = FILES.iter().map(|(name, _)| *name);
    files.filter(|name| !SHARED.contains(name))
}

/// All values of an embedded PBX.
pub(super) fn embedded(name: &str) -> Option<Table> {
    let layer = named_layer(names().find(|known| *known == name)?);
    Some(merged(&stack(layer).expect(EMBEDDED)))
}

/// All values of a profile that stands in no embedded file.
pub(super) fn given(text: &str) -> Result<Table, ProfileError> {
    Ok(merged(&stack(Layer::parse("", text)?)?))
}

const EMBEDDED: &str = "a test reads every embedded profile";

fn named_layer(name: &str) -> Layer {
    let (file, text) = FILES
        .iter()
        .find(|(file, _)| *file == name)
        .expect(EMBEDDED);
    Layer::parse(file, text).expect(EMBEDDED)
}

/// A file after all that it builds on: the lowest, the set-up, and those between.
fn stack(top: Layer) -> Result<Vec<Layer>, ProfileError> {
    let mut layers = vec![top];
    while let Some(name) = &layers[layers.len() - 1].extends {
        layers.push(base(name)?);
    }
    if let Some(name) = layers.iter().find_map(|layer| layer.setup.as_ref()) {
        layers.insert(layers.len() - 1, base(name)?);
    }
    layers.reverse();
    Ok(layers)
}

fn base(name: &str) -> Result<Layer, ProfileError> {
    if FILES.iter().any(|(known, _)| *known == name) {
        return Ok(named_layer(name));
    }
    let name = name.to_owned();
    Err(ProfileError::UnknownBase { name })
}

fn merged(layers: &[Layer]) -> Table {
    layers.iter().fold(Table::new(), |mut sum, layer| {
        merge(&mut sum, &layer.values);
        sum
    })
}

fn merge(below: &mut Table, above: &Table) {
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            _ => {
                below.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Every value of an embedded PBX with its origin.
pub(super) fn explain(name: &str) -> Option<Vec<Explained>> {
    let layers = stack(named_layer(names().find(|known| *known == name)?)).expect(EMBEDDED);
    let explained = leaves(&merged(&layers)).into_iter().map(|(key, value)| {
        let givers = layers.iter().rev();
        let evidence = givers
            .filter(|layer| leaves(&layer.values).contains_key(&key))
            .find_map(|layer| Some((layer, layer.evidence_of(&key).pop()?)));
        let (layer, evidence) = evidence.expect("a test finds evidence for every value");
        let evidence = if layer.file == name || SHARED.contains(&layer.file) {
            evidence
        } else {
            // What holds for the PBX that this one builds on need not hold here.
            let Evidence { confidence, from } = evidence;
            Evidence {
                confidence: Confidence::Inferred,
                from: format!("as {} ({confidence}: {from})", layer.file),
            }
        };
        Explained {
            key,
            value,
            evidence,
        }
    });
    Some(explained.collect())
}

/// Values that are no tables, by their paths.
fn leaves(table: &Table) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                let inner = leaves(inner).into_iter();
                found.extend(inner.map(|(path, value)| (format!("{key}.{path}"), value)));
            }
            _ => {
                found.insert(key.clone(), value.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values without evidence, or with two; evidence without a value.
    fn faults(layer: &Layer) -> Vec<String> {
        let leaves = leaves(&layer.values);
        let values = leaves.keys().filter_map(|path| {
            let count = layer.evidence_of(path).len();
            (count != 1).then(|| format!("{path}: {count} evidences"))
        });
        let rows = layer.evidence.values().flat_map(BTreeMap::keys);
        let idle = rows.filter(|key| !leaves.keys().any(|path| covers(key, path)));
        values
            .chain(idle.map(|key| format!("{key}: evidence of nothing")))
            .collect()
    }

    #[test]
    fn every_value_names_its_evidence_in_the_file_that_gives_it() {
        for (file, text) in FILES {
            let layer = Layer::parse(file, text).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(faults(&layer), Vec::<String>::new(), "{file}.toml");
        }
    }

    #[test]
    fn missing_double_and_idle_evidence_are_noticed() {
        let text = "a = 1\nb = 2\n[c]\nd = 3\n[evidence.chosen]\na = \"x\"\nc = \"y\"\ne = \"z\"\n\
                    [evidence.source]\n\"c.d\" = \"w\"\n";
        let layer = Layer::parse("", text).unwrap();
        let expected = [
            "b: 0 evidences",
            "c.d: 2 evidences",
            "e: evidence of nothing",
        ];
        assert_eq!(faults(&layer), expected);
    }

    #[test]
    fn what_comes_from_another_pbx_is_only_inferred() {
        let explained = explain("yeastar-s").unwrap();
        let find = |key: &str| {
            let row = explained.iter().find(|row| row.key == key).unwrap();
            row.evidence.clone()
        };
        let banner = find("banner");
        assert_eq!(banner.confidence, Confidence::Inferred);
        assert_eq!(banner.from, "as asterisk-13 (captured: 13.7.0)");
        assert_eq!(find("command_framing").confidence, Confidence::Documented);
        assert_eq!(find("tls_port").confidence, Confidence::Source);
    }

    #[test]
    fn a_file_wins_over_what_it_extends_and_tables_merge() {
        let text = "extends = \"asterisk-13\"\nport = 1\n[timing]\nsetup_us = 2\n";
        let table = given(text).unwrap();
        assert_eq!(table["port"], Value::Integer(1));
        assert_eq!(table["timing"]["setup_us"], Value::Integer(2));
        assert_eq!(table["timing"]["call_max_s"], Value::Integer(7200));
        assert_eq!(table["contexts"][0].as_str(), Some("amibench"));
        // Stock: false; lab: true.
        assert_eq!(table["timestamp_events"], Value::Boolean(true));
        // Lab: 300; asterisk-13: 400.
        let of_13 = given("extends = \"asterisk-13\"").unwrap();
        assert_eq!(of_13["timing"]["setup_us"], Value::Integer(400));
        let other = given("extends = \"asterisk-13\"\nsetup = \"numbering\"\n").unwrap();
        assert!(!other.contains_key("contexts"));
        assert!(given("extends = \"asterisk-1\"").is_err());
    }
}
