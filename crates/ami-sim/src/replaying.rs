//! A PBX that says again what one said in a recording: the answer to the same request, and behind it what followed then,
//! after the same time. It knows nothing else.
//!
//! Pure, as `exchange` is: `server` gives it time and bytes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::frame::{Frame, FrameKind};
use ami_proto::transcript::Entry;

use recorded::{Asked, Connection, Said};

mod recorded;
mod rewrite;

/// More than are talked about at once; beyond it the oldest are forgotten.
const RENAMED_MAX: usize = 10_000;

#[derive(Debug)]
pub struct Replaying {
    connections: Vec<Connection>,
    sessions: BTreeMap<u32, Session>,
    accepted: u32,
    /// Ids of channels: as recorded, and as a client asked for now; the newest first, since a call that is asked for again
    /// has another id.
    renamed: VecDeque<(Vec<u8>, Vec<u8>)>,
}

#[derive(Debug)]
struct Session {
    /// Which connection of the recording it is.
    at: usize,
    decoder: Decoder,
    due: Vec<Due>,
    ends: Option<Duration>,
}

/// What is to be said.
#[derive(Debug)]
struct Due {
    at: Duration,
    /// When it was said in the recording.
    then: Duration,
    bytes: Vec<u8>,
}

/// A request as it came.
struct Request {
    action: String,
    headers: Vec<(String, Vec<u8>)>,
    id: Option<Vec<u8>>,
    channel_id: Option<Vec<u8>>,
}

/// Nothing in it was said by a PBX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PBX says anything in it")]
pub struct Silent;

impl Replaying {
    pub fn of(entries: &[Entry]) -> Result<Self, Silent> {
        let connections = recorded::connections(entries);
        if connections.is_empty() {
            return Err(Silent);
        }
        Ok(Self {
            connections,
            sessions: BTreeMap::new(),
            accepted: 0,
            renamed: VecDeque::new(),
        })
    }

    /// The account that logs in, in the recording.
    pub fn account(&self) -> Option<&str> {
        let mut logins = self.connections.iter().flat_map(|one| &one.asked);
        logins.find_map(|asked| asked.username())
    }

    /// One more session: the next connection of the recording, from the first again behind the last.
    pub fn accept(&mut self, now: Duration) -> u32 {
        let key = self.accepted;
        self.accepted = self.accepted.wrapping_add(1);
        let at = key as usize % self.connections.len();
        let greeting = self.connections[at].greeting.iter();
        let due = greeting.map(|said| Due {
            at: now + said.after,
            then: Duration::ZERO,
            bytes: said.bytes.clone(),
        });
        let session = Session {
            at,
            decoder: Decoder::server(Limits::default()),
            due: due.collect(),
            ends: None,
        };
        self.sessions.insert(key, session);
        key
    }

    pub fn leave(&mut self, key: u32) {
        self.sessions.remove(&key);
    }

    pub fn handle_input(&mut self, now: Duration, key: u32, mut bytes: &[u8]) {
        let mut requests = Vec::new();
        if let Some(session) = self.sessions.get_mut(&key) {
            while let Some(frame) = session.decoder.decode(&mut bytes) {
                requests.extend(Request::of(frame));
            }
        }
        for mut request in requests {
            for (old, new) in &self.renamed {
                request.rename(new, old);
            }
            self.answer(now, key, &request);
        }
    }

    /// What is due by now; none when nothing is.
    pub fn poll_output(&mut self, now: Duration, key: u32) -> Option<Vec<u8>> {
        let session = self.sessions.get_mut(&key)?;
        let (mut due, later) = std::mem::take(&mut session.due)
            .into_iter()
            .partition::<Vec<_>, _>(|due| due.at <= now);
        session.due = later;
        due.sort_by_key(|due| (due.at, due.then));
        let bytes: Vec<u8> = due.into_iter().flat_map(|due| due.bytes).collect();
        let renamed = self.renamed.iter();
        let bytes = renamed.fold(bytes, |bytes, (old, new)| rewrite::word(&bytes, old, new));
        (!bytes.is_empty()).then_some(bytes)
    }

    /// When there is something to say or to end.
    pub fn poll_timeout(&self, key: u32) -> Option<Duration> {
        let session = self.sessions.get(&key)?;
        let due = session.due.iter().map(|due| due.at).min();
        due.into_iter().chain(session.ends).min()
    }

    /// Whether the PBX closed the connection here.
    pub fn is_over(&self, now: Duration, key: u32) -> bool {
        let ends = self.sessions.get(&key).and_then(|session| session.ends);
        ends.is_some_and(|ends| ends <= now)
    }

    fn answer(&mut self, now: Duration, key: u32, request: &Request) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        let Some((conn, index)) = self.recorded(session.at, request) else {
            let (text, end) = self.improvised(request);
            let bytes = rewrite::action_id(text.as_bytes(), None, request.id.as_deref());
            let then = Duration::MAX;
            let said = Due {
                at: now,
                then,
                bytes,
            };
            return self.say(key, vec![said], end.then_some(now));
        };
        let is_own = session.at == conn;
        let asked = &mut self.connections[conn].asked[index];
        asked.used = true;
        let asked_then = asked.at;
        if let (Some(new), Some(old)) = (&request.channel_id, asked.call_id())
            && old != *new
        {
            self.renamed.retain(|(_, id)| id != new);
            self.renamed.truncate(RENAMED_MAX - 1);
            self.renamed.push_front((old, new.clone()));
        }
        let said = asked.said.iter().map(|Said { after, bytes }| Due {
            at: now + *after,
            then: asked_then + *after,
            bytes: rewrite::action_id(bytes, asked.id(), request.id.as_deref()),
        });
        let (said, ends) = (said.collect(), asked.ends.map(|after| now + after));
        if let Some(session) = self.sessions.get_mut(&key).filter(|_| is_own) {
            // A client that is faster than the recorded one hears what stands before its request first.
            for due in session.due.iter_mut().filter(|due| due.then <= asked_then) {
                due.at = due.at.min(now);
            }
        }
        self.say(key, said, ends);
    }

    fn say(&mut self, key: u32, said: Vec<Due>, ends: Option<Duration>) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.due.extend(said);
            session.ends = session.ends.or(ends);
        }
    }

    /// The same request, on the same connection if it is there, and one that was not asked again yet before the others.
    fn recorded(&self, at: usize, request: &Request) -> Option<(usize, usize)> {
        let own = std::iter::once(at);
        let others = (0..self.connections.len()).filter(|other| *other != at);
        let mut again = None;
        for conn in own.chain(others) {
            for (index, asked) in self.connections[conn].asked.iter().enumerate() {
                if !asked.is(request) {
                    continue;
                }
                if !asked.used {
                    return Some((conn, index));
                }
                // The last of them: what was said before it is over.
                again = Some((conn, index));
            }
            if again.is_some() {
                return again;
            }
        }
        None
    }

    /// What the recording does not have; and whether the session ends with it.
    fn improvised(&self, request: &Request) -> (String, bool) {
        let is = |action: &str| request.action.eq_ignore_ascii_case(action);
        if is("Login") {
            let text = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
            return (text.to_owned(), false);
        }
        if is("Challenge") {
            return (
                "Response: Success\r\nChallenge: 0\r\n\r\n".to_owned(),
                false,
            );
        }
        if is("Logoff") {
            let text = "Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n";
            return (text.to_owned(), true);
        }
        let mut all = self.connections.iter().flat_map(|one| &one.asked);
        let is_known = all.clone().any(|asked| asked.is_named(&request.action));
        let unknown = all.find_map(Asked::unknown_command);
        let message = match (is_known, unknown) {
            (false, Some(message)) => message,
            (false, None) => format!("Not in the recording: {}", request.action),
            (true, _) => format!(
                "Not in the recording: {} with these headers",
                request.action
            ),
        };
        (
            format!("Response: Error\r\nMessage: {message}\r\n\r\n"),
            false,
        )
    }
}

impl Request {
    fn rename(&mut self, old: &[u8], new: &[u8]) {
        for (_, value) in &mut self.headers {
            *value = rewrite::word(value, old, new);
        }
    }

    fn of(frame: Frame<'_>) -> Option<Self> {
        if frame.kind() != FrameKind::Action {
            return None;
        }
        let bytes = |name| frame.get(name).map(<[u8]>::to_vec);
        Some(Self {
            action: frame.text("Action").unwrap_or_default().into_owned(),
            headers: recorded::telling(frame),
            id: bytes("ActionID"),
            channel_id: bytes("ChannelId"),
        })
    }
}

#[cfg(test)]
mod tests;
