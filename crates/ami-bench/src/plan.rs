//! What it takes to make a plan: a scenario and a target resolved, beside the reading of their TOML alone; arrivals, beside
//! a counter.

use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use ami_client::{Document, Target};
use ami_load::arrival::OpenLoop;
use ami_load::{Overrides, Plan, Scenario};

use crate::{Contender, Counting, Group, Scale};

const SCENARIO: &str = include_str!("../../../scenarios/originate-ramp.toml");
const TARGET: &str = include_str!("../../../scenarios/targets/sim-asterisk-22.toml");
const POISSON: &str = r#"
[[group]]
name = "load"
sessions = 4
[[phase]]
name = "steady"
duration = "10s"
arrival = { poisson = { rate = "10000/s" } }
mix = [{ share = 25, ping = {} }, { share = 1, originate = { role = "answers", hold = "3s" } }]
"#;
const PLANS: usize = 40;

const RESOLVED: &str = "plans resolved";
const READ: &str = "their TOML read only";
const ARRIVALS: &str = "arrivals, Poisson";
const COUNTER: &str = "a counter of periods";

pub(crate) fn group(scale: Scale) -> Group {
    let plans = scale.of(PLANS);
    let plan = Rc::new(resolve(POISSON));
    let arrivals = OpenLoop::new(Rc::clone(&plan)).count() as u64;
    Group {
        name: "plan",
        unit: "plan or arrival",
        contenders: vec![
            Contender::new(RESOLVED, plans as u64, move || {
                for _ in 0..plans {
                    black_box(resolve(SCENARIO));
                }
            }),
            Contender::new(READ, plans as u64, move || {
                for _ in 0..plans {
                    for text in [SCENARIO, TARGET] {
                        black_box(toml::from_str::<toml::Table>(text).expect("it is TOML"));
                    }
                }
            }),
            Contender::new(ARRIVALS, arrivals, move || {
                OpenLoop::new(Rc::clone(&plan)).map(black_box).count()
            }),
            Contender::new(COUNTER, arrivals * 10, move || {
                for number in 0..arrivals * 10 {
                    black_box(Duration::from_nanos(number * 1000));
                }
            }),
        ],
        pairs: &[(RESOLVED, READ), (ARRIVALS, COUNTER)],
        counting: Counting::Repeatable,
    }
}

pub(crate) fn resolve(scenario: &str) -> Plan {
    let document = |name, text| Document::embedded(name, Path::new(""), text);
    let target = Target::parse("target", &document("target", TARGET));
    let scenario = document("scenario", scenario);
    let parsed = Scenario::parse(&scenario).expect("the scenario is sound");
    let targets = vec![target.expect("the target is sound")];
    Plan::resolve(
        "scenario",
        &scenario,
        parsed,
        targets,
        &Overrides::default(),
    )
    .expect("the target permits it")
}

/// What results say of such a load.
pub(crate) fn layout() -> ami_results::layout::Layout {
    resolve(POISSON).layout().expect("it is small enough")
}
