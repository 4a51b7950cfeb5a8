//! The embedded simulators of a run: started before it on threads of their own, gone when it ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ami_client::secret::SecretSource;
use ami_client::target::{Endpoint, Known};
use ami_client::tls::{Fingerprint, TlsSettings};
use ami_client::{Peer, Target};
use ami_proto::session::Secret;
use ami_sim::{Account, Accounts, Profile, Tls, Web};
use anyhow::{Context as _, anyhow};

use crate::exit_code::{Exit, Failure, OrExit};

/// What every account of a simulated PBX uses: on loopback, and no secret at all.
pub(crate) const SECRET: &str = "amibench-sim-1";

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

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
        let accounts = accounts(&profile, &target.account).with_lesser(SECRET);
        let tls = target.tls.as_ref().map(|_| Tls::self_signed());
        let (started, tls) = match tls {
            None => (
                ami_sim::spawn_thread(profile, ANY_PORT, accounts, seed),
                None,
            ),
            Some(tls) => {
                let settings = pinned(&tls);
                let started = ami_sim::spawn_tls_thread(profile, ANY_PORT, accounts, seed, tls);
                (started, Some(settings))
            }
        };
        let handle = started
            .context("failed to start a simulated PBX")
            .or_exit(Exit::Bug)?;
        let peer = Peer::new(handle.addr().to_string(), tls.as_ref()).or_exit(Exit::Bug)?;
        self.running.push(handle);
        Ok(peer)
    }

    /// All ways to reach a target that is judged.
    pub(crate) fn ways(&mut self, target: &Target) -> Result<Ways, Failure> {
        let usual = self.peer(target, 0)?;
        let mut ways = match &target.endpoint {
            Endpoint::Address(_) => Ways::told(&target.conform, usual)?,
            Endpoint::Simulated(profile) => {
                let profile = profile_named(profile).or_exit(Exit::BadInput)?;
                let handle = self.running.last().expect("it was just started");
                Ways::simulated(handle, &profile, usual)
                    .context("failed to start a simulated PBX")
                    .or_exit(Exit::Bug)?
            }
        };
        if target.tls.is_some() {
            ways.tls = Some(ways.usual.clone());
        }
        Ok(ways)
    }
}

/// Where a target is reached, and where else.
#[derive(Debug)]
pub(crate) struct Ways {
    pub(crate) usual: Peer,
    pub(crate) tls: Option<Peer>,
    pub(crate) web: Option<Peer>,
}

impl Ways {
    fn told(known: &Known, usual: Peer) -> Result<Self, Failure> {
        let tls = known.tls.as_ref();
        let tls = tls.map(|(address, settings)| Peer::new(address, Some(settings)));
        Ok(Self {
            usual,
            tls: tls.transpose().or_exit(Exit::BadInput)?,
            web: known.web.as_ref().map(|web| Peer::plain(&web.address)),
        })
    }

    fn simulated(handle: &ami_sim::Handle, profile: &Profile, usual: Peer) -> anyhow::Result<Self> {
        let tls = Tls::self_signed();
        let settings = pinned(&tls);
        let address = handle.serve_tls(ANY_PORT, tls)?;
        let web = match profile.manager.web {
            Web::Enabled => Some(Peer::plain(handle.serve_web(ANY_PORT, None)?.to_string())),
            Web::Disabled => None,
        };
        Ok(Self {
            usual,
            tls: Some(Peer::new(address.to_string(), Some(&settings))?),
            web,
        })
    }
}

/// Whom to trust of a simulator.
fn pinned(tls: &Tls) -> TlsSettings {
    TlsSettings::pinned(Fingerprint::of(tls.certificate()))
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
