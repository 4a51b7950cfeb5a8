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
    let period = mix
        .iter()
        .fold(Duration::from_millis(1), |period, (rate, _)| {
            common_multiple(period, rate.per)
        });
    let shares: Vec<u64> = mix
        .iter()
        .map(|(rate, _)| rate.arrivals_in(period))
        .collect();
    let total = Rate {
        count: shares.iter().sum(),
        per: period,
    };
    let sessions = load.sessions.unwrap_or(SESSIONS);
    let duration = show_duration(load.duration.unwrap_or(DURATION));
    let mut text = format!("[[group]]\nname = \"load\"\nsessions = {sessions}\n\n");
    let _ = write!(
        text,
        "[[phase]]\nname = \"load\"\nduration = \"{duration}\"\n"
    );
    let _ = write!(
        text,
        "arrival = {{ constant = {{ rate = \"{total}\" }} }}\nmix = [\n"
    );
    for (share, (_, entry)) in shares.iter().zip(&mix) {
        let _ = writeln!(text, "  {{ share = {share}, {entry} }},");
    }
    text.push_str("]\n");
    Some(Document::embedded("command line", Path::new(""), &text))
}

/// The shortest time in which both periods pass a whole number of times.
fn common_multiple(a: Duration, b: Duration) -> Duration {
    let (a, b) = (a.as_millis(), b.as_millis());
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    Duration::from_millis(u64::try_from(a / divisor * b).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    use crate::args::{Args, Verb};

    fn check(flags: &str, rate: &str, shares: &[&str]) {
        let words = ["amibench", "load"].into_iter().chain(flags.split(' '));
        let Verb::Load(load) = Args::parse_from(words).verb else {
            panic!("{flags}");
        };
        let document = scenario(&load).unwrap();
        assert!(
            document.text().contains(&format!("rate = \"{rate}\"")),
            "{}",
            document.text()
        );
        let given: Vec<&str> = document
            .text()
            .lines()
            .filter_map(|line| line.split("share = ").nth(1)?.split(',').next())
            .collect();
        assert_eq!(given, shares, "{flags}");
    }

    #[test]
    fn rates_of_different_periods_are_offered_together() {
        check("--ping 5000/s", "5000/s", &["5000"]);
        check("--ping 500/s --originate 20/s", "520/s", &["500", "20"]);
        check("--ping 7/2s --originate 1/3s", "23/6s", &["21", "2"]);
    }
}
