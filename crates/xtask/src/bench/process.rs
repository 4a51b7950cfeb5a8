//! Processor time and memory of processes, as `/proc` counts them.

use std::fs;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Pid;

/// How often the memory of a process is looked at: what is asked for is its maximum, which only grows.
const LOOK: Duration = Duration::from_millis(200);
/// The kernel's USER_HZ: 100 on every Linux we run on.
const TICKS_PER_S: u64 = 100;

/// What a process cost from its start to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: Duration,
    /// Bytes.
    pub(crate) resident_max: u64,
}

/// Runs it to its end.
pub(crate) fn watch(command: Command) -> Result<(Output, Cost)> {
    watch_beside(command, || {})
}

/// Runs it to its end, and does something else every now and then.
pub(crate) fn watch_beside(
    mut command: Command,
    mut beside: impl FnMut(),
) -> Result<(Output, Cost)> {
    let before = fields_of("self")?.children;
    let mut process = command.spawn().context("starting a contender")?;
    let mut resident_max = 0;
    while process
        .try_wait()
        .context("waiting for a contender")?
        .is_none()
    {
        resident_max = memory_of(process.id(), "VmHWM:").unwrap_or(resident_max);
        beside();
        thread::sleep(LOOK);
    }
    let output = process
        .wait_with_output()
        .context("waiting for a contender")?;
    let cpu = fields_of("self")?.children.saturating_sub(before);
    Ok((output, Cost { cpu, resident_max }))
}

/// Processor time that a process has used so far.
pub(crate) fn cpu_of(pid: Pid) -> Result<Duration> {
    Ok(fields_of(&pid.as_raw_nonzero().to_string())?.own)
}

struct Fields {
    own: Duration,
    /// Of children that were waited for.
    children: Duration,
}

fn fields_of(pid: &str) -> Result<Fields> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The name before it, in parentheses, may hold anything.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| -> Result<u64> {
        let field = fields.get(index).copied().unwrap_or_default();
        field.parse().with_context(|| format!("reading {path}"))
    };
    let time = |ticks: u64| Duration::from_millis(ticks * 1000 / TICKS_PER_S);
    Ok(Fields {
        own: time(ticks(11)? + ticks(12)?),
        children: time(ticks(13)? + ticks(14)?),
    })
}

/// Bytes that a process has in memory; none once it has ended.
pub(crate) fn resident(pid: Pid) -> Option<u64> {
    let pid = u32::try_from(pid.as_raw_nonzero().get()).ok()?;
    memory_of(pid, "VmRSS:")
}

fn memory_of(pid: u32, what: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(what))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}
