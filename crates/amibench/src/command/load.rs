//! `amibench load`: from files and flags to a plan, through the run, to its summary and exit code.

use ami_client::open::Gate;
use ami_client::{Clock, Document, Target};
use ami_load::plan::Protection;
use ami_load::run::{
    self, Description, FailureWhy, Finished, Live, PreflightError, RunError, Setup, Site, Start,
    TargetFailure,
};
use ami_load::{Overrides, Plan, Scenario};
use ami_report::summary::Summary;
use ami_report::{Format, export};
use ami_results::manifest::End;
use ami_results::recorder::Records;
use ami_results::run_dir::RunDir;
use anyhow::anyhow;
use tokio::sync::watch;

use crate::args::{Load, Shown};
use crate::command::report;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::simulators::Simulators;
use crate::{
    access, catalogue, descriptors, live, one_line, operator, print, production, refusal, results,
};

pub(crate) fn run(load: Load) -> Result<Exit, Failure> {
    if load.list {
        print::text(catalogue::list()?);
        return Ok(Exit::Held);
    }
    let (name, document) = chosen(&load)?;
    let scenario = Scenario::parse(&document).or_exit(Exit::BadInput)?;
    let targets = targets(&load, &scenario)?;
    let overrides = Overrides {
        seed: load.seed,
        rate: load.rate,
        sessions: load.sessions,
        duration: load.duration,
        warm_up: load.warm_up,
        segment: load.segment,
        workers: load.workers,
        protection: if load.guard {
            Protection::Guarded
        } else {
            Protection::Unguarded
        },
    };
    let plan =
        Plan::resolve(&name, &document, scenario, targets, &overrides).or_exit(Exit::BadInput)?;
    if load.dry_run {
        print::text(plan.describe());
        return Ok(Exit::Held);
    }
    production::confirm(
        plan.targets.iter().map(|planned| &planned.target),
        &load.confirm,
        production::Wish::Load,
    )?;
    descriptors::provide(&plan)?;
    let mut simulators = Simulators::default();
    let sites = sites(&plan, &mut simulators)?;
    let planned = plan.targets.iter().map(|planned| planned.target.clone());
    let targets: Vec<Target> = planned.collect();
    let run_dir = results::create(&results::folder(load.out.as_deref(), &name))?;
    let outcome = drive(&load, (plan, sites), &document, run_dir.clone(), &targets);
    let finished = match outcome {
        Ok(finished) => finished,
        Err(failure) => {
            // Nothing was measured: an empty directory would only confuse. It stays when it has results.
            if std::fs::remove_dir(run_dir.path()).is_err() {
                let path = run_dir.path().display();
                print::error(format_args!(
                    "what was written until then: amibench report {path}"
                ));
            }
            return Err(failure);
        }
    };
    conclude(&load, &run_dir, &finished, &targets)
}

/// The scenario by name or file, or what the flags describe; a URI in its place is a target.
fn chosen(load: &Load) -> Result<(String, Document), Failure> {
    match &load.scenario {
        Some(given) if !given.contains("://") => {
            if load.ping.is_some() || load.originate.is_some() {
                return Err(anyhow!(
                    "--ping and --originate stand for a scenario: give one or the other"
                ))
                .or_exit(Exit::BadInput);
            }
            catalogue::scenario(given)
        }
        _ => match one_line::scenario(load) {
            Some(document) => Ok(("one-line".to_owned(), document)),
            None => Err(anyhow!(
                "name a scenario, such as quickstart (--list shows all), or say what to offer, such as --ping 20/s"
            ))
            .or_exit(Exit::BadInput),
        },
    }
}

fn targets(load: &Load, scenario: &Scenario) -> Result<Vec<Target>, Failure> {
    let uri = load.scenario.iter().filter(|given| given.contains("://"));
    let named: Vec<&String> = uri.chain(&load.targets).collect();
    let mut targets = Vec::new();
    if named.is_empty() {
        for target in &scenario.targets {
            targets.extend(catalogue::wire_targets(target.get_ref())?);
        }
    }
    for name in named {
        targets.extend(catalogue::wire_targets(name)?);
    }
    Ok(targets)
}

/// Where each target is, and the secret that opens it: what may be missing is found before anything is written.
fn sites(plan: &Plan, simulators: &mut Simulators) -> Result<Vec<Site>, Failure> {
    let site = |target: &Target| -> Result<Site, Failure> {
        Ok(Site {
            secret: access::secret(target)?,
            peer: simulators.peer(target, plan.seed)?,
            account: target.account.clone(),
            login: target.login,
            gate: Gate::default(),
        })
    };
    plan.targets
        .iter()
        .map(|planned| &planned.target)
        .map(site)
        .collect()
}

fn drive(
    load: &Load,
    (plan, sites): (Plan, Vec<Site>),
    document: &Document,
    run_dir: RunDir,
    targets: &[Target],
) -> Result<Finished, Failure> {
    let whole = plan.duration();
    let description = Description {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args().collect(),
        scenario_text: document.text().to_owned(),
        labels: load.labels.iter().cloned().collect(),
        records: if load.records {
            Records::KEEP
        } else {
            Records::Omit
        },
        start: load.start_at.unwrap_or(Start::Soon),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    runtime.block_on(async {
        let setup = Setup::new(plan, sites, Clock::start()).or_exit(Exit::BadInput)?;
        let wish = operator::listen().or_exit(Exit::Bug)?;
        let (sender, receiver) = watch::channel(Live::default());
        let progress = (!load.quiet).then(|| tokio::spawn(live::show(receiver, whole)));
        let finished = run::run(setup, description, run_dir, sender, wish.clone()).await;
        if let Some(progress) = progress {
            let _ = progress.await;
        }
        finished.map_err(|error| failure(error, targets))
    })
}

/// The end of a run that measured nothing.
fn failure(error: RunError, targets: &[Target]) -> Failure {
    let exit = match &error {
        RunError::NoTarget { failures } => return no_target(failures, targets),
        RunError::Interrupted => Exit::Interrupted,
        RunError::Late => Exit::BadInput,
        RunError::Recorder(_) => Exit::NotWritten,
        RunError::Worker(_) => Exit::Bug,
    };
    Failure {
        exit,
        error: error.into(),
    }
}

/// Each target's failure is said; the first is what the program ends with.
fn no_target(failures: &[TargetFailure], targets: &[Target]) -> Failure {
    let exits = failures.iter().map(|failure| exit_of(&failure.why));
    let exit = exits.max().unwrap_or(Exit::Unreachable);
    let (first, others) = match failures {
        [first, others @ ..] => (describe(first, targets), others),
        [] => ("no target is left to load".to_owned(), failures),
    };
    others
        .iter()
        .for_each(|failure| tell_failure(failure, targets));
    Failure {
        exit,
        error: anyhow!(first),
    }
}

fn exit_of(why: &FailureWhy) -> Exit {
    match why {
        FailureWhy::Preflight(PreflightError::Rights { .. }) | FailureWhy::Blind { .. } => {
            Exit::BadInput
        }
        FailureWhy::Guard { .. } => Exit::Failed,
        FailureWhy::Preflight(_)
        | FailureWhy::Seat(_)
        | FailureWhy::Lost
        | FailureWhy::Cleaning(_) => Exit::Unreachable,
    }
}

fn tell_failure(failure: &TargetFailure, targets: &[Target]) {
    print::error(describe(failure, targets));
}

/// With the likeliest cause, where the target did not let us in.
fn describe(failure: &TargetFailure, targets: &[Target]) -> String {
    let told = format!("{}: {failure}", failure.target);
    let Some(target) = targets.iter().find(|target| target.name == failure.target) else {
        return told;
    };
    match &failure.why {
        FailureWhy::Preflight(PreflightError::Open(error)) | FailureWhy::Seat(error) => {
            told + &refusal::referral(error, target)
        }
        FailureWhy::Preflight(_) => told + &refusal::more(target),
        FailureWhy::Guard { .. }
        | FailureWhy::Blind { .. }
        | FailureWhy::Lost
        | FailureWhy::Cleaning(_) => told,
    }
}

/// What is printed, reports, and the exit code: what was measured is said even where no file can be written any more.
fn conclude(
    load: &Load,
    run_dir: &RunDir,
    finished: &Finished,
    targets: &[Target],
) -> Result<Exit, Failure> {
    let summary = Summary::read(run_dir).or_exit(Exit::NotWritten)?;
    let exported = report::named(&summary, load.names.naming());
    match load.format {
        Shown::Text => report::print_tables(&summary),
        Shown::Json => print::text(export::json(&exported)),
    }
    let failures = finished.failures.iter();
    failures.for_each(|failure| tell_failure(failure, targets));
    for (target, channels) in &finished.left {
        print::error(format_args!(
            "{target}: {} channels of this run are left: {}",
            channels.len(),
            channels.join(", ")
        ));
    }
    let told = |reason: &str| {
        finished
            .failures
            .iter()
            .any(|failure| reason.contains(&failure.to_string()))
    };
    if let End::Aborted { reason } = &finished.end
        && !told(reason)
    {
        print::error(format_args!("the run was ended early: {reason}"));
    }
    if finished.totals.validity.bad_seconds > 0 && !finished.totals.validity.is_valid() {
        print::error(format_args!(
            "this machine had too little time for the generator: run it where nothing else does, \
             or ahead of the rest with `chrt -f 10 amibench …`"
        ));
    }
    let written = report::write(&exported, run_dir, &Format::USUAL, run_dir.path())?;
    if let Some(report) = written.first() {
        match load.format {
            Shown::Text => print::line(report.display()),
            Shown::Json => print::error(report.display()),
        }
    }
    results::link_latest(load.out.as_deref(), run_dir)?;
    Ok(exit(finished))
}

fn exit(finished: &Finished) -> Exit {
    let mut exits = vec![Exit::Held];
    exits.extend(
        finished
            .failures
            .iter()
            .map(|failure| exit_of(&failure.why)),
    );
    let verdicts = finished.verdicts.iter();
    exits.extend(verdicts.map(|verdict| Exit::from(verdict.state)));
    if !finished.totals.validity.is_valid()
        || finished
            .totals
            .actions
            .iter()
            .all(|action| action.counts.sent == 0)
    {
        exits.push(Exit::Inconclusive);
    }
    if !finished.left.is_empty() {
        exits.push(Exit::Failed);
    }
    if finished.end == End::Interrupted {
        exits.push(Exit::Interrupted);
    }
    exits.into_iter().max().unwrap_or(Exit::Held)
}
