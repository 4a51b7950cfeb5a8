//! The command line of `record` as typed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ami_load::query::Query;
use ami_load::rate::parse_duration;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::ServerTls;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").args(["target", "from"]).required(true))]
pub(crate) struct Record {
    /// Whose AMI is recorded: a name, a file, or a URI as ami://account@host[:port].
    #[arg(short, long)]
    pub(crate) target: Option<String>,
    /// Be a relay: an application that connects here talks to the target, and everything that passes is recorded.
    #[arg(short, long, value_name = "ADDRESS", requires = "target")]
    pub(crate) listen: Option<SocketAddr>,
    /// Let the relay listen where others reach it. What they send, secrets too, crosses that network.
    #[arg(long, requires = "listen")]
    pub(crate) expose: bool,
    #[command(flatten)]
    pub(crate) tls: ServerTls,
    /// The file to write, which must not be there yet; otherwise <target>-<time>.ami.jsonl.
    #[arg(short, long, value_name = "FILE", conflicts_with = "from")]
    pub(crate) out: Option<PathBuf>,
    /// How long to listen once everything is answered; otherwise until Ctrl-C.
    #[arg(short, long, value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Which events to see: on, off, or classes as call,system.
    #[arg(
        long,
        value_name = "MASK",
        default_value = "on",
        conflicts_with = "listen"
    )]
    pub(crate) events: String,
    /// Ask this instead of everything that only reads; may be repeated.
    #[arg(long = "action", value_name = "NAME", value_parser = query(), hide_possible_values = true, conflicts_with = "listen")]
    pub(crate) actions: Vec<Query>,
    /// Ask what this file says: queries with parameters, and console commands.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["actions", "listen"])]
    pub(crate) script: Option<PathBuf>,
    /// Write a second file under pseudonyms, <name>.shared.ami.jsonl, which may be passed on.
    #[arg(long)]
    pub(crate) share: bool,
    /// Write that file of a capture that is there already.
    #[arg(long, value_name = "FILE", requires = "share")]
    pub(crate) from: Option<PathBuf>,
    /// What the capture shows, for its header.
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

fn query() -> impl TypedValueParser<Value = Query> {
    PossibleValuesParser::new(Query::names())
        .map(|name| Query::named(&name).expect("the parser lets only names pass"))
}
