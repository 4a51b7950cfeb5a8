//! `amibench sim`: a simulated PBX that runs until it is told to stop.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, anyhow};

use crate::args::Sim;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;
use crate::simulators::{self, accounts, profile_named};

pub(crate) fn run(sim: &Sim) -> Result<Exit, Failure> {
    let profile = profile_named(&sim.profile).or_exit(Exit::BadInput)?;
    let listen = sim
        .listen
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, profile.port)));
    if !listen.ip().is_loopback() {
        let error = anyhow!(
            "{listen} is not loopback: a simulated PBX has no real secrets, so it only listens there"
        );
        return Err(error).or_exit(Exit::BadInput);
    }
    let handle = ami_sim::spawn_thread(profile, listen, accounts("bench"), sim.seed)
        .with_context(|| format!("failed to listen on {listen}"))
        .or_exit(Exit::BadInput)?;
    let (profile, address, secret) = (&sim.profile, handle.addr(), simulators::SECRET);
    until_signal(|| {
        print::line(format_args!(
            "{profile} at ami://bench@{address}, secret {secret}\nstop with Ctrl-C"
        ));
    })
    .or_exit(Exit::Bug)?;
    handle.stop();
    Ok(Exit::Held)
}

/// Greets once a signal would be heard, and waits for one.
fn until_signal(greet: impl FnOnce()) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut wish = crate::operator::listen()?;
        greet();
        wish.changed().await?;
        Ok(())
    })
}
