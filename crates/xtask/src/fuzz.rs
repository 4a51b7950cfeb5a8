//! `cargo xtask fuzz`: breaks the core on purpose, in tiers: at each push, every night, before a release.
//!
//! The targets are in `crates/ami-proto/fuzz`; what they run, and what they begin with, is `crates/ami-fuzz`.

mod coverage;
mod instrumented;
mod job;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::workspace;
use instrumented::{Instrumented, Sanitizer};
use job::{Job, Length, Outcome};

/// The target that must fail.
const CANARY: &str = "canary";
/// It sings within a second; a slow machine gets more.
const CANARY_SECONDS: u64 = 60;
/// Its job has long inputs too, since limits of 64 KiB are not met in 4 KiB.
const LONG: &str = "differential";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// 0: replay of seeds and regressions; 1: each push, 30 s a target; 2: nightly, AddressSanitizer, 10 min a target, coverage;
    /// 3: before a release, an hour a target, long inputs too
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=3))]
    tier: u8,
    /// Only these targets
    #[arg(long)]
    target: Vec<String>,
    /// For each target, instead of the tier's
    #[arg(long)]
    seconds: Option<u64>,
    /// Targets at a time; as many as there are processors when not given
    #[arg(long)]
    jobs: Option<usize>,
}

struct Tier {
    sanitizer: Sanitizer,
    seconds: u64,
    long: &'static [&'static str],
    after: After,
}

/// What is done with what the fuzzers left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    /// The corpora are made smaller, and what they reach is held to a floor.
    Coverage,
}

impl Tier {
    fn of(number: u8) -> Self {
        match number {
            1 => Self {
                sanitizer: Sanitizer::None,
                seconds: 30,
                long: &[LONG],
                after: After::Nothing,
            },
            2 => Self {
                sanitizer: Sanitizer::Address,
                seconds: 600,
                long: &[LONG],
                after: After::Coverage,
            },
            _ => Self {
                sanitizer: Sanitizer::None,
                seconds: 3600,
                long: &[
                    "decode",
                    "split",
                    "round_trip",
                    LONG,
                    "server_session",
                    "transcript",
                    "capture",
                ],
                after: After::Coverage,
            },
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let workspace = workspace::dir();
    if options.tier == 0 {
        let bounded = options.seconds.is_some() || options.jobs.is_some();
        if bounded || !options.target.is_empty() {
            bail!("tier 0 replays everything: --target, --seconds and --jobs are for tiers 1 to 3");
        }
        return replay(&workspace);
    }
    let folder = workspace.join("crates/ami-proto/fuzz");
    let targets = chosen(&folder, &options.target)?;
    let tier = Tier::of(options.tier);
    seeds(&workspace, &folder)?;
    let built = Instrumented::build(&folder, tier.sanitizer)?;
    canary(&built, &folder)?;
    let seconds = options.seconds.unwrap_or(tier.seconds);
    let mut jobs: Vec<Job> = Vec::new();
    for target in &targets {
        jobs.push(Job::new(target, seconds, Length::Usual));
        if tier.long.contains(&target.as_str()) {
            jobs.push(Job::new(target, seconds, Length::Long));
        }
    }
    let at_a_time = options
        .jobs
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let failed = all(&built, &folder, jobs, at_a_time)?;
    if failed > 0 {
        bail!(
            "{failed} of the targets failed; a fix comes with its input in regressions/, named after what it shows"
        );
    }
    if tier.after == After::Coverage {
        coverage::keep_the_floor(&workspace, &folder, &targets)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tier 0 is a part of `cargo test`.
fn replay(workspace: &Path) -> Result<ExitCode> {
    let mut cargo = Command::new("cargo");
    step(
        cargo
            .args(["test", "--package", "ami-fuzz"])
            .current_dir(workspace),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// The binaries of the fuzz crate, without the canary.
fn chosen(folder: &Path, wanted: &[String]) -> Result<Vec<String>> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))
        .context("reading the manifest of the fuzz crate")?;
    let manifest: toml::Table =
        toml::from_str(&manifest).context("reading the manifest of the fuzz crate")?;
    let bins = manifest
        .get("bin")
        .and_then(toml::Value::as_array)
        .cloned()
        .unwrap_or_default();
    let names = bins
        .iter()
        .filter_map(|bin| bin.get("name")?.as_str().map(str::to_owned));
    let known: Vec<String> = names.filter(|name| name != CANARY).collect();
    if let Some(name) = wanted.iter().find(|name| !known.contains(*name)) {
        bail!("no target is called {name}: there are {}", known.join(", "));
    }
    if wanted.is_empty() {
        Ok(known)
    } else {
        Ok(wanted.to_vec())
    }
}

fn seeds(workspace: &Path, folder: &Path) -> Result<()> {
    let seeds = folder.join("seeds");
    // What was renamed must not stay.
    let _ = fs::remove_dir_all(&seeds);
    let mut cargo = Command::new("cargo");
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "ami-fuzz",
        "--example",
        "seeds",
        "--",
    ]);
    step(cargo.arg(&seeds).current_dir(workspace))
}

/// The alarm is tried first: a fuzzer that finds nothing here would find nothing anywhere.
fn canary(built: &Instrumented, folder: &Path) -> Result<()> {
    let artifacts = folder.join("artifacts").join(CANARY);
    let _ = fs::remove_dir_all(&artifacts);
    let report = Job::new(CANARY, CANARY_SECONDS, Length::Usual).run(built, folder)?;
    let kept = fs::read_dir(&artifacts).map_or(0, Iterator::count);
    match report.outcome {
        Outcome::Found { .. } if kept == 1 => {
            println!(
                "{CANARY:16} sings after {} executions, as it must",
                report.executions
            );
            Ok(())
        }
        outcome => bail!(
            "the canary does not sing ({outcome}, {kept} inputs kept): what the others do not find means nothing"
        ),
    }
}

/// Returns how many failed.
fn all(built: &Instrumented, folder: &Path, jobs: Vec<Job>, at_a_time: usize) -> Result<usize> {
    let waiting = Mutex::new(jobs.into_iter());
    let next = || waiting.lock().map_or(None, |mut jobs| jobs.next());
    let work = || -> Result<usize> {
        let mut failed = 0;
        while let Some(job) = next() {
            let report = job.run(built, folder)?;
            println!("{report}");
            failed += usize::from(report.outcome != Outcome::Held);
        }
        Ok(failed)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..at_a_time.max(1)).map(|_| scope.spawn(work)).collect();
        let ended = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")));
        ended.sum()
    })
}

fn step(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(())
}

/// Where a target keeps what it found.
fn corpus(folder: &Path, target: &str) -> Result<PathBuf> {
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("making {}", corpus.display()))?;
    Ok(corpus)
}
