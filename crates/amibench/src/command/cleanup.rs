//! `amibench cleanup`: hangs up what a run left behind, by the run's own tag and nothing else.

use std::path::Path;
use std::time::Duration;

use ami_client::open::{Gate, open};
use ami_client::{Clock, Peer, Target};
use ami_load::{RunTag, cleanup};
use ami_results::manifest::{self, Manifest};
use ami_results::run_dir::RunDir;
use anyhow::{Context as _, anyhow};

use crate::args::Cleanup;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::{access, catalogue, print};

const WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn run(cleanup: &Cleanup) -> Result<Exit, Failure> {
    let manifest = read(&cleanup.run)?;
    let tags = tags(&manifest)
        .with_context(|| format!("{} names no run", cleanup.run.display()))
        .or_exit(Exit::BadInput)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    let mut exit = Exit::Held;
    for target in targets(cleanup, &manifest)? {
        exit = exit.max(match runtime.block_on(clean(&target, &tags)) {
            Ok(left) => left,
            Err(error) => {
                print::error(format_args!("{}: {error:#}", target.name));
                Exit::Unreachable
            }
        });
    }
    Ok(exit)
}

fn tell(target: &Target, tag: &RunTag, cleaned: &cleanup::Cleaned) -> Exit {
    let cleanup::Cleaned { hung_up, left } = cleaned;
    if left.is_empty() {
        print::line(format_args!(
            "{}: {hung_up} calls of run {} hung up, none left",
            target.name,
            tag.as_str()
        ));
        return Exit::Held;
    }
    print::line(format_args!(
        "{}: {hung_up} hung up, still there: {}",
        target.name,
        left.join(", ")
    ));
    Exit::Failed
}

/// Of the run, or of the runs that were added up to it.
fn tags(manifest: &Manifest) -> anyhow::Result<Vec<RunTag>> {
    let parts = manifest.merged_from.iter().map(|part| &part.run_id);
    let mut ids: Vec<&String> = parts.collect();
    if ids.is_empty() {
        ids.push(&manifest.run_id);
    }
    ids.into_iter()
        .map(|id| RunTag::parse(id).ok_or_else(|| anyhow!("its run_id is {id:?}")))
        .collect()
}

fn read(path: &Path) -> Result<Manifest, Failure> {
    let (_, manifest) = RunDir::open(path)
        .with_context(|| format!("{} is no readable run", path.display()))
        .or_exit(Exit::BadInput)?;
    Ok(manifest)
}

/// The run's targets by the names in its manifest, or those that were asked for.
fn targets(cleanup: &Cleanup, manifest: &Manifest) -> Result<Vec<Target>, Failure> {
    let mut targets = Vec::new();
    for given in &cleanup.targets {
        targets.extend(catalogue::wire_targets(given)?);
    }
    if targets.is_empty() {
        for target in manifest
            .targets
            .iter()
            .filter(|target| !is_simulated(target))
        {
            targets.extend(of_name(&target.name)?);
        }
    }
    targets.retain(|target| matches!(target.endpoint, ami_client::target::Endpoint::Address(_)));
    if targets.is_empty() {
        return Err(anyhow!(
            "a simulated PBX ends with its run and leaves nothing to clean up"
        ))
        .or_exit(Exit::BadInput);
    }
    Ok(targets)
}

fn is_simulated(target: &manifest::Target) -> bool {
    target.address.starts_with("simulated ")
}

/// A manifest names targets; one that was given as a file elsewhere or as a URI must be given again.
fn of_name(name: &str) -> Result<Vec<Target>, Failure> {
    catalogue::wire_targets(name).map_err(|Failure { exit, error }| Failure {
        exit,
        error: error.context(format!(
            "the run loaded target {name}: give its file or URI with --target"
        )),
    })
}

/// One login serves every run: a wrong secret must not fail once for each.
async fn clean(target: &Target, tags: &[RunTag]) -> anyhow::Result<Exit> {
    let ami_client::target::Endpoint::Address(address) = &target.endpoint else {
        anyhow::bail!("a simulated PBX is gone with its run");
    };
    let secret = access::secret(target).map_err(|failure| failure.error)?;
    let config = access::session(target, secret, "off");
    let peer = Peer::new(address, target.tls.as_ref())?;
    let mut connection = open(&peer, config, &Gate::default(), Clock::start()).await?;
    let mut exit = Exit::Held;
    for tag in tags {
        let cleaned = cleanup::hang_up(&mut connection, tag).await?;
        exit = exit.max(tell(target, tag, &cleaned));
    }
    connection.logoff(WITHIN).await;
    Ok(exit)
}
