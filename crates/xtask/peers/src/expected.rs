//! What a client must give of a frame.

use ami_proto::frame::Frame;
use ami_proto::{Decoder, FrameKind, Limits};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub kind: Kind,
    /// Without the ActionID of the action that the client sent: it is the client's own.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The text of a command, in lines.
    pub text: Option<Vec<String>>,
    /// Lines that are no headers: what becomes of them is the client's choice.
    pub odd: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Event,
    /// To the action that the client sent.
    Answer,
    /// A response that says not to what.
    Unaddressed,
    /// What it is cannot be known, so a client may drop it.
    Unclassified,
}

impl Expected {
    /// Nothing for a banner, and for what stands in place of one.
    pub fn of(frame: Frame<'_>, action_id: Option<&str>) -> Option<Self> {
        let own = |value: &[u8]| action_id.is_some_and(|id| id.as_bytes() == value);
        let kind = match frame.kind() {
            FrameKind::Banner | FrameKind::Action => return None,
            FrameKind::Event => Kind::Event,
            FrameKind::Unclassified => Kind::Unclassified,
            FrameKind::Response
                if frame.get("ActionID").is_some_and(own) || action_id.is_none() =>
            {
                Kind::Answer
            }
            FrameKind::Response => Kind::Unaddressed,
        };
        let mut headers = Vec::new();
        let mut output = Vec::new();
        for header in frame.headers() {
            if header.is("Output") {
                output.push(String::from_utf8_lossy(header.value).into_owned());
            } else if !(header.is("ActionID") && own(header.value)) {
                let name = String::from_utf8_lossy(header.name).into_owned();
                headers.push((name, header.value.to_vec()));
            }
        }
        let text = match frame.body() {
            Some(body) => Some(lines(&String::from_utf8_lossy(body))),
            None => (!output.is_empty()).then_some(output),
        };
        let odd = frame
            .lines()
            .filter(|line| frame.body().is_none() && !line.contains(&b':'));
        let odd = odd.map(|line| String::from_utf8_lossy(line).into_owned());
        Some(Self {
            kind,
            headers,
            text,
            odd: odd.filter(|line| !line.is_empty()).collect(),
        })
    }

    /// Of a text of ours.
    pub fn of_text(text: &str, action_id: Option<&str>) -> Self {
        let mut input = text.as_bytes();
        let mut decoder = Decoder::client(Limits::default());
        let frame = decoder.decode(&mut input).expect("a whole message");
        Self::of(frame, action_id).expect("no banner")
    }

    /// By what people know it: the event, the response.
    pub fn name(&self) -> String {
        let sign = if self.kind == Kind::Event {
            "Event"
        } else {
            "Response"
        };
        let mut headers = self.headers.iter();
        let value = headers
            .find(|(name, _)| name.eq_ignore_ascii_case(sign))
            .map(|(_, value)| value);
        let value = String::from_utf8_lossy(value.map_or(b"", Vec::as_slice));
        format!("{sign}: {value}")
    }
}

/// How a text ends and what ends its lines is not held against anybody.
pub fn lines(text: &str) -> Vec<String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    let lines = text.split('\n');
    lines
        .map(|line| line.trim_end_matches('\r').to_owned())
        .collect()
}
