//! AMI over HTTP as cases use it: requests, each on a connection of its own, so that all that is heard there is its answer.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use ami_client::wire::Wire;
use ami_proto::frame::OwnedFrame;
use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::transcript::Mark;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::allowed;
use crate::bench::{Bench, Place, Way, reach};
use crate::finding::{Evidence, Finding};
use crate::log::{Manners, Side};
use crate::probe::ANSWER_WITHIN;

/// No answer to what cases ask for has so much; of one that has, the rest is not read.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Asterisk sends a dozen.
const HEADERS_MAX: usize = 64;
const READ_BYTES: usize = 16 * 1024;
const COOKIE: &str = "mansession_id";
const FORM: &str = "application/x-www-form-urlencoded";

/// What is asked for, written when it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    method: &'static str,
    resource: &'static str,
    fields: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    /// A body of so many bytes, which never comes.
    announced: Option<usize>,
}

impl Request {
    /// An action as a form.
    pub fn post(resource: &'static str, action: &str) -> Self {
        Self::of("POST", resource).with("Action", action)
    }

    /// An action in the address.
    pub fn get(resource: &'static str, action: &str) -> Self {
        Self::of("GET", resource).with("Action", action)
    }

    pub fn of(method: &'static str, resource: &'static str) -> Self {
        Self {
            method,
            resource,
            fields: Vec::new(),
            headers: Vec::new(),
            announced: None,
        }
    }

    /// A form that is said to have so many bytes, and of which none comes.
    pub fn announcing(resource: &'static str, bytes: usize) -> Self {
        Self {
            announced: Some(bytes),
            ..Self::of("POST", resource)
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What stands behind the method.
    pub fn address(&self, prefix: &str) -> String {
        let address = format!("{prefix}/{}", self.resource);
        match (self.method, self.form()) {
            ("POST", _) => address,
            (_, form) if form.is_empty() => address,
            (_, form) => format!("{address}?{form}"),
        }
    }

    pub fn method(&self) -> &'static str {
        self.method
    }

    fn form(&self) -> String {
        let mut form = String::new();
        for (name, value) in &self.fields {
            let line = format!("{name}: {value}\r\n");
            if let Some(what) = allowed::forbidden(line.as_bytes()) {
                // As of a probe: better no run than one that does harm.
                panic!("{what} is not on the list of what cases may send (allowed.rs)");
            }
            if !form.is_empty() {
                form.push('&');
            }
            escape(name, &mut form);
            form.push('=');
            escape(value, &mut form);
        }
        form
    }

    fn text(&self, prefix: &str) -> String {
        let address = self.address(prefix);
        let mut text = format!(
            "{} {address} HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\n",
            self.method
        );
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if self.method == "POST" {
            let form = self.form();
            let length = self.announced.unwrap_or(form.len());
            let _ = write!(
                text,
                "Content-Type: {FORM}\r\nContent-Length: {length}\r\n\r\n{form}"
            );
        } else {
            text.push_str("\r\n");
        }
        text
    }
}

fn escape(text: &str, form: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                form.push(char::from(byte));
            }
            other => {
                let _ = write!(form, "%{other:02X}");
            }
        }
    }
}

/// A request that was sent.
#[derive(Debug)]
pub struct Asked {
    wire: Wire,
    place: Place,
    conn: u32,
    sent: u64,
    heard: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub evidence: Evidence,
}

/// Who is logged in over HTTP.
#[derive(Debug, Clone)]
pub struct WebSession {
    pub cookie: String,
}

impl Bench<'_> {
    /// Sends a request; its answer may be waited for later.
    pub async fn web_begin(&mut self, request: &Request) -> Result<Asked, Finding> {
        let site = Rc::clone(&self.site);
        let text = request.text(&self.device.web_prefix);
        // At the pace of an action, whatever it asks for.
        site.meter.wait(b"Action: HTTP").await;
        let (mut wire, place) = reach(&site, Way::Web).await?;
        let conn = site.open(Manners::Foreign);
        site.log(conn, Side::Client, text.as_bytes());
        if wire.write_all(text.as_bytes()).await.is_ok() {
            // What cannot be flushed cannot be written either.
            let _ = wire.flush().await;
        }
        Ok(Asked {
            wire,
            place,
            conn,
            sent: text.len() as u64,
            heard: Vec::new(),
        })
    }

    pub async fn web(&mut self, request: &Request) -> Result<Answer, Finding> {
        let asked = self.web_begin(request).await?;
        asked.answer(ANSWER_WITHIN).await
    }

    /// The request that logs in, with events of this mask.
    pub fn web_login(&self, events: &str) -> Result<Request, Finding> {
        let credentials = self.credentials()?;
        Ok(Request::post("rawman", "Login")
            .with("Username", &credentials.username)
            .with("Secret", credentials.secret.expose())
            .with("Events", events))
    }

    /// Logged in, and out again behind the case.
    pub async fn web_session(&mut self, events: &str) -> Result<WebSession, Finding> {
        let site = Rc::clone(&self.site);
        if let Some(Err(why)) = site.first_web_login.get() {
            return Err(Finding::inconclusive(why));
        }
        let answer = self.web(&self.web_login(events)?).await?;
        let session = match (answer.is("Response", "Success"), answer.cookie()) {
            (true, Some(cookie)) => Ok(WebSession { cookie }),
            (true, None) => Err("no cookie came with the login over HTTP".to_owned()),
            (false, _) => Err(format!(
                "the login over HTTP was refused: {}",
                answer.summary()
            )),
        };
        let known = session.as_ref().map(|_| ()).map_err(Clone::clone);
        site.first_web_login.get_or_init(|| known);
        let session = session.map_err(Finding::inconclusive)?;
        self.web_sessions.push(session.cookie.clone());
        Ok(session)
    }

    /// Logs off whoever is logged in over HTTP. It is only polite: a session that stays ends by itself.
    pub(crate) async fn leave_web(&mut self) {
        for cookie in std::mem::take(&mut self.web_sessions) {
            let request = Request::post("rawman", "Logoff").header("Cookie", &cookie);
            let _ = self.web(&request).await;
        }
    }
}

impl WebSession {
    /// Asks for something in the name of this session.
    pub fn says(&self, request: Request) -> Request {
        request.header("Cookie", &self.cookie)
    }
}

impl Asked {
    /// All that comes up to the end of the body, or of the connection.
    pub async fn answer(mut self, within: Duration) -> Result<Answer, Finding> {
        let ended = timeout(within, self.read()).await;
        match Answer::parse(&self.heard, self.conn) {
            Some(answer) => Ok(answer),
            None => {
                let seconds = within.as_secs_f64();
                let got = match ended {
                    Err(_) => format!("no whole answer within {seconds} s"),
                    Ok(()) => "the connection ended without a whole answer".to_owned(),
                };
                let asked = Evidence {
                    conn: self.conn,
                    side: Side::Client,
                    bytes: 0..self.sent,
                };
                let site = Rc::clone(&self.place.site);
                drop(self);
                Err(site.unanswered("an answer over HTTP", got, [asked]).await)
            }
        }
    }

    /// Whether the answer comes so soon; it can still be waited for.
    pub async fn is_answered(&mut self, within: Duration) -> bool {
        timeout(within, self.read()).await.is_ok()
    }

    async fn read(&mut self) {
        let mut buffer = vec![0; READ_BYTES];
        while self.heard.len() < ANSWER_BYTES_MAX && Answer::parse(&self.heard, self.conn).is_none()
        {
            match self.wire.read(&mut buffer).await {
                Ok(length) if length > 0 => {
                    let bytes = &buffer[..length];
                    self.place.site.log(self.conn, Side::Server, bytes);
                    self.heard.extend_from_slice(bytes);
                }
                _ => {
                    self.place.site.mark(self.conn, Mark::Fin);
                    return;
                }
            }
        }
    }
}

impl Answer {
    /// None as long as it is not whole.
    fn parse(bytes: &[u8], conn: u32) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = head.parse(bytes).ok()? else {
            return None;
        };
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                (header.name.to_owned(), value)
            })
            .collect();
        let named = |name: &str| find(&headers, name);
        let body = named("Content-Length")?.parse::<usize>().ok()?;
        let end = length.checked_add(body)?;
        Some(Self {
            status: head.code?,
            body: bytes.get(length..end)?.to_vec(),
            evidence: Evidence {
                conn,
                side: Side::Server,
                bytes: 0..end as u64,
            },
            headers,
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// What names the session, ready to be sent back.
    pub fn cookie(&self) -> Option<String> {
        let cookie = self.header("Set-Cookie")?.split(';').next()?.trim();
        cookie.starts_with(COOKIE).then(|| cookie.to_owned())
    }

    /// Of a cookie, as `Max-Age`.
    pub fn cookie_value(&self, name: &str) -> Option<&str> {
        let mut parts = self.header("Set-Cookie")?.split(';').map(str::trim);
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    }

    /// Of `/rawman`.
    pub fn frames(&self) -> Vec<OwnedFrame> {
        let mut decoder = Decoder::client(Limits::default());
        let mut rest = self.body.as_slice();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.decode(&mut rest) {
            frames.push(frame.to_owned());
        }
        frames
    }

    /// The first message has this header.
    pub fn is(&self, name: &str, value: &str) -> bool {
        let frames = self.frames();
        let first = frames.first().map(OwnedFrame::as_frame);
        first.is_some_and(|frame| frame.get(name) == Some(value.as_bytes()))
    }

    pub fn expect(&self, name: &str, value: &str) -> Result<(), Finding> {
        if self.is(name, value) {
            return Ok(());
        }
        let expected = format!("`{name}: {value}`");
        Err(Finding::fail(expected, self.summary()).with(self.evidence.clone()))
    }

    pub fn expect_status(&self, status: u16) -> Result<(), Finding> {
        if self.status == status {
            return Ok(());
        }
        let got = format!("status {}", self.status);
        Err(Finding::fail(format!("status {status}"), got).with(self.evidence.clone()))
    }

    /// On one line, the same whenever the same is said.
    pub fn summary(&self) -> String {
        let frames = self.frames();
        let Some(frame) = frames.first().map(OwnedFrame::as_frame) else {
            return format!("status {} and no message", self.status);
        };
        let named = |line: &&[u8]| !line.to_ascii_lowercase().starts_with(b"actionid:");
        let lines = frame.lines().filter(named).take(2);
        let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
        format!("status {}, `{}`", self.status, lines.join(" / "))
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut headers = headers.iter();
    let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_its_method_wants_it() {
        let ask = |request: Request| request.with("X", "a b&\r\n").text("/pbx");
        assert_eq!(
            ask(Request::get("rawman", "Ping")),
            "GET /pbx/rawman?Action=Ping&X=a%20b%26%0D%0A HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\n\r\n"
        );
        let posted = ask(Request::post("mxml", "Ping").header("Cookie", "c"));
        assert!(posted.starts_with("POST /pbx/mxml HTTP/1.1\r\n"));
        assert!(posted.contains("\r\nCookie: c\r\n"));
        assert!(posted.ends_with("\r\nContent-Length: 28\r\n\r\nAction=Ping&X=a%20b%26%0D%0A"));
    }

    #[test]
    #[should_panic(expected = "Reload is not on the list")]
    fn what_is_not_allowed_is_not_asked_for_in_a_value_either() {
        let _ = Request::get("rawman", "Ping")
            .with("X", "a\r\nAction: Reload")
            .text("");
    }

    #[test]
    fn an_answer_is_whole_or_none() {
        let text = b"HTTP/1.1 200 OK\r\nSet-Cookie: mansession_id=\"0f\"; Version=1; Max-Age=60\r\nContent-Length: 21\r\n\r\nResponse: Success\r\n\r\n";
        for cut in 0..text.len() {
            assert!(Answer::parse(&text[..cut], 0).is_none(), "{cut}");
        }
        let answer = Answer::parse(text, 0).unwrap();
        assert!(answer.is("Response", "Success"));
        assert_eq!(answer.cookie().unwrap(), "mansession_id=\"0f\"");
        assert_eq!(answer.cookie_value("Max-Age"), Some("60"));
        assert_eq!(answer.summary(), "status 200, `Response: Success`");
    }
}
