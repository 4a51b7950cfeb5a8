//! The command line of `conform` as typed.

use std::path::PathBuf;

use ami_conform::case::{Level, Safety};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Cases, Names, label};

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "a flag as typed is a bool")]
pub(crate) struct Conform {
    /// Who is judged: a name, a file, a folder or a URI; may be repeated, they are judged side by side.
    #[arg(
        short,
        long = "target",
        env = "AMIBENCH_TARGET",
        value_delimiter = ',',
        required_unless_present_any = ["list", "dry_run"]
    )]
    pub(crate) targets: Vec<String>,
    /// Only these cases: ids, or their first parts such as `list` or `list.count`.
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Not these.
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    pub(crate) except: Vec<String>,
    /// Only cases of this weight or a greater one: must, should, may, observe.
    #[arg(long, value_name = "LEVEL", value_parser = level(), hide_possible_values = true)]
    pub(crate) level: Option<Level>,
    /// What cases may do beyond reading quietly: noisy, creates-state, originates-call, disruptive.
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = safety(), hide_possible_values = true)]
    pub(crate) allow: Vec<Safety>,
    /// Let disruptive cases run on this target although it is in production; may be repeated.
    #[arg(long, value_name = "TARGET")]
    pub(crate) confirm: Vec<String>,
    /// Let warnings fail the run too.
    #[arg(long)]
    pub(crate) strict: bool,
    /// What is known of the PBX beforehand; otherwise <target>.expected.toml beside the target, where there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) expected: Option<PathBuf>,
    /// Write that file from what is found now; what was not judged, and reasons, stay in it.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) write_expected: bool,
    /// A fact for titles and reports, such as firmware=1.0.27; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// Where results go: a directory that does not exist yet.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print the plan and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the catalogue and do nothing else.
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) cases: Cases,
    /// No progress line.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.iter().map(|level| level.slug()))
        .map(|slug| Level::from_slug(&slug).expect("the parser lets only slugs pass"))
}

pub(super) fn safety() -> impl TypedValueParser<Value = Safety> {
    let beyond = Safety::ALL
        .iter()
        .filter(|safety| **safety != Safety::Quiet);
    PossibleValuesParser::new(beyond.map(|safety| safety.slug()))
        .map(|slug| Safety::from_slug(&slug).expect("the parser lets only slugs pass"))
}
