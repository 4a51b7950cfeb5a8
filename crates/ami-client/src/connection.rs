//! One AMI session driven by tokio: asks, waits, and hands over its parts to who drives it otherwise.

use std::io;
use std::time::Duration;

use ami_proto::action::Action;
use ami_proto::frame::decode::Decoder;
use ami_proto::frame::{Frame, OwnedFrame};
use ami_proto::session::{Answer, Disposition, Done, Session, Slot};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::clock::Clock;
use crate::wire::Wire;

/// One read takes what a PBX may have queued in a burst, without growing the process by much a session.
const READ_BYTES: usize = 16 * 1024;

/// A reply longer than this many frames is cut off: no list that a control connection asks for is longer.
const REPLY_FRAMES_MAX: usize = 100_000;

#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    decoder: Decoder,
    session: Session,
    clock: Clock,
    unread: Vec<u8>,
}

/// What belongs to a session when another driver takes it over.
#[derive(Debug)]
pub struct Parts {
    pub wire: Wire,
    pub decoder: Decoder,
    pub session: Session,
    /// Bytes read but not decoded yet.
    pub unread: Vec<u8>,
}

/// The frames that answered one action: the Response, then list items and their Complete.
#[derive(Debug)]
pub struct Reply {
    pub frames: Vec<OwnedFrame>,
}

impl Reply {
    pub fn response(&self) -> Frame<'_> {
        self.frames[0].as_frame()
    }

    pub fn is_success(&self) -> bool {
        self.response()
            .get("Response")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"Success"))
    }

    pub fn message(&self) -> String {
        self.response()
            .text("Message")
            .unwrap_or_default()
            .into_owned()
    }

    pub fn events(&self, name: &str) -> impl Iterator<Item = Frame<'_>> {
        self.frames[1..]
            .iter()
            .map(OwnedFrame::as_frame)
            .filter(move |frame| {
                frame
                    .get("Event")
                    .is_some_and(|event| event.eq_ignore_ascii_case(name.as_bytes()))
            })
    }
}

#[derive(Debug, Error)]
pub enum RequestError {
    #[error("failed to send {action}: the session takes no action now")]
    NotReady { action: String },
    #[error("no answer to {action} within {}", Seconds(*.within))]
    TimedOut { action: String, within: Duration },
    #[error("the connection ended before {action} was answered")]
    Ended { action: String },
    #[error("the connection broke before {action} was answered")]
    Broke { action: String, source: io::Error },
}

struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

/// What reading from the wire led to.
#[derive(Debug)]
pub enum Step {
    Disposition(Disposition),
    Ended,
    DeadlinePassed,
}

impl Connection {
    pub(crate) fn new(wire: Wire, decoder: Decoder, session: Session, clock: Clock) -> Self {
        Self {
            wire,
            decoder,
            session,
            clock,
            unread: Vec::new(),
        }
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The beginning of a frame whose end has not come.
    pub(crate) fn undecoded(&self) -> &[u8] {
        self.decoder.pending()
    }

    pub fn into_parts(self) -> Parts {
        Parts {
            wire: self.wire,
            decoder: self.decoder,
            session: self.session,
            unread: self.unread,
        }
    }

    /// Sends one action and collects everything that answers it; events that come in between are dropped.
    pub async fn request(
        &mut self,
        action: &Action,
        answer: Answer,
        within: Duration,
    ) -> Result<Reply, RequestError> {
        let name = || action.name().to_owned();
        let broke = |source| RequestError::Broke {
            action: name(),
            source,
        };
        let deadline = self.clock.now() + within;
        let slot = self.send(action, answer, within).await?;
        let mut frames: Vec<OwnedFrame> = Vec::new();
        loop {
            let mut keep = |frame: &Frame<'_>, disposition: &Disposition| {
                let ours = match disposition {
                    Disposition::Answer { slot: of, .. }
                    | Disposition::Item { slot: of, .. }
                    | Disposition::Complete { slot: of, .. } => *of == slot,
                    _ => false,
                };
                if ours && frames.len() < REPLY_FRAMES_MAX {
                    frames.push(frame.to_owned());
                }
            };
            match self.step(deadline, &mut keep).await.map_err(broke)? {
                Step::Disposition(Disposition::Answer { slot: of, done, .. })
                    if of == slot && done == Done::Yes =>
                {
                    break;
                }
                Step::Disposition(Disposition::Complete { slot: of, .. }) if of == slot => break,
                Step::Disposition(_) => {}
                Step::Ended => return Err(RequestError::Ended { action: name() }),
                Step::DeadlinePassed => {
                    return Err(RequestError::TimedOut {
                        action: name(),
                        within,
                    });
                }
            }
        }
        Ok(Reply { frames })
    }

    /// Sends one action; what answers it comes with the steps that follow.
    pub async fn send(
        &mut self,
        action: &Action,
        answer: Answer,
        within: Duration,
    ) -> Result<Slot, RequestError> {
        let name = || action.name().to_owned();
        let now = self.clock.now();
        let deadline = now + within;
        let slot = self
            .session
            .send(now, action, answer, deadline)
            .map_err(|_| RequestError::NotReady { action: name() })?;
        let sent = self.transmit(deadline).await;
        sent.map_err(|source| RequestError::Broke {
            action: name(),
            source,
        })?;
        Ok(slot)
    }

    /// The next event nobody asked for; none when none comes within that time or the connection ended.
    pub async fn next_event(&mut self, within: Duration) -> io::Result<Option<OwnedFrame>> {
        let deadline = self.clock.now() + within;
        loop {
            let mut event = None;
            let mut keep = |frame: &Frame<'_>, disposition: &Disposition| {
                if matches!(disposition, Disposition::Event) {
                    event = Some(frame.to_owned());
                }
            };
            match self.step(deadline, &mut keep).await? {
                Step::Disposition(_) if event.is_none() => {}
                Step::Disposition(_) | Step::DeadlinePassed | Step::Ended => return Ok(event),
            }
        }
    }

    /// Says goodbye and closes; a peer that does not answer is left after `within`.
    pub async fn logoff(mut self, within: Duration) {
        let _ = self
            .request(&Action::new("Logoff"), Answer::Single, within)
            .await;
        let _ = self.wire.shutdown().await;
    }

    /// Decodes the next frame, reading when none is buffered; the frame itself is shown to `look`. Nothing is lost when it is
    /// dropped before it is done.
    pub async fn step(
        &mut self,
        deadline: Duration,
        look: &mut impl FnMut(&Frame<'_>, &Disposition),
    ) -> io::Result<Step> {
        loop {
            let now = self.clock.now();
            // A peer that never stops talking must not talk us out of our deadline.
            if now >= deadline {
                return Ok(Step::DeadlinePassed);
            }
            let mut input = self.unread.as_slice();
            let decoded = self.decoder.decode(&mut input).map(|frame| {
                let disposition = self.session.handle_frame(now, &frame);
                look(&frame, &disposition);
                disposition
            });
            let left = input.len();
            self.unread.drain(..self.unread.len() - left);
            if let Some(disposition) = decoded {
                self.transmit(deadline).await?;
                return Ok(Step::Disposition(disposition));
            }
            self.unread.reserve(READ_BYTES);
            let read = self.wire.read_buf(&mut self.unread);
            match tokio::time::timeout_at(self.clock.instant(deadline), read).await {
                Err(_elapsed) => return Ok(Step::DeadlinePassed),
                Ok(Ok(0)) => return Ok(Step::Ended),
                Ok(Ok(_length)) => {}
                Ok(Err(error)) => return Err(error),
            }
        }
    }

    async fn transmit(&mut self, deadline: Duration) -> io::Result<()> {
        let mut bytes = Vec::new();
        while self.session.take_transmit(&mut bytes) {
            let write = self.wire.write_all(&bytes);
            tokio::time::timeout_at(self.clock.instant(deadline), write)
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            bytes.clear();
        }
        self.wire.flush().await
    }
}
