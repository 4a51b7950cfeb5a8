//! What was measured when it was last accepted, and what is worse since: ratios of speeds, instructions and allocations.
//! Never a time, which would be that of a machine and a minute.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

pub(crate) const FILE: &str = "results/bench/baseline.toml";

/// A ratio may fall by so much: what a noisy machine makes of the median of equal rounds is less.
const RATIO_LEAST: f64 = 0.9;
/// Instructions are the same in every run; so much comes and goes with what a compiler inlines elsewhere.
const INSTRUCTIONS_MOST: f64 = 1.03;
/// Allocations are the same too, but for growing buffers and, on loopback, for how threads met.
const ALLOCATIONS_MOST: f64 = 1.1;
const ALLOCATIONS_MORE: f64 = 0.01;

/// Figures by name.
pub(crate) type Figures = BTreeMap<String, f64>;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    pub(crate) source: String,
    pub(crate) cpu: String,
    pub(crate) rustc: String,
    pub(crate) ratio: Figures,
    /// Empty where there was no valgrind.
    pub(crate) instructions: Figures,
    pub(crate) allocations: Figures,
}

/// What is not as it was.
#[derive(Debug, PartialEq)]
pub(crate) struct Worse {
    pub(crate) what: What,
    pub(crate) name: String,
    pub(crate) was: f64,
    /// None of what is measured no more.
    pub(crate) now: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Ratio,
    Instructions,
    Allocations,
}

impl What {
    fn is_worse(self, was: f64, now: f64) -> bool {
        match self {
            Self::Ratio => now < was * RATIO_LEAST,
            Self::Instructions => now > was * INSTRUCTIONS_MOST,
            Self::Allocations => now > was * ALLOCATIONS_MOST + ALLOCATIONS_MORE,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Instructions => "instructions",
            Self::Allocations => "allocations",
        }
    }
}

impl Baseline {
    /// None where nothing was accepted yet.
    pub(crate) fn read(workspace: &Path) -> Result<Option<Self>> {
        let path = workspace.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("reading {FILE}"))?;
        let baseline = toml::from_str(&text).with_context(|| format!("understanding {FILE}"))?;
        Ok(Some(baseline))
    }

    pub(crate) fn write(&self, workspace: &Path) -> Result<()> {
        let text = format!(
            "# Written by `cargo xtask bench --accept`: what later runs are held to.\n{}",
            toml::to_string(self).context("writing the baseline down")?
        );
        fs::write(workspace.join(FILE), text).with_context(|| format!("writing {FILE}"))
    }

    /// Instructions are those of a compiler, and of what the libraries make of a processor.
    pub(crate) fn counts_like(&self, other: &Self) -> bool {
        (&self.cpu, &self.rustc) == (&other.cpu, &other.rustc)
    }

    /// What of `now` is worse than this, or was not measured.
    pub(crate) fn worse(&self, now: &Self) -> Vec<Worse> {
        let mut worse = compare(What::Ratio, &self.ratio, &now.ratio);
        worse.extend(compare(
            What::Allocations,
            &self.allocations,
            &now.allocations,
        ));
        if self.counts_like(now) && !now.instructions.is_empty() {
            let (was, now) = (&self.instructions, &now.instructions);
            worse.extend(compare(What::Instructions, was, now));
        }
        worse
    }
}

fn compare(what: What, was: &Figures, now: &Figures) -> Vec<Worse> {
    let worse = was.iter().filter_map(|(name, &was)| {
        let now = now.get(name).copied();
        let holds = now.is_some_and(|now| !what.is_worse(was, now));
        (!holds).then(|| Worse {
            what,
            name: name.clone(),
            was,
            now,
        })
    });
    worse.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ratio: f64, instructions: f64, allocations: f64) -> Baseline {
        let one = |value| Figures::from([("decode: ours".to_owned(), value)]);
        Baseline {
            rustc: "rustc 1.95".to_owned(),
            ratio: one(ratio),
            instructions: one(instructions),
            allocations: one(allocations),
            ..Baseline::default()
        }
    }

    fn check(now: &Baseline, expected: &[What]) {
        let was = with(2.0, 1000.0, 0.0);
        let worse: Vec<What> = was.worse(now).iter().map(|it| it.what).collect();
        assert_eq!(worse, expected, "{now:?}");
    }

    #[test]
    fn each_figure_has_its_bound() {
        check(&with(2.0, 1000.0, 0.0), &[]);
        check(&with(1.81, 1029.0, 0.009), &[]);
        check(&with(9.0, 10.0, 0.0), &[]);
        check(&with(1.79, 1000.0, 0.0), &[What::Ratio]);
        check(&with(2.0, 1031.0, 0.0), &[What::Instructions]);
        check(&with(2.0, 1000.0, 1.0), &[What::Allocations]);
    }

    #[test]
    fn what_is_measured_no_more_is_worse() {
        let now = Baseline {
            ratio: Figures::new(),
            ..with(2.0, 1000.0, 0.0)
        };
        check(&now, &[What::Ratio]);
    }

    #[test]
    fn instructions_of_another_compiler_or_none_are_not_compared() {
        let other = Baseline {
            rustc: "rustc 1.96".to_owned(),
            ..with(2.0, 5000.0, 0.0)
        };
        check(&other, &[]);
        let none = Baseline {
            instructions: Figures::new(),
            ..with(2.0, 0.0, 0.0)
        };
        check(&none, &[]);
    }

    #[test]
    fn a_baseline_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("results/bench")).unwrap();
        assert_eq!(Baseline::read(folder.path()).unwrap(), None);
        let written = with(2.0, 1000.0, 0.25);
        written.write(folder.path()).unwrap();
        assert_eq!(Baseline::read(folder.path()).unwrap(), Some(written));
    }
}
