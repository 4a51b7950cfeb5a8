//! A load without files: `--ping 20/s --sessions 50 -d 30s` as the scenario it stands for.

use std::fmt::Write as _;
use std::path::Path;

use ami_client::Document;
use ami_load::rate::{Rate, show_duration};
use std::time::Duration;

use crate::args::Load;

const SESSIONS: u32 = 10;
const DURATION: Duration = Duration::from_secs(30);

/// The scenario that the flags describe; none when they describe no load.
pub(crate) fn scenario(load: &Load) -> Option<Document> {
    let mix: Vec<(Rate, &str)> = [
        (load.ping, "ping = {}"),
        (load.originate, "originate = { role = \"answers\" }"),
    ]
    .into_iter()
    .filter_map(|(rate, entry)| Some((rate?, entry)))
    .collect();
    if mix.is_empty() {
        return None;
    }
    let per_hour = |rate: Rate| rate.arrivals_in(Duration::from_secs(3600));
    let total: u64 = mix.iter().map(|(rate, _)| per_hour(*rate)).sum();
    let sessions = load.sessions.unwrap_or(SESSIONS);
    let duration = show_duration(load.duration.unwrap_or(DURATION));
    let mut text = format!("[[group]]\nname = \"load\"\nsessions = {sessions}\n\n");
    let _ = write!(
        text,
        "[[phase]]\nname = \"load\"\nduration = \"{duration}\"\n"
    );
    let _ = write!(
        text,
        "arrival = {{ constant = {{ rate = \"{total}/1h\" }} }}\nmix = [\n"
    );
    for (rate, entry) in mix {
        let _ = writeln!(text, "  {{ share = {}, {entry} }},", per_hour(rate));
    }
    text.push_str("]\n");
    Some(Document::embedded("command line", Path::new(""), &text))
}
