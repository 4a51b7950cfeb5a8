//! Bytes of a connection → requests, within the limits of Asterisk's `http.c`.

use crate::web::digest::Credentials;
use crate::web::page::Format;
use crate::web::response::Refusal;

/// A request line may be so long.
const LINE_BYTES_MAX: usize = 4096;
/// All header lines together; Asterisk bounds each by 4096 bytes and counts them.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// `MAX_HTTP_REQUEST_HEADERS`.
const HEADERS_MAX: usize = 100;
/// `MAX_CONTENT`.
const BODY_BYTES_MAX: usize = 40960;

/// What was asked, as far as AMI is concerned.
#[derive(Clone, Debug)]
pub struct WebRequest {
    pub(crate) method: Method,
    pub(crate) resource: Option<Resource>,
    /// Of the query, or of the form that was posted.
    pub(crate) parameters: Vec<(Vec<u8>, Vec<u8>)>,
    /// The session that the client says to have.
    pub(crate) cookie: Option<u32>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) asks_to_close: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Other,
}

/// What AMI is asked for, and how it is told who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) format: Format,
    pub(crate) by_digest: bool,
}

/// What the bytes so far are.
#[derive(Debug)]
pub enum Reading {
    /// Not all of a request yet.
    Partial,
    Request(WebRequest),
    /// Answered with this, and the connection ends.
    Refused(Refusal),
}

/// One connection's input.
#[derive(Debug, Default)]
pub struct WebReader {
    input: Vec<u8>,
}

impl WebReader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    pub fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Takes one request off the input.
    pub fn read(&mut self) -> Reading {
        let line = self.input.iter().position(|byte| *byte == b'\n');
        if line.unwrap_or(self.input.len()) > LINE_BYTES_MAX {
            return Reading::Refused(Refusal::LineTooLong);
        }
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Request::new(&mut headers);
        let length = match head.parse(&self.input) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if self.input.len() <= HEAD_BYTES_MAX => {
                return Reading::Partial;
            }
            Ok(httparse::Status::Partial) | Err(_) => {
                return Reading::Refused(Refusal::BadRequest);
            }
        };
        let body = match header(&head, "Content-Length").map(str::parse) {
            None => 0,
            Some(Ok(body)) if body <= BODY_BYTES_MAX => body,
            Some(Ok(_)) => return Reading::Refused(Refusal::BodyTooLarge),
            Some(Err(_)) => return Reading::Refused(Refusal::BadRequest),
        };
        let Some(content) = self.input.get(length..length + body) else {
            return Reading::Partial;
        };
        let request = WebRequest::new(&head, content);
        self.input.drain(..length + body);
        Reading::Request(request)
    }
}

impl WebRequest {
    fn new(head: &httparse::Request<'_, '_>, content: &[u8]) -> Self {
        let method = match head.method.unwrap_or_default() {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            _ => Method::Other,
        };
        let target = head.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let is_form = header(head, "Content-Type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let parameters = match method {
            Method::Post if is_form => parameters(content),
            Method::Post => Vec::new(),
            _ => parameters(query.as_bytes()),
        };
        Self {
            method,
            resource: Resource::at(path),
            parameters,
            cookie: header(head, "Cookie").and_then(session_cookie),
            credentials: header(head, "Authorization").and_then(Credentials::parse),
            asks_to_close: header(head, "Connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close")),
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.parameters.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_slice())
    }
}

impl Resource {
    fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (format, by_digest) = match path.to_ascii_lowercase().as_str() {
            "/rawman" => (Format::Raw, false),
            "/mxml" => (Format::Xml, false),
            "/manager" => (Format::Html, false),
            "/arawman" => (Format::Raw, true),
            "/amxml" => (Format::Xml, true),
            "/amanager" => (Format::Html, true),
            _ => return None,
        };
        Some(Self { format, by_digest })
    }
}

fn header<'a>(head: &httparse::Request<'_, 'a>, name: &str) -> Option<&'a str> {
    let mut headers = head.headers.iter();
    let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(found.value).ok()
}

/// The id in `mansession_id=…`, between quotes or not.
fn session_cookie(cookies: &str) -> Option<u32> {
    let mut cookies = cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='));
    let (_, id) = cookies.find(|(name, _)| name.eq_ignore_ascii_case("mansession_id"))?;
    u32::from_str_radix(id.trim_matches('"'), 16).ok()
}

fn parameters(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = text
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut next = || unescape(halves.next().unwrap_or_default());
            (next(), next())
        })
        .collect()
}

/// `+` is a blank, `%41` an A; a percent sign that two digits do not follow stays. Line ends come through too: with
/// Asterisk, a parameter can forge headers.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.split_at_checked(2).and_then(|(digits, tail)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, tail))
        });
        let (byte, after) = match (first, code) {
            (b'%', Some(escaped)) => escaped,
            (b'+', _) => (b' ', tail),
            (other, _) => (*other, tail),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reading {
        let mut reader = WebReader::default();
        reader.push(text.as_bytes());
        reader.read()
    }

    fn request(text: &str) -> WebRequest {
        match read(text) {
            Reading::Request(request) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn check(target: &str, expected: &[(&str, &str)]) {
        let request = request(&format!("GET {target} HTTP/1.1\r\n\r\n"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found: Vec<_> = request
            .parameters
            .iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| (text(name.as_bytes()), text(value.as_bytes())))
            .collect();
        assert_eq!(found, expected, "{target}");
    }

    #[test]
    fn parameters_come_from_the_query_as_asterisk_decodes_it() {
        check(
            "/rawman?action=ping&ActionID=a%2Bb+c%20d%zz",
            &[("action", "ping"), ("ActionID", "a+b c d%zz")],
        );
        check(
            "/rawman?Foo&&=z&x=a=b",
            &[("Foo", ""), ("", "z"), ("x", "a=b")],
        );
        check("/rawman?a=x%0d%0aY:1", &[("a", "x\r\nY:1")]);
    }

    #[test]
    fn a_posted_form_counts_alone() {
        let post = |kind: &str| {
            let text = format!(
                "POST /mxml/?action=a HTTP/1.1\r\ncontent-type: {kind}\r\nContent-Length: 8\r\n\r\naction=b"
            );
            request(&text).parameter("ACTION").map(<[u8]>::to_vec)
        };
        assert_eq!(
            post("application/x-www-form-urlencoded; charset=utf-8"),
            Some(b"b".to_vec())
        );
        assert_eq!(post("text/plain"), None);
    }

    #[test]
    fn a_session_is_named_by_a_cookie_quoted_or_not() {
        let cookie =
            |value: &str| request(&format!("GET / HTTP/1.1\r\nCookie: {value}\r\n\r\n")).cookie;
        assert_eq!(cookie("mansession_id=\"00ff00AA\""), Some(0x00ff_00aa));
        assert_eq!(cookie("a=1; mansession_id=7; b=2"), Some(7));
        assert_eq!(cookie("session=7"), None);
    }

    #[test]
    fn limits_are_those_of_asterisk() {
        let refused = |text: &str| match read(text) {
            Reading::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        };
        let line = format!("GET /rawman?x={}", "y".repeat(5000));
        assert_eq!(refused(&line), Refusal::LineTooLong);
        assert_eq!(refused("garbage\r\n\r\n"), Refusal::BadRequest);
        let large = "POST /rawman HTTP/1.1\r\nContent-Length: 40961\r\n\r\n";
        assert_eq!(refused(large), Refusal::BodyTooLarge);
        assert!(matches!(
            read("POST /rawman HTTP/1.1\r\nContent-Length: 40960\r\n\r\n"),
            Reading::Partial
        ));
    }
}
