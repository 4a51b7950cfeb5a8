//! From the banner to the answer of the login. The credentials live here and are dropped with it.

use std::fmt;
use std::time::Duration;

use md5::{Digest, Md5};

use super::Disposition;
use crate::action::{Action, ActionError, ActionId, login};
use crate::anomaly::Anomaly;
use crate::frame::Frame;
use crate::message::{Banner, Message};
use crate::response::{Response, Status};

#[derive(Debug, Clone)]
pub struct SessionConfig {
    pub username: String,
    pub secret: Secret,
    pub login: LoginForm,
    /// The `Events` header of the login: `on`, `off` or a list of classes.
    pub events: String,
    /// Random bits chosen by the caller: others on the same PBX must not guess our ActionIDs.
    pub connection_id: u64,
    /// How long banner and login may take together.
    pub login_deadline: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginForm {
    Plain,
    /// Challenge and response; the secret does not cross the wire.
    Md5,
}

/// A password: it has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Debug)]
pub(super) struct Login {
    config: SessionConfig,
    deadline: Duration,
    awaiting: Awaiting,
}

#[derive(Debug, Clone, Copy)]
enum Awaiting {
    Banner,
    Challenge(ActionId),
    Answer(ActionId),
}

pub(super) enum Step {
    Send {
        action: Action,
        action_id: ActionId,
        disposition: Disposition,
    },
    Pass(Disposition),
    Ready,
    Closed(Disposition),
}

impl Login {
    pub(super) fn new(config: SessionConfig, now: Duration) -> Result<Self, ActionError> {
        let deadline = now + config.login_deadline;
        login::login_plain(&config.username, config.secret.expose(), &config.events)?;
        Ok(Self {
            config,
            deadline,
            awaiting: Awaiting::Banner,
        })
    }

    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Events may come before the answer, and a proxy may greet with none at all.
    pub(super) fn handle(&mut self, frame: &Frame<'_>) -> Step {
        match (self.awaiting, frame.message()) {
            (Awaiting::Banner, Message::Banner(banner)) if is_whole(frame) => self.greeted(&banner),
            (Awaiting::Banner, Message::Banner(banner)) => not_ami(&banner),
            (Awaiting::Banner, Message::Event(_)) => self.first_action(Disposition::Event),
            (Awaiting::Banner, _) => self.first_action(Disposition::Unmatched),
            (Awaiting::Challenge(id), Message::Response(response)) if answers(&response, &id) => {
                self.challenged(&response)
            }
            (Awaiting::Answer(id), Message::Response(response)) if answers(&response, &id) => {
                answered(&response)
            }
            (_, Message::Event(_)) => Step::Pass(Disposition::Event),
            _ => Step::Pass(Disposition::Unmatched),
        }
    }

    fn greeted(&mut self, banner: &Banner<'_>) -> Step {
        if !banner.is_manager() {
            return not_ami(banner);
        }
        self.first_action(Disposition::Banner)
    }

    fn first_action(&mut self, disposition: Disposition) -> Step {
        let SessionConfig {
            username,
            secret,
            events,
            ..
        } = &self.config;
        match self.config.login {
            LoginForm::Plain => {
                let action = login::login_plain(username, secret.expose(), events);
                self.log_in(
                    action.expect("the same values were checked in `new`"),
                    disposition,
                )
            }
            LoginForm::Md5 => {
                let action_id = ActionId::of_phase(self.config.connection_id, "challenge");
                self.awaiting = Awaiting::Challenge(action_id);
                Step::Send {
                    action: login::challenge(),
                    action_id,
                    disposition,
                }
            }
        }
    }

    fn challenged(&mut self, response: &Response<'_>) -> Step {
        let (Status::Success, Some(challenge)) =
            (response.status(), response.frame().get("Challenge"))
        else {
            return refused(response);
        };
        let SessionConfig {
            username,
            secret,
            events,
            ..
        } = &self.config;
        let action = login::login_md5(username, &key(challenge, secret), events);
        self.log_in(
            action.expect("the same values were checked in `new`"),
            Disposition::Progress,
        )
    }

    fn log_in(&mut self, action: Action, disposition: Disposition) -> Step {
        let action_id = ActionId::of_phase(self.config.connection_id, "login");
        self.awaiting = Awaiting::Answer(action_id);
        Step::Send {
            action,
            action_id,
            disposition,
        }
    }
}

/// What does not end is no banner, however it begins.
fn is_whole(frame: &Frame<'_>) -> bool {
    let is_cut = |anomaly: &Anomaly| matches!(anomaly, Anomaly::LineTooLong { .. });
    !frame.anomalies().iter().any(is_cut)
}

fn not_ami(banner: &Banner<'_>) -> Step {
    let banner = String::from_utf8_lossy(banner.line()).into_owned();
    Step::Closed(Disposition::NotAmi { banner })
}

/// Nothing else is in flight during the login, so an answer without ActionID is ours.
fn answers(response: &Response<'_>, id: &ActionId) -> bool {
    response
        .action_id()
        .is_none_or(|text| text == id.as_bytes())
}

fn answered(response: &Response<'_>) -> Step {
    match response.status() {
        Status::Success => Step::Ready,
        _ => refused(response),
    }
}

fn refused(response: &Response<'_>) -> Step {
    let message = response.message().unwrap_or_default().into_owned();
    Step::Closed(Disposition::Refused { message })
}

/// What answers a challenge. Servers compare it with case: lower-case hex.
pub fn key(challenge: &[u8], secret: &Secret) -> String {
    let digest = Md5::new()
        .chain_update(challenge)
        .chain_update(secret.expose())
        .finalize();
    let mut key = String::with_capacity(32);
    for byte in digest {
        for digit in [byte >> 4, byte & 0xf] {
            key.push(char::from_digit(u32::from(digit), 16).expect("four bits are a hex digit"));
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_lower_case_hex_md5_of_challenge_and_secret() {
        // RFC 1321: MD5 ("message digest")
        assert_eq!(
            key(b"message ", &Secret::new("digest")),
            "f96b697d7cb7938d525a2f31aaf161d0"
        );
    }

    #[test]
    fn a_secret_does_not_show() {
        let config = SessionConfig {
            username: "bench".into(),
            secret: Secret::new("hunter2"),
            login: LoginForm::Plain,
            events: "off".into(),
            connection_id: 1,
            login_deadline: Duration::from_secs(1),
        };
        let login = Login::new(config, Duration::ZERO).unwrap();
        let shown = format!("{login:?}");
        assert!(
            !shown.contains("hunter2") && shown.contains("secret: ***"),
            "{shown}"
        );
    }
}
