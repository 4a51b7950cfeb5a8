//! A case: the frames of one file of the corpus, and the session in which a client meets them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ami_proto::frame::{Frame, OwnedFrame};
use ami_proto::transcript::{Entry, Mark, What};
use ami_proto::{Anomaly, Decoder, FrameKind, Limits};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use xtask_peers::{Asked, COMMAND};

use crate::expected::Expected;

pub const LABELS: [Label; 3] = [Label::Valid, Label::Malformed, Label::ImplementationDefined];
const ANSWER_TO_LOGIN: &str =
    "Response: Success\r\nActionID: login\r\nMessage: Authentication accepted\r\n\r\n";
const BOOTED: &str = "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n";
const PONG: &str = "Response: Success\r\nActionID: ping\r\nPing: Pong\r\n\r\n";
/// What the file ends with, once more and later: by then whoever lost the thread would have found it again.
const LAST: &str = "Event: Next\r\nNum: 2\r\n\r\n";

const LOGIN_AT: Duration = Duration::from_millis(100);
const ASKED_AT: Duration = Duration::from_millis(200);
/// An event comes a little behind the answer to the ping, so that whoever asked has it.
const EVENTS_AT: Duration = Duration::from_millis(250);
const LAST_AT: Duration = Duration::from_millis(550);
const CLOSED_AT: Duration = Duration::from_millis(2500);
const CUT_AT: Duration = Duration::from_millis(350);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Valid,
    Malformed,
    ImplementationDefined,
}

#[derive(Debug)]
pub struct Case {
    pub id: String,
    pub label: Label,
    pub title: String,
    pub asked: Asked,
    /// It begins with a banner.
    pub is_greeted: bool,
    /// All that a client must give its user, the last event too where there is one.
    pub expected: Vec<Expected>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Said {
    title: String,
}

impl Label {
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Malformed => "malformed",
            Self::ImplementationDefined => "implementation-defined",
        }
    }
}

/// Those of one label, by id.
pub fn of_label(corpus: &Path, label: Label) -> Result<Vec<Case>> {
    let folder = corpus.join(label.name());
    let mut cases = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ami") {
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            let bytes = fs::read(&path)?;
            let said = fs::read_to_string(path.with_extension("json"))?;
            let said: Said = serde_json::from_str(&said).with_context(|| format!("of {id}"))?;
            cases.push(Case::new(&id, label, said.title, &bytes)?);
        }
    }
    ensure!(!cases.is_empty(), "no case in {}", folder.display());
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(cases)
}

impl Case {
    pub fn new(id: &str, label: Label, title: String, bytes: &[u8]) -> Result<Self> {
        let (frames, end) = decoded(bytes);
        let (greeting, is_greeted) = greeting(&frames);
        let behind = frames[greeting..].iter().map(OwnedFrame::as_frame);
        let answer = behind
            .clone()
            .find(|frame| frame.kind() == FrameKind::Response);
        let asked = match answer {
            Some(answer) if answer.get("Ping").is_none() => Asked::Command,
            _ => Asked::Ping,
        };
        let action_id = match answer {
            Some(answer) => action_id(answer),
            None => Some("ping".to_owned()),
        };
        let said = frames[..greeting].iter();
        let said = said.map(|frame| frame.as_frame().bytes().len()).sum();
        let (banner, case) = bytes.split_at(said);
        let ends = matches!(end, Some(Anomaly::TornFrame { .. }));
        let mut expected: Vec<Expected> = frames[greeting..]
            .iter()
            .filter_map(|frame| Expected::of(frame.as_frame(), action_id.as_deref()))
            .collect();
        if answer.is_none() {
            expected.insert(0, Expected::of_text(PONG, Some("ping")));
        }
        if !ends {
            expected.push(Expected::of_text(LAST, None));
        }
        let mut entries = vec![server(Duration::ZERO, banner)];
        entries.extend(login());
        entries.push(client(ASKED_AT, &request(asked, action_id.as_deref())));
        if answer.is_none() {
            entries.push(server(ASKED_AT, PONG.as_bytes()));
        }
        let at = if answer.is_none() {
            EVENTS_AT
        } else {
            ASKED_AT
        };
        entries.push(server(at, case));
        if !ends {
            entries.push(server(LAST_AT, LAST.as_bytes()));
        }
        let closed = if ends { CUT_AT } else { CLOSED_AT };
        entries.push(entry(closed, What::Mark(Mark::Fin)));
        Ok(Self {
            id: id.to_owned(),
            label,
            title,
            asked,
            is_greeted,
            expected,
            entries,
        })
    }

    /// It can be said byte by byte in time.
    pub fn is_short(&self) -> bool {
        const LONGEST: usize = 600;
        let length = |entry: &Entry| match &entry.what {
            What::Server(bytes) => bytes.len(),
            What::Client(_) | What::Mark(_) => 0,
        };
        self.entries.iter().map(length).sum::<usize>() <= LONGEST
    }

    /// The session in which a client meets it, for a PBX that says again what was recorded.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn decoded(bytes: &[u8]) -> (Vec<OwnedFrame>, Option<Anomaly>) {
    let mut decoder = Decoder::client(Limits::default());
    let mut input = bytes;
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut input) {
        frames.push(frame.to_owned());
    }
    (frames, decoder.finish())
}

/// How many frames stand where a banner should, and whether it is one: without one, all up to the first event.
fn greeting(frames: &[OwnedFrame]) -> (usize, bool) {
    let kind = |frame: &OwnedFrame| frame.as_frame().kind();
    let banner = frames.iter().position(|frame| {
        kind(frame) == FrameKind::Banner && frame.as_frame().anomalies().is_empty()
    });
    let event = frames
        .iter()
        .position(|frame| kind(frame) == FrameKind::Event);
    match banner {
        Some(banner) => (banner + 1, true),
        None => (event.unwrap_or_default(), false),
    }
}

/// With which ActionID the action is recorded, so that the client's stands in its place: in an answer without one it is put
/// in, as any PBX would. But that it lacks is the point of an error without one.
fn action_id(answer: Frame<'_>) -> Option<String> {
    match answer.text("ActionID") {
        Some(id) => Some(id.into_owned()),
        None if answer.get("Response") == Some(b"Error") => Some("unsaid".to_owned()),
        None => None,
    }
}

fn login() -> [Entry; 3] {
    let request = "Action: Login\r\nActionID: login\r\nUsername: bench\r\n\r\n";
    [
        client(LOGIN_AT, request),
        server(LOGIN_AT, ANSWER_TO_LOGIN.as_bytes()),
        server(LOGIN_AT, BOOTED.as_bytes()),
    ]
}

fn request(asked: Asked, action_id: Option<&str>) -> String {
    let id = action_id
        .map(|id| format!("ActionID: {id}\r\n"))
        .unwrap_or_default();
    match asked {
        Asked::Ping => format!("Action: Ping\r\n{id}\r\n"),
        Asked::Command => format!("Action: Command\r\n{id}Command: {COMMAND}\r\n\r\n"),
    }
}

fn server(at: Duration, bytes: &[u8]) -> Entry {
    entry(at, What::Server(bytes.to_vec()))
}

fn client(at: Duration, text: &str) -> Entry {
    entry(at, What::Client(text.as_bytes().to_vec()))
}

fn entry(at: Duration, what: What) -> Entry {
    Entry { at, conn: 0, what }
}
