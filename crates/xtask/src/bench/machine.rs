//! What the figures depend on besides us: processors, load, scheduling policy, and which source was built.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Scheduling {
    /// Run the contenders under `chrt --fifo 10` (needs root)
    #[arg(long)]
    fifo: bool,
}

impl Scheduling {
    pub(crate) fn policy(&self) -> Policy {
        if self.fifo {
            Policy::Fifo
        } else {
            Policy::Other
        }
    }
}

/// How the kernel schedules the contenders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// What every process gets.
    Other,
    /// Before every process that has no real-time policy.
    Fifo,
}

impl Policy {
    /// A command that runs under this policy.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Other => Command::new(program),
            Self::Fifo => {
                let mut command = Command::new("chrt");
                command.args(["--fifo", "10"]).arg(program);
                command
            }
        }
    }

    /// As a run's manifest words it.
    pub(crate) fn in_manifest(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Fifo => "fifo 10",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Other => "other (the kernel's default)",
            Self::Fifo => "fifo 10 (chrt --fifo 10)",
        }
    }
}

/// The first lines of a report.
pub(crate) fn print(workspace: &Path, policy: Policy) {
    for (name, value) in facts(workspace) {
        println!("{name:<18} {value}");
    }
    println!("scheduling policy  {}", policy.name());
}

/// What every report begins with.
pub(crate) fn facts(workspace: &Path) -> [(&'static str, String); 3] {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = format!("{cpus} CPUs ({}), Linux {}", cpu(), kernel.trim());
    [
        ("source", source(workspace)),
        ("machine", machine),
        ("load average", load_average()),
    ]
}

pub(crate) fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|it| it.split_once(':'));
    model.map_or("unknown", |(_, name)| name.trim()).to_owned()
}

pub(crate) fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |it| String::from_utf8_lossy(&it.stdout).trim().to_owned(),
    )
}

/// Of the last 1, 5 and 15 minutes.
pub(crate) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let three: Vec<&str> = text.split_whitespace().take(3).collect();
    three.join(" ")
}

/// The commit, and whether the files are still those of the commit.
pub(crate) fn source(workspace: &Path) -> String {
    let described = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty=, with changes",
            "--abbrev=9",
        ])
        .current_dir(workspace)
        .output();
    match described {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown, git does not say".to_owned(),
    }
}
