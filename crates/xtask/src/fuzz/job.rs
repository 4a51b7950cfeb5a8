//! One target under libFuzzer for so long, and what came of it.

use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use super::corpus;
use super::instrumented::Instrumented;

/// An input that takes longer is a finding; libFuzzer's own bound is twenty minutes.
const INPUT_SECONDS_MAX: u32 = 5;
/// Nothing here needs a tenth of it.
const RESIDENT_MIB_MAX: u32 = 1024;
/// Where a limit of 64 KiB is crossed. Without it libFuzzer takes 4 KiB, and cuts what is longer.
const LONG_MAX: u32 = 1 << 17;

pub(super) struct Job {
    target: String,
    seconds: u64,
    length: Length,
}

/// Of the inputs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Usual,
    Long,
}

pub(super) struct Report {
    name: String,
    pub(super) outcome: Outcome,
    pub(super) executions: u64,
    seconds: u64,
    coverage: u64,
    corpus: u64,
    resident_mib: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Held,
    /// The input is kept there.
    Found {
        artifact: PathBuf,
        log: PathBuf,
    },
    /// A stack overflow ends the process before libFuzzer can keep the input: the seed leads there again.
    Lost {
        status: ExitStatus,
        seed: u32,
        log: PathBuf,
    },
}

impl Job {
    pub(super) fn new(target: &str, seconds: u64, length: Length) -> Self {
        Self {
            target: target.to_owned(),
            seconds,
            length,
        }
    }

    fn name(&self) -> String {
        match self.length {
            Length::Usual => self.target.clone(),
            Length::Long => format!("{}-long", self.target),
        }
    }

    pub(super) fn run(&self, built: &Instrumented, folder: &Path) -> Result<Report> {
        let (seed, log) = (
            seed(),
            folder
                .join("artifacts")
                .join(format!("{}.log", self.name())),
        );
        // A folder of its own: what the other job of this target finds meanwhile is not what ended this one.
        let artifacts = folder.join("artifacts").join(self.name());
        fs::create_dir_all(&artifacts)
            .with_context(|| format!("making {}", artifacts.display()))?;
        let before = newest(&artifacts);
        let mut command = built.command(&self.target);
        command.arg(corpus(folder, &self.target)?);
        let seeds = folder.join("seeds").join(&self.target);
        let regressions = folder.join("regressions").join(&self.target);
        command.args([seeds, regressions].iter().filter(|path| path.exists()));
        command
            .arg(format!("-dict={}", folder.join("seeds/ami.dict").display()))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(format!("-max_total_time={}", self.seconds))
            .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
            .arg(format!("-rss_limit_mb={RESIDENT_MIB_MAX}"))
            .arg(format!("-seed={seed}"))
            .arg("-print_final_stats=1");
        if self.length == Length::Long {
            command.arg(format!("-max_len={LONG_MAX}"));
        }
        let file = fs::File::create(&log).with_context(|| format!("making {}", log.display()))?;
        let status = command.stdout(Stdio::null()).stderr(file).status();
        let status = status.with_context(|| format!("starting {}", self.target))?;
        let text = fs::read(&log).with_context(|| format!("reading {}", log.display()))?;
        let artifact = newest(&artifacts).filter(|found| Some(found) != before.as_ref());
        let outcome = match artifact {
            _ if status.success() => Outcome::Held,
            Some(artifact) => Outcome::Found { artifact, log },
            None => Outcome::Lost { status, seed, log },
        };
        Ok(self.report(outcome, &String::from_utf8_lossy(&text)))
    }

    fn report(&self, outcome: Outcome, log: &str) -> Report {
        let stat = |name: &str| {
            let line = log
                .lines()
                .rev()
                .find_map(|line| line.trim().strip_prefix("stat::")?.strip_prefix(name));
            line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok())
                .unwrap_or(0)
        };
        // `#1234 DONE cov: 96 ft: 256 corp: 37/10Kb …`
        let figure = |name: &str| {
            let last = log
                .lines()
                .rev()
                .find(|line| line.starts_with('#') && line.contains(name));
            let digits = last
                .and_then(|line| line.split(name).nth(1))
                .map(str::trim_start);
            digits
                .and_then(|text| {
                    text.split(|c: char| !c.is_ascii_digit())
                        .next()?
                        .parse()
                        .ok()
                })
                .unwrap_or(0)
        };
        let executed = stat("number_of_executed_units");
        Report {
            name: self.name(),
            outcome,
            // A run that ends at a finding prints no sums.
            executions: if executed > 0 {
                executed
            } else {
                last_execution(log)
            },
            seconds: self.seconds,
            coverage: figure("cov:"),
            corpus: figure("corp:"),
            resident_mib: stat("peak_rss_mb"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:16} {:>10} executions in {} s, {} edges, {} inputs kept, {} MiB: {}",
            self.name,
            self.executions,
            self.seconds,
            self.coverage,
            self.corpus,
            self.resident_mib,
            self.outcome
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("held"),
            Self::Found { artifact, log } => {
                write!(f, "FOUND {}, said in {}", artifact.display(), log.display())
            }
            Self::Lost { status, seed, log } => {
                let what = match status.signal() {
                    Some(11) => "a stack overflow, perhaps",
                    _ => "without an input",
                };
                write!(
                    f,
                    "ENDED with {status} ({what}); -seed={seed} leads there again; {}",
                    log.display()
                )
            }
        }
    }
}

/// Another one each time; it is told where it is needed.
fn seed() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |since| since.subsec_nanos().max(1))
}

/// Files that came last stand last; the name decides between those of one instant.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
    });
    entries.max().map(|(_, path)| path)
}

fn last_execution(log: &str) -> u64 {
    let count = |line: &str| {
        line.strip_prefix('#')?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    };
    log.lines().rev().find_map(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 1\n#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb\n\
        #99\tDONE   cov: 345 ft: 900 corp: 67/8901b lim: 4096 exec/s: 9 rss: 41Mb\n\
        stat::number_of_executed_units: 99\nstat::peak_rss_mb:              41\n";

    #[test]
    fn the_figures_are_those_of_the_last_line() {
        let report = Job::new("decode", 30, Length::Long).report(Outcome::Held, LOG);
        assert_eq!(
            report.to_string(),
            "decode-long              99 executions in 30 s, 345 edges, 67 inputs kept, 41 MiB: held"
        );
    }

    #[test]
    fn a_run_that_ends_early_says_how_far_it_came() {
        let log = LOG.lines().take(2).collect::<Vec<_>>().join("\n");
        assert_eq!(
            Job::new("x", 1, Length::Usual)
                .report(Outcome::Held, &log)
                .executions,
            2
        );
    }

    #[test]
    fn what_is_lost_is_told_with_its_seed() {
        let lost = Outcome::Lost {
            status: ExitStatus::from_raw(11),
            seed: 7,
            log: "x.log".into(),
        };
        assert!(
            lost.to_string()
                .contains("a stack overflow, perhaps); -seed=7"),
            "{lost}"
        );
    }
}
