//! Who may log in to the simulated PBX: `bench` alone, or the accounts of a manager.conf.

use std::path::Path;

use ami_sim::{Accounts, ManagerConf, Note, Profile};
use anyhow::anyhow;
use glob::{MatchOptions, glob_with};

use crate::args::Sim;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::{listening, print, simulators};

/// Who may log in, and one of them for the greeting.
pub(super) struct Admitted {
    pub(super) accounts: Accounts,
    pub(super) user: String,
    /// Where its secret is found.
    pub(super) secret: String,
}

impl Admitted {
    /// The accounts of a manager.conf, which may change the profile too; without one `bench`.
    pub(super) fn by(sim: &Sim, profile: &mut Profile) -> Result<Self, Failure> {
        let Some(path) = &sim.manager_conf else {
            return Ok(Self {
                accounts: simulators::accounts(profile, "bench"),
                user: "bench".to_owned(),
                secret: format!("secret {}", simulators::SECRET),
            });
        };
        let file = path.display();
        let text = String::from_utf8_lossy(&listening::read(path)?).into_owned();
        let place = |note: &Note| match &note.file {
            Some(included) => format!("{included}:{note}"),
            None => format!("{file}:{note}"),
        };
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let conf = ManagerConf::parse_among(&text, &|name| texts(folder, name), profile)
            .map_err(|note| anyhow!(place(&note)))
            .or_exit(Exit::BadInput)?;
        for warning in &conf.warnings {
            print::error(place(warning));
        }
        let accounts = conf.apply(profile);
        let Some(user) = accounts.iter().next().map(|account| account.name.clone()) else {
            return Err(anyhow!(
                "{file} has no account: a section of a name with its secret is one"
            ))
            .or_exit(Exit::BadInput);
        };
        Ok(Self {
            accounts,
            user,
            secret: format!("secrets in {file}"),
        })
    }
}

/// The files of a name or of a pattern, in the order of their names. Like Asterisk's they are all sought from one folder.
fn texts(folder: &Path, name: &str) -> Vec<(String, String)> {
    let options = MatchOptions {
        require_literal_separator: true,
        require_literal_leading_dot: true,
        ..MatchOptions::new()
    };
    let pattern = folder.join(name).to_string_lossy().into_owned();
    let paths = glob_with(&pattern, options).into_iter().flatten().flatten();
    let text = |path: &Path| Some(String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned());
    paths
        .filter_map(|path| Some((path.display().to_string(), text(&path)?)))
        .collect()
}
