//! Runs cases on a PBX, one after the other, with a look at its life before and after each group.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use ami_results::verdict::State;

use crate::bench::{Bench, Site};
use crate::case::{ActiveCheck, Case, Check, Safety};
use crate::cases;
use crate::device::{Device, Has};
use crate::finding::{Finding, settle};
use crate::observed::Observed;
use crate::trace;

/// No case takes longer on a PBX that answers; one that waits for the login timeout takes 30 s of it.
const CASE_WITHIN: Duration = Duration::from_secs(60);

/// What the operator wants to have judged.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Ids, areas or beginnings of ids; empty stands for all.
    pub only: Vec<String>,
    pub except: Vec<String>,
    /// Beyond `Safety::Quiet`.
    pub allow: BTreeSet<Safety>,
}

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
    /// Every case that is asked for, in the order of the catalogue.
    pub fn plan(&self, device: &Device) -> Vec<Planned> {
        let asked = cases::all().filter(|case| self.asks_for(case));
        asked
            .map(|case| match self.obstacle(case, device) {
                None => Planned::Run(case),
                Some(finding) => Planned::Not(case, finding),
            })
            .collect()
    }

    fn asks_for(&self, case: &Case) -> bool {
        let names = |patterns: &[String]| patterns.iter().any(|pattern| is_named(case, pattern));
        (self.only.is_empty() || names(&self.only)) && !names(&self.except)
    }

    fn obstacle(&self, case: &Case, device: &Device) -> Option<Finding> {
        if case.safety != Safety::Quiet && !self.allow.contains(&case.safety) {
            return Some(Finding::skipped(format!("needs --allow {}", case.safety)));
        }
        for need in case.needs {
            match device.has(*need) {
                Has::Yes => {}
                Has::No(why) => return Some(Finding::not_applicable(why)),
                Has::Unknown(why) => return Some(Finding::inconclusive(why)),
            }
        }
        None
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
    for group in plan.chunk_by(|one, two| one.case().area() == two.case().area()) {
        let begun = judgements.len();
        for planned in group {
            let judgement = match (planned, &dead) {
                (Planned::Not(case, finding), _) => decided(case, finding.clone()),
                (Planned::Run(case), Some(why)) if !case.is_passive() => {
                    decided(case, Finding::inconclusive(why))
                }
                (Planned::Run(case), _) => match case.check {
                    Check::Passive(_) => continue,
                    Check::Active(check) => active(site, device, case, check).await,
                },
            };
            told(&judgement);
            judgements.push(judgement);
        }
        let ran = group
            .iter()
            .any(|planned| matches!(planned, Planned::Run(case) if !case.is_passive()));
        if ran && dead.is_none() && !site.is_alive().await {
            let why = format!(
                "the PBX did not answer after the cases of {}",
                group[0].case().area()
            );
            for judgement in &mut judgements[begun..] {
                if matches!(
                    judgement.finding.state,
                    State::Pass | State::Warn | State::Fail
                ) {
                    judgement.finding = Finding::inconclusive(why.clone());
                    told(judgement);
                }
            }
            dead = Some(why);
        }
    }
    site.with_log(|log| {
        let observed = Observed::of_log(log);
        for judgement in passive(plan, &observed) {
            told(&judgement);
            judgements.push(judgement);
        }
    });
    judgements.sort_by_key(|judgement| place(plan, judgement.case));
    judgements
}

/// The passive cases of a plan, on what was seen.
pub fn passive<'a>(
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
    let mut bench = Bench::new(site, device);
    let finding = match tokio::time::timeout(CASE_WITHIN, check(&mut bench)).await {
        Ok(judged) => settle(judged),
        Err(_) => Finding::inconclusive(format!("not decided within {} s", CASE_WITHIN.as_secs())),
    };
    let left = trace::remove(&mut bench).await;
    Judgement {
        case,
        finding,
        took: site.now().saturating_sub(began),
        left,
    }
}

fn decided(case: &'static Case, finding: Finding) -> Judgement {
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
