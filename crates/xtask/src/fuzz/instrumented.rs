//! The binaries of the targets, built by cargo-fuzz on the stable compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::step;

/// What looks over the shoulder of the code. The core has no `unsafe`, so that each push goes without; AddressSanitizer also
/// sees what is compared with what, and learns words that no dictionary has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sanitizer {
    None,
    Address,
}

pub(super) struct Instrumented {
    binaries: PathBuf,
}

impl Instrumented {
    pub(super) fn build(folder: &Path, sanitizer: Sanitizer) -> Result<Self> {
        is_installed()?;
        let host = host()?;
        // Each has its own folder: the flags differ, and neither is built again for the other.
        let (name, target) = match sanitizer {
            Sanitizer::None => ("none", folder.join("target")),
            Sanitizer::Address => ("address", folder.join("target/address")),
        };
        let mut cargo = Command::new("cargo");
        cargo
            .args(["fuzz", "build", "--sanitizer", name, "--fuzz-dir"])
            .arg(folder)
            .arg("--target-dir")
            .arg(&target);
        if sanitizer == Sanitizer::Address {
            // Stable refuses the flag, and a refusal is kept in `.rustc_info.json`, where it would outlive its cause.
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_CACHE_RUSTC_INFO", "0");
        }
        step(cargo.current_dir(folder))?;
        Ok(Self {
            binaries: target.join(host).join("release"),
        })
    }

    pub(super) fn command(&self, target: &str) -> Command {
        Command::new(self.binaries.join(target))
    }
}

fn is_installed() -> Result<()> {
    let found = Command::new("cargo")
        .args(["fuzz", "--version"])
        .output()
        .context("starting cargo")?;
    if !found.status.success() {
        bail!("cargo-fuzz is missing: cargo install cargo-fuzz --locked --version 0.13.2");
    }
    Ok(())
}

pub(super) fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("starting rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not name its host")
}
