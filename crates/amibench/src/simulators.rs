//! The embedded simulators of a run: started before it on threads of their own, gone when it ends.

use std::net::{Ipv4Addr, SocketAddr};

use ami_client::secret::SecretSource;
use ami_client::target::Endpoint;
use ami_client::tls::{Fingerprint, TlsSettings, Trust};
use ami_client::{Peer, Target};
use ami_proto::session::Secret;
use ami_sim::{Account, Accounts, Profile, Tls};
use anyhow::{Context as _, anyhow};

use crate::exit_code::{Exit, Failure, OrExit};

/// What every account of a simulated PBX uses: on loopback, and no secret at all.
pub(crate) const SECRET: &str = "amibench-sim-1";

/// One account that may do everything, and hears what the PBX lets its accounts hear.
pub(crate) fn accounts(profile: &Profile, name: &str) -> Accounts {
    Accounts::new(Account {
        filters: profile.account_filters.clone(),
        ..Account::new(name, SECRET, "all", "all")
    })
}

/// Simulators that run as long as this lives.
#[derive(Default)]
pub(crate) struct Simulators {
    running: Vec<ami_sim::Handle>,
}

impl Simulators {
    /// Where a target is reached: at its own address, or at the simulator that is started for it.
    pub(crate) fn peer(&mut self, target: &Target, seed: u64) -> Result<Peer, Failure> {
        let profile = match &target.endpoint {
            Endpoint::Address(address) => {
                return Peer::new(address, target.tls.as_ref()).or_exit(Exit::BadInput);
            }
            Endpoint::Simulated(profile) => profile_named(profile).or_exit(Exit::BadInput)?,
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let accounts = accounts(&profile, &target.account);
        let tls = target.tls.as_ref().map(|tls| (tls, Tls::self_signed()));
        let (started, tls) = match tls {
            None => (ami_sim::spawn_thread(profile, listen, accounts, seed), None),
            Some((settings, tls)) => {
                let pinned = TlsSettings {
                    trust: Trust::Pin(Fingerprint::of(tls.certificate())),
                    ..settings.clone()
                };
                let started = ami_sim::spawn_tls_thread(profile, listen, accounts, seed, tls);
                (started, Some(pinned))
            }
        };
        let handle = started
            .context("failed to start a simulated PBX")
            .or_exit(Exit::Bug)?;
        let peer = Peer::new(handle.addr().to_string(), tls.as_ref()).or_exit(Exit::Bug)?;
        self.running.push(handle);
        Ok(peer)
    }
}

pub(crate) fn profile_named(name: &str) -> anyhow::Result<Profile> {
    Profile::named(name).ok_or_else(|| {
        let known: Vec<&str> = Profile::names().collect();
        anyhow!(
            "no simulator profile is named {name:?}: there are {}",
            known.join(", ")
        )
    })
}

/// The secret source of a target: an embedded simulator's is known.
pub(crate) fn secret_source(target: &Target) -> SecretSource {
    match target.endpoint {
        Endpoint::Simulated(_) => SecretSource::Given(Secret::new(SECRET)),
        Endpoint::Address(_) => target.secret.clone(),
    }
}
