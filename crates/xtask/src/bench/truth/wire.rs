//! Finds actions and their responses in captured segments, by ActionID. Knows just enough AMI for that, and of its own.

use std::collections::{BTreeSet, HashMap};

use super::stream::{Segment, Stream};

const END: &[u8] = b"\r\n\r\n";

/// An action and its response, in nanoseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) action: String,
    /// The segment with the action's first byte.
    pub(super) sent_at: u64,
    /// The first segment with the ActionID of the response.
    pub(super) id_at: u64,
    /// The segment that completes the response.
    pub(super) ended_at: u64,
}

impl Exchange {
    pub(super) fn to_id(&self) -> u64 {
        self.id_at.saturating_sub(self.sent_at)
    }

    pub(super) fn to_end(&self) -> u64 {
        self.ended_at.saturating_sub(self.sent_at)
    }
}

/// A message that carries an ActionID.
#[derive(Debug)]
struct Message<'a> {
    first_line: &'a str,
    id: &'a str,
    began_at: u64,
    id_at: u64,
    ended_at: u64,
}

/// Both directions of a connection.
#[derive(Debug, Default)]
struct Connection {
    client_port: u16,
    actions: Stream,
    answers: Stream,
}

/// Those of connections from one of `ports`.
pub(super) fn exchanges(
    segments: &[Segment],
    server_port: u16,
    ports: &BTreeSet<u16>,
) -> Vec<Exchange> {
    let mut connections: HashMap<u32, Connection> = HashMap::new();
    for segment in segments {
        let connection = connections.entry(segment.stream).or_default();
        if segment.source_port == server_port {
            connection.answers.push(segment);
        } else {
            connection.client_port = segment.source_port;
            connection.actions.push(segment);
        }
    }
    connections
        .values()
        .filter(|it| ports.contains(&it.client_port))
        .flat_map(Connection::exchanges)
        .collect()
}

impl Connection {
    fn exchanges(&self) -> Vec<Exchange> {
        let mut open: HashMap<&str, (&str, u64)> = HashMap::new();
        for message in messages(&self.actions) {
            if let Some(action) = message.first_line.strip_prefix("Action: ") {
                open.entry(message.id).or_insert((action, message.began_at));
            }
        }
        let answered = messages(&self.answers).into_iter().filter_map(|message| {
            if !message.first_line.starts_with("Response: ") {
                return None;
            }
            // Only the first response to an ActionID is its answer.
            let (action, sent_at) = open.remove(message.id)?;
            Some(Exchange {
                action: action.to_owned(),
                sent_at,
                id_at: message.id_at,
                ended_at: message.ended_at,
            })
        });
        answered.collect()
    }
}

/// The messages of one direction that are text, are whole and carry an ActionID.
fn messages(stream: &Stream) -> Vec<Message<'_>> {
    let mut messages = Vec::new();
    let mut start = 0;
    while let Some(length) = find(&stream.bytes[start..], END) {
        let end = start + length + END.len();
        messages.extend(message(stream, start, end));
        start = end;
    }
    messages
}

fn message(stream: &Stream, start: usize, end: usize) -> Option<Message<'_>> {
    let text = std::str::from_utf8(&stream.bytes[start..end]).ok()?;
    let mut offset = start;
    let mut found = None;
    for line in text.split("\r\n") {
        if let Some(id) = line.strip_prefix("ActionID: ") {
            found = Some((id, offset));
            break;
        }
        offset += line.len() + "\r\n".len();
    }
    let (id, id_offset) = found?;
    Some(Message {
        first_line: text.split("\r\n").next()?,
        id,
        began_at: stream.time_of(start)?,
        id_at: stream.time_of(id_offset)?,
        ended_at: stream.time_of(end - 1)?,
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: u16 = 5038;
    const CLIENT: u16 = 40_000;

    /// Segments as `(at, source port, text)`, one connection; exchanges as `(action, to id, to end)`.
    fn check(rows: &[(u64, u16, &str)], expected: &[(&str, u64, u64)]) {
        let mut sequence = HashMap::from([(SERVER, 1), (CLIENT, 1)]);
        let segments: Vec<Segment> = rows
            .iter()
            .map(|&(at, source_port, text)| {
                let next = sequence.get_mut(&source_port).unwrap();
                let own = *next;
                *next += text.len() as u64;
                Segment {
                    at,
                    stream: 3,
                    source_port,
                    sequence: own,
                    payload: text.as_bytes().to_vec(),
                }
            })
            .collect();
        assert_eq!(exchanges(&segments, SERVER, &BTreeSet::new()), []);
        let found = exchanges(&segments, SERVER, &BTreeSet::from([CLIENT]));
        let found: Vec<(&str, u64, u64)> = found
            .iter()
            .map(|it| (it.action.as_str(), it.to_id(), it.to_end()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_response_is_found_by_its_action_id_over_several_segments() {
        check(
            &[
                (1, SERVER, "Asterisk Call Manager/11.0.0\r\n"),
                (10, CLIENT, "Action: Ping\r\nActionID: a-1\r\n\r\n"),
                (
                    12,
                    SERVER,
                    "Event: Newchannel\r\nActionID: a-1\r\n\r\nRespon",
                ),
                (15, SERVER, "se: Success\r\nActionID: a-1\r\n"),
                (19, SERVER, "Ping: Pong\r\n\r\n"),
            ],
            &[("Ping", 5, 9)],
        );
    }

    #[test]
    fn only_the_same_whole_action_id_pairs() {
        let ping = (10, CLIENT, "Action: Ping\r\nActionID: a-1\r\n\r\n");
        for other in [
            "Response: Success\r\nActionID: a-11\r\n\r\n",
            "Response: Success\r\n\r\n",
            "Response: Success\r\nActionID: a-1\r\n",
            "Event: OriginateResponse\r\nResponse: Success\r\nActionID: a-1\r\n\r\n",
        ] {
            check(&[ping, (15, SERVER, other)], &[]);
        }
    }

    #[test]
    fn a_second_response_is_no_answer() {
        let response = "Response: Success\r\nActionID: a-1\r\n\r\n";
        check(
            &[
                (10, CLIENT, "Action: Originate\r\nActionID: a-1\r\n\r\n"),
                (14, SERVER, response),
                (30, SERVER, response),
            ],
            &[("Originate", 4, 4)],
        );
    }
}
