//! `amibench doctor`: the first hour with a target. It only reads: it logs in, asks, and says what is to be mended.

use std::time::Duration;

use ami_client::{Clock, Target};
use tokio::runtime::{Builder, Runtime};

use crate::args::Doctor;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::simulators::Simulators;
use crate::{access, catalogue, print};

mod clock;
mod dialling;
mod examine;
mod listen;
mod page;
mod refusal;
mod rights;

use page::{Finding, Page};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn run(doctor: &Doctor) -> Result<Exit, Failure> {
    let mut targets = Vec::new();
    for given in &doctor.targets {
        targets.extend(catalogue::targets(given)?);
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    let mut exit = Exit::Held;
    for (index, target) in targets.iter().enumerate() {
        if index > 0 {
            print::line("");
        }
        let page = examine(target, &runtime)?;
        print::text(&page);
        exit = exit.max(page.exit());
    }
    Ok(exit)
}

fn examine(target: &Target, runtime: &Runtime) -> Result<Page, Failure> {
    let mut page = Page::new(target);
    let secret = match access::secret(target) {
        Ok(secret) => secret,
        Err(Failure { exit, error }) => {
            page.add(Finding::mend("secret", format!("{error:#}"), exit));
            return Ok(page);
        }
    };
    let mut simulators = Simulators::default();
    let peer = simulators.peer(target, 0)?;
    runtime.block_on(examine::examine(
        target,
        &peer,
        secret,
        Clock::start(),
        &mut page,
    ));
    page.add_all(dialling::findings(target));
    Ok(page)
}
