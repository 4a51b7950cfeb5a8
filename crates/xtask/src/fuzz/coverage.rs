//! What the corpora reach of the protocol core, in lines, and the floor that it must not fall below.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::instrumented::host;
use super::{corpus, step};

/// Of the lines of each part.
const FLOOR_PERCENT: f64 = 95.0;
/// Those that run the parts.
const TARGETS: [&str; 6] = [
    "decode",
    "split",
    "round_trip",
    "differential",
    "session",
    "session_bytes",
];
/// What must be reached: a part, and where its files are.
const PARTS: [(&str, &[&str]); 3] = [
    (
        "decoder",
        &["ami-proto/src/frame", "ami-proto/src/header.rs"],
    ),
    (
        "session",
        &["ami-proto/src/session.rs", "ami-proto/src/session/"],
    ),
    (
        "event lists",
        &[
            "ami-proto/src/session/event_list.rs",
            "ami-proto/src/event.rs",
        ],
    ),
];

#[derive(Deserialize)]
struct Export {
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    lines: Lines,
}

#[derive(Clone, Copy, Default, Deserialize)]
struct Lines {
    count: u64,
    covered: u64,
}

pub(super) fn keep_the_floor(workspace: &Path, folder: &Path, targets: &[String]) -> Result<()> {
    let measured: Vec<&str> = TARGETS
        .into_iter()
        .filter(|name| targets.iter().any(|target| target == name))
        .collect();
    if measured.len() < TARGETS.len() {
        println!("coverage is measured over {}", TARGETS.join(", "));
        return Ok(());
    }
    for target in &measured {
        let mut smaller = Command::new("cargo");
        smaller
            .args(["fuzz", "cmin", "--sanitizer", "none", "--fuzz-dir"])
            .arg(folder)
            .arg(target);
        step(smaller.arg(corpus(folder, target)?).current_dir(folder))?;
        let mut cover = Command::new("cargo");
        cover
            .args(["fuzz", "coverage", "--sanitizer", "none", "--fuzz-dir"])
            .arg(folder)
            .arg(target);
        cover
            .arg(corpus(folder, target)?)
            .arg(folder.join("seeds").join(target));
        step(cover.current_dir(folder))?;
    }
    let export = exported(folder, &measured)?;
    let low = table(workspace, &export);
    if low.is_empty() {
        return Ok(());
    }
    bail!(
        "less than {FLOOR_PERCENT} % of the lines are reached of: {}",
        low.join(", ")
    )
}

/// Of all targets together.
fn exported(folder: &Path, targets: &[&str]) -> Result<Export> {
    let tools = tools()?;
    let merged = folder.join("coverage/all.profdata");
    let mut merge = Command::new(tools.join("llvm-profdata"));
    merge.args(["merge", "--sparse", "--output"]).arg(&merged);
    for target in targets {
        merge.arg(
            folder
                .join("coverage")
                .join(target)
                .join("coverage.profdata"),
        );
    }
    step(&mut merge)?;
    let host = host()?;
    let binary = |target: &str| {
        folder
            .join("target")
            .join(&host)
            .join("coverage")
            .join(&host)
            .join("release")
            .join(target)
    };
    let mut export = Command::new(tools.join("llvm-cov"));
    export
        .args(["export", "--summary-only", "--instr-profile"])
        .arg(&merged);
    for (index, target) in targets.iter().enumerate() {
        if index > 0 {
            export.arg("--object");
        }
        export.arg(binary(target));
    }
    let output = export.output().context("starting llvm-cov")?;
    if !output.status.success() {
        bail!("llvm-cov: {}", String::from_utf8_lossy(&output.stderr));
    }
    let kept = folder.join("coverage/all.json");
    fs::write(&kept, &output.stdout).with_context(|| format!("writing {}", kept.display()))?;
    serde_json::from_slice(&output.stdout).context("reading what llvm-cov says")
}

/// Those of the compiler: others do not know its format.
fn tools() -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .context("starting rustc")?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let tools = sysroot.join("lib/rustlib").join(host()?).join("bin");
    if !tools.join("llvm-cov").exists() {
        bail!("llvm-cov of the compiler is missing: rustup component add llvm-tools");
    }
    Ok(tools)
}

/// Prints every file of the parts, and returns the parts that are too low.
fn table(workspace: &Path, export: &Export) -> Vec<&'static str> {
    let root = format!("{}/crates/", workspace.display());
    let files: BTreeMap<&str, Lines> = export
        .data
        .iter()
        .flat_map(|data| &data.files)
        .filter_map(|file| Some((file.filename.strip_prefix(&root)?, file.summary.lines)))
        .collect();
    let mut low = Vec::new();
    for (part, places) in PARTS {
        let mut sum = Lines::default();
        for (file, lines) in &files {
            if places.iter().any(|place| file.starts_with(place)) {
                println!(
                    "  {file:48} {:>5} of {:>5} lines, {:.1} %",
                    lines.covered,
                    lines.count,
                    lines.percent()
                );
                sum.count += lines.count;
                sum.covered += lines.covered;
            }
        }
        println!("{part}: {:.1} % of {} lines", sum.percent(), sum.count);
        if sum.count == 0 || sum.percent() < FLOOR_PERCENT {
            low.push(part);
        }
    }
    low
}

impl Lines {
    #[expect(clippy::cast_precision_loss, reason = "files have thousands of lines")]
    fn percent(self) -> f64 {
        100.0 * self.covered as f64 / self.count.max(1) as f64
    }
}
