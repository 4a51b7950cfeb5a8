//! `amibench sim`: a simulated PBX that runs until it is told to stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ami_client::tls::Fingerprint;
use ami_sim::{Handle, Planted, Profile, Replaying, Tls, Web};
use anyhow::{Context as _, anyhow};

use crate::args::Sim;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::operator::Stop;
use crate::simulators::profile_named;
use crate::{listening, print, recording};

/// Of AMI, where nothing else is configured.
const USUAL_PORT: u16 = 5038;

mod admitted;
mod evidence;

use admitted::Admitted;

pub(crate) fn run(sim: &Sim) -> Result<Exit, Failure> {
    if let Some(recording) = &sim.errand.replay {
        return replay(sim, recording);
    }
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
    let listen = on_loopback(sim.listen, port)?;
    let web = match sim.http {
        None => None,
        Some(address) => {
            profile.manager.web = Web::Enabled;
            Some((on_loopback(address, profile.http_port)?, tls.clone()))
        }
    };
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
    let web = web.map(|(address, tls)| serve_web(&handle, address, tls));
    let web = web.transpose()?;
    let address = handle.addr();
    let uri = match &pin {
        None => format!("ami://{user}@{address}"),
        Some(pin) => format!("amis://{user}@{address}?pin={pin}"),
    };
    until_signal(|| {
        print::line(format_args!("{name} at {uri}, {secret}"));
        if let Some(uri) = &web {
            print::line(format_args!("AMI over HTTP at {uri}"));
        }
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

/// A PBX that says what one said in a recording.
fn replay(sim: &Sim, path: &Path) -> Result<Exit, Failure> {
    let recording = recording::read(path, None)?;
    let pbx = Replaying::of(&recording.entries)
        .with_context(|| format!("{} cannot be answered from", path.display()))
        .or_exit(Exit::Inconclusive)?;
    let user = pbx.account().unwrap_or("bench").to_owned();
    let listen = on_loopback(sim.listen, USUAL_PORT)?;
    let handle = ami_sim::spawn_replaying_thread(pbx, listen)
        .with_context(|| format!("failed to listen on {listen}"))
        .or_exit(Exit::BadInput)?;
    until_signal(|| {
        let (path, address) = (path.display(), handle.addr());
        print::line(format_args!(
            "{path} at ami://{user}@{address}, any account and secret"
        ));
        print::line("stop with Ctrl-C");
    })
    .or_exit(Exit::Bug)?;
    handle.stop();
    Ok(Exit::Held)
}

/// Where it listens: an own address, or the port that the PBX has by default.
fn on_loopback(given: Option<SocketAddr>, port: u16) -> Result<SocketAddr, Failure> {
    let listen = given.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if listen.ip().is_loopback() {
        return Ok(listen);
    }
    let error = anyhow!(
        "{listen} is not loopback: a simulated PBX has no real secrets, so it only listens there"
    );
    Err(error).or_exit(Exit::BadInput)
}

fn serve_web(handle: &Handle, address: SocketAddr, tls: Option<Tls>) -> Result<String, Failure> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let address = handle
        .serve_web(address, tls)
        .with_context(|| format!("failed to listen on {address}"))
        .or_exit(Exit::BadInput)?;
    Ok(format!("{scheme}://{address}/rawman"))
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
