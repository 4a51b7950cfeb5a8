//! The command line as typed.

use std::path::PathBuf;
use std::time::Duration;

use ami_load::plan::Segment;
use ami_load::rate::{Rate, parse_duration};
use ami_load::run::{Start, StartError};
use ami_report::conformance::tree::Detail;
use ami_report::{Format, Naming};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::command::doctor::Purpose;

mod check;
mod conform;
mod record;
mod replay;

pub(crate) use check::Check;
pub(crate) use conform::Conform;
pub(crate) use record::Record;
pub(crate) use replay::Replay;

/// Load tests PBXs over the Asterisk Manager Interface.
#[derive(Debug, Parser)]
#[command(name = "amibench", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Say more; twice for details.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Offer a load to one or more PBXs and measure how they bear it.
    Load(Load),
    /// Look at a target before anything else: reachable, login, rights, clock, one verdict line.
    Doctor(Doctor),
    /// Be a PBX on loopback that talks like the real one.
    Sim(Sim),
    /// Write down what passes between an application, or amibench itself, and a PBX.
    Record(Record),
    /// Make reports, plots and tables from a results directory.
    Report(Report),
    /// Judge PBXs by the contract of AMI, case by case.
    Conform(Conform),
    /// Judge recorded sessions by those cases of it that need nothing but what passed.
    Check(Check),
    /// Send the client side of a recorded session to a PBX again, and compare what came then and comes now.
    Replay(Replay),
    /// Add up the segments of one load, each run with --segment, to one results directory.
    Merge(Merge),
    /// Hang up what a run left behind on its targets.
    Cleanup(Cleanup),
    /// Print shell completions.
    Completions { shell: Shell },
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "a flag as typed is a bool")]
pub(crate) struct Load {
    /// A scenario (a name that ships, or a file), or a target as ami://account@host[:port], amis:// for TLS.
    pub(crate) scenario: Option<String>,
    /// Who is tested instead of the scenario's targets: a name, a file or a URI; may be repeated.
    #[arg(short, long = "target", env = "AMIBENCH_TARGET", value_delimiter = ',')]
    pub(crate) targets: Vec<String>,
    /// Without a scenario: pings at this rate on each target, such as 20/s.
    #[arg(long, value_parser = Rate::parse, conflicts_with = "rate")]
    pub(crate) ping: Option<Rate>,
    /// Without a scenario: originates to role `answers` at this rate on each target.
    #[arg(long, value_parser = Rate::parse, conflicts_with = "rate")]
    pub(crate) originate: Option<Rate>,
    /// Sessions of each group on each target.
    #[arg(short, long, env = "AMIBENCH_SESSIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sessions: Option<u32>,
    /// Peak rate of the open-loop phases on each target, such as 200/s or 7/2s.
    #[arg(short, long, env = "AMIBENCH_RATE", value_parser = Rate::parse)]
    pub(crate) rate: Option<Rate>,
    /// Length of each phase that is measured, such as 30s or 5m.
    #[arg(short, long, env = "AMIBENCH_DURATION", value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Before that, offer the first phase at its starting rate for so long, and measure none of it.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) warm_up: Option<Duration>,
    /// Seed of the plan.
    #[arg(long, env = "AMIBENCH_SEED")]
    pub(crate) seed: Option<u64>,
    /// Threads that share the load.
    #[arg(long, env = "AMIBENCH_WORKERS", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: Option<u16>,
    /// Offer one part of the load, such as 2/4 for the second of four processes that share it.
    #[arg(long, value_name = "N/OF", value_parser = Segment::parse)]
    pub(crate) segment: Option<Segment>,
    /// When the load begins, so that segments begin together, such as 2026-11-21T14:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = start_at)]
    pub(crate) start_at: Option<Start>,
    /// A fact for titles and reports, such as firmware=1.0.27; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// Where results go: a directory that does not exist yet.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Keep a line for each action in records.jsonl.
    #[arg(long)]
    pub(crate) records: bool,
    /// Guard targets that are not in production too: stop a load that endangers them.
    #[arg(long)]
    pub(crate) guard: bool,
    /// Load this target although it is in production; may be repeated.
    #[arg(long, value_name = "TARGET")]
    pub(crate) confirm: Vec<String>,
    /// List the scenarios that ship, and what each is for.
    #[arg(long)]
    pub(crate) list: bool,
    /// Print the plan and its SHA-256, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What to print at the end: tables, or summary.json and nothing else.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        conflicts_with = "dry_run"
    )]
    pub(crate) format: Shown,
    #[command(flatten)]
    pub(crate) names: Names,
    /// No progress line.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// A name, a file, a folder or a URI; several may be given.
    #[arg(required = true)]
    pub(crate) targets: Vec<String>,
    /// The verb that the targets are to be ready for.
    #[arg(long = "for", value_name = "VERB", value_enum, default_value_t = Purpose::Load)]
    pub(crate) purpose: Purpose,
    /// Place one call to this role, follow it and hang it up.
    #[arg(long, value_name = "ROLE", num_args = 0..=1, default_missing_value = "answers")]
    pub(crate) one_call: Option<String>,
    /// text or json: the findings as people or as programs read them.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub(crate) format: Shown,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sim {
    #[command(flatten)]
    pub(crate) errand: SimErrand,
    /// Where to listen; loopback, and the usual port of the PBX when not given.
    #[arg(short, long)]
    pub(crate) listen: Option<std::net::SocketAddr>,
    #[command(flatten)]
    pub(crate) tls: ServerTls,
    /// Speak AMI over HTTP too; on loopback, and the usual port of the PBX when not given.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1)]
    pub(crate) http: Option<Option<std::net::SocketAddr>>,
    /// Accounts, rights, filters and limits from a manager.conf, instead of one account that may do everything.
    #[arg(long, value_name = "FILE")]
    pub(crate) manager_conf: Option<PathBuf>,
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// What goes wrong with its delivery, such as wire.cuts:7; may be repeated.
    #[arg(long = "fault", value_name = "NAME[:SEED]")]
    pub(crate) faults: Vec<ami_sim::Planted>,
    /// What it does wrong, such as list.complete.missing; may be repeated.
    #[arg(long = "defect", value_name = "NAME")]
    pub(crate) defects: Vec<ami_sim::Defect>,
}

/// Of a port that we listen on.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerTls {
    /// Speak TLS with who connects, with a certificate that is made now unless one is given.
    #[arg(long)]
    pub(crate) tls: bool,
    /// The certificate, as PEM.
    #[arg(long, value_name = "FILE", requires_all = ["tls", "key"])]
    pub(crate) cert: Option<PathBuf>,
    /// Its private key, as PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SimErrand {
    /// Which PBX to be.
    #[arg(short, long)]
    pub(crate) profile: Option<String>,
    /// Answer from a recorded session, in any form that `check` reads; every login is accepted.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tls", "http", "manager_conf", "faults", "defects"])]
    pub(crate) replay: Option<PathBuf>,
    /// List the PBXs that can be simulated, and what stands behind each.
    #[arg(long)]
    pub(crate) list: bool,
    /// Print every value of a profile with its evidence.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// Results directories: one of a load, or any number of judgements, which make one matrix.
    #[arg(default_value = "results/latest")]
    pub(crate) runs: Vec<PathBuf>,
    /// What to make, such as json or csv,hgrm. Without it: the tables here, and as files markdown, svg, json and junit of
    /// a load, markdown, junit and html of judgements.
    #[arg(short, long = "format", value_name = "FORMAT", value_delimiter = ',', value_parser = format())]
    pub(crate) formats: Vec<Format>,
    /// Where files go: a folder, the run's own when not given. Without it, a single document is printed.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cases: Cases,
    #[command(flatten)]
    pub(crate) names: Names,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// The results directories of the segments.
    #[arg(required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// Where the merged results go: a directory that does not exist yet.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) names: Names,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Names {
    /// Leave numbers, names and addresses in reports as they are, instead of pseudonyms.
    #[arg(long)]
    raw: bool,
}

impl Names {
    pub(crate) fn naming(&self) -> Naming {
        if self.raw {
            Naming::Raw
        } else {
            Naming::Pseudonyms
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Cases {
    /// Show every case, not only what is wrong.
    #[arg(long)]
    show_all: bool,
}

impl Cases {
    pub(crate) fn detail(&self) -> Detail {
        if self.show_all {
            Detail::All
        } else {
            Detail::Wrong
        }
    }
}

/// What standard output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    Text,
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Cleanup {
    /// The results directory of the run to clean up after.
    #[arg(long, value_name = "DIR", default_value = "results/latest")]
    pub(crate) run: PathBuf,
    /// Targets of the run to clean; all of them when not given.
    #[arg(short, long = "target")]
    pub(crate) targets: Vec<String>,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::slug))
        .map(|slug| Format::from_slug(&slug).expect("the parser lets only slugs pass"))
}

fn start_at(text: &str) -> Result<Start, StartError> {
    Start::parse(text, jiff::Timestamp::now())
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("a label has the form key=value".to_owned()),
    }
}
