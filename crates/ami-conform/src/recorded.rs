//! Judges a recording with the passive cases. What it does not show is inconclusive.

use std::time::Duration;

use ami_proto::frame::FrameKind;
use ami_proto::transcript::What;
use ami_results::judgement::EXCERPT_BYTES_MAX;

use crate::case::{Case, Check};
use crate::device::{Device, Has, Reason, Release};
use crate::finding::{Evidence, Finding};
use crate::import::{LineEnds, Recording};
use crate::log::{Manners, Side};
use crate::observed::{Connection, Observed};
use crate::suite::{Judgement, Selection};

/// Cases of other areas that look at line ends.
const ON_LINE_ENDS: [&str; 1] = ["banner.line.crlf"];

/// Headers whose values nobody else may read.
const SECRETS: [&[u8]; 3] = [b"secret:", b"key:", b"password:"];

/// What a recording shows, ready to be judged.
pub fn observe(recording: &Recording) -> Observed<'_> {
    let mut observed = Observed::of(&recording.entries, |_| Manners::Proper);
    for connection in &mut observed.connections {
        if is_rude(connection) {
            connection.manners = Manners::Rude;
        }
        // Whether a request that has no end was answered cannot be told.
        connection.begun &= connection.unfinished == 0;
    }
    observed
}

/// Nobody said how it was used: what the client sent tells.
fn is_rude(connection: &Connection) -> bool {
    let odd = |frame: ami_proto::frame::Frame<'_>| {
        let bare = frame.get("Action").is_none_or(<[u8]>::is_empty);
        frame.kind() != FrameKind::Action || bare || !frame.anomalies().is_empty()
    };
    connection.requests().any(|request| odd(request.frame()))
}

/// As far as a recording shows it.
pub fn device(observed: &Observed<'_>) -> Device {
    let mut device = Device::default();
    let banner = observed.connections.iter().flat_map(Connection::said);
    let mut banners = banner.filter(|seen| seen.kind() == FrameKind::Banner);
    if let Some(banner) = banners.next() {
        let line = banner.frame().lines().next().unwrap_or_default();
        device.banner = String::from_utf8_lossy(line).into_owned();
    }
    let mut versions = observed
        .responses()
        .filter_map(|answer| answer.frame().text("AsteriskVersion"));
    if let Some(version) = versions.next() {
        device.release = Release::parse(&version);
        device.version = Some(version.into_owned());
        device.reasons.push(Reason {
            fact: "release".to_owned(),
            seen: "the answer to CoreSettings in the recording".to_owned(),
        });
    }
    device
}

/// Those that are asked for and need nothing but what passed.
pub fn cases(selection: &Selection) -> impl Iterator<Item = &'static Case> {
    let planned = selection.plan(&Device::default());
    let cases = planned.into_iter().map(|planned| planned.case());
    cases.filter(|case| case.is_passive())
}

/// The passive cases that are asked for, each judged.
pub fn judge(recording: &Recording, selection: &Selection) -> (Device, Vec<Judgement>) {
    let observed = observe(recording);
    let device = device(&observed);
    let judgements = cases(selection)
        .filter_map(|case| match case.check {
            Check::Passive(check) => Some((case, check)),
            Check::Active(_) => None,
        })
        .map(|(case, check)| Judgement {
            case,
            finding: obstacle(case, recording, &device).unwrap_or_else(|| check(&observed)),
            took: Duration::ZERO,
            left: Vec::new(),
        })
        .collect();
    (device, judgements)
}

/// The bytes that a finding rests on, at most `EXCERPT_BYTES_MAX`; secrets are stars.
pub fn excerpt(recording: &Recording, evidence: &Evidence) -> Vec<u8> {
    let mut from = evidence.bytes.start;
    let length = (evidence.bytes.end - from).min(EXCERPT_BYTES_MAX as u64);
    let mut excerpt = Vec::new();
    for entry in recording
        .entries
        .iter()
        .filter(|entry| entry.conn == evidence.conn)
    {
        let ((What::Client(bytes), Side::Client) | (What::Server(bytes), Side::Server)) =
            (&entry.what, evidence.side)
        else {
            continue;
        };
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        if let Some(bytes) = bytes.get(start..) {
            excerpt.extend_from_slice(bytes);
        }
        from = from.saturating_sub(bytes.len() as u64);
        if excerpt.len() as u64 >= length {
            break;
        }
    }
    excerpt.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    mask(&mut excerpt);
    excerpt
}

/// As many stars as bytes, so that offsets stay.
fn mask(bytes: &mut [u8]) {
    for line in bytes.split_mut(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at_mut(colon + 1);
        let name = name.trim_ascii().to_ascii_lowercase();
        if SECRETS.contains(&name.as_slice()) {
            let shown = value.iter_mut().filter(|byte| !b" \r".contains(byte));
            shown.for_each(|byte| *byte = b'*');
        }
    }
}

fn obstacle(case: &Case, recording: &Recording, device: &Device) -> Option<Finding> {
    let on_line_ends = case.area() == "framing" || ON_LINE_ENDS.contains(&case.id);
    if recording.line_ends == LineEnds::Lost && on_line_ends {
        let why = "a text log does not show where lines and messages ended on the wire";
        return Some(Finding::not_applicable(why));
    }
    case.needs.iter().find_map(|need| match device.has(*need) {
        Has::Yes => None,
        Has::No(why) => Some(Finding::not_applicable(why)),
        Has::Unknown(why) => Some(Finding::inconclusive(why)),
    })
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn secrets_are_stars() {
        let mut bytes = *b"Action: Login\r\nsecret: s3:cret\r\nKey:12\nUsername: a";
        mask(&mut bytes);
        assert_eq!(
            bytes,
            *b"Action: Login\r\nsecret: *******\r\nKey:**\nUsername: a"
        );
    }
}
