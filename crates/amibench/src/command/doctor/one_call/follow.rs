//! One call as the events tell it. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use ami_load::RunTag;
use ami_proto::frame::Frame;

/// A dialplan that makes more of one call is not what a test dials; the rest is counted.
const MOMENTS_MAX: usize = 24;

#[derive(Debug)]
pub(super) struct Followed {
    tag: RunTag,
    action_id: Vec<u8>,
    /// When the Originate was sent: what is told counts from here.
    began_at: Duration,
    moments: Vec<(Duration, String)>,
    channels: BTreeSet<Vec<u8>>,
    pub(super) events: u32,
    pub(super) response: Option<Response>,
    /// The cause of the last channel that went.
    pub(super) ended: Option<String>,
}

/// What OriginateResponse said; `at` counts from the Originate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) at: Duration,
    pub(super) reason: Option<u16>,
    pub(super) answered: Answered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Yes,
    No,
}

impl Followed {
    pub(super) fn new(tag: RunTag, action_id: Vec<u8>, began_at: Duration) -> Self {
        Self {
            tag,
            action_id,
            began_at,
            moments: Vec::new(),
            channels: BTreeSet::new(),
            events: 0,
            response: None,
            ended: None,
        }
    }

    pub(super) fn tag(&self) -> &RunTag {
        &self.tag
    }

    /// `now` is on the clock of `began_at`.
    pub(super) fn note(&mut self, now: Duration, what: impl Into<String>) {
        let at = now.saturating_sub(self.began_at);
        if self.moments.len() < MOMENTS_MAX {
            self.moments.push((at, what.into()));
        }
    }

    /// Takes an event if it is of this call.
    pub(super) fn handle(&mut self, now: Duration, event: &Frame<'_>) {
        let by_action = event.get("ActionID") == Some(self.action_id.as_slice());
        if !by_action && !self.tag.owns(event) {
            return;
        }
        self.events += 1;
        let text = |header| event.text(header).unwrap_or_default().into_owned();
        match event.get("Event") {
            Some(b"Newchannel") => {
                self.channels
                    .extend(event.get("Uniqueid").map(<[u8]>::to_vec));
                self.note(now, format!("Newchannel        {}", text("Channel")));
            }
            Some(b"Newstate") => {
                let state = text("ChannelStateDesc");
                self.note(now, format!("Newstate {state:8} {}", text("Channel")));
            }
            Some(b"OriginateResponse") => {
                let response = respond(now.saturating_sub(self.began_at), event);
                self.note(now, format!("OriginateResponse {}", in_words(response)));
                self.response = Some(response);
            }
            Some(b"Hangup") => {
                if let Some(id) = event.get("Uniqueid") {
                    self.channels.remove(id);
                }
                let cause = format!("{} {}", text("Cause"), text("Cause-txt"));
                self.note(
                    now,
                    format!("Hangup            {}, {cause}", text("Channel")),
                );
                if self.channels.is_empty() {
                    self.ended = Some(cause);
                }
            }
            _ => {}
        }
    }

    /// Nothing more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.ended.is_some() && self.response.is_some()
    }

    /// The PBX said how the attempt ended.
    pub(super) fn is_settled(&self) -> bool {
        self.response.is_some()
    }

    pub(super) fn is_answered(&self) -> bool {
        self.response
            .is_some_and(|response| response.answered == Answered::Yes)
    }

    pub(super) fn timeline(&self) -> Vec<String> {
        let line = |(at, what): &(Duration, String)| format!("{:>5} ms  {what}", at.as_millis());
        self.moments.iter().map(line).collect()
    }
}

fn respond(at: Duration, event: &Frame<'_>) -> Response {
    let success = event
        .get("Response")
        .is_some_and(|value| value.eq_ignore_ascii_case(b"Success"));
    Response {
        at,
        reason: event
            .text("Reason")
            .and_then(|reason| reason.trim().parse().ok()),
        answered: if success { Answered::Yes } else { Answered::No },
    }
}

/// What the numbers of `Reason` mean.
pub(super) fn in_words(response: Response) -> String {
    let word = match response.reason {
        _ if response.answered == Answered::Yes => "answered",
        Some(1) => "the called side hung up",
        Some(3) => "nobody answered",
        Some(5) => "busy",
        Some(8) => "congestion",
        _ => "failed",
    };
    match response.reason {
        Some(reason) => format!("{word} (reason {reason})"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ami_proto::frame::decode::{Decoder, Limits};

    fn followed(events: &[&str]) -> Followed {
        let tag = RunTag::parse("amib-0011aaff").unwrap();
        let mut followed = Followed::new(tag, b"id-1".to_vec(), Duration::ZERO);
        for (at, text) in (1..).zip(events) {
            let wire = text.replace('\n', "\r\n") + "\r\n\r\n";
            let mut bytes = wire.as_bytes();
            let mut decoder = Decoder::server(Limits::default());
            let frame = decoder.decode(&mut bytes).expect("a whole frame");
            followed.handle(Duration::from_millis(at), &frame);
        }
        followed
    }

    #[test]
    fn a_call_is_over_with_its_last_channel_and_its_response() {
        let first = "Event: Newchannel\nChannel: Local/a;1\nUniqueid: amib-0011aaff-0-0";
        let second = "Event: Newchannel\nChannel: Local/a;2\nUniqueid: amib-0011aaff-0-0;2";
        let down = "Event: Hangup\nChannel: Local/a;1\nUniqueid: amib-0011aaff-0-0\nCause: 16\nCause-txt: Normal Clearing";
        let down_too = "Event: Hangup\nChannel: Local/a;2\nUniqueid: amib-0011aaff-0-0;2\nCause: 16\nCause-txt: Normal Clearing";
        let answered = "Event: OriginateResponse\nActionID: id-1\nResponse: Success\nReason: 4";
        let foreign = "Event: Hangup\nChannel: SIP/1\nUniqueid: 1795248963.2\nCause: 21";
        let half = followed(&[first, second, answered, foreign, down]);
        assert!(half.is_settled() && !half.is_over());
        let whole = followed(&[first, second, answered, foreign, down, down_too]);
        assert!(whole.is_over());
        assert_eq!(whole.events, 5);
        assert_eq!(whole.ended.as_deref().unwrap(), "16 Normal Clearing");
        assert_eq!(
            whole.timeline()[2],
            "    3 ms  OriginateResponse answered (reason 4)"
        );
    }

    #[test]
    fn a_failure_is_told_in_words() {
        let busy =
            followed(&["Event: OriginateResponse\nActionID: id-1\nResponse: Failure\nReason: 5"]);
        assert_eq!(in_words(busy.response.unwrap()), "busy (reason 5)");
    }
}
