//! How late actions are sent at 5,000 a second: amibench, a tokio interval and SIPp take turns.
//!
//! amibench and tokio tell how long after its deadline each action was picked up. SIPp tells nothing
//! of the kind; a sink stamps what it sends and fits the best perfect schedule, which can only flatter it.

mod sink;
mod sipp;
pub(crate) mod ticker;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::figures::{Figures, show};
use super::hlog;
use super::machine::{self, Policy, Scheduling};
use super::product::{Built, Run};
use crate::lab::{Lab, Pbx};

const RATE: u32 = 5000;
const SESSIONS: u32 = 200;
const TARGET: &str = "sim-asterisk-22";
const PROFILE: &str = "asterisk-22";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each contender sends in each round
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How often each contender has its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[command(flatten)]
    scheduling: Scheduling,
}

impl Options {
    /// A few short turns, as a part of a longer bench.
    pub(crate) fn brief() -> Self {
        Self {
            seconds: 5,
            rounds: 3,
            scheduling: Scheduling::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Amibench,
    Tokio,
    Sipp,
}

const CONTENDERS: [Contender; 3] = [Contender::Amibench, Contender::Tokio, Contender::Sipp];

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Amibench => "amibench load",
            Self::Tokio => "tokio interval",
            Self::Sipp => "SIPp",
        }
    }

    fn measure(self) -> &'static str {
        match self {
            Self::Amibench => "picked up - intended, all records",
            Self::Tokio => "tick - its deadline",
            Self::Sipp => "arrival - best-fitting schedule",
        }
    }
}

/// One turn of one contender.
#[derive(Debug)]
struct Turn {
    figures: Figures,
    /// What is left when a wrong rate is forgiven.
    forgiven: Option<Figures>,
    remark: String,
}

/// What the contenders need, made once.
struct Ring<'a> {
    workspace: &'a Path,
    scratch: TempDir,
    policy: Policy,
    seconds: u32,
    amibench: Built,
    ticker: Built,
    sipp: sipp::Sipp,
}

/// The medians of each contender that could be run.
pub(crate) fn run(workspace: &Path, options: &Options) -> Result<Vec<(&'static str, Figures)>> {
    let policy = options.scheduling.policy();
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let lab = Lab::of_workspace(workspace);
    let ring = Ring {
        workspace,
        policy,
        seconds: options.seconds,
        amibench: Built::new(workspace, "amibench", scratch.path())?,
        ticker: Built::new(workspace, "xtask", scratch.path())?,
        sipp: sipp::Sipp::find(&lab, Pbx::named(PROFILE)?),
        scratch,
    };
    machine::print(workspace, policy);
    println!(
        "load               {RATE} actions/s over {SESSIONS} sessions, {} rounds of {} s\n",
        options.rounds, options.seconds
    );
    let mut turns: [Vec<Figures>; 3] = Default::default();
    let mut forgiven = Vec::new();
    let mut absent: [Option<String>; 3] = Default::default();
    for round in 0..options.rounds {
        // Each contender is first, second and last equally often.
        for place in 0..3 {
            let index = (round as usize + place) % 3;
            if absent[index].is_some() {
                continue;
            }
            let contender = CONTENDERS[index];
            let load = machine::load_average();
            match ring.turn(contender, round) {
                Ok(turn) => {
                    print_turn(round, contender, &load, &turn);
                    turns[index].push(turn.figures);
                    forgiven.extend(turn.forgiven);
                }
                Err(error) if contender == Contender::Amibench => return Err(error),
                Err(error) => {
                    println!(
                        "{:>5}  {}: cannot be run: {error:#}",
                        round + 1,
                        contender.name()
                    );
                    absent[index] = Some(format!("{error:#}"));
                }
            }
        }
    }
    print_medians(&turns, &forgiven, &absent);
    println!("\nload average at the end  {}", machine::load_average());
    let medians = CONTENDERS.iter().zip(&turns);
    Ok(medians
        .filter_map(|(contender, turns)| Some((contender.name(), Figures::median(turns)?)))
        .collect())
}

fn print_turn(round: u32, contender: Contender, load: &str, turn: &Turn) {
    let Figures {
        count,
        p50,
        p99,
        max,
    } = turn.figures;
    println!(
        "{:>5}  {:<14}  {count:>7}  {:>9}  {:>9}  {:>9}  load {load}{}",
        round + 1,
        contender.name(),
        show(p50),
        show(p99),
        show(max),
        turn.remark
    );
}

/// Peers as multiples of amibench: what survives a change of machine.
fn print_medians(turns: &[Vec<Figures>; 3], forgiven: &[Figures], absent: &[Option<String>; 3]) {
    println!("\nmedian of the rounds, and times amibench's");
    println!(
        "contender         rounds        p50               p99               max       measured"
    );
    let Some(ours) = Figures::median(&turns[0]) else {
        return;
    };
    for ((contender, turns), absent) in CONTENDERS.iter().zip(turns).zip(absent) {
        if let Some(cause) = absent {
            println!(
                "{:<16}  could not be run in every round: {cause}",
                contender.name()
            );
        }
        print_median(contender.name(), turns, ours, contender.measure());
    }
    let measure = "the same, at the rate that fits best";
    print_median("SIPp, own rate", forgiven, ours, measure);
}

fn print_median(name: &str, rounds: &[Figures], ours: Figures, measure: &str) {
    let Some(it) = Figures::median(rounds) else {
        return;
    };
    let cell = |own: u64, anchor: u64| {
        format!(
            "{:>9} {:>6.1}",
            show(own),
            own as f64 / anchor.max(1) as f64
        )
    };
    println!(
        "{name:<16}  {:>6}  {}  {}  {}  {measure}",
        rounds.len(),
        cell(it.p50, ours.p50),
        cell(it.p99, ours.p99),
        cell(it.max, ours.max),
    );
}

impl Ring<'_> {
    fn turn(&self, contender: Contender, round: u32) -> Result<Turn> {
        match contender {
            Contender::Amibench => self.amibench(round),
            Contender::Tokio => self.tokio(),
            Contender::Sipp => self.sipp.turn(self.policy, self.seconds),
        }
    }

    fn amibench(&self, round: u32) -> Result<Turn> {
        let scenario = self.scratch.path().join("pings.toml");
        fs::write(&scenario, scenario_text(self.seconds))
            .with_context(|| format!("writing {}", scenario.display()))?;
        let scenario = scenario.to_string_lossy();
        let flags = [scenario.as_ref(), "--target", TARGET];
        let out = self.scratch.path().join(format!("run-{round}"));
        let output = self
            .amibench
            .load(self.workspace, self.policy, &flags, &out)
            .output()
            .context("starting amibench")?;
        let run = Run::finished(out, self.policy, &output)?;
        let lag = hlog::merged(&run.dir, |_, kind| kind == "lag")?;
        let Some(figures) = Figures::of_histogram(&lag) else {
            bail!("amibench's run has no lag in it");
        };
        let remark = run.invalid.iter().map(|why| format!(", INVALID: {why}"));
        let remark = remark.collect();
        Ok(Turn {
            figures,
            forgiven: None,
            remark,
        })
    }

    fn tokio(&self) -> Result<Turn> {
        let simulator = self.amibench.simulate(self.policy, PROFILE)?;
        let output = self
            .ticker
            .command(self.policy)
            .args(["bench", "ticker", "--address", &simulator.address])
            .args(["--rate", &RATE.to_string()])
            .args(["--sessions", &SESSIONS.to_string()])
            .args(["--seconds", &self.seconds.to_string()])
            .env(ticker::SECRET, &simulator.secret)
            .output()
            .context("starting the ticker")?;
        if !output.status.success() {
            bail!(
                "it ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let figures = serde_json::from_slice(&output.stdout).context("reading its figures")?;
        Ok(Turn {
            figures,
            forgiven: None,
            remark: String::new(),
        })
    }
}

/// What amibench is asked for: the one-line form takes no rate this high.
fn scenario_text(seconds: u32) -> String {
    format!(
        "[[group]]\nname = \"load\"\nsessions = {SESSIONS}\n\n[[phase]]\nname = \"load\"\n\
         duration = \"{seconds}s\"\narrival = {{ constant = {{ rate = \"{RATE}/s\" }} }}\n\
         mix = [{{ share = 1, ping = {{}} }}]\n"
    )
}

/// The time between two actions.
fn period(rate: u32) -> Duration {
    Duration::from_secs(1) / rate
}
