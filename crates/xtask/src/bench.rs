//! `cargo xtask bench …`: figures of amibench beside those of its peers, measured in the same run.
//!
//! A machine has good and bad minutes, so nothing here asserts an absolute number: contenders take
//! turns, and what is printed says under which policy and load they ran.

mod baseline;
mod callgrind;
mod contest;
mod cost;
mod decode;
mod figures;
mod hlog;
mod machine;
mod process;
mod product;
mod regression;
mod schedule;
mod simulator;
mod truth;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::workspace;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    all: regression::Options,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// How late actions are sent: amibench, a tokio interval and SIPp, by turns
    Schedule(schedule::Options),
    /// Ack latency as amibench measured it and as tshark saw it on the wire, of one run
    Truth(truth::Options),
    /// Processor time and memory of a load, beside the PBX it loads and a bare loop
    Cost(cost::Options),
    /// What a simulated PBX bears: pings a second, calls that many sessions hear of, and its memory
    Simulator(simulator::Options),
    /// How fast bytes become frames, beside httparse and other clients
    Decode,
    /// The bare loop of `cost`, a process of its own
    #[command(hide = true)]
    Bare(cost::bare::Options),
    /// The tokio contender of `schedule`, a process of its own
    #[command(hide = true)]
    Ticker(schedule::ticker::Options),
}

pub(crate) fn run(bench: &Bench) -> Result<ExitCode> {
    let Some(verb) = &bench.verb else {
        return regression::run(&bench.all);
    };
    let workspace = workspace::dir();
    match verb {
        Verb::Schedule(options) => {
            schedule::run(&workspace, options)?;
        }
        Verb::Truth(options) => truth::run(&workspace, options)?,
        Verb::Cost(options) => cost::run(&workspace, options)?,
        Verb::Simulator(options) => simulator::run(&workspace, options)?,
        Verb::Bare(options) => cost::bare::run(options)?,
        Verb::Decode => decode::run(&workspace)?,
        Verb::Ticker(options) => schedule::ticker::run(options)?,
    }
    Ok(ExitCode::SUCCESS)
}
