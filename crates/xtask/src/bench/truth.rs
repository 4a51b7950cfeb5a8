//! Ack latency as amibench measured it, beside tshark's capture of the same run.
//!
//! On the wire: from the segment that carries the action to the first that carries the ActionID of its response.

mod capture;
mod ports;
mod records;
mod stream;
mod wire;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::figures::{Figures, quantile, show, show_signed};
use super::hlog;
use super::machine::{self, Scheduling};
use super::product::{Built, Run};
use crate::lab::{Lab, Pbx};
use capture::Capture;
use records::Sent;
use wire::Exchange;

const TARGET: &str = "asterisk-22";
/// How often the connections of the run are looked at; they last as long as it does.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long the load lasts
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    #[command(flatten)]
    scheduling: Scheduling,
}

/// An action that is compared: as AMI, as a tag begins, and by the histogram that holds its ack.
struct Compared {
    action: &'static str,
    tag: &'static str,
    kind: &'static str,
}

const COMPARED: [Compared; 2] = [
    Compared {
        action: "Ping",
        tag: "ping",
        kind: "service",
    },
    Compared {
        action: "Originate",
        tag: "originate",
        kind: "ack",
    },
];

pub(crate) fn run(workspace: &Path, options: &Options) -> Result<()> {
    let pbx = Pbx::named(TARGET)?;
    if Lab::of_workspace(workspace).pid(pbx).is_none() {
        bail!("{TARGET} is down; `cargo xtask pbx up {TARGET}` starts it");
    }
    capture::require_tools()?;
    let policy = options.scheduling.policy();
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let amibench = Built::new(workspace, "amibench", scratch.path())?;
    machine::print(workspace, policy);
    let capture = Capture::start(pbx.ami_port(), &scratch.path().join("wire.pcapng"))?;
    let seconds = format!("{}s", options.seconds);
    let flags = [
        "--ping",
        "500/s",
        "--originate",
        "20/s",
        "--sessions",
        "300",
        "--records",
        "--duration",
        &seconds,
        "--target",
        TARGET,
    ];
    println!("load               {}", flags.join(" "));
    let out = scratch.path().join("run");
    let mut load = amibench.load(workspace, policy, &flags, &out);
    let (output, ports) = watched(&mut load, pbx.ami_port())?;
    let run = Run::finished(out, policy, &output)?;
    println!("load at the end    {}", machine::load_average());
    let recording = capture.stop()?;
    println!("capture            {}", recording.summary);
    for why in &run.invalid {
        println!("judged INVALID     {why}");
    }
    let segments = recording.segments()?;
    let exchanges = wire::exchanges(&segments, pbx.ami_port(), &ports);
    println!(
        "\naction     measured by                          count        p50        p99        max"
    );
    for compared in &COMPARED {
        compare(compared, &exchanges, &run)?;
    }
    Ok(())
}

/// Runs it to its end, and collects the ports it connects from.
fn watched(load: &mut Command, server_port: u16) -> Result<(Output, BTreeSet<u16>)> {
    let mut process = load.spawn().context("starting amibench")?;
    let mut ports = BTreeSet::new();
    while process
        .try_wait()
        .context("waiting for amibench")?
        .is_none()
    {
        ports.append(&mut ports::of_process(process.id(), server_port));
        thread::sleep(LOOK);
    }
    let output = process.wait_with_output().context("waiting for amibench")?;
    Ok((output, ports))
}

fn compare(compared: &Compared, exchanges: &[Exchange], run: &Run) -> Result<()> {
    let Compared { action, tag, kind } = *compared;
    let of_action: Vec<&Exchange> = exchanges.iter().filter(|it| it.action == action).collect();
    let latencies = |of: fn(&Exchange) -> u64| of_action.iter().map(|it| of(it)).collect();
    let wire = Figures::of_samples(latencies(Exchange::to_id));
    let to_end = Figures::of_samples(latencies(Exchange::to_end));
    let own = hlog::merged(&run.dir, |name, of_kind| {
        name.starts_with(tag) && of_kind == kind
    })?;
    let (Some(wire), Some(to_end), Some(own)) = (wire, to_end, Figures::of_histogram(&own)) else {
        bail!("{action}: nothing to compare, the capture or the run has none");
    };
    print_row(action, "tshark, to the response's ActionID", wire);
    print_row("", "tshark, to the response's end", to_end);
    print_row("", &format!("amibench, {kind}"), own);
    println!(
        "{:<9}  {:<34}  {:>7}  {:>9}  {:>9}",
        "",
        "amibench - tshark (ActionID)",
        "",
        show_signed(difference(own.p50, wire.p50)),
        show_signed(difference(own.p99, wire.p99)),
    );
    let mut sent = records::sent(run, tag)?;
    explain(&of_action, &mut sent);
    Ok(())
}

fn print_row(action: &str, by: &str, figures: Figures) {
    let Figures {
        count,
        p50,
        p99,
        max,
    } = figures;
    println!(
        "{action:<9}  {by:<34}  {count:>7}  {:>9}  {:>9}  {:>9}",
        show(p50),
        show(p99),
        show(max)
    );
}

fn difference(a: u64, b: u64) -> i64 {
    i64::try_from(a).expect("a latency is under 200 years") - i64::try_from(b).expect("as above")
}

/// Action by action, where the difference comes from: before the segment went out, and after the response was in.
///
/// Both are in the order of sending. The clocks are told apart by the smallest way out, which is taken as none.
fn explain(exchanges: &[&Exchange], sent: &mut [Sent]) {
    let mut exchanges: Vec<&Exchange> = exchanges.to_vec();
    exchanges.sort_by_key(|it| it.sent_at);
    sent.sort_by_key(|it| it.sent_at);
    if exchanges.len() != sent.len() {
        println!(
            "           not told apart further: {} on the wire, {} answered in records.jsonl\n",
            exchanges.len(),
            sent.len()
        );
        return;
    }
    let pairs = || exchanges.iter().zip(sent.iter());
    let ways_out: Vec<i64> = pairs()
        .map(|(wire, own)| difference(wire.sent_at, own.sent_at))
        .collect();
    let Some(smallest) = ways_out.iter().min().copied() else {
        return;
    };
    let out = ways_out.iter().map(|it| it - smallest).collect();
    let back = pairs()
        .map(|(wire, own)| difference(own.acked_at, wire.ended_at) + smallest)
        .collect();
    let rest = pairs()
        .map(|(wire, _)| difference(wire.ended_at, wire.id_at))
        .collect();
    let whole = pairs()
        .map(|(wire, own)| difference(own.acked_at - own.sent_at, wire.to_id()))
        .collect();
    print_part("each action: sent_at to its segment", out);
    print_part("each action: ActionID to the end", rest);
    print_part("each action: the end to acked_at", back);
    print_part("each action: amibench - tshark", whole);
    println!();
}

fn print_part(name: &str, mut nanoseconds: Vec<i64>) {
    nanoseconds.sort_unstable();
    let cell = |percent| quantile(&nanoseconds, percent).map_or_else(String::new, show_signed);
    println!(
        "{:<9}  {name:<34}  {:>7}  {:>9}  {:>9}  {:>9}",
        "",
        nanoseconds.len(),
        cell(50),
        cell(99),
        cell(100)
    );
}
