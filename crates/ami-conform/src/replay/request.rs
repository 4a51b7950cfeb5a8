//! A request as it will be sent: names and values, of which some are others than in the recording.

use std::fmt::Write as _;

use ami_proto::frame::Frame;

use crate::trace::Trace;

/// No PBX takes a longer line.
const LINE_MAX: usize = 1022;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// Or why it is none that can be sent again.
    pub fn of(frame: Frame<'_>) -> Result<Self, String> {
        if !frame.anomalies().is_empty() || frame.get("Action").is_none_or(<[u8]>::is_empty) {
            return Err("it is no sound request".to_owned());
        }
        let mut headers = Vec::new();
        for header in frame.headers() {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
            let (Some(name), Some(value)) = (text(header.name), text(header.value)) else {
                return Err("it is no UTF-8".to_owned());
            };
            if name.len() + value.len() + 2 > LINE_MAX {
                return Err(format!("its {name} is longer than {LINE_MAX} bytes"));
            }
            headers.push((name, value));
        }
        let request = Self { headers };
        if request.all("Action").count() > 1 {
            return Err("it names two actions".to_owned());
        }
        Ok(request)
    }

    pub fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    pub fn is(&self, action: &str) -> bool {
        self.action().eq_ignore_ascii_case(action)
    }

    /// The first header of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let of_name = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        let headers = self.headers.iter().filter(of_name);
        headers.map(|(_, value)| value.as_str())
    }

    /// The database key that it is about.
    pub(super) fn key(&self) -> Trace {
        Trace::DatabaseKey {
            family: self.text("Family"),
            key: self.text("Key"),
        }
    }

    /// The member of a queue that it is about.
    pub(super) fn member(&self) -> Trace {
        Trace::QueueMember {
            queue: self.text("Queue"),
            interface: self.text("Interface"),
        }
    }

    fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// Replaces the header of that name, or adds it.
    pub fn set(&mut self, name: &str, value: String) {
        let mut headers = self.headers.iter_mut();
        match headers.find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text + "\r\n"
    }
}
