//! `amibench doctor`: the first hour with a target. It only reads (but for `--one-call`): it logs in, asks, and says what
//! is to be mended.

use std::time::Duration;

use ami_client::{Clock, Target};
use ami_proto::session::Secret;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::args::{Doctor, Shown};
use crate::exit_code::{Exit, Failure, OrExit};
use crate::simulators::Simulators;
use crate::{access, catalogue, print};

mod clock;
mod dialling;
mod examine;
mod lines;
mod listen;
mod one_call;
mod page;
mod probe;
mod purpose;
mod rights;
mod settings;
mod tls;

pub(crate) use purpose::Purpose;

use examine::Patient;
use page::{Finding, Page};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn run(doctor: &Doctor) -> Result<Exit, Failure> {
    let mut targets = Vec::new();
    for given in &doctor.targets {
        targets.extend(catalogue::wire_targets(given)?);
    }
    let mut simulators = Simulators::default();
    let mut waiting = Vec::new();
    for target in targets {
        waiting.push(admit(target, doctor, &mut simulators)?);
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    let pages = runtime.block_on(examine(waiting)).or_exit(Exit::Bug)?;
    let exits = pages.iter().map(Page::exit);
    let exit = exits.max().unwrap_or(Exit::Held);
    print_pages(&pages, doctor.format)?;
    Ok(exit)
}

/// Secrets are asked for one after the other; a target without one has its page already.
enum Admitted {
    In(Box<Patient>, Secret),
    Turned(Page),
}

fn admit(
    target: Target,
    doctor: &Doctor,
    simulators: &mut Simulators,
) -> Result<Admitted, Failure> {
    match access::secret(&target) {
        Ok(secret) => {
            let patient = Patient {
                peer: simulators.peer(&target, 0)?,
                target,
                purpose: doctor.purpose,
                one_call: doctor.one_call.clone(),
            };
            Ok(Admitted::In(Box::new(patient), secret))
        }
        Err(Failure { exit, error }) => {
            let mut page = Page::new(&target, doctor.purpose);
            page.add(Finding::mend("secret", format!("{error:#}"), exit).caused_by("secret"));
            Ok(Admitted::Turned(page))
        }
    }
}

/// Side by side; the pages in the order of the targets.
async fn examine(waiting: Vec<Admitted>) -> Result<Vec<Page>, tokio::task::JoinError> {
    let clock = Clock::start();
    let mut pages: Vec<Option<Page>> = Vec::new();
    let mut under_way = JoinSet::new();
    for (index, admitted) in waiting.into_iter().enumerate() {
        pages.push(None);
        match admitted {
            Admitted::Turned(page) => pages[index] = Some(page),
            Admitted::In(patient, secret) => {
                under_way.spawn(async move { (index, patient.examine(secret, clock).await) });
            }
        }
    }
    while let Some(done) = under_way.join_next().await {
        let (index, page) = done?;
        pages[index] = Some(page);
    }
    Ok(pages.into_iter().flatten().collect())
}

fn print_pages(pages: &[Page], format: Shown) -> Result<(), Failure> {
    match format {
        Shown::Text => {
            let texts: Vec<String> = pages.iter().map(Page::to_string).collect();
            print::text(texts.join("\n"));
        }
        Shown::Json => {
            let data: Vec<page::Data<'_>> = pages.iter().map(Page::data).collect();
            let text = serde_json::to_string_pretty(&serde_json::json!({ "targets": data }));
            print::line(text.or_exit(Exit::Bug)?);
        }
    }
    Ok(())
}
