//! `cargo xtask`: what the house needs besides cargo.
//!
//! `pbx` runs real Asterisks on loopback, `clients` installs AMI clients of others, `peers` shows what they make
//! of the corpora, `tidy` checks the rules that the compiler does not,
//! `fuzz` breaks the core on purpose, `bench` measures us beside our peers.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of the house that talks to its terminal"
)]

mod bench;
mod clients;
mod fuzz;
mod lab;
mod pbx;
mod peers;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "House tasks of amibench")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// The lab: real Asterisks in Debian chroots, on loopback (needs root)
    #[command(subcommand)]
    Pbx(pbx::Verb),
    /// Install the AMI clients of others that the simulated PBXs are tried with (needs python3 and npm)
    Clients,
    /// What open AMI clients make of the frames of the corpora, as docs/peers.md (needs python3 and npm)
    Peers(peers::Options),
    /// Measure amibench beside its peers, in the same run, and hold it to the baseline
    Bench(bench::Bench),
    /// Run the fuzz targets (needs cargo-fuzz from tier 1 on)
    Fuzz(fuzz::Options),
    /// Check the rules of the house that the compiler does not
    Tidy,
}

fn main() -> ExitCode {
    let done = match Args::parse().task {
        Task::Pbx(verb) => pbx::run(verb),
        Task::Clients => clients::run(),
        Task::Peers(options) => peers::run(&options),
        Task::Bench(bench) => bench::run(&bench),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Tidy => tidy::run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
