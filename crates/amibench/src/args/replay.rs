//! The command line of `replay` as typed.

use std::path::PathBuf;
use std::time::Duration;

use ami_conform::case::Safety;
use ami_load::rate::parse_duration;

use super::conform::safety;
use super::{Cases, Names, label};

#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// A recorded session, in any form that `check` reads.
    pub(crate) capture: PathBuf,
    /// Who it is sent to: a name, a file or a URI.
    #[arg(short, long, env = "AMIBENCH_TARGET")]
    pub(crate) target: String,
    /// Send one session of a capture of packets, by its number in the table.
    #[arg(long, value_name = "N")]
    pub(crate) stream: Option<usize>,
    /// What may be sent beyond what only reads: creates-state, originates-call; noisy permits more than 5 sessions and 20 actions/s.
    #[arg(long, value_name = "CLASS", value_delimiter = ',', value_parser = safety(), hide_possible_values = true)]
    pub(crate) allow: Vec<Safety>,
    /// An extension that this PBX calls otherwise, such as 1001=2001; may be repeated.
    #[arg(long, value_name = "OLD=NEW", value_parser = renamed)]
    pub(crate) map_exten: Vec<(String, String)>,
    /// Pauses of the recording are kept up to this length.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    pub(crate) longest_pause: Duration,
    /// Send it although the target is in production; without this, what would be sent is printed.
    #[arg(long, value_name = "TARGET")]
    pub(crate) confirm: Vec<String>,
    /// Print what would be sent, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A fact for titles and reports, such as firmware=1.0.27; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// Where results go: a directory that does not exist yet.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) cases: Cases,
}

fn renamed(text: &str) -> Result<(String, String), String> {
    let is_name = |name: &str| {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_-.*#+".contains(c);
        !name.is_empty() && name.chars().all(is_word)
    };
    match text.split_once('=') {
        Some((old, new)) if is_name(old) && is_name(new) => Ok((old.to_owned(), new.to_owned())),
        _ => Err("extensions are renamed as old=new, in letters, digits and _-.*#+".to_owned()),
    }
}
