//! `cargo xtask peers`: what open AMI clients make of the frames of the corpora, as a table of the documentation.
//!
//! Each client, in a process of its own, logs in to a PBX that says one case (`client.rs`, `case.rs`); what its library gives
//! is judged here alone (`judge.rs`), by what the file of the case says must be given (`expected.rs`).

mod case;
mod client;
mod expected;
mod given;
mod judge;
mod relay;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use case::{Case, LABELS};
use client::{Client, Delivery, Places};
use judge::{Judgement, Verdict};
use table::{Judged, Row};

const DOCUMENT: &str = "docs/peers.md";
const BEGIN: &str = "<!-- made by cargo xtask peers -->\n";
const END: &str = "<!-- end -->";
/// Most of the time of a case is waiting.
const AT_A_TIME: usize = 6;
/// A machine may be slow.
const TRIES: usize = 3;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask peers")]
struct Args {
    /// Write nothing; fail when the committed table says otherwise
    #[arg(long)]
    check: bool,
    /// Only this case, on the terminal
    #[arg(long)]
    case: Option<String>,
    /// Only this client, on the terminal
    #[arg(long)]
    client: Option<String>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let places = Places {
        workspace: workspace.canonicalize()?,
    };
    let mut clients = Vec::new();
    for client in client::all()? {
        let version = client.version(&places)?;
        clients.push((client, version));
    }
    let mut cases = Vec::new();
    for label in LABELS {
        cases.extend(case::of_label(&places.corpus(), label)?);
    }
    let is_part = args.case.is_some() || args.client.is_some();
    cases.retain(|case| args.case.as_ref().is_none_or(|id| *id == case.id));
    clients.retain(|(client, _)| args.client.as_ref().is_none_or(|name| *name == client.name));
    if cases.is_empty() || clients.is_empty() {
        bail!("there is no such case, or no such client");
    }
    let rows = judged(&clients, cases, &places)?;
    let table = table::render(&clients, &rows);
    if is_part {
        print!("{table}");
        return Ok(ExitCode::SUCCESS);
    }
    publish(&places.workspace.join(DOCUMENT), &table, args.check)
}

fn judged(clients: &[(Client, String)], cases: Vec<Case>, places: &Places) -> Result<Vec<Row>> {
    let jobs =
        (0..cases.len()).flat_map(|case| (0..clients.len()).map(move |client| (case, client)));
    let jobs = Mutex::new(jobs);
    let found: Mutex<Vec<(usize, usize, Result<Judged>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().expect("nobody panics with it").next();
                    let Some((case, client)) = next else { break };
                    let judged = judged_both_ways(&clients[client].0, &cases[case], places);
                    let mut found = found.lock().expect("nobody panics with it");
                    found.push((case, client, judged));
                }
            });
        }
    });
    let mut found = found.into_inner().expect("nobody panicked with it");
    found.sort_by_key(|(case, client, _)| (*case, *client));
    let row = |case| Row {
        case,
        judged: Vec::new(),
    };
    let mut rows: Vec<Row> = cases.into_iter().map(row).collect();
    for (case, _, judged) in found {
        let id = &rows[case].case.id;
        let judged = judged.with_context(|| format!("case {id}"))?;
        rows[case].judged.push(judged);
    }
    Ok(rows)
}

fn judged_both_ways(client: &Client, case: &Case, places: &Places) -> Result<Judged> {
    let whole = judgement(client, case, places, Delivery::Whole)?;
    // A stream that is dead in one piece does not come to life in many.
    let cuts = case.is_short() && whole.verdict < Verdict::Dead;
    let cut = if cuts {
        Some(judgement(client, case, places, Delivery::Cut)?)
    } else {
        None
    };
    let cut = cut.filter(|cut| *cut != whole);
    Ok(Judged { whole, cut })
}

/// The best end of several, where a message is not given.
fn judgement(
    client: &Client,
    case: &Case,
    places: &Places,
    delivery: Delivery,
) -> Result<Judgement> {
    let judge = || -> Result<Judgement> {
        let account = client.meet(case, places, delivery)?;
        Ok(judge::judge(case, &account, &client.design))
    };
    let mut best = judge()?;
    for _ in 1..TRIES {
        if best.verdict < Verdict::Lost {
            break;
        }
        let next = judge()?;
        if next.verdict < best.verdict {
            best = next;
        }
    }
    Ok(best)
}

fn publish(path: &PathBuf, table: &str, check: bool) -> Result<ExitCode> {
    let committed =
        fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let marked = committed.split_once(BEGIN);
    let Some((before, (old, after))) =
        marked.and_then(|(before, rest)| Some((before, rest.split_once(END)?)))
    else {
        bail!("{} has no place for the table", path.display());
    };
    if !check {
        fs::write(path, format!("{before}{BEGIN}{table}{END}{after}"))?;
        println!("wrote {}", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    let absent = |of: &str, from: &str, sign: char| {
        let lines = of
            .lines()
            .filter(|line| !from.lines().any(|other| other == *line));
        lines.for_each(|line| println!("{sign} {line}"));
    };
    absent(old, table, '-');
    absent(table, old, '+');
    if old == table {
        println!("{} is as a fresh run makes it", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} is out of date: `cargo xtask peers` makes it anew",
        path.display()
    );
    Ok(ExitCode::FAILURE)
}
