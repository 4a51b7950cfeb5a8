//! Exactly one call: placed, followed, hung up, and looked for afterwards.

use std::time::Duration;

use ami_client::connection::RequestError;
use ami_client::dial::permit;
use ami_client::target::Role;
use ami_client::{Clock, Connection};
use ami_load::run_tag::CallKey;
use ami_load::{RunTag, cleanup, originate};
use ami_proto::action::{Action, ActionError};
use ami_proto::session::Answer;

use super::ANSWER_WITHIN;
use super::page::Finding;
use crate::exit_code::Exit;
use crate::refusal::Circumstances;

mod follow;

use follow::{Answered, Followed, Response, in_words};

/// The PBX ends the call by itself after this, should we be gone.
const HOLD: Duration = Duration::from_secs(15);
const RING: Duration = Duration::from_secs(10);
/// OriginateResponse comes a little after the ringing ends.
const COMPLETION_GRACE: Duration = Duration::from_secs(2);
/// Long enough to see that an answered call stays up.
const STAYS_UP: Duration = Duration::from_secs(1);
/// Hangup events of a call that is gone.
const LAST_EVENTS: Duration = Duration::from_millis(500);

const KEY: CallKey = CallKey {
    worker: 0,
    number: 0,
};

/// The role that is called, if the target maps it and permits the call.
pub(super) fn role<'a>(name: &str, at: &Circumstances<'a>) -> Result<&'a Role, Box<Finding>> {
    let target = at.target;
    let subject = format!("call {name}");
    let refused =
        |cause, fact: String| Finding::mend(&subject, fact, Exit::BadInput).caused_by(cause);
    let Some(role) = target.roles.get(name) else {
        let known: Vec<&str> = target.roles.keys().map(String::as_str).collect();
        let fact = match known.as_slice() {
            [] => "not placed: the target maps no role".to_owned(),
            known => format!("not placed: the target maps {}", known.join(", ")),
        };
        let add = format!("add [roles.{name}] to {}", target.origin);
        return Err(Box::new(refused("role", fact).advise(add)));
    };
    let limits = &target.limits;
    let least = [
        ("max_calls_up", u64::from(limits.max_calls_up)),
        ("max_calls_per_s", u64::from(limits.max_calls_per_s)),
        ("max_calls_total", limits.max_calls_total),
    ];
    if let Some((key, _)) = least.iter().find(|(_, permitted)| *permitted == 0) {
        let fact = format!("not placed: `{key}` is 0 in {}", target.origin);
        return Err(Box::new(refused("limits", fact)));
    }
    // Why not is told beside the role itself.
    permit(role, &target.dial)
        .map(|()| role)
        .map_err(|_| Box::new(Finding::note(&subject, "not placed: see the role")))
}

/// Two sessions of the account: `listening` hears every event that it may read, `asking` none.
pub(super) struct Sessions<'a> {
    pub(super) listening: &'a mut Connection,
    pub(super) asking: &'a mut Connection,
    pub(super) clock: Clock,
}

pub(super) async fn place(
    (name, role): (&str, &Role),
    mut sessions: Sessions<'_>,
    at: &Circumstances<'_>,
) -> Result<Finding, RequestError> {
    let subject = format!("call {name}");
    let tag = RunTag::random();
    let dialect = sessions.asking.session().dialect();
    let action = match action(role, &tag, dialect.accepts_channel_id().then_some(KEY)) {
        Ok(action) => action,
        Err(error) => return Ok(Finding::mend(&subject, error.to_string(), Exit::BadInput)),
    };
    let began_at = sessions.clock.now();
    let asking = &mut sessions.asking;
    let reply = asking
        .request(&action, Answer::Single, ANSWER_WITHIN)
        .await?;
    if !reply.is_success() {
        return Ok(not_taken(&subject, &reply.message(), role));
    }
    let id = reply.response().get("ActionID").unwrap_or_default();
    let mut followed = Followed::new(tag, id.to_vec(), began_at);
    let taken = format!("taken by the PBX, tag {}", followed.tag().as_str());
    followed.note(sessions.clock.now(), taken);
    sessions
        .follow(&mut followed, RING + COMPLETION_GRACE, Followed::is_settled)
        .await;
    if followed.is_answered() {
        sessions
            .follow(&mut followed, STAYS_UP, Followed::is_over)
            .await;
    }
    let was_up = followed.ended.is_none();
    let cleaned = sessions.hang_up(&mut followed).await?;
    let told = Told {
        subject: &subject,
        name,
        role,
        was_up,
    };
    Ok(told.finding(&followed, &cleaned, at))
}

fn action(role: &Role, tag: &RunTag, key: Option<CallKey>) -> Result<Action, ActionError> {
    let mut originate = originate::of_role(role, tag, HOLD, RING)?;
    originate.channel_id = key.map(|key| tag.channel_id(key));
    originate.action()
}

impl Sessions<'_> {
    /// Hears events until `done`, at most for `within`.
    async fn follow(
        &mut self,
        followed: &mut Followed,
        within: Duration,
        done: impl Fn(&Followed) -> bool,
    ) {
        let until = self.clock.now() + within;
        while !done(followed) {
            let left = until.saturating_sub(self.clock.now());
            match self.listening.next_event(left).await {
                Ok(Some(event)) => followed.handle(self.clock.now(), &event.as_frame()),
                Ok(None) | Err(_) => break,
            }
        }
    }

    async fn hang_up(&mut self, followed: &mut Followed) -> Result<cleanup::Cleaned, RequestError> {
        let cleaned = cleanup::hang_up(self.asking, followed.tag()).await?;
        if cleaned.hung_up > 0 {
            followed.note(self.clock.now(), "hung up by amibench");
        }
        self.follow(followed, LAST_EVENTS, Followed::is_over).await;
        if cleaned.left.is_empty() {
            followed.note(self.clock.now(), "gone: CoreShowChannels does not list it");
        }
        Ok(cleaned)
    }
}

fn not_taken(subject: &str, message: &str, role: &Role) -> Finding {
    let found = Finding::mend(
        subject,
        format!("the PBX does not take the Originate: {message}"),
        Exit::Failed,
    )
    .caused_by("originate-refused");
    match (&role.exten, &role.context) {
        (Some(exten), Some(context)) => found.advise(format!(
            "is there an extension {exten} in context {context}?"
        )),
        _ => found,
    }
}

struct Told<'a> {
    subject: &'a str,
    name: &'a str,
    role: &'a Role,
    was_up: bool,
}

impl Told<'_> {
    fn finding(
        &self,
        followed: &Followed,
        cleaned: &cleanup::Cleaned,
        at: &Circumstances<'_>,
    ) -> Finding {
        if !cleaned.left.is_empty() {
            let fact = format!("still up after the hang-up: {}", cleaned.left.join(", "));
            return Finding::mend(self.subject, fact, Exit::Failed).caused_by("left");
        }
        let found = match followed.response {
            None if followed.events == 0 => self.unseen(cleaned, at),
            None => Finding::mend(
                self.subject,
                "its end was never told: no OriginateResponse",
                Exit::Failed,
            )
            .caused_by("no-response"),
            Some(response) => self.ended(response, followed),
        };
        found.with_details(followed.timeline())
    }

    fn unseen(&self, cleaned: &cleanup::Cleaned, at: &Circumstances<'_>) -> Finding {
        let words = at.vendor.words();
        let seen = if cleaned.hung_up > 0 {
            "it was up, but"
        } else {
            ""
        };
        let fact = format!("{seen} none of its events came: the account may not read class call");
        Finding::mend(self.subject, fact.trim_start(), Exit::BadInput)
            .caused_by("read-class-call")
            .advise(format!(
                "{} {}",
                at.filled(words.read),
                words.privilege("call")
            ))
    }

    /// Roles that are not to answer have names that say so.
    fn ended(&self, response: Response, followed: &Followed) -> Finding {
        let after = response.at.as_millis();
        let as_named = match self.name {
            "busy" => response.reason == Some(5),
            "rings" => response.reason == Some(3),
            _ => response.answered == Answered::Yes,
        };
        let events = followed.events;
        let words = in_words(response);
        let fact = match (response.answered, self.was_up) {
            (Answered::Yes, true) => {
                format!("{words} after {after} ms, stayed up, hung up, gone; {events} events")
            }
            (Answered::Yes, false) => {
                format!("{words} after {after} ms, ended by itself; {events} events")
            }
            (Answered::No, _) => format!("{words} after {after} ms; {events} events"),
        };
        if as_named {
            return Finding::good(self.subject, fact);
        }
        let cause = followed
            .ended
            .as_ref()
            .map(|ended| format!(", cause {ended}"));
        let fact = format!("{fact}{}", cause.unwrap_or_default());
        let found = Finding::mend(self.subject, fact, Exit::Failed).caused_by("not-as-named");
        let channel = &self.role.channel;
        match (self.name, response.reason) {
            ("busy" | "rings", _) => found.advise(format!("role {} leads to something else than its name says", self.name)),
            (_, Some(3)) => found.advise(format!("{channel} needs something that answers by itself: an announcement, an IVR, a conference")),
            (_, Some(5 | 8)) => found.advise(format!("{channel} is in use, or takes no more calls")),
            _ => found.advise(format!("does {channel} exist, and is a phone registered there?")),
        }
    }
}
