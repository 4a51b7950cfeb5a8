//! `amibench sim`: a simulated PBX that runs until it is told to stop.

use std::net::{Ipv4Addr, SocketAddr};

use ami_client::tls::Fingerprint;
use ami_sim::{Planted, Profile, Tls};
use anyhow::{Context as _, anyhow};

use crate::args::Sim;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::operator::Stop;
use crate::simulators::profile_named;
use crate::{listening, print};

mod admitted;
mod evidence;

use admitted::Admitted;

pub(crate) fn run(sim: &Sim) -> Result<Exit, Failure> {
    let text = match (&sim.errand.profile, &sim.errand.explain) {
        (Some(profile), _) => return serve(sim, profile),
        (None, Some(profile)) => evidence::explain(profile).or_exit(Exit::BadInput)?,
        (None, None) => evidence::list(),
    };
    print::text(text);
    Ok(Exit::Held)
}

fn serve(sim: &Sim, name: &str) -> Result<Exit, Failure> {
    let mut profile = profile_named(name).or_exit(Exit::BadInput)?;
    let admitted = Admitted::by(sim, &mut profile)?;
    profile.faults.extend_from_slice(&sim.faults);
    profile.defects.extend_from_slice(&sim.defects);
    let tls = tls(sim, &profile)?;
    let port = match &tls {
        None => profile.port,
        Some(_) => profile.tls_port,
    };
    let listen = sim
        .listen
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if !listen.ip().is_loopback() {
        let error = anyhow!(
            "{listen} is not loopback: a simulated PBX has no real secrets, so it only listens there"
        );
        return Err(error).or_exit(Exit::BadInput);
    }
    let pin = tls.as_ref().map(|tls| Fingerprint::of(tls.certificate()));
    let Admitted {
        accounts,
        user,
        secret,
    } = admitted;
    let handle = match tls {
        None => ami_sim::spawn_thread(profile, listen, accounts, sim.seed),
        Some(tls) => ami_sim::spawn_tls_thread(profile, listen, accounts, sim.seed, tls),
    }
    .with_context(|| format!("failed to listen on {listen}"))
    .or_exit(Exit::BadInput)?;
    let address = handle.addr();
    let uri = match &pin {
        None => format!("ami://{user}@{address}"),
        Some(pin) => format!("amis://{user}@{address}?pin={pin}"),
    };
    until_signal(|| {
        print::line(format_args!("{name} at {uri}, {secret}"));
        if let Some(pin) = &pin {
            print::line(format_args!(
                "in a target file: [tls] pin_sha256 = \"{pin}\""
            ));
        }
        print::line("stop with Ctrl-C");
    })
    .or_exit(Exit::Bug)?;
    handle.stop();
    Ok(Exit::Held)
}

/// A fault of TLS may have a certificate of its own, so it is known before anything is served.
fn tls(sim: &Sim, profile: &Profile) -> Result<Option<Tls>, Failure> {
    let mut tls = listening::tls(&sim.tls)?;
    for fault in profile.faults.iter().map(Planted::fault) {
        let Some(wrong) = fault.tls() else { continue };
        let Some(sound) = tls else {
            let error = anyhow!("the fault {} needs --tls", fault.name());
            return Err(error).or_exit(Exit::BadInput);
        };
        tls = Some(sound.with_fault(wrong));
    }
    Ok(tls)
}

/// Greets once a signal would be heard, and waits for one.
fn until_signal(greet: impl FnOnce()) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        greet();
        stop.wished().await;
        Ok(())
    })
}
