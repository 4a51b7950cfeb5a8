//! The decoder's benchmark with criterion, and at the end its ratios once more, in a short table.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::machine::{self, Policy};

/// How the benchmark marks a line that belongs into the table.
const RATIO: &str = "x httparse";
const LINEAR_GROUP: &str = "one message in 1460-byte reads";

pub(crate) fn run(workspace: &Path) -> Result<ExitCode> {
    let before = machine::load_average();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut bench = Command::new(cargo)
        .args(["bench", "--package", "ami-proto", "--bench", "decode"])
        .current_dir(workspace)
        .stdout(Stdio::piped())
        .spawn()
        .context("starting cargo bench")?;
    let stdout = bench.stdout.take().expect("it was piped");
    let mut ratios = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let line = line.context("reading what cargo bench says")?;
        println!("{line}");
        if line.contains(RATIO) {
            ratios.push(line);
        }
    }
    let status = bench.wait().context("waiting for cargo bench")?;
    if !status.success() {
        bail!("cargo bench ended with {status}");
    }
    println!();
    machine::print(workspace, Policy::Other);
    println!("  before the bench {before}\n");
    for ratio in ratios {
        println!("{ratio}");
    }
    println!("\n{LINEAR_GROUP}, time beside that of 1 MB (linear: 1, 2, 4)");
    let one = median_ns(workspace, "1 MB")?;
    for size in ["1 MB", "2 MB", "4 MB"] {
        println!("{size:20} {:.2}", median_ns(workspace, size)? / one);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// What criterion left of its newest measurement.
fn median_ns(workspace: &Path, size: &str) -> Result<f64> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), PathBuf::from);
    let path = target.join("criterion").join(LINEAR_GROUP).join(size);
    let path = path.join("new/estimates.json");
    let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let estimates: Estimates = serde_json::from_slice(&text)
        .with_context(|| format!("understanding {}", path.display()))?;
    Ok(estimates.median.point_estimate)
}
