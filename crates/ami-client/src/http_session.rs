//! `HttpSession`: AMI over HTTP. One action is one request, and what its body says goes through the decoder as if a wire had
//! said it; events come only as answers to WaitEvent.
//!
//! Each request has a connection of its own: a server ends those that idle when it pleases, and an action that was sent into
//! such an end could neither be repeated nor counted as lost.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use ami_proto::action::{Action, ActionError, ActionId, login};
use ami_proto::frame::OwnedFrame;
use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::session::{LoginForm, SessionConfig, key};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;

use crate::capture::Tap;
use crate::connection::Reply;
use crate::open::{OpenError, connect, secure};
use crate::peer::Peer;

/// What one answer may hold; as of a session on a wire, no action that we send has one near it.
const BODY_BYTES_MAX: usize = 16 << 20;
const LIMITS: Limits = Limits {
    line_max: 64 * 1024,
    frame_max: 1024 * 1024,
    headers_max: 32 * 1024,
};
const FORM: &str = "application/x-www-form-urlencoded";

/// A session that is logged in.
#[derive(Debug)]
pub struct HttpSession {
    peer: Peer,
    /// `/rawman`, below the server's prefix.
    path: String,
    /// `mansession_id="…"`, once the server has given it.
    cookie: Option<String>,
    /// What is sent and answered, as if on a wire.
    tap: Option<Tap>,
    sent: u64,
}

#[derive(Debug, Error)]
pub enum HttpError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("failed to ask for a login")]
    Config(#[from] ActionError),
    #[error("{address} refused the login of {account}: {message}")]
    Refused {
        address: String,
        account: String,
        message: String,
    },
    #[error("{address} does not offer AMI over HTTP at {path}: {status}")]
    Status {
        address: String,
        path: String,
        status: StatusCode,
    },
    #[error("{address} answered {action} with nothing")]
    Nothing { address: String, action: String },
    #[error("{address} answered {action} with more than {BODY_BYTES_MAX} bytes")]
    TooLarge { address: String, action: String },
    #[error("no answer of {address} to {action} within {} s", .within.as_secs_f64())]
    TimedOut {
        address: String,
        action: String,
        within: Duration,
    },
    #[error("the connection to {address} broke before {action} was answered")]
    Broke {
        address: String,
        action: String,
        source: io::Error,
    },
}

impl HttpSession {
    /// Logs in at `peer`, whose web server has AMI below `prefix`.
    pub async fn open(
        mut peer: Peer,
        prefix: &str,
        config: &SessionConfig,
    ) -> Result<Self, HttpError> {
        let capture = peer.capture.take();
        let mut session = Self {
            peer,
            path: format!("{prefix}/rawman"),
            cookie: None,
            tap: capture.map(|capture| capture.connection()),
            sent: 0,
        };
        let within = config.login_deadline;
        let (username, events) = (config.username.as_str(), config.events.as_str());
        let action = match config.login {
            LoginForm::Plain => login::login_plain(username, config.secret.expose(), events)?,
            LoginForm::Md5 => {
                let reply = session.request(&login::challenge(), within).await?;
                let challenge = reply.response().get("Challenge").unwrap_or_default();
                login::login_md5(username, &key(challenge, &config.secret), events)?
            }
        };
        let reply = session.request(&action, within).await?;
        if reply.is_success() {
            Ok(session)
        } else {
            Err(HttpError::Refused {
                address: session.peer.address,
                account: config.username.clone(),
                message: reply.message(),
            })
        }
    }

    /// The frames that answer one action; of WaitEvent the events are among them.
    pub async fn request(&mut self, action: &Action, within: Duration) -> Result<Reply, HttpError> {
        self.sent += 1;
        let id = ActionId::checked(&format!("http-{}", self.sent)).expect("digits are printable");
        let mut lines = Vec::new();
        action.encode(&id, &mut lines);
        if let Some(tap) = &self.tap {
            tap.client(&lines);
        }
        let answering = self.exchange(action.name(), form(&lines));
        let body = match tokio::time::timeout(within, answering).await {
            Ok(body) => body?,
            Err(_) => {
                return Err(HttpError::TimedOut {
                    address: self.peer.address.clone(),
                    action: action.name().to_owned(),
                    within,
                });
            }
        };
        if let Some(tap) = &self.tap {
            tap.server(&body);
        }
        let frames = frames(&body);
        if frames.is_empty() {
            return Err(HttpError::Nothing {
                address: self.peer.address.clone(),
                action: action.name().to_owned(),
            });
        }
        Ok(Reply { frames })
    }

    /// Says goodbye; a server that does not answer is left after `within`.
    pub async fn logoff(mut self, within: Duration) {
        let _ = self.request(&login::logoff(), within).await;
    }

    async fn exchange(&mut self, action: &str, form: String) -> Result<Bytes, HttpError> {
        let address = self.peer.address.clone();
        let broke = |source: io::Error| HttpError::Broke {
            address: address.clone(),
            action: action.to_owned(),
            source,
        };
        let wire = secure(&self.peer, connect(&address).await?).await?;
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await;
        let (mut sender, connection) = shaken.map_err(|error| broke(io::Error::other(error)))?;
        let mut request = Request::post(&self.path)
            .header(HOST, &address)
            .header(CONNECTION, "close")
            .header(CONTENT_TYPE, FORM);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request
            .body(Full::new(Bytes::from(form)))
            .expect("an address and a cookie that came in headers fit into headers");
        let answering = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(|error| broke(io::Error::other(error)))?;
            let (head, body) = response.into_parts();
            if head.status != StatusCode::OK {
                return Err(HttpError::Status {
                    address: address.clone(),
                    path: self.path.clone(),
                    status: head.status,
                });
            }
            let cookie = head
                .headers
                .get(SET_COOKIE)
                .and_then(|value| value.to_str().ok());
            let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
                Ok(_) => HttpError::TooLarge {
                    address: address.clone(),
                    action: action.to_owned(),
                },
                Err(error) => broke(io::Error::other(error)),
            })?;
            let cookie = cookie.and_then(|value| value.split(';').next());
            Ok((cookie.map(str::to_owned), body.to_bytes()))
        };
        // The connection moves only while it is looked at, and ends with the answer.
        let (answered, _) = tokio::join!(answering, connection);
        let (cookie, body) = answered?;
        self.cookie = cookie.or_else(|| self.cookie.take());
        Ok(body)
    }
}

/// The headers of an action as the fields of a form.
fn form(lines: &[u8]) -> String {
    let mut form = String::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        if !form.is_empty() {
            form.push('&');
        }
        escape(&line[..colon], &mut form);
        form.push('=');
        escape(line[colon + 1..].trim_ascii_start(), &mut form);
    }
    form
}

fn escape(text: &[u8], form: &mut String) {
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                form.push(char::from(*byte))
            }
            other => write!(form, "%{other:02X}").expect("writing to memory does not fail"),
        }
    }
}

fn frames(body: &[u8]) -> Vec<OwnedFrame> {
    let mut decoder = Decoder::client(LIMITS);
    let mut rest = body;
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut rest) {
        frames.push(frame.to_owned());
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_becomes_a_form() {
        let action = Action::new("Originate")
            .with("Channel", "Local/a b@c&d=e+f")
            .unwrap();
        let mut lines = Vec::new();
        action.encode(&ActionId::checked("1").unwrap(), &mut lines);
        assert_eq!(
            form(&lines),
            "Action=Originate&ActionID=1&Channel=Local%2Fa%20b%40c%26d%3De%2Bf"
        );
    }

    #[test]
    fn a_body_is_decoded_as_a_wire_would_be() {
        let body = b"Response: Success\r\nMessage: Waiting for Event completed.\r\n\r\nEvent: A\r\nN: 1\r\n\r\nEvent: WaitEventComplete\r\n\r\n";
        let frames = frames(body);
        let reply = Reply { frames };
        assert!(reply.is_success());
        assert_eq!((reply.frames.len(), reply.events("A").count()), (3, 1));
    }
}
