//! Targets in production: nothing that may harm one starts unless the operator names it.

use std::io::{BufRead as _, IsTerminal as _};

use ami_client::Target;
use ami_client::target::Environment;
use anyhow::{Context as _, anyhow};

use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

/// What is about to be done to it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    Load,
    /// With cases that use up what others need.
    Disrupt,
}

impl Wish {
    fn on(self, whom: &str) -> String {
        match self {
            Self::Load => format!("load {whom}"),
            Self::Disrupt => format!("run disruptive cases on {whom}"),
        }
    }
}

/// Every production target among `targets` is named by `given`, or by whoever sits at the terminal.
pub(crate) fn confirm<'a>(
    targets: impl Iterator<Item = &'a Target>,
    given: &[String],
    wish: Wish,
) -> Result<(), Failure> {
    let unconfirmed: Vec<&Target> = targets
        .filter(|target| target.environment == Environment::Production)
        .filter(|target| !given.contains(&target.name))
        .collect();
    if unconfirmed.is_empty() {
        return Ok(());
    }
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return unconfirmed
            .into_iter()
            .try_for_each(|target| ask(target, wish));
    }
    Err(refusal(&unconfirmed, wish))
}

fn refusal(unconfirmed: &[&Target], wish: Wish) -> Failure {
    let names: Vec<&str> = unconfirmed
        .iter()
        .map(|target| target.name.as_str())
        .collect();
    let flags: Vec<String> = names
        .iter()
        .map(|name| format!("--confirm {name}"))
        .collect();
    let (are, them) = if names.len() == 1 {
        ("is", "it")
    } else {
        ("are", "them")
    };
    let names = names.join(", ");
    Failure {
        exit: Exit::BadInput,
        error: anyhow!(
            "{names} {are} in production: to {} all the same, add {}",
            wish.on(them),
            flags.join(" ")
        ),
    }
}

fn ask(target: &Target, wish: Wish) -> Result<(), Failure> {
    print::question(format_args!(
        "{} is in production; type its name to {}: ",
        target.name,
        wish.on("it")
    ));
    let mut typed = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut typed)
        .context("failed to read the answer")
        .or_exit(Exit::BadInput)?;
    if typed.trim() == target.name {
        Ok(())
    } else {
        Err(anyhow!(
            "{} is in production and was not confirmed",
            target.name
        ))
        .or_exit(Exit::BadInput)
    }
}
