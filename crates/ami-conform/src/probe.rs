//! A probe: one raw connection that a case drives, politely or not. Everything that passes is in the log.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use ami_client::wire::Wire;
use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::frame::{Frame, FrameKind, OwnedFrame};
use ami_proto::transcript::Mark;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use crate::allowed;
use crate::bench::Place;
use crate::finding::{Evidence, Finding};
use crate::log::Side;
use crate::observed::closes_list;
use crate::replay::permission::Permitted;

/// A PBX that takes longer for a plain answer is not judged but dead or busy.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// What a single message of a PBX may hold here; what is larger is an anomaly of its frame.
const LIMITS: Limits = Limits {
    line_max: 64 * 1024,
    frame_max: 4 << 20,
    headers_max: 64 * 1024,
};
const READ_BYTES: usize = 16 * 1024;
/// Behind an answer without an ActionID, one that bears it may still come.
const NAMED_WITHIN: Duration = Duration::from_millis(300);
const SUMMARY_LINES: usize = 3;
/// What is shown of what we sent before a silence.
const LAST_WORDS: usize = 400;

#[derive(Debug)]
pub struct Probe {
    wire: Wire,
    decoder: Decoder,
    place: Place,
    conn: u32,
    heard: VecDeque<Got>,
    sent: u64,
    ended: Option<End>,
    /// What the last request got that was waited for.
    answered: Option<Got>,
}

/// A message of the PBX, and where it stands.
#[derive(Debug, Clone)]
pub struct Got {
    frame: OwnedFrame,
    conn: u32,
    pub at: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Fin,
    /// Over TLS, without the alert that announces it.
    Unannounced,
    Reset,
}

/// What comes next on a connection.
#[derive(Debug)]
pub enum Heard {
    Message(Got),
    End(End),
    /// Nothing, for as long as was waited.
    Silence,
}

/// A list: what opened it, its items, what closed it.
#[derive(Debug)]
pub struct List {
    pub start: Got,
    pub items: Vec<Got>,
    pub complete: Got,
}

impl Got {
    pub fn frame(&self) -> Frame<'_> {
        self.frame.as_frame()
    }

    pub fn kind(&self) -> FrameKind {
        self.frame().kind()
    }

    /// The first header of that name.
    pub fn text(&self, name: &str) -> Option<String> {
        self.frame().text(name).map(|text| text.into_owned())
    }

    /// The whole value, byte for byte.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.frame().get(name) == Some(value.as_bytes())
    }

    pub fn is_event(&self, name: &str) -> bool {
        let event = self.frame().get("Event");
        event.is_some_and(|event| event.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// It bears this ActionID, or it is an answer that bears none.
    pub(crate) fn answers(&self, id: &str) -> bool {
        self.has("ActionID", id) || (self.is_nameless() && self.text("Response").is_some())
    }

    fn is_nameless(&self) -> bool {
        self.frame().get("ActionID").is_none()
    }

    /// It bears the ActionID of that Ping, or is a Pong that bears none.
    fn is_pong_of(&self, id: &str) -> bool {
        self.has("ActionID", id) || (self.is_nameless() && self.text("Ping").is_some())
    }

    /// It bears the ActionID of that list, or it bears none and is no event of the queue either.
    fn is_item_of(&self, id: &str) -> bool {
        self.has("ActionID", id) || (self.is_nameless() && self.text("Privilege").is_none())
    }

    pub fn closes_list(&self) -> bool {
        closes_list(self.frame())
    }

    pub fn evidence(&self) -> Evidence {
        Evidence {
            conn: self.conn,
            side: Side::Server,
            bytes: self.bytes(),
        }
    }

    fn bytes(&self) -> Range<u64> {
        let frame = self.frame();
        frame.offset()..frame.offset() + frame.bytes().len() as u64
    }

    /// The header has this value, or the case fails with what it has instead.
    pub fn expect(&self, name: &str, value: &str) -> Result<(), Finding> {
        if self.has(name, value) {
            return Ok(());
        }
        let got = match self.text(name) {
            Some(other) => format!("`{name}: {other}`"),
            None => format!("no header {name}"),
        };
        Err(Finding::fail(format!("`{name}: {value}`"), got).with(self.evidence()))
    }

    /// What it says is all that is to be told of it.
    pub(crate) fn pass_with_message(&self) -> Finding {
        Finding::pass(self.text("Message").unwrap_or_default()).with(self.evidence())
    }

    pub fn expect_error(&self, message: &str) -> Result<(), Finding> {
        self.expect("Response", "Error")?;
        self.expect("Message", message)
    }

    /// On one line, for texts that people read; the same whenever the same is said.
    pub fn summary(&self) -> String {
        let changes = |line: &&[u8]| {
            let line = line.to_ascii_lowercase();
            !line.starts_with(b"actionid:") && !line.starts_with(b"timestamp:")
        };
        let lines = self.frame().lines().filter(changes).take(SUMMARY_LINES);
        let lines: Vec<String> = lines
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        lines.join(" / ")
    }
}

impl Probe {
    pub(crate) fn new(wire: Wire, place: Place, conn: u32) -> Self {
        Self {
            wire,
            decoder: Decoder::client(LIMITS),
            place,
            conn,
            heard: VecDeque::new(),
            sent: 0,
            ended: None,
            answered: None,
        }
    }

    /// Writes as it is; a peer that takes no bytes any more shows when it is read.
    pub async fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if let Some(what) = allowed::forbidden(bytes) {
            // A case that asks for it is a mistake of ours: better no run than one that does harm.
            panic!("{what} is not on the list of what cases may send (allowed.rs)");
        }
        self.pace(bytes).await;
    }

    /// A request of a recording; where it stands.
    pub(crate) async fn replay(&mut self, request: &Permitted) -> Evidence {
        let bytes = request.text().as_bytes();
        self.pace(bytes).await;
        self.sent_last(bytes.len())
    }

    async fn pace(&mut self, bytes: &[u8]) {
        let site = Rc::clone(&self.place.site);
        for piece in site.meter.pieces(bytes) {
            site.meter.wait(piece).await;
            site.log(self.conn, Side::Client, piece);
            self.sent += piece.len() as u64;
            if self.wire.write_all(piece).await.is_ok() {
                // What cannot be flushed cannot be written either.
                let _ = self.wire.flush().await;
            }
        }
    }

    /// What was written in the last `bytes` bytes.
    pub fn sent_last(&self, bytes: usize) -> Evidence {
        Evidence {
            conn: self.conn,
            side: Side::Client,
            bytes: self.sent.saturating_sub(bytes as u64)..self.sent,
        }
    }

    /// Closes our half; what the PBX still says can be read.
    pub async fn half_close(&mut self) {
        // One that is closed already is closed.
        let _ = self.wire.shutdown().await;
    }

    pub async fn next(&mut self, within: Duration) -> Heard {
        self.next_by(Instant::now() + within).await
    }

    pub(crate) async fn next_by(&mut self, until: Instant) -> Heard {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(got) = self.heard.pop_front() {
                return Heard::Message(got);
            }
            if let Some(end) = self.ended {
                return Heard::End(end);
            }
            let Ok(read) = timeout_at(until, self.wire.read(&mut buffer)).await else {
                return Heard::Silence;
            };
            self.take(read.map(|length| &buffer[..length]));
        }
    }

    fn take(&mut self, read: io::Result<&[u8]>) {
        let mut bytes = match read {
            Ok(bytes) if !bytes.is_empty() => bytes,
            ended => {
                let (end, mark) = match ended {
                    Ok(_) => (End::Fin, Mark::Fin),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        (End::Unannounced, Mark::Fin)
                    }
                    Err(_) => (End::Reset, Mark::Rst),
                };
                self.place.site.mark(self.conn, mark);
                self.ended = Some(end);
                return;
            }
        };
        self.place.site.log(self.conn, Side::Server, bytes);
        let at = self.place.site.now();
        while let Some(frame) = self.decoder.decode(&mut bytes) {
            self.heard.push_back(Got {
                frame: frame.to_owned(),
                conn: self.conn,
                at,
            });
        }
    }

    /// Bytes of a message that has no end yet.
    pub fn unfinished(&self) -> &[u8] {
        self.decoder.pending()
    }

    /// The next message that is no event; silence and a closed connection are findings.
    pub async fn answer(&mut self) -> Result<Got, Finding> {
        self.answer_within(ANSWER_WITHIN).await
    }

    pub async fn answer_within(&mut self, within: Duration) -> Result<Got, Finding> {
        let until = Instant::now() + within;
        loop {
            match self.next_by(until).await {
                // A banner that came late is no answer either, nor is one that was given already.
                Heard::Message(got)
                    if matches!(got.kind(), FrameKind::Event | FrameKind::Banner)
                        || self.is_repeated(&got) => {}
                Heard::Message(got) => {
                    self.remember(&got);
                    return Ok(got);
                }
                Heard::End(end) => return Err(self.closed("an answer", end).await),
                Heard::Silence => return Err(self.silent("an answer", within).await),
            }
        }
    }

    /// The next event that `wanted` takes; others are passed over.
    pub async fn event(
        &mut self,
        what: &str,
        wanted: impl Fn(&Got) -> bool,
    ) -> Result<Got, Finding> {
        let until = Instant::now() + ANSWER_WITHIN;
        loop {
            match self.next_by(until).await {
                Heard::Message(got) if got.kind() == FrameKind::Event && wanted(&got) => {
                    return Ok(got);
                }
                Heard::Message(_) => {}
                Heard::End(end) => return Err(self.closed(what, end).await),
                Heard::Silence => return Err(self.silent(what, ANSWER_WITHIN).await),
            }
        }
    }

    /// The PBX closes the connection; what it says before is given back.
    pub async fn ends(&mut self, within: Duration) -> Result<Vec<Got>, Finding> {
        let until = Instant::now() + within;
        let mut said = Vec::new();
        loop {
            match self.next_by(until).await {
                Heard::Message(got) => said.push(got),
                Heard::End(_) => return Ok(said),
                Heard::Silence => {
                    let seconds = within.as_secs_f64();
                    let got = format!("still open after {seconds} s");
                    return Err(self.of_a_live_pbx("the connection is closed", got).await);
                }
            }
        }
    }

    /// A well-formed request with an ActionID of its own, which is given back.
    pub async fn send(&mut self, action: &str, headers: &[(&str, &str)]) -> String {
        let id = self.place.site.next_id();
        let mut text = format!("Action: {action}\r\nActionID: {id}\r\n");
        for (name, value) in headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        self.raw(text).await;
        id
    }

    /// This is what was answered last.
    pub(crate) fn remember(&mut self, answer: &Got) {
        self.answered = Some(answer.clone());
    }

    /// Byte for byte what was answered last, ActionID and all.
    fn is_repeated(&self, got: &Got) -> bool {
        let last = self.answered.as_ref();
        !got.is_nameless() && last.is_some_and(|last| last.frame().bytes() == got.frame().bytes())
    }

    /// Sends a request, and waits for its answer.
    pub async fn ask(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<Got, Finding> {
        let id = self.send(action, headers).await;
        self.answer_to(&id).await
    }

    /// The answer with this ActionID. One that bears an earlier ActionID of ours is passed over: it came late, or once more.
    /// One that bears none is taken where no better one comes.
    pub(crate) async fn answer_to(&mut self, id: &str) -> Result<Got, Finding> {
        let mut until = Instant::now() + ANSWER_WITHIN;
        let mut nameless = None;
        loop {
            let heard = self.next_by(until).await;
            match (heard, nameless.take()) {
                (Heard::Message(got), _) if got.has("ActionID", id) => {
                    self.remember(&got);
                    return Ok(got);
                }
                (Heard::Message(got), None) if got.answers(id) => {
                    if self.place.site.answers_namelessly.get() {
                        return Ok(got);
                    }
                    until = Instant::now() + NAMED_WITHIN;
                    nameless = Some(got);
                }
                (Heard::Message(got), held) if got.kind() != FrameKind::Response => nameless = held,
                (Heard::Message(got), held) => {
                    let named = got.text("ActionID").unwrap_or_default();
                    if !named.is_empty() && !named.starts_with(&self.place.site.tag) {
                        got.expect("ActionID", id)?;
                    }
                    nameless = held;
                }
                (Heard::Silence | Heard::End(_), Some(got)) => {
                    self.place.site.answers_namelessly.set(true);
                    return Ok(got);
                }
                (Heard::End(end), None) => return Err(self.closed("an answer", end).await),
                (Heard::Silence, None) => {
                    return Err(self.silent("an answer", ANSWER_WITHIN).await);
                }
            }
        }
    }

    /// Sends a request that is answered by a list, and takes all of it.
    pub async fn list(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<List, Finding> {
        let id = self.send(action, headers).await;
        let start = self.answer_to(&id).await?;
        start.expect("Response", "Success")?;
        let mut items = Vec::new();
        loop {
            let what = format!("the end of the list of {action}");
            let item = self.event(&what, |got| got.is_item_of(&id)).await?;
            if item.closes_list() {
                let complete = item;
                return Ok(List {
                    start,
                    items,
                    complete,
                });
            }
            items.push(item);
        }
    }

    /// The stream is still in step: a Ping is answered.
    pub async fn barrier(&mut self) -> Result<Got, Finding> {
        self.ask("Ping", &[]).await
    }

    /// All that was asked for before is answered once a Ping is.
    pub async fn barrier_behind(&mut self) -> Result<Vec<Got>, Finding> {
        let id = self.send("Ping", &[]).await;
        let until = Instant::now() + ANSWER_WITHIN;
        let mut before = Vec::new();
        loop {
            match self.next_by(until).await {
                Heard::Message(got) if got.is_pong_of(&id) => return Ok(before),
                Heard::Message(got) => before.push(got),
                Heard::End(end) => return Err(self.closed("the answer to a Ping", end).await),
                Heard::Silence => {
                    return Err(self.silent("the answer to a Ping", ANSWER_WITHIN).await);
                }
            }
        }
    }

    /// Nothing but events comes before the answer to a Ping.
    pub async fn silent_until_ping(&mut self, after: &str) -> Result<(), Finding> {
        let id = self.send("Ping", &[]).await;
        let answer = self.answer().await?;
        if answer.is_pong_of(&id) {
            return Ok(());
        }
        let got = format!("`{}`", answer.summary());
        Err(Finding::fail(format!("nothing more after {after}"), got).with(answer.evidence()))
    }

    async fn silent(&self, what: &str, within: Duration) -> Finding {
        let mut got = format!("nothing within {} s", within.as_secs_f64());
        if !self.unfinished().is_empty() {
            let bytes = self.unfinished().len();
            got = format!("{got}, and {bytes} bytes of a message without its end");
        }
        self.of_a_live_pbx(what, got).await
    }

    async fn closed(&self, what: &str, end: End) -> Finding {
        let got = match end {
            End::Fin | End::Unannounced => "the connection was closed",
            End::Reset => "the connection was reset",
        };
        self.of_a_live_pbx(what, got.to_owned()).await
    }

    /// A failure, if the PBX serves others meanwhile.
    async fn of_a_live_pbx(&self, expected: &str, got: String) -> Finding {
        let last_words = (self.sent > 0).then(|| self.sent_last(LAST_WORDS));
        self.place.site.unanswered(expected, got, last_words).await
    }
}
