//! Who may log in to the simulated PBX: `bench` alone, or the accounts of a manager.conf.

use ami_sim::{Accounts, ManagerConf, Profile};
use anyhow::anyhow;

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
        let conf = ManagerConf::parse(&text, profile)
            .map_err(|note| anyhow!("{file}:{note}"))
            .or_exit(Exit::BadInput)?;
        for warning in &conf.warnings {
            print::error(format_args!("{file}:{warning}"));
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
