//! What was measured, as Markdown: first what it depends on, then ratios, then what is behind them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::super::baseline::{Baseline, Worse};
use super::super::figures::show;
use super::super::{contest, machine};
use super::{Findings, name_of};

const FOLDER: &str = "results/bench";

/// Its path, beside that of the workspace. One of the same day is replaced.
pub(super) fn write(workspace: &Path, text: &str) -> Result<String> {
    let date = Timestamp::now().strftime("%Y-%m-%d");
    let path = format!("{FOLDER}/{date}.md");
    fs::create_dir_all(workspace.join(FOLDER)).with_context(|| format!("making {FOLDER}"))?;
    fs::write(workspace.join(&path), text).with_context(|| format!("writing {path}"))?;
    Ok(path)
}

pub(super) fn in_words(worse: &Worse) -> String {
    let Worse {
        what,
        name,
        was,
        now,
    } = worse;
    let what = what.name();
    match now {
        Some(now) => format!("{what} of {name}: {now}, was {was}"),
        None => format!("{what} of {name}: not measured any more, was {was}"),
    }
}

pub(super) fn markdown(
    workspace: &Path,
    findings: &Findings,
    was: Option<&Baseline>,
    load_before: &str,
) -> Result<String> {
    let mut text = String::from("# Bench\n\n");
    for (name, value) in machine::facts(workspace) {
        writeln!(text, "- {name}: {value}")?;
    }
    writeln!(text, "- load average before: {load_before}")?;
    writeln!(text, "- rustc: {}", machine::rustc())?;
    let peers = contest::peers(workspace)?.join(", ");
    writeln!(text, "- peers: {peers}")?;
    ratios(&mut text, findings, was)?;
    contenders(&mut text, findings)?;
    pacing(&mut text, findings)?;
    Ok(text)
}

fn ratios(text: &mut String, findings: &Findings, was: Option<&Baseline>) -> Result<()> {
    text.push_str(
        "\n## Ratios\n\nHow many times as fast, in processor time of one thread: the median of rounds in which all take \
         turns, and the middle half of the rounds.\n\n\
         | group | of | to | ratio | half of the rounds | baseline |\n|---|---|---|--:|--:|--:|\n",
    );
    for group in &findings.speeds {
        for ratio in &group.ratios {
            let [low, high] = ratio.quartiles;
            let was = was.and_then(|was| was.ratio.get(&name_of(&group.group, ratio)));
            let was = was.map_or_else(|| "new".to_owned(), |it| digits(*it));
            writeln!(
                text,
                "| {} | {} | {} | **{}** | {}–{} | {was} |",
                group.group,
                ratio.of,
                ratio.to,
                digits(ratio.median),
                digits(low),
                digits(high),
            )?;
        }
    }
    if !findings.again.is_empty() {
        let again = findings.again.join(", ");
        writeln!(text, "\nMeasured twice, the better median counts: {again}.")?;
    }
    Ok(())
}

/// Speeds are for orientation: they are this machine's.
fn contenders(text: &mut String, findings: &Findings) -> Result<()> {
    text.push_str(
        "\n## Contenders\n\n| group | contender | a second | unit | instructions a unit | allocations a unit |\n\
         |---|---|--:|---|--:|--:|\n",
    );
    for group in &findings.speeds {
        for contender in &group.contenders {
            let is_it = |of: &str, name: &str| of == group.group && name == contender.name;
            let instructions = findings.instructions.iter().flatten();
            let instructions = instructions
                .filter(|it| is_it(&it.group, &it.contender))
                .map(|it| format!("{:.1}", it.per_unit));
            let allocations = findings.allocations.iter();
            let allocations = allocations
                .filter(|it| is_it(&it.group, &it.contender))
                .map(|it| format!("{:.3}", it.per_unit));
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                group.group,
                contender.name,
                thousands(contender.per_second),
                group.unit,
                instructions.collect::<String>(),
                allocations.collect::<String>(),
            )?;
        }
    }
    if findings.instructions.is_none() {
        text.push_str("\nInstructions were not counted: no valgrind.\n");
    }
    Ok(())
}

fn pacing(text: &mut String, findings: &Findings) -> Result<()> {
    let Some((_, ours)) = findings.pacing.first() else {
        return Ok(());
    };
    text.push_str(
        "\n## Pacing\n\nHow late each of 5,000 actions a second was: medians of the rounds, of `cargo xtask bench \
         schedule`. Not held to the baseline, since it is the kernel's timers and whoever else runs.\n\n\
         | contender | p50 | times ours | p99 | times ours |\n|---|--:|--:|--:|--:|\n",
    );
    let times = |own: u64, anchor: u64| own as f64 / anchor.max(1) as f64;
    for (name, it) in &findings.pacing {
        writeln!(
            text,
            "| {name} | {} | {:.1} | {} | {:.1} |",
            show(it.p50),
            times(it.p50, ours.p50),
            show(it.p99),
            times(it.p99, ours.p99),
        )?;
    }
    Ok(())
}

fn digits(ratio: f64) -> String {
    let places = if ratio < 0.1 { 4 } else { 2 };
    format!("{ratio:.places$}")
}

/// Millions or thousands, with three digits or so.
fn thousands(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.2} M", value / 1e6)
    } else {
        format!("{:.1} k", value / 1e3)
    }
}
