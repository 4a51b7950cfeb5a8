//! Builds amibench for release and runs it, as a user does.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::Pid;
use serde::Deserialize;

use super::machine::Policy;

/// Exit of a run whose generator could not hold its schedule: its figures are what a bench is after.
const INVALID: i32 = 4;

/// A release build, copied so that nobody rebuilds it between two rounds.
#[derive(Debug)]
pub(crate) struct Built {
    binary: PathBuf,
}

/// A finished load run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) dir: PathBuf,
    /// Why amibench judged it INVALID; empty for a valid run.
    pub(crate) invalid: Vec<String>,
}

/// A simulated PBX, ended with this value.
#[derive(Debug)]
pub(crate) struct Simulator {
    process: Running,
    pub(crate) address: String,
    pub(crate) secret: String,
}

/// A process that does not outlive its owner.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, or beyond our reach: either way there is nothing left to do.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Built {
    pub(crate) fn new(workspace: &Path, package: &str, scratch: &Path) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--quiet", "--release", "--package", package])
            .current_dir(workspace)
            .status()
            .context("starting cargo")?;
        if !status.success() {
            bail!("{package} does not build for release");
        }
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| workspace.join("target"), PathBuf::from);
        let (from, binary) = (target.join("release").join(package), scratch.join(package));
        fs::copy(&from, &binary).with_context(|| format!("copying {}", from.display()))?;
        Ok(Self { binary })
    }

    pub(crate) fn command(&self, policy: Policy) -> Command {
        policy.command(&self.binary)
    }

    /// `amibench load`, with its results in the new directory `out`.
    pub(crate) fn load(
        &self,
        workspace: &Path,
        policy: Policy,
        flags: &[&str],
        out: &Path,
    ) -> Command {
        let mut command = self.command(policy);
        command
            .args(["load", "--quiet"])
            .args(flags)
            .arg("--out")
            .arg(out)
            .current_dir(workspace)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// `amibench sim` on a free port.
    pub(crate) fn simulate(&self, policy: Policy, profile: &str) -> Result<Simulator> {
        let mut process = self
            .command(policy)
            .args(["sim", "--profile", profile, "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map(Running)
            .context("starting amibench sim")?;
        let stdout = process.0.stdout.take().expect("it was piped");
        let mut greeting = String::new();
        BufReader::new(stdout)
            .read_line(&mut greeting)
            .context("reading what amibench sim says")?;
        let said = greeting.trim();
        let parts = said
            .split_once('@')
            .and_then(|(_, it)| it.split_once(", secret "));
        let Some((address, secret)) = parts else {
            bail!("amibench sim says neither address nor secret: {said:?}");
        };
        Ok(Simulator {
            process,
            address: address.to_owned(),
            secret: secret.to_owned(),
        })
    }
}

/// What a bench reads of `manifest.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) layout: Layout,
    host: Host,
    validity: Option<Validity>,
}

#[derive(Debug, Default, Deserialize)]
struct Validity {
    reasons: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Layout {
    pub(crate) actions: Vec<Named>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
struct Host {
    scheduling_policy: String,
}

impl Simulator {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process.0)
    }
}

impl Run {
    /// What `amibench load` left in `dir`, if it measured what it was asked for, as it was asked to.
    pub(crate) fn finished(dir: PathBuf, policy: Policy, output: &Output) -> Result<Self> {
        if !matches!(output.status.code(), Some(0 | INVALID)) {
            bail!(
                "amibench load ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let mut run = Self {
            dir,
            invalid: Vec::new(),
        };
        let manifest = run.manifest()?;
        run.invalid = manifest.validity.unwrap_or_default().reasons;
        let (measured, asked) = (manifest.host.scheduling_policy, policy.in_manifest());
        if measured != asked {
            bail!("amibench ran under the policy {measured:?} instead of {asked:?}");
        }
        Ok(run)
    }

    /// A run that was late has the same costs, but who reads them should know.
    pub(crate) fn remark(&self) -> &'static str {
        if self.invalid.is_empty() {
            ""
        } else {
            " (judged INVALID: the machine was too busy)"
        }
    }

    pub(crate) fn manifest(&self) -> Result<Manifest> {
        let path = self.dir.join("manifest.json");
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("understanding {}", path.display()))
    }
}
