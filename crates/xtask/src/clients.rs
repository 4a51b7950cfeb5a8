//! `cargo xtask clients`: AMI clients of others, from their registries, for the tests that try the simulated PBXs with them
//! and for the table of `peers`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

const SCRIPTS: &str = "crates/amibench/tests/clients";
/// Written at the end: what stands beside it is whole.
const COMPLETE: &str = "complete";
/// What is installed, in which versions.
const PINS: [&str; 3] = ["requirements.txt", "package.json", "package-lock.json"];

/// All of them, in the versions of today.
pub(crate) fn are_installed() -> Result<bool> {
    let (scripts, folder) = folders();
    if !folder.join(COMPLETE).exists() {
        return Ok(false);
    }
    for file in PINS {
        let read = |path: &Path| fs::read(path).with_context(|| format!("reading {file}"));
        if read(&scripts.join(file))? != read(&folder.join(file))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn folders() -> (PathBuf, PathBuf) {
    let workspace = workspace::dir();
    (workspace.join(SCRIPTS), workspace.join("target/clients"))
}

pub(crate) fn run() -> Result<ExitCode> {
    let (scripts, folder) = folders();
    let _ = fs::remove_file(folder.join(COMPLETE));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for file in PINS {
        fs::copy(scripts.join(file), folder.join(file))
            .with_context(|| format!("copying {file}"))?;
    }
    step(&folder, "python3", &["-m", "venv", "venv"])?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    step(
        &folder,
        "venv/bin/python",
        &[&pip[..], &["-r", "requirements.txt"]].concat(),
    )?;
    step(
        &folder,
        "npm",
        &["ci", "--silent", "--no-audit", "--no-fund"],
    )?;
    fs::write(folder.join(COMPLETE), "").context("saying that all is there")?;
    println!("clients are in {}", folder.display());
    Ok(ExitCode::SUCCESS)
}

fn step(folder: &Path, program: &str, args: &[&str]) -> Result<()> {
    let local = folder.join(program);
    let program = if local.exists() {
        local.as_path()
    } else {
        Path::new(program)
    };
    let status = Command::new(program)
        .args(args)
        .current_dir(folder)
        .status()
        .with_context(|| format!("starting {}", program.display()))?;
    if !status.success() {
        bail!("{} {}: {status}", program.display(), args.join(" "));
    }
    Ok(())
}
