//! `cargo xtask peers`: what open AMI clients make of the frames of the corpora. The program is a workspace of its own,
//! `crates/xtask/peers`, since nothing else should build the clients of others.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{clients, workspace};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// --check, --case ID, --client NAME: see `cargo xtask peers -- --help`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if !clients::are_installed()? {
        clients::run()?;
    }
    let workspace = workspace::dir();
    let cargo = |verb: &str| {
        let mut cargo = Command::new("cargo");
        cargo.arg(verb).arg("--quiet").arg("--locked");
        cargo.args(["--manifest-path", "crates/xtask/peers/Cargo.toml"]);
        cargo.args(["--target-dir", "target/peers"]);
        cargo.current_dir(&workspace);
        cargo
    };
    // All adapters: what is run is one of the programs only.
    let built = cargo("build").status().context("starting cargo")?;
    if !built.success() {
        return Ok(ExitCode::FAILURE);
    }
    let ran = cargo("run").arg("--").args(&options.rest).status();
    let ran = ran.context("starting cargo")?;
    Ok(if ran.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    const LABELS: [&str; 3] = ["valid", "malformed", "implementation-defined"];

    /// What a fresh run says cannot be known here; that nothing is missing and nothing too much can.
    #[test]
    fn every_frame_has_its_row_and_every_row_its_frame() {
        let workspace = workspace::dir();
        let mut frames = BTreeSet::new();
        for label in LABELS {
            let folder = workspace.join("corpora/frames").join(label);
            for entry in fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if let Some(id) = name.strip_suffix(".ami") {
                    frames.insert(format!("| [{id}](../corpora/frames/{label}/{id}.json) "));
                }
            }
        }
        let table = fs::read_to_string(workspace.join("docs/peers.md")).unwrap();
        let rows = table
            .lines()
            .filter(|line| line.starts_with("| [") && line.contains("/frames/"));
        let rows: BTreeSet<String> = rows
            .map(|row| row.split_inclusive("| ").take(2).collect::<String>())
            .map(|row| row.trim_end_matches("| ").to_owned())
            .collect();
        assert!(frames.len() > 40, "{}", frames.len());
        assert_eq!(rows, frames, "`cargo xtask peers` makes the table");
    }
}
