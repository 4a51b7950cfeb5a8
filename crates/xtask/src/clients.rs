//! `cargo xtask clients`: AMI clients of others, from their registries, for the tests that try the simulated PBXs with them.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

const SCRIPTS: &str = "crates/amibench/tests/clients";
/// Written at the end: what stands beside it is whole.
const COMPLETE: &str = "complete";

pub(crate) fn run() -> Result<ExitCode> {
    let scripts = workspace::dir().join(SCRIPTS);
    let folder = workspace::dir().join("target/clients");
    let _ = fs::remove_file(folder.join(COMPLETE));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for file in ["requirements.txt", "package.json", "package-lock.json"] {
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
