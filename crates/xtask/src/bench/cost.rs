//! What a load costs the machine that makes it: processor time beside that of the PBX and of a bare loop, and memory.
//!
//! Processor time is compared within one run or between turns of seconds, so that a slow minute hits both sides.

pub(crate) mod bare;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Pid;
use tempfile::TempDir;

use super::figures::quantile;
use super::hlog;
use super::machine::{self, Policy, Scheduling};
use super::process;
use super::product::{Built, Run};
use crate::lab::{Lab, Pbx};

const TARGET: &str = "asterisk-22";
const LISTENERS: u32 = 300;
const CLOSED_SESSIONS: u32 = 40;
const MANY_SESSIONS: u32 = 5000;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each load lasts
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How often amibench and the bare loop take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[command(flatten)]
    scheduling: Scheduling,
}

struct Bench<'a> {
    workspace: &'a Path,
    scratch: TempDir,
    policy: Policy,
    seconds: u32,
    amibench: Built,
    bare: Built,
    pbx: &'static Pbx,
    pbx_pid: Pid,
    secret: String,
}

/// A load that ended, and what it cost.
struct Turn {
    run: Run,
    cost: process::Cost,
}

pub(crate) fn run(workspace: &Path, options: &Options) -> Result<()> {
    let pbx = Pbx::named(TARGET)?;
    let lab = Lab::of_workspace(workspace);
    let Some(pbx_pid) = lab.pid(pbx) else {
        bail!("{TARGET} is down; `cargo xtask pbx up {TARGET}` starts it");
    };
    let policy = options.scheduling.policy();
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let bench = Bench {
        workspace,
        policy,
        seconds: options.seconds,
        amibench: Built::new(workspace, "amibench", scratch.path())?,
        bare: Built::new(workspace, "xtask", scratch.path())?,
        pbx,
        pbx_pid,
        secret: lab.read_secret("bench")?,
        scratch,
    };
    machine::print(workspace, policy);
    bench.events()?;
    bench.closed_loop(options.rounds)?;
    bench.many_sessions()
}

impl Bench<'_> {
    /// Everybody hears of every call: what that costs the generator, beside what it costs the PBX.
    fn events(&self) -> Result<()> {
        let scenario = self.scenario(
            "events",
            LISTENERS,
            "on",
            "arrival = { constant = { rate = \"20/s\" } }\nmix = [{ originate = { role = \"answers\", hold = \"3s\" } }]",
        )?;
        let before = process::cpu_of(self.pbx_pid)?;
        let turn = self.load(&scenario)?;
        let pbx = process::cpu_of(self.pbx_pid)?.saturating_sub(before);
        let own = turn.cost.cpu;
        println!(
            "\n{LISTENERS} sessions, all events on, 20 originates/s for {} s{}",
            self.seconds,
            turn.run.remark()
        );
        println!(
            "  amibench   {:>8.2} s of processor time",
            own.as_secs_f64()
        );
        println!("  {TARGET}{:>8.2} s", pbx.as_secs_f64());
        println!(
            "  ratio      {:>8.3}",
            own.as_secs_f64() / pbx.as_secs_f64()
        );
        Ok(())
    }

    /// Processor time of a ping, with everything that measuring it takes, beside a loop that only writes and reads.
    fn closed_loop(&self, rounds: u32) -> Result<()> {
        let scenario = self.scenario(
            "closed",
            CLOSED_SESSIONS,
            "off",
            "arrival = { closed = {} }\nmix = [{ ping = {} }]",
        )?;
        println!(
            "\n{CLOSED_SESSIONS} sessions, pings in a closed loop, {rounds} rounds of {} s",
            self.seconds
        );
        println!("  round  amibench a ping  bare loop a ping  ratio");
        let mut ratios = Vec::new();
        for round in 0..rounds {
            // Who is second finds the machine as the other left it.
            let (own, bare) = if round % 2 == 0 {
                let own = self.ping_by_amibench(&scenario)?;
                (own, self.ping_by_bare_loop()?)
            } else {
                let bare = self.ping_by_bare_loop()?;
                (self.ping_by_amibench(&scenario)?, bare)
            };
            let ratio = own / bare;
            println!(
                "  {:>5}  {:>12.2} µs  {:>13.2} µs  {ratio:>5.2}",
                round + 1,
                own * 1e6,
                bare * 1e6
            );
            ratios.push(ratio);
        }
        ratios.sort_unstable_by(f64::total_cmp);
        if let Some(median) = quantile(&ratios, 50) {
            println!("  median ratio {median:.2}");
        }
        Ok(())
    }

    /// Seconds of processor time.
    fn ping_by_amibench(&self, scenario: &Path) -> Result<f64> {
        let turn = self.load(scenario)?;
        let pings = hlog::merged(&turn.run.dir, |action, kind| {
            action == "ping" && kind == "service"
        })?;
        share(turn.cost.cpu, pings.len())
    }

    fn ping_by_bare_loop(&self) -> Result<f64> {
        let mut command = self.bare.command(self.policy);
        command
            .args(["bench", "bare", "--port"])
            .arg(self.pbx.ami_port().to_string())
            .args(["--sessions", &CLOSED_SESSIONS.to_string()])
            .args(["--seconds", &self.seconds.to_string()])
            .env(bare::SECRET, &self.secret)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (output, cost) = process::watch(command)?;
        if !output.status.success() {
            bail!(
                "the bare loop: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let pings = said.trim().parse().context("understanding the bare loop")?;
        share(cost.cpu, pings)
    }

    fn many_sessions(&self) -> Result<()> {
        let scenario = self.scenario(
            "many",
            MANY_SESSIONS,
            "off",
            "arrival = { constant = { rate = \"500/s\" } }\nmix = [{ ping = {} }]",
        )?;
        let turn = self.load(&scenario)?;
        let resident = turn.cost.resident_max;
        println!(
            "\n{MANY_SESSIONS} sessions, 500 pings/s for {} s{}",
            self.seconds,
            turn.run.remark()
        );
        println!(
            "  resident   {:>8.1} MiB at most",
            resident as f64 / 1024.0 / 1024.0
        );
        println!(
            "  a session  {:>8.1} KiB, with all that the process needs besides",
            resident as f64 / 1024.0 / f64::from(MANY_SESSIONS)
        );
        Ok(())
    }

    fn scenario(&self, name: &str, sessions: u32, events: &str, phase: &str) -> Result<PathBuf> {
        let text = format!(
            "[[group]]\nname = \"load\"\nsessions = {sessions}\nevents = \"{events}\"\n\n\
             [[phase]]\nname = \"steady\"\nduration = \"{}s\"\n{phase}\n",
            self.seconds
        );
        let path = self.scratch.path().join(format!("{name}.toml"));
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    fn load(&self, scenario: &Path) -> Result<Turn> {
        let out = tempfile::tempdir_in(self.scratch.path())
            .context("making a directory for results")?
            .keep()
            .join("run");
        let scenario = scenario.display().to_string();
        let flags = [scenario.as_str(), "--target", TARGET];
        let command = self
            .amibench
            .load(self.workspace, self.policy, &flags, &out);
        let (output, cost) = process::watch(command)?;
        let run = Run::finished(out, self.policy, &output)?;
        Ok(Turn { run, cost })
    }
}

fn share(cpu: Duration, pings: u64) -> Result<f64> {
    if pings == 0 {
        bail!("not one ping was answered");
    }
    Ok(cpu.as_secs_f64() / pings as f64)
}
