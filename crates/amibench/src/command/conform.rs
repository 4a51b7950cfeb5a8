//! `amibench conform`: judges PBXs by the contract of AMI.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use ami_client::open::{connect, secure};
use ami_client::target::Endpoint;
use ami_client::wire::Wire;
use ami_client::{Clock, Peer, Target};
use ami_conform::bench::{Credentials, Dial, Site};
use ami_conform::cases;
use ami_conform::device::{Device, Transport};
use ami_conform::reading::{self, Told};
use ami_conform::suite::{self, Judgement, Planned, Selection};
use ami_load::run_tag::random_bits;
use ami_results::verdict::State;
use anyhow::anyhow;

use crate::args::Conform;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::simulators::Simulators;
use crate::{access, catalogue, print};

#[derive(Debug)]
struct Dialler {
    peer: Peer,
}

impl Dial for Dialler {
    fn dial(&self) -> Pin<Box<dyn Future<Output = io::Result<Wire>> + '_>> {
        Box::pin(async {
            let stream = connect(&self.peer.address).await;
            let stream = stream.map_err(io::Error::other)?;
            secure(&self.peer, stream).await.map_err(io::Error::other)
        })
    }
}

pub(crate) fn run(conform: &Conform) -> Result<Exit, Failure> {
    if conform.list {
        for case in cases::all() {
            let (id, level, safety) = (case.id, case.level, case.safety);
            print::line(format_args!(
                "{id:<44} {level:<8} {safety:<17} {}",
                case.requirement
            ));
        }
        return Ok(Exit::Held);
    }
    let selection = Selection {
        only: conform.only.clone(),
        except: conform.except.clone(),
        allow: conform.allow.iter().copied().collect(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    let mut exit = Exit::Held;
    for given in &conform.targets {
        for target in catalogue::targets(given)? {
            exit = exit.max(runtime.block_on(judge(&target, &selection))?);
        }
    }
    Ok(exit)
}

async fn judge(target: &Target, selection: &Selection) -> Result<Exit, Failure> {
    let mut simulators = Simulators::default();
    let peer = simulators.peer(target, 0)?;
    let transport = match (&target.endpoint, &peer.transport) {
        (Endpoint::Address(_) | Endpoint::Simulated(_), ami_client::Transport::Plain) => {
            Transport::Plain
        }
        (_, ami_client::Transport::Tls(_)) => Transport::Tls,
    };
    let credentials = Credentials {
        username: target.account.clone(),
        secret: access::secret(target)?,
    };
    let tag = format!("conf-{:08x}", random_bits() & 0xffff_ffff);
    let site = Site::new(Box::new(Dialler { peer }), credentials, tag, Clock::start());
    let told = Told {
        roles: target.roles.clone(),
        speaks: [transport].into(),
        ..Told::default()
    };
    let device = match reading::read(&site, told).await {
        Ok(device) => device,
        Err(why) => return Err(anyhow!("{}: {}", target.name, why.got)).or_exit(Exit::Unreachable),
    };
    let exit = judge_device(&site, &device, selection).await;
    site.leave().await;
    Ok(exit)
}

async fn judge_device(site: &Rc<Site>, device: &Device, selection: &Selection) -> Exit {
    let plan: Vec<Planned> = selection.plan(device);
    let judgements = suite::run(site, device, &plan, &mut |_| {}).await;
    let mut exit = Exit::Held;
    for judgement in &judgements {
        print_judgement(judgement);
        exit = exit.max(judgement.finding.state.into());
    }
    let of = |state: State| {
        judgements
            .iter()
            .filter(|one| one.finding.state == state)
            .count()
    };
    print::line(format_args!(
        "{} pass, {} fail, {} warn, {} inconclusive, {} not applicable, {} skipped",
        of(State::Pass),
        of(State::Fail),
        of(State::Warn),
        of(State::Inconclusive),
        of(State::NotApplicable),
        of(State::Skipped),
    ));
    exit
}

fn print_judgement(judgement: &Judgement) {
    let Judgement { case, finding, .. } = judgement;
    let state = finding.state;
    print::line(format_args!("{state:<15} {:<40} {}", case.id, finding.got));
    if state == State::Fail {
        print::line(format_args!("    {}", case.requirement));
        print::line(format_args!("    expected {}", finding.expected));
    }
    for left in &judgement.left {
        print::line(format_args!("    left behind: {left}"));
    }
}
