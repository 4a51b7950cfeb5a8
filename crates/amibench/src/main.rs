//! The `amibench` binary: parse, dispatch, exit.

use std::process::ExitCode;

use clap::Parser;

mod access;
mod args;
mod catalogue;
mod command;
mod descriptors;
mod exit_code;
mod listening;
mod live;
mod one_line;
mod operator;
mod print;
mod production;
mod recording;
mod refusal;
mod results;
mod simulators;

use args::{Args, Verb};
use exit_code::{Exit, Failure};

fn main() -> ExitCode {
    let args = Args::parse();
    install_subscriber(args.verbose);
    let done = match args.verb {
        Verb::Load(load) => command::load::run(load),
        Verb::Doctor(doctor) => command::doctor::run(&doctor),
        Verb::Conform(conform) => command::conform::run(&conform),
        Verb::Check(check) => command::check::run(&check),
        Verb::Sim(sim) => command::sim::run(&sim),
        Verb::Record(record) => command::record::run(&record),
        Verb::Replay(replay) => command::replay::run(&replay),
        Verb::Merge(merge) => command::merge::run(&merge),
        Verb::Report(report) => command::report::run(&report),
        Verb::Cleanup(cleanup) => command::cleanup::run(&cleanup),
        Verb::Completions { shell } => command::completions::run(shell),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(Failure { exit, error }) => {
            print::error(format_args!("{error:#}"));
            Exit::into(exit)
        }
    }
}

fn install_subscriber(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("AMIBENCH_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
