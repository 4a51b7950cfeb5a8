//! Runs cases on a PBX, one after the other, with a look at its life before and after each group.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use ami_results::verdict::State;

use crate::bench::{Bench, Site};
use crate::case::{ActiveCheck, Case, Check, Level, Safety};
use crate::cases;
use crate::device::Device;
use crate::finding::{Finding, settle};
use crate::observed::Observed;
use crate::trace;

/// Beside what it waits by its nature, no case takes longer on a PBX that answers.
const CASE_WITHIN: Duration = Duration::from_secs(60);
/// How alike two names must be, from 0 to 1, for one to be offered for the other.
const ALIKE: f64 = 0.8;
const OFFERED_MAX: usize = 3;

/// What the operator wants to have judged.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Ids, areas or beginnings of ids; empty stands for all.
    pub only: Vec<String>,
    pub except: Vec<String>,
    /// Of at least this weight.
    pub level: Option<Level>,
    /// Beyond `Safety::Quiet`.
    pub allow: BTreeSet<Safety>,
}

/// What an operator named that no case is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCase {
    given: String,
    near: Vec<String>,
}

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, near } = self;
        write!(f, "no case or area is named {given:?}: ")?;
        match near.as_slice() {
            [] => f.write_str("`amibench conform --list` names all"),
            near => write!(f, "perhaps {}", near.join(" or ")),
        }
    }
}

impl std::error::Error for UnknownCase {}

/// A case, and how it ended here.
#[derive(Debug, Clone)]
pub struct Judgement {
    pub case: &'static Case,
    pub finding: Finding,
    pub took: Duration,
    /// What the case made and could not take away again.
    pub left: Vec<String>,
}

/// What becomes of a case before it is begun.
#[derive(Debug, Clone)]
pub enum Planned {
    Run(&'static Case),
    /// Why it is not run.
    Not(&'static Case, Finding),
}

impl Selection {
    /// Every name in it is that of a case, or of some.
    pub fn check(&self) -> Result<(), UnknownCase> {
        let mut given = self.only.iter().chain(&self.except);
        let unknown = given.find(|given| !cases::all().any(|case| is_named(case, given)));
        unknown.map_or(Ok(()), |given| Err(UnknownCase::new(given)))
    }

    /// Every case that is asked for, in the order of the catalogue.
    pub fn cases(&self) -> impl Iterator<Item = &'static Case> {
        cases::all().filter(|case| self.asks_for(case))
    }

    pub fn permits(&self, safety: Safety) -> bool {
        safety == Safety::Quiet || self.allow.contains(&safety)
    }

    pub fn plan(&self, device: &Device) -> Vec<Planned> {
        self.cases()
            .map(|case| match self.obstacle(case, device) {
                None => Planned::Run(case),
                Some(finding) => Planned::Not(case, finding),
            })
            .collect()
    }

    fn asks_for(&self, case: &Case) -> bool {
        let names = |patterns: &[String]| patterns.iter().any(|pattern| is_named(case, pattern));
        (self.only.is_empty() || names(&self.only))
            && !names(&self.except)
            && self.level.is_none_or(|least| case.level <= least)
    }

    fn obstacle(&self, case: &Case, device: &Device) -> Option<Finding> {
        if !self.permits(case.safety) {
            return Some(Finding::skipped(format!("needs --allow {}", case.safety)));
        }
        device.obstacle(case.needs)
    }
}

impl UnknownCase {
    fn new(given: &str) -> Self {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for id in cases::all().flat_map(|case| case.aliases.iter().chain([&case.id])) {
            let parts = id.match_indices('.').map(|(dot, _)| &id[..dot]);
            known.extend(parts.chain([*id]));
        }
        let alike = |id: &str| strsim::jaro_winkler(given, id);
        let mut near: Vec<&str> = known.into_iter().filter(|id| alike(id) >= ALIKE).collect();
        near.sort_by(|one, two| alike(two).total_cmp(&alike(one)));
        near.truncate(OFFERED_MAX);
        Self {
            given: given.to_owned(),
            near: near.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// An id or alias, or its first parts.
fn is_named(case: &Case, pattern: &str) -> bool {
    let begins = |id: &str| {
        id.strip_prefix(pattern)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    begins(case.id) || case.aliases.iter().any(|alias| begins(alias))
}

/// Active cases group by group, then the passive ones on all that was seen. Each judgement is told as it is made; a group
/// whose PBX did not live to its end is told again.
pub async fn run(
    site: &Rc<Site>,
    device: &Device,
    plan: &[Planned],
    told: &mut impl FnMut(&Judgement),
) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    let mut dead = None;
    let mut seen_alive = site.with_log(|log| log.entries().len());
    for group in plan.chunk_by(|one, two| one.case().area() == two.case().area()) {
        let begun = judgements.len();
        let mut ran = false;
        for planned in group {
            let judgement = match planned {
                Planned::Not(case, finding) => decided(case, finding.clone()),
                Planned::Run(case) => match case.check {
                    Check::Passive(_) => continue,
                    Check::Active(check) => match obstacle(site, case, dead.as_deref()) {
                        Some(finding) => decided(case, finding),
                        None => {
                            ran = true;
                            active(site, device, case, check).await
                        }
                    },
                },
            };
            // Who is not answered asks no further before somebody was.
            let silent = ran && judgement.finding.state == State::Inconclusive;
            if silent && dead.is_none() && !site.is_alive().await {
                dead = Some(format!(
                    "the PBX did not answer after {}",
                    judgement.case.id
                ));
            }
            told(&judgement);
            judgements.push(judgement);
        }
        if ran && dead.is_none() && !site.is_alive().await {
            let area = group[0].case().area();
            dead = Some(format!("the PBX did not answer after the cases of {area}"));
        }
        if dead.is_none() {
            seen_alive = site.with_log(|log| log.entries().len());
        }
        if let (true, Some(why)) = (ran, &dead) {
            judgements[begun..]
                .iter_mut()
                .filter(|judgement| is_decided(judgement))
                .for_each(|judgement| {
                    judgement.finding = Finding::inconclusive(why);
                    told(judgement);
                });
        }
    }
    site.with_log(|log| {
        // What a dying PBX left half said is no breach.
        let seen = match dead {
            None => log.entries(),
            Some(_) => &log.entries()[..seen_alive],
        };
        let observed = Observed::of(seen, |conn| log.manners(conn));
        for judgement in passive(plan, &observed) {
            told(&judgement);
            judgements.push(judgement);
        }
    });
    judgements.sort_by_key(|judgement| place(plan, judgement.case));
    judgements
}

fn is_decided(judgement: &Judgement) -> bool {
    let state = judgement.finding.state;
    matches!(state, State::Pass | State::Warn | State::Fail)
}

/// Why a case is not begun now.
fn obstacle(site: &Site, case: &Case, dead: Option<&str>) -> Option<Finding> {
    if let Some(why) = dead {
        return Some(Finding::inconclusive(why));
    }
    if site.is_stopped() {
        return Some(Finding::skipped("the run was ended before"));
    }
    site.meter.admits(case.safety).err()
}

/// The passive cases of a plan, on what was seen.
fn passive<'a>(
    plan: &'a [Planned],
    observed: &'a Observed<'_>,
) -> impl Iterator<Item = Judgement> + 'a {
    plan.iter().filter_map(move |planned| match planned {
        Planned::Run(case) => match case.check {
            Check::Passive(check) => Some(decided(case, check(observed))),
            Check::Active(_) => None,
        },
        Planned::Not(..) => None,
    })
}

async fn active(
    site: &Rc<Site>,
    device: &Device,
    case: &'static Case,
    check: ActiveCheck,
) -> Judgement {
    let began = site.now();
    site.meter.turn(case.safety);
    let mut bench = Bench::new(site, device);
    let within = CASE_WITHIN + Duration::from_secs(case.waits.into());
    let finding = match tokio::time::timeout(within, check(&mut bench)).await {
        Ok(judged) => settle(judged),
        Err(_) => Finding::inconclusive(format!("not decided within {} s", within.as_secs())),
    };
    let left = trace::remove(&mut bench).await;
    Judgement {
        case,
        finding,
        took: site.now().saturating_sub(began),
        left,
    }
}

/// Without doing anything.
pub(crate) fn decided(case: &'static Case, finding: Finding) -> Judgement {
    Judgement {
        case,
        finding,
        took: Duration::ZERO,
        left: Vec::new(),
    }
}

fn place(plan: &[Planned], case: &Case) -> usize {
    let mut plan = plan.iter();
    plan.position(|planned| planned.case().id == case.id)
        .unwrap_or(usize::MAX)
}

impl Planned {
    pub fn case(&self) -> &'static Case {
        match self {
            Self::Run(case) | Self::Not(case, _) => case,
        }
    }
}
