//! The contenders of `crates/ami-bench`: built, and run as programs of their own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A workspace of its own.
const FOLDER: &str = "crates/ami-bench";

#[derive(Debug)]
pub(crate) struct Contest {
    release: PathBuf,
}

/// A group whose contenders took turns.
#[derive(Debug, Deserialize)]
pub(crate) struct Measured {
    pub(crate) group: String,
    pub(crate) unit: String,
    pub(crate) contenders: Vec<Speed>,
    pub(crate) ratios: Vec<Ratio>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Speed {
    pub(crate) name: String,
    pub(crate) per_second: f64,
}

/// Whose speed is how many times whose.
#[derive(Debug, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) of: String,
    pub(crate) to: String,
    pub(crate) median: f64,
    pub(crate) quartiles: [f64; 2],
}

/// One that can be run alone, and how much it then does.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) group: String,
    pub(crate) contender: String,
    pub(crate) units: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Allocated {
    pub(crate) group: String,
    pub(crate) contender: String,
    pub(crate) per_unit: f64,
}

impl Contest {
    pub(crate) fn build(workspace: &Path) -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let folder = workspace.join(FOLDER);
        let mut build = Command::new(cargo);
        build
            .args(["build", "--release", "--locked", "--bins"])
            .current_dir(&folder);
        // What cargo says of xtask to xtask: build scripts would take it for a change, and all be built again.
        for (name, _) in std::env::vars_os() {
            let about = name.to_string_lossy();
            if about.starts_with("CARGO_PKG_") || about.starts_with("CARGO_MANIFEST_") {
                build.env_remove(name);
            }
        }
        let status = build.status().context("starting cargo")?;
        if !status.success() {
            bail!("{FOLDER} does not build");
        }
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| folder.join("target"), PathBuf::from);
        Ok(Self {
            release: target.join("release"),
        })
    }

    /// All groups when none is named.
    pub(crate) fn rounds(&self, rounds: u32, groups: &[&str]) -> Result<Vec<Measured>> {
        let mut command = self.program();
        command.args(["rounds", "--rounds", &rounds.to_string()]);
        for group in groups {
            command.args(["--group", group]);
        }
        said(command)
    }

    pub(crate) fn list(&self) -> Result<Vec<Listed>> {
        let mut command = self.program();
        command.arg("list");
        said(command)
    }

    pub(crate) fn allocations(&self) -> Result<Vec<Allocated>> {
        said(Command::new(self.release.join("allocations")))
    }

    /// The program and its arguments that run one contender once.
    pub(crate) fn once(&self, listed: &Listed) -> [PathBuf; 4] {
        let words = ["once", &listed.group, &listed.contender].map(PathBuf::from);
        let [once, group, contender] = words;
        [self.release.join("ami-bench"), once, group, contender]
    }

    fn program(&self) -> Command {
        Command::new(self.release.join("ami-bench"))
    }
}

/// What it says on standard output, which is JSON; what it says on standard error is for the terminal.
fn said<T: DeserializeOwned>(mut command: Command) -> Result<T> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("starting the contenders")?;
    if !output.status.success() {
        bail!("the contenders ended with {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("understanding the contenders")
}

/// Versions of the peers, as the lock file has them.
pub(crate) fn peers(workspace: &Path) -> Result<Vec<String>> {
    const PEERS: [&str; 5] = [
        "httparse",
        "memchr",
        "asterisk-rs-ami",
        "asterisk-manager",
        "asterisk-ami",
    ];
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        version: String,
    }
    let path = workspace.join(FOLDER).join("Cargo.lock");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let lock: Lock =
        toml::from_str(&text).with_context(|| format!("understanding {}", path.display()))?;
    let packages = lock.package.into_iter();
    Ok(packages
        .filter(|it| PEERS.contains(&it.name.as_str()))
        .map(|it| format!("{} {}", it.name, it.version))
        .collect())
}
