//! `kin.toml`: the cases that a defect turns beside the one that it is there for.

use ami_sim::Defect;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kin {
    #[serde(rename = "defect")]
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    #[serde(rename = "name")]
    pub(crate) defect: Defect,
    #[serde(default = "usual")]
    pub(crate) profile: String,
    #[serde(default)]
    kin: Vec<String>,
    /// Where it is not plain why these are kin, or why nothing is turned.
    #[serde(default, rename = "why")]
    _why: String,
}

fn usual() -> String {
    "asterisk-22".to_owned()
}

impl Kin {
    pub(crate) fn read() -> Self {
        toml::from_str(include_str!("kin.toml")).unwrap()
    }
}

impl Row {
    /// All cases that this defect turns.
    pub(crate) fn turns(&self) -> impl Iterator<Item = &str> {
        self.defect
            .case()
            .into_iter()
            .chain(self.kin.iter().map(String::as_str))
    }
}
