//! A scene as its file says it: who is there, what is sent, what must come back before the next step.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scene {
    /// Of its file.
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) about: String,
    #[serde(default = "one_listener")]
    pub(crate) sessions: Vec<Session>,
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    pub(crate) name: String,
    /// Logged in before the first step; without it the scene's own steps do that, or not.
    #[serde(default)]
    pub(crate) login: Option<Login>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    pub(crate) account: String,
    /// The event mask.
    pub(crate) events: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Step {
    Send(Send),
    Raw(Raw),
    Await(Await),
    Closed(Closed),
    Settle(Settle),
}

/// Lines of one action; each gets its CR LF, and an empty line ends them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Send {
    pub(crate) send: String,
    /// The session, if it is not the first.
    #[serde(default)]
    pub(crate) on: Option<String>,
}

/// Bytes as they stand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    pub(crate) raw: String,
    #[serde(default)]
    pub(crate) on: Option<String>,
}

/// A message that no earlier step has awaited, with all of these headers; `*` stands for any text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Await {
    #[serde(rename = "await")]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) on: Option<String>,
    /// Variables for later steps, each the value of a header.
    #[serde(default)]
    pub(crate) take: BTreeMap<String, String>,
}

/// The session that the PBX ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Closed {
    pub(crate) closed: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settle {
    pub(crate) settle: Calm,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Calm {
    /// Nobody hears anything new.
    Quiet,
    /// And no channel is up. Every scene ends with this.
    HungUp,
}

fn one_listener() -> Vec<Session> {
    let login = Login {
        account: "bench".to_owned(),
        events: "on".to_owned(),
    };
    vec![Session {
        name: "a".to_owned(),
        login: Some(login),
    }]
}

/// The folder of these tests.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

/// Every scene, by name.
pub(crate) fn all() -> Result<Vec<Scene>> {
    let mut scenes = Vec::new();
    for entry in fs::read_dir(folder().join("scenes"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            scenes.push(read(&path).with_context(|| path.display().to_string())?);
        }
    }
    scenes.sort_by(|one: &Scene, two| one.name.cmp(&two.name));
    Ok(scenes)
}

fn read(path: &Path) -> Result<Scene> {
    let mut scene: Scene = toml::from_str(&fs::read_to_string(path)?)?;
    scene.name = path
        .file_stem()
        .context("a scene has a name")?
        .to_string_lossy()
        .into_owned();
    Ok(scene)
}
