//! Answers and error pages, byte by byte as Asterisk's web server writes them.

use std::time::Duration;

use crate::web::page::Format;
use crate::web::request::WebRequest;

/// What a driver writes, and does then.
#[derive(Clone, Debug)]
pub struct WebResponse {
    pub bytes: Vec<u8>,
    pub after: After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    KeepOpen,
    Close,
}

impl After {
    /// As whoever asked wishes.
    pub(crate) fn of(request: &WebRequest) -> Self {
        if request.asks_to_close {
            Self::Close
        } else {
            Self::KeepOpen
        }
    }
}

/// Why there is no answer of AMI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    BadRequest,
    LineTooLong,
    /// With what to answer to.
    Unauthorized(String),
    PermissionDenied,
    NotFound,
    BodyTooLarge,
    NotImplemented,
    Busy,
}

/// Who answers, and when.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// `Asterisk/16.28.0`.
    pub(crate) server: String,
    /// Unix time.
    pub(crate) wall: Duration,
    pub(crate) after: After,
}

impl Refusal {
    /// Status, its words, and the sentence of the page.
    fn texts(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request", "Invalid Request"),
            Self::LineTooLong => (400, "Bad Request", "Request line too long"),
            Self::Unauthorized(_) => (401, "Unauthorized", ""),
            Self::PermissionDenied => (403, "Permission denied", "Permission denied"),
            Self::NotFound => (
                404,
                "Not Found",
                "The requested URL was not found on this server.",
            ),
            Self::BodyTooLarge => (413, "Request Entity Too Large", "Body too large"),
            Self::NotImplemented => (
                501,
                "Not Implemented",
                "Attempt to use unimplemented / unsupported method",
            ),
            Self::Busy => (503, "Server Busy", "Service unavailable"),
        }
    }

    /// Those after which Asterisk does not read on.
    fn ends_connection(&self) -> bool {
        !matches!(
            self,
            Self::Unauthorized(_) | Self::NotFound | Self::NotImplemented
        )
    }
}

impl Site {
    pub(crate) fn refusal(mut self, refusal: &Refusal) -> WebResponse {
        let (status, words, sentence) = refusal.texts();
        if refusal.ends_connection() {
            self.after = After::Close;
        }
        let more = match refusal {
            Refusal::Unauthorized(challenge) => format!("WWW-authenticate: {challenge}\r\n"),
            _ => String::new(),
        };
        let page = format!(
            "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\r\n<html><head>\r\n\
             <title>{status} {words}</title>\r\n</head><body>\r\n<h1>{words}</h1>\r\n\
             <p>{sentence}</p>\r\n<hr />\r\n<address>{}</address>\r\n</body></html>\r\n",
            self.server
        );
        let head = format!("{more}Content-type: text/html\r\n");
        self.response(&format!("{status} {words}"), &head, page.as_bytes())
    }

    /// An answer of AMI; `cookie` names the session and how long it lives.
    pub(crate) fn answer(
        self,
        format: Format,
        cookie: Option<(u32, Duration)>,
        body: &[u8],
    ) -> WebResponse {
        let session = match cookie {
            Some((id, lifetime)) => format!(
                "Set-Cookie: mansession_id=\"{id:08x}\"; Version=1; Max-Age={}\r\nPragma: SuppressEvents\r\n",
                lifetime.as_secs()
            ),
            None => String::new(),
        };
        let head = format!("Content-type: text/{}\r\n{session}", format.subtype());
        self.response("200 OK", &head, body)
    }

    fn response(self, status: &str, more: &str, body: &[u8]) -> WebResponse {
        let seconds = i64::try_from(self.wall.as_secs()).unwrap_or_default();
        let date = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        let close = match self.after {
            After::KeepOpen => "",
            After::Close => "Connection: close\r\n",
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nServer: {}\r\nDate: {}\r\n{close}Cache-Control: no-cache, no-store\r\n{more}\
             Content-Length: {}\r\n\r\n",
            self.server,
            date.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            body.len()
        );
        WebResponse {
            bytes: [head.as_bytes(), body].concat(),
            after: self.after,
        }
    }
}

impl WebResponse {
    /// As for `HEAD`: the length of a body that does not come.
    pub(crate) fn without_body(mut self) -> Self {
        if let Some(end) = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            self.bytes.truncate(end + 4);
        }
        self
    }
}
