//! `amibench completions`: what a shell needs to complete the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::exit_code::{Exit, Failure};

pub(crate) fn run(shell: Shell) -> Result<Exit, Failure> {
    clap_complete::generate(
        shell,
        &mut Args::command(),
        "amibench",
        &mut std::io::stdout(),
    );
    Ok(Exit::Held)
}
