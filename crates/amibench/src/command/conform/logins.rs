//! Who logs in on a target: its account, and those that lack something, which its file names or its simulator has.

use std::collections::BTreeMap;

use ami_client::Target;
use ami_client::target::{Endpoint, Standing};
use ami_conform::logins::{Credentials, Lesser, Logins};
use ami_proto::session::Secret;
use ami_sim::LIMITED_CLASSES;
use anyhow::Context as _;

use crate::exit_code::{Exit, Failure, OrExit};
use crate::{access, simulators};

pub(super) fn of(target: &Target) -> Result<Logins, Failure> {
    let own = Credentials {
        username: target.account.clone(),
        secret: access::secret(target)?,
    };
    let lesser = match &target.endpoint {
        Endpoint::Simulated(_) => simulated(),
        Endpoint::Address(_) => named(target)?,
    };
    Ok(Logins { own, lesser })
}

fn named(target: &Target) -> Result<BTreeMap<Standing, Lesser>, Failure> {
    let mut lesser = BTreeMap::new();
    for (standing, named) in &target.conform.accounts {
        let secret = match &named.secret {
            None => Secret::new(""),
            Some(source) => source
                .resolve()
                .with_context(|| format!("account `{standing}` of target {}", target.name))
                .or_exit(Exit::BadInput)?,
        };
        let credentials = Credentials {
            username: named.account.clone(),
            secret,
        };
        let (read, write) = (named.read.clone(), named.write.clone());
        lesser.insert(
            *standing,
            Lesser {
                credentials,
                read,
                write,
            },
        );
    }
    Ok(lesser)
}

/// All but the one that no release of Asterisk keeps to its classes: nobody has configured it here.
fn simulated() -> BTreeMap<Standing, Lesser> {
    let mut lesser = Lesser::all(simulators::SECRET, LIMITED_CLASSES);
    lesser.remove(&Standing::EmptyItem);
    lesser
}
