//! The command line of `check` as typed.

use std::path::PathBuf;

use super::{Cases, Names};

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Recorded sessions: of `amibench record`, pcap or pcapng, or a log as text; what each is shows in its content.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Judge one session of a capture of packets, by its number in the table.
    #[arg(long, value_name = "N")]
    pub(crate) stream: Option<usize>,
    /// Only these cases: ids, or their first parts such as `list` or `list.count`.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Not these.
    #[arg(long, value_delimiter = ',')]
    pub(crate) except: Vec<String>,
    /// Where judgements.jsonl and its reports go: a directory that does not exist yet.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) names: Names,
    #[command(flatten)]
    pub(crate) cases: Cases,
}
