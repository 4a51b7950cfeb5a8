//! Finds scenarios and targets: a file on disk, a name in `scenarios/`, or what is built into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ami_client::target::{Endpoint, Target};
use ami_client::{Document, DocumentError};
use ami_load::Scenario;
use anyhow::anyhow;

use crate::exit_code::{Exit, Failure, OrExit};
use crate::simulators;

macro_rules! embedded {
    ($($name:literal => $file:literal,)*) => {
        &[$(($name, include_str!(concat!("../../../scenarios/", $file)))),*]
    };
}

/// In the order in which one would try them.
const SCENARIOS: &[(&str, &str)] = embedded! {
    "quickstart" => "quickstart.toml",
    "smoke" => "smoke.toml",
    "ping-flood" => "ping-flood.toml",
    "login-storm" => "login-storm.toml",
    "originate-ramp" => "originate-ramp.toml",
    "event-flood" => "event-flood.toml",
    "dashboards" => "dashboards.toml",
    "show-channels-with-originate" => "show-channels-with-originate.toml",
    "upgrade-under-load" => "upgrade-under-load.toml",
    "multi-pbx" => "multi-pbx.toml",
    "soak" => "soak.toml",
};

const TARGETS: &[(&str, &str)] = embedded! {
    "asterisk-16" => "targets/asterisk-16.toml",
    "asterisk-16-tls" => "targets/asterisk-16-tls.toml",
    "asterisk-22" => "targets/asterisk-22.toml",
    "asterisk-22-tls" => "targets/asterisk-22-tls.toml",
    "sim-asterisk-13" => "targets/sim-asterisk-13.toml",
    "sim-asterisk-16" => "targets/sim-asterisk-16.toml",
    "sim-asterisk-18" => "targets/sim-asterisk-18.toml",
    "sim-asterisk-20" => "targets/sim-asterisk-20.toml",
    "sim-asterisk-22" => "targets/sim-asterisk-22.toml",
    "sim-freepbx-16" => "targets/sim-freepbx-16.toml",
    "sim-mikopbx" => "targets/sim-mikopbx.toml",
    "sim-ucm6xxx" => "targets/sim-ucm6xxx.toml",
    "sim-yeastar-s" => "targets/sim-yeastar-s.toml",
    "sim-yeastar-tg" => "targets/sim-yeastar-tg.toml",
};

/// What is known of the PBXs that ship, by the names of their targets.
const EXPECTED: &[(&str, &str)] = embedded! {
    "asterisk-16" => "targets/asterisk-16.expected.toml",
    "asterisk-22" => "targets/asterisk-22.expected.toml",
};

/// A kind of document with a folder of its own.
struct Shelf {
    what: &'static str,
    folder: &'static str,
    embedded: &'static [(&'static str, &'static str)],
}

const SCENARIO_SHELF: Shelf = Shelf {
    what: "scenario",
    folder: "scenarios",
    embedded: SCENARIOS,
};
const TARGET_SHELF: Shelf = Shelf {
    what: "target",
    folder: "scenarios/targets",
    embedded: TARGETS,
};

/// The scenario and the name it goes by.
pub(crate) fn scenario(given: &str) -> Result<(String, Document), Failure> {
    SCENARIO_SHELF.find(given)
}

/// The scenarios that ship, each with what it is for.
pub(crate) fn list() -> Result<String, Failure> {
    let width = SCENARIOS.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (name, _) in SCENARIOS {
        let (_, document) = scenario(name)?;
        let about = Scenario::parse(&document).or_exit(Exit::BadInput)?.about;
        let _ = writeln!(text, "{name:width$}  {about}");
    }
    Ok(text)
}

/// As [`targets`], for verbs that keep a session: over HTTP there is none, and its delays would be taken for the PBX's.
pub(crate) fn wire_targets(given: &str) -> Result<Vec<Target>, Failure> {
    let targets = targets(given)?;
    match targets.iter().find(|target| target.http.is_some()) {
        None => Ok(targets),
        Some(target) => Err(anyhow!(
            "{}: only `record` speaks AMI over HTTP, where each action is a request of its own and every delay is that \
             of HTTP too; give the port of the manager itself instead (ami:// or amis://, or no `ami_http`)",
            target.origin
        ))
        .or_exit(Exit::BadInput),
    }
}

/// One target, or all those of a folder.
pub(crate) fn targets(given: &str) -> Result<Vec<Target>, Failure> {
    if given.contains("://") {
        return Ok(vec![Target::from_uri(given).or_exit(Exit::BadInput)?]);
    }
    let path = Path::new(given);
    if path.is_dir() {
        return folder(path)?
            .iter()
            .map(|file| target(&file.to_string_lossy()))
            .collect();
    }
    Ok(vec![target(given)?])
}

fn target(given: &str) -> Result<Target, Failure> {
    let (name, document) = TARGET_SHELF.find(given)?;
    let target = Target::parse(&name, &document).or_exit(Exit::BadInput)?;
    if let Endpoint::Simulated(profile) = &target.endpoint {
        check_profile(profile, &document).or_exit(Exit::BadInput)?;
    }
    Ok(target)
}

/// Where the expectations of a target lie, whether they are there or not; none where it is no file.
pub(crate) fn expected_path(target: &Target) -> Option<PathBuf> {
    let file = Path::new(&target.origin);
    let is_file = file
        .extension()
        .is_some_and(|extension| extension == "toml");
    is_file.then(|| file.with_extension("expected.toml"))
}

/// What is known of a target beforehand: beside its file, or built in with it.
pub(crate) fn expected(target: &Target) -> Result<Option<Document>, Failure> {
    if let Some(path) = expected_path(target) {
        if !path.is_file() {
            return Ok(None);
        }
        return Document::read(&path).map(Some).or_exit(Exit::BadInput);
    }
    let known = EXPECTED.iter().find(|(name, _)| *name == target.name);
    let built_in = known.filter(|_| target.origin == format!("<embedded {}>", target.name));
    Ok(built_in.map(|(name, text)| {
        Document::embedded(
            &format!("{name}.expected"),
            Path::new(TARGET_SHELF.folder),
            text,
        )
    }))
}

fn check_profile(profile: &str, document: &Document) -> Result<(), DocumentError> {
    let Err(unknown) = simulators::profile_named(profile) else {
        return Ok(());
    };
    let at = document
        .text()
        .find(&format!("{profile:?}"))
        .unwrap_or_default();
    Err(document.error_at(at..at, unknown.to_string()))
}

fn folder(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(path).or_exit(Exit::BadInput)?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .filter(|file| !file.to_string_lossy().ends_with(".expected.toml"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(anyhow!("{} has no target in it (*.toml)", path.display()))
            .or_exit(Exit::BadInput);
    }
    Ok(files)
}

impl Shelf {
    fn find(&self, given: &str) -> Result<(String, Document), Failure> {
        let named = given.ends_with(".toml") || given.contains('/');
        let path = if named {
            PathBuf::from(given)
        } else {
            Path::new(self.folder).join(format!("{given}.toml"))
        };
        if named || path.is_file() {
            let document = self.read(&path)?;
            let name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            return Ok((name, document));
        }
        match self.embedded.iter().find(|(name, _)| *name == given) {
            Some((name, text)) => Ok((
                (*name).to_owned(),
                Document::embedded(name, Path::new(self.folder), text),
            )),
            None => {
                let known: Vec<&str> = self.embedded.iter().map(|(name, _)| *name).collect();
                let (what, known) = (self.what, known.join(", "));
                Err(anyhow!(
                    "no {what} is named {given:?}: there are {known}, or give a file (*.toml)"
                ))
                .or_exit(Exit::BadInput)
            }
        }
    }

    fn read(&self, path: &Path) -> Result<Document, Failure> {
        Document::read(path)
            .map_err(|error| match &error {
                DocumentError::Read { .. } => {
                    anyhow::Error::from(error).context(format!("no such {}", self.what))
                }
                _ => error.into(),
            })
            .or_exit(Exit::BadInput)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_ships_can_be_read() {
        for (name, text) in SCENARIOS {
            let document = Document::embedded(name, Path::new(""), text);
            let scenario = Scenario::parse(&document).unwrap();
            for target in &scenario.targets {
                assert!(
                    TARGETS.iter().any(|(known, _)| known == target.get_ref()),
                    "{name}: {target:?}"
                );
            }
        }
        for (name, text) in TARGETS {
            Target::parse(name, &Document::embedded(name, Path::new(""), text)).unwrap();
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let failure = scenario("quikstart").unwrap_err();
        assert_eq!(failure.exit, Exit::BadInput);
        assert!(
            failure.error.to_string().contains("there are quickstart"),
            "{}",
            failure.error
        );
    }
}
