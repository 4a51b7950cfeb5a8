//! Runs contenders for `cargo xtask bench`: by turns against the clock, or one of them once, for who counts instructions.
//! What it found is one line of JSON on standard output.

use std::time::Duration;

use ami_bench::{Contender, Counting, GROUPS, Group, Scale};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// All of these groups, by turns
    Rounds {
        #[arg(long)]
        rounds: usize,
        #[arg(long)]
        group: Vec<String>,
    },
    /// The contenders that instructions can be counted of, and their units in a pass
    List,
    /// One pass
    Once { group: String, contender: String },
}

#[derive(Serialize)]
struct Measured {
    group: &'static str,
    unit: &'static str,
    contenders: Vec<Speed>,
    ratios: Vec<Ratio>,
}

#[derive(Serialize)]
struct Speed {
    name: &'static str,
    /// Units in a second of processor time, the median of the rounds.
    per_second: f64,
}

/// The quotient of two speeds, round by round.
#[derive(Serialize)]
struct Ratio {
    of: &'static str,
    to: &'static str,
    median: f64,
    /// The middle half of the rounds.
    quartiles: [f64; 2],
}

#[derive(Serialize)]
struct Listed {
    group: &'static str,
    contender: &'static str,
    units: u64,
}

fn main() -> Result<()> {
    let said = match Args::parse().verb {
        Verb::Rounds { rounds, group } => {
            let chosen = GROUPS
                .iter()
                .filter(|(name, _)| group.is_empty() || group.iter().any(|it| it == name));
            let measured: Vec<Measured> = chosen
                .map(|(name, make)| {
                    eprintln!("  {name}");
                    measure(make(Scale::Timed), rounds.max(1))
                })
                .collect();
            serde_json::to_string(&measured)?
        }
        Verb::List => serde_json::to_string(&list())?,
        Verb::Once { group, contender } => {
            let (_, make) = GROUPS
                .into_iter()
                .find(|(name, _)| *name == group)
                .context("no such group")?;
            let mut contenders = make(Scale::Counted).contenders.into_iter();
            let mut contender = contenders
                .find(|it| it.name == contender)
                .context("no such contender")?;
            contender.pass();
            return Ok(());
        }
    };
    println!("{said}");
    Ok(())
}

fn list() -> Vec<Listed> {
    let mut listed = Vec::new();
    for (_, make) in GROUPS {
        let group = make(Scale::Counted);
        if group.counting == Counting::Repeatable {
            listed.extend(group.contenders.iter().map(|it| Listed {
                group: group.name,
                contender: it.name,
                units: it.units,
            }));
        }
    }
    listed
}

fn measure(mut group: Group, rounds: usize) -> Measured {
    for contender in &mut group.contenders {
        contender.pass();
    }
    let count = group.contenders.len();
    let mut speeds: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); count];
    for round in 0..rounds {
        // Who comes after whom changes: each finds the caches as another left them.
        for place in 0..count {
            let index = (round + place) % count;
            let contender = &mut group.contenders[index];
            speeds[index].push(speed(contender));
        }
    }
    let of = |name: &str| {
        let place = group.contenders.iter().position(|it| it.name == name);
        &speeds[place.expect("a pair is of contenders")]
    };
    let ratios = group.pairs.iter().map(|&(ours, peer)| {
        let quotients = of(ours).iter().zip(of(peer)).map(|(a, b)| a / b).collect();
        let [low, median, high] = quartiles(quotients);
        Ratio {
            of: ours,
            to: peer,
            median,
            quartiles: [low, high],
        }
    });
    Measured {
        group: group.name,
        unit: group.unit,
        ratios: ratios.collect(),
        contenders: (group.contenders.iter().zip(&speeds))
            .map(|(contender, speeds)| Speed {
                name: contender.name,
                per_second: quartiles(speeds.clone())[1],
            })
            .collect(),
    }
}

fn speed(contender: &mut Contender) -> f64 {
    let before = processor_time();
    contender.pass();
    let taken = processor_time().saturating_sub(before);
    contender.units as f64 / taken.as_secs_f64()
}

/// Of this thread: what neighbours take does not count.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let part = |it: i64| u64::try_from(it).expect("it only grows");
    Duration::from_secs(part(now.tv_sec)) + Duration::from_nanos(part(now.tv_nsec))
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    [last / 4, last / 2, last * 3 / 4].map(|at| values[at])
}
