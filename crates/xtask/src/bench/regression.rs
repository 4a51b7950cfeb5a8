//! `cargo xtask bench`: everything that is cheap to measure, a report of it, and whether it is worse than the baseline.

mod report;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::baseline::{self, Baseline, What, Worse};
use super::callgrind::{self, Counted};
use super::contest::{Allocated, Contest, Measured, Ratio};
use super::figures::Figures;
use super::{machine, schedule};
use crate::workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each contender has its turn
    #[arg(long, default_value_t = 41, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Speeds and allocations only, without a report: while one tries something
    #[arg(long)]
    quick: bool,
    /// What is measured becomes the baseline
    #[arg(long, conflicts_with = "quick")]
    accept: bool,
}

/// All that was measured.
struct Findings {
    speeds: Vec<Measured>,
    /// Groups that had a second chance.
    again: Vec<String>,
    allocations: Vec<Allocated>,
    /// None where there is no valgrind.
    instructions: Option<Vec<Counted>>,
    /// How late each contender was, by name.
    pacing: Vec<(&'static str, Figures)>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let workspace = workspace::dir();
    let load_before = machine::load_average();
    let was = Baseline::read(&workspace)?;
    println!("building the contenders");
    let contest = Contest::build(&workspace)?;
    println!("speeds, {} rounds of", options.rounds);
    let mut findings = Findings {
        speeds: contest.rounds(options.rounds, &[])?,
        again: Vec::new(),
        allocations: Vec::new(),
        instructions: None,
        pacing: Vec::new(),
    };
    if let Some(was) = was.as_ref().filter(|_| !options.accept) {
        findings.second_chance(&contest, options.rounds, was)?;
    }
    println!("allocations");
    findings.allocations = contest.allocations()?;
    if !options.quick {
        println!("instructions of");
        findings.instructions = callgrind::count(&contest)?;
        println!("pacing");
        findings.pacing = schedule::run(&workspace, &schedule::Options::brief())?;
    }
    let now = findings.figures(&workspace);
    let worse = was.as_ref().map(|was| was.worse(&now)).unwrap_or_default();
    let text = report::markdown(&workspace, &findings, was.as_ref(), &load_before)?;
    if options.quick {
        println!("\n{text}");
    } else {
        let path = report::write(&workspace, &text)?;
        println!("\nreport   {path}");
    }
    if options.accept {
        now.write(&workspace)?;
        println!("baseline {}", baseline::FILE);
        return Ok(ExitCode::SUCCESS);
    }
    was.context("there is no baseline; `cargo xtask bench --accept` makes one")?;
    let worse: Vec<Worse> = worse.into_iter().filter(|it| options.judges(it)).collect();
    for it in &worse {
        println!("WORSE    {}", report::in_words(it));
    }
    if worse.is_empty() {
        println!("nothing is worse than the baseline");
        return Ok(ExitCode::SUCCESS);
    }
    println!("if that is meant, `cargo xtask bench --accept` makes it the baseline");
    Ok(ExitCode::FAILURE)
}

impl Options {
    fn judges(&self, worse: &Worse) -> bool {
        !(self.quick && worse.what == What::Instructions)
    }
}

impl Findings {
    /// What seems slower is measured once more, since a neighbour's bad minute passes; the better median counts.
    fn second_chance(&mut self, contest: &Contest, rounds: u32, was: &Baseline) -> Result<()> {
        let now = Baseline {
            ratio: ratios(&self.speeds),
            ..Baseline::default()
        };
        let worse = was.worse(&now);
        let slower = |group: &Measured| {
            let named = |ratio: &Ratio| name_of(&group.group, ratio);
            let mut names = group.ratios.iter().map(named);
            names.any(|name| worse.iter().any(|it| it.name == name))
        };
        self.again = (self.speeds.iter().filter(|group| slower(group)))
            .map(|group| group.group.clone())
            .collect();
        if self.again.is_empty() {
            return Ok(());
        }
        println!("once more, since they seem slower");
        let groups: Vec<&str> = self.again.iter().map(String::as_str).collect();
        for again in contest.rounds(rounds, &groups)? {
            let first = self.speeds.iter_mut().find(|it| it.group == again.group);
            let Some(first) = first else { continue };
            for (first, again) in first.ratios.iter_mut().zip(again.ratios) {
                if again.median > first.median {
                    *first = again;
                }
            }
        }
        Ok(())
    }

    fn figures(&self, workspace: &Path) -> Baseline {
        let allocations = self.allocations.iter().map(|it| {
            let name = format!("{}: {}", it.group, it.contender);
            (name, rounded(it.per_unit))
        });
        let instructions = self.instructions.iter().flatten().map(|it| {
            let name = format!("{}: {}", it.group, it.contender);
            (name, rounded(it.per_unit))
        });
        Baseline {
            source: machine::source(workspace),
            cpu: machine::cpu(),
            rustc: machine::rustc(),
            ratio: ratios(&self.speeds),
            instructions: instructions.collect(),
            allocations: allocations.collect(),
        }
    }
}

fn ratios(speeds: &[Measured]) -> baseline::Figures {
    let mut ratios = baseline::Figures::new();
    for group in speeds {
        for ratio in &group.ratios {
            ratios.insert(name_of(&group.group, ratio), rounded(ratio.median));
        }
    }
    ratios
}

fn name_of(group: &str, ratio: &Ratio) -> String {
    format!("{group}: {} / {}", ratio.of, ratio.to)
}

/// Four digits that count: what is written down is meant to be read.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
