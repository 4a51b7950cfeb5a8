//! What a simulated PBX bears: pings a second, and calls that many sessions hear of, with its memory over time.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::hlog;
use super::machine::{self, Policy, Scheduling};
use super::process;
use super::product::{Built, Run, Simulator};

const PROFILE: &str = "asterisk-22";
const PING_SESSIONS: u32 = 200;
const PINGS_PER_S: u32 = 50_000;
const PING_SECONDS: u32 = 10;
const LISTENERS: u32 = 100;
const CALLS_PER_S: u32 = 10;
/// So many calls are up at once: as many as are placed while one lasts.
const CALL_SECONDS: u32 = 100;
/// Memory is looked at so often while calls come and go.
const LOOK: Duration = Duration::from_secs(20);
const SECRET: &str = "AMIBENCH_BENCH_SECRET";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long calls are placed; the first 100 seconds fill the PBX
    #[arg(long, default_value_t = 700, value_parser = clap::value_parser!(u32).range(120..=7200))]
    seconds: u32,
    #[command(flatten)]
    scheduling: Scheduling,
}

struct Bench<'a> {
    workspace: &'a Path,
    scratch: TempDir,
    policy: Policy,
    amibench: Built,
}

/// What the sessions of a load do.
struct Load {
    sessions: u32,
    events: &'static str,
    phase: String,
}

pub(crate) fn run(workspace: &Path, options: &Options) -> Result<()> {
    let policy = options.scheduling.policy();
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    let bench = Bench {
        workspace,
        policy,
        amibench: Built::new(workspace, "amibench", scratch.path())?,
        scratch,
    };
    machine::print(workspace, policy);
    bench.pings()?;
    bench.calls(options.seconds)
}

impl Bench<'_> {
    fn pings(&self) -> Result<()> {
        let simulator = self.amibench.simulate(self.policy, PROFILE)?;
        let load = Load {
            sessions: PING_SESSIONS,
            events: "off",
            phase: format!(
                "duration = \"{PING_SECONDS}s\"\nmix = [{{ ping = {{}} }}]\n\
                 arrival = {{ constant = {{ rate = \"{PINGS_PER_S}/s\" }} }}"
            ),
        };
        let run = self.load(&simulator, &load, || {})?;
        let service = hlog::merged(&run.dir, |action, kind| {
            action == "ping" && kind == "service"
        })?;
        println!(
            "\n{PINGS_PER_S} pings/s over {PING_SESSIONS} sessions for {PING_SECONDS} s{}",
            run.remark()
        );
        println!("  answered   {:>10}", service.len());
        println!(
            "  service    {:>10.1} µs p50, {:.1} µs p99",
            service.value_at_quantile(0.5) as f64 / 1e3,
            service.value_at_quantile(0.99) as f64 / 1e3
        );
        self.print_cost(&simulator)
    }

    fn calls(&self, seconds: u32) -> Result<()> {
        let simulator = self.amibench.simulate(self.policy, PROFILE)?;
        let load = Load {
            sessions: LISTENERS,
            events: "on",
            phase: format!(
                "duration = \"{seconds}s\"\n\
                 mix = [{{ originate = {{ role = \"answers\", hold = \"{CALL_SECONDS}s\" }} }}]\n\
                 arrival = {{ constant = {{ rate = \"{CALLS_PER_S}/s\" }} }}"
            ),
        };
        println!(
            "\n{} calls up at once, {CALLS_PER_S} a second, heard by {LISTENERS} sessions",
            CALLS_PER_S * CALL_SECONDS
        );
        let began = Instant::now();
        let mut next = LOOK;
        let run = self.load(&simulator, &load, || {
            if began.elapsed() >= next {
                next += LOOK;
                let bytes = process::resident(simulator.pid()).unwrap_or_default();
                println!(
                    "  at {:>4} s  {:>10.1} MiB resident",
                    began.elapsed().as_secs(),
                    bytes as f64 / 1024.0 / 1024.0
                );
            }
        })?;
        let acked = hlog::merged(&run.dir, |action, kind| {
            action == "originate-answers" && kind == "service"
        })?;
        println!("  answered   {:>10}{}", acked.len(), run.remark());
        self.print_cost(&simulator)
    }

    fn print_cost(&self, simulator: &Simulator) -> Result<()> {
        let cpu = process::cpu_of(simulator.pid())?;
        println!(
            "  simulator  {:>10.2} s of processor time",
            cpu.as_secs_f64()
        );
        Ok(())
    }

    fn load(&self, simulator: &Simulator, load: &Load, beside: impl FnMut()) -> Result<Run> {
        let folder = tempfile::tempdir_in(self.scratch.path())
            .context("making a directory for results")?
            .keep();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            Ok::<_, anyhow::Error>(path.display().to_string())
        };
        let scenario = write(
            "scenario.toml",
            format!(
                "[[group]]\nname = \"load\"\nsessions = {}\nevents = \"{}\"\n\n\
                 [[phase]]\nname = \"steady\"\n{}\n",
                load.sessions, load.events, load.phase
            ),
        )?;
        let target = write(
            "simulator.toml",
            format!(
                "address = \"{}\"\naccount = \"bench\"\nsecret_env = \"{SECRET}\"\n\n\
                 [limits]\nmax_sessions = 1000\nmax_actions_per_s = 100000\nmax_calls_up = 5000\n\
                 max_calls_per_s = 100\nmax_calls_total = 1000000\n\n\
                 [[limits.dial]]\nchannel = \"Local/*@amibench\"\ncontext = \"amibench\"\n\n\
                 [roles.answers]\nchannel = \"Local/answer@amibench\"\ncontext = \"amibench\"\nexten = \"hold\"\n",
                simulator.address
            ),
        )?;
        let out = folder.join("run");
        let flags = [scenario.as_str(), "--target", &target];
        let mut command = self
            .amibench
            .load(self.workspace, self.policy, &flags, &out);
        command.env(SECRET, &simulator.secret);
        let (output, _) = process::watch_beside(command, beside)?;
        Run::finished(out, self.policy, &output)
    }
}
