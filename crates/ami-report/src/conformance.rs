//! What conformance runs have judged, PBX by PBX: read from one or several results directories. Every format is a
//! function of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ami_results::judgement::log::{Judgements, JudgementsError};
use ami_results::judgement::{Device, End, How, Judgement, Outcome, Run};
use ami_results::verdict::State;

use crate::pseudonym::Naming;
use passage::Passage;

pub mod csv;
pub mod html;
pub mod junit;
pub mod lines;
pub mod markdown;
pub mod passage;
pub mod sums;
pub mod tree;
mod write;

pub use write::{FORMATS, USUAL, document, write};

#[derive(Debug, Clone)]
pub struct Conformance {
    pub naming: Naming,
    pub columns: Vec<Column>,
}

/// One PBX in one run.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its target's; with the time of the run where two have the same.
    pub name: String,
    pub run: Run,
    pub device: Device,
    pub judged: Vec<Judged>,
    pub end: Option<End>,
}

#[derive(Debug, Clone)]
pub struct Judged {
    pub judgement: Judgement,
    pub passages: Vec<Passage>,
}

/// How a PBX came off, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Holds,
    Fails,
    /// Some case could not be decided, or none applied.
    Inconclusive,
    /// The run was interrupted or killed.
    Unfinished,
    Unreachable,
}

/// The cases of one area, in the order in which they were met.
#[derive(Debug)]
pub struct Area<'a> {
    pub name: &'a str,
    /// One judgement of each case, to say what it is.
    pub cases: Vec<&'a Judgement>,
}

impl Conformance {
    pub fn read(folders: &[PathBuf]) -> Result<Self, JudgementsError> {
        let runs = folders.iter().map(|folder| Judgements::read(folder));
        Ok(Self::of(runs.collect::<Result<_, _>>()?))
    }

    pub fn of(runs: Vec<Judgements>) -> Self {
        let mut columns: Vec<Column> = runs.into_iter().flat_map(columns).collect();
        let mut met = BTreeMap::<String, usize>::new();
        for column in &columns {
            *met.entry(column.name.clone()).or_default() += 1;
        }
        for column in &mut columns {
            if met[&column.name] > 1 {
                let started = column.run.started_at.strftime("%Y-%m-%d %H:%M:%S");
                column.name = format!("{} {started}", column.name);
            }
        }
        Self {
            naming: Naming::Raw,
            columns,
        }
    }

    pub fn areas(&self) -> Vec<Area<'_>> {
        let mut areas: Vec<Area<'_>> = Vec::new();
        for judgement in self.columns.iter().flat_map(Column::judgements) {
            let known = areas.iter().position(|area| area.name == judgement.area());
            let area = known.unwrap_or_else(|| {
                areas.push(Area {
                    name: judgement.area(),
                    cases: Vec::new(),
                });
                areas.len() - 1
            });
            let cases = &mut areas[area].cases;
            if !cases.iter().any(|case| case.case == judgement.case) {
                cases.push(judgement);
            }
        }
        areas
    }
}

fn columns(run: Judgements) -> impl Iterator<Item = Column> {
    let Judgements {
        run,
        devices,
        judgements,
        ends,
        torn: _,
    } = run;
    devices.into_iter().map(move |device| {
        let of_it = |judgement: &&Judgement| judgement.target == device.target;
        let judged = judgements.iter().filter(of_it).map(|judgement| Judged {
            judgement: judgement.clone(),
            passages: judgement.evidence.iter().map(Passage::of).collect(),
        });
        let judged = judged.collect();
        let mut ends = ends.iter();
        Column {
            name: device.target.clone(),
            run: run.clone(),
            judged,
            end: ends.find(|end| end.target == device.target).cloned(),
            device,
        }
    })
}

impl Column {
    pub fn judgements(&self) -> impl Iterator<Item = &Judgement> {
        self.judged.iter().map(|judged| &judged.judgement)
    }

    pub fn find(&self, case: &str) -> Option<&Judged> {
        self.judged
            .iter()
            .find(|judged| judged.judgement.case == case)
    }

    pub fn objections(&self) -> &[String] {
        self.end.as_ref().map_or(&[], |end| &end.objections)
    }

    /// Of the cases that were asked for, those without any judgement.
    pub fn unjudged(&self) -> usize {
        usize::try_from(self.device.planned)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.judged.len())
    }

    /// What was judged is one session as somebody led it: what it did not bring about is not missing.
    pub fn is_of_a_recording(&self) -> bool {
        self.run.verb != "conform"
    }

    pub fn standing(&self) -> Standing {
        if self.device.unreachable.is_some() {
            return Standing::Unreachable;
        }
        let is_wrong = |judgement: &Judgement| judgement.is_wrong();
        if self.judgements().any(is_wrong) || !self.objections().is_empty() {
            return Standing::Fails;
        }
        let is_open = |judgement: &Judgement| {
            judgement.state == State::Inconclusive
                && judgement.outcome() != Some(Outcome::AsExpected)
        };
        let is_decided =
            |judgement: &Judgement| matches!(judgement.state, State::Pass | State::Warn);
        match self.end.as_ref().map(|end| end.how) {
            None | Some(How::Interrupted) => Standing::Unfinished,
            Some(How::Unreachable) => Standing::Unreachable,
            Some(How::Completed) if sums::Sums::of(self.judgements()).applicable() == 0 => {
                Standing::Inconclusive
            }
            Some(How::Completed) if self.is_of_a_recording() => {
                if self.judgements().any(is_decided) {
                    Standing::Holds
                } else {
                    Standing::Inconclusive
                }
            }
            Some(How::Completed) if self.judgements().any(is_open) => Standing::Inconclusive,
            Some(How::Completed) => Standing::Holds,
        }
    }

    /// What is known of the device, as name and value.
    pub fn facts(&self) -> Vec<(&'static str, &str)> {
        let device = &self.device;
        let facts = [
            ("address", &device.address),
            ("account", &device.account),
            ("banner", &device.banner),
            ("version", &device.version),
            ("dialect", &device.dialect),
        ];
        let facts = facts.into_iter();
        let mut facts: Vec<_> = facts
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect();
        let conflicts = device.conflicts.iter();
        facts.extend(conflicts.map(|conflict| ("conflict", conflict.as_str())));
        facts
    }
}

impl Standing {
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "HOLDS",
            Self::Fails => "FAILS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Unfinished => "UNFINISHED",
            Self::Unreachable => "UNREACHABLE",
        }
    }
}
