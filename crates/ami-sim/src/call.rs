//! A Call is what one Originate leads to: from its start, through dialling, to an answer or a failure.

use std::time::Duration;

use crate::agenda::Ticket;
use crate::channel::{ChannelKey, ChannelState, Driver, Party, Place};
use crate::class::Classes;
use crate::extension::Step;
use crate::pbx::{DeviceStage, Due, OriginateEnd, Pbx, SessionKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallKey(pub(crate) u64);

/// What an Originate asks for, checked.
#[derive(Debug)]
pub(crate) struct Order {
    /// As it was written: `Tech/data`.
    pub(crate) channel: String,
    pub(crate) destination: Destination,
    pub(crate) timeout: Duration,
    pub(crate) caller: Party,
    pub(crate) account: String,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) absolute_timeout: Option<Duration>,
    pub(crate) channel_id: Option<String>,
    pub(crate) other_channel_id: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Destination {
    Extension(Place),
    Application(Step),
}

#[derive(Debug)]
pub(crate) enum Requester {
    /// OriginateResponse tells everybody.
    Async { action_id: Vec<u8> },
    /// The session waits for the answer.
    Sync { session: SessionKey },
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) order: Order,
    requester: Requester,
    /// The originated channel while it is dialled.
    pub(crate) dialling: Option<ChannelKey>,
    pub(crate) timeout: Option<Ticket>,
    /// How many of its channels live.
    pub(crate) channels: usize,
}

/// Why nobody answered: what DialEnd calls it, and OriginateResponse's number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    dial_status: Option<&'static str>,
    reason: u8,
}

impl Failure {
    pub(crate) const BUSY: Self = Self {
        dial_status: Some("BUSY"),
        reason: 5,
    };
    pub(crate) const CONGESTION: Self = Self {
        dial_status: Some("CONGESTION"),
        reason: 8,
    };
    const NO_ANSWER: Self = Self {
        dial_status: None,
        reason: 3,
    };
    pub(crate) const NO_CHANNEL: Self = Self {
        dial_status: None,
        reason: 0,
    };

    /// A hangup before the answer has no reason of its own; DialEnd names its cause.
    pub(crate) fn hung_up(cause: u16) -> Self {
        let status = match cause {
            17 => "BUSY",
            34 => "CONGESTION",
            3 | 20 => "CHANUNAVAIL",
            _ => "NOANSWER",
        };
        Self {
            dial_status: Some(status),
            reason: 0,
        }
    }
}

impl Pbx {
    pub(crate) fn place_call(&mut self, now: Duration, order: Order, requester: Requester) {
        self.counters.calls_placed += 1;
        let key = self.next_call();
        self.calls.insert(
            key,
            Call {
                order,
                requester,
                dialling: None,
                timeout: None,
                channels: 0,
            },
        );
        self.agenda
            .add(now + self.profile.timing.setup(), Due::Start(key));
    }

    pub(crate) fn device_stage(&mut self, now: Duration, channel: ChannelKey, stage: DeviceStage) {
        if !self.channels.contains_key(&channel) {
            return;
        }
        match stage {
            DeviceStage::Ringing => self.ringing(now, channel),
            DeviceStage::Answer => self.answered(now, channel),
            DeviceStage::Refuse { cause } => {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.hangup_cause = cause;
                }
                let failure = match cause {
                    17 => Failure::BUSY,
                    34 => Failure::CONGESTION,
                    cause => Failure::hung_up(cause),
                };
                self.dial_failed(now, channel, failure);
            }
        }
    }

    pub(crate) fn ringing(&mut self, now: Duration, channel: ChannelKey) {
        self.set_state(now, channel, ChannelState::Ringing);
        if self.profile.base.is_14_or_later() {
            self.dial_event(now, "DialState", channel, ("DialStatus", "RINGING"));
        }
    }

    /// The dialled channel is answered: it goes on to where the request sends it.
    pub(crate) fn answered(&mut self, now: Duration, channel: ChannelKey) {
        let Some(key) = self.dialled_by(channel) else {
            return;
        };
        self.counters.calls_answered += 1;
        self.set_state(now, channel, ChannelState::Up);
        self.dial_event(now, "DialEnd", channel, ("DialStatus", "ANSWER"));
        let call = self
            .calls
            .get_mut(&key)
            .expect("it was found by its channel");
        call.dialling = None;
        if let Some(ticket) = call.timeout.take() {
            self.agenda.cancel(ticket);
        }
        let driver = match &call.order.destination {
            Destination::Extension(_) => Driver::Dialplan,
            Destination::Application(_) => Driver::Application,
        };
        self.channels
            .get_mut(&channel)
            .expect("it was just answered")
            .driver = driver;
        self.finish_originate(now, key, Ok(channel));
        self.wake_at(now, channel);
    }

    /// Nobody will answer the dialled channel any more.
    pub(crate) fn dial_failed(&mut self, now: Duration, channel: ChannelKey, failure: Failure) {
        let Some(key) = self.dialled_by(channel) else {
            return;
        };
        if let Some(status) = failure.dial_status {
            self.dial_event(now, "DialEnd", channel, ("DialStatus", status));
        }
        self.finish_originate(now, key, Err(failure));
        self.hang_up(now, channel);
    }

    pub(crate) fn no_answer(&mut self, now: Duration, key: CallKey) {
        let Some(channel) = self.calls.get(&key).and_then(|call| call.dialling) else {
            return;
        };
        let cause = self.profile.base.no_answer_cause();
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.hangup_cause = cause;
        }
        self.dial_failed(now, channel, Failure::NO_ANSWER);
    }

    /// The call that still dials this channel.
    pub(crate) fn dialled_by(&self, channel: ChannelKey) -> Option<CallKey> {
        let key = self.channels.get(&channel)?.call;
        (self.calls.get(&key)?.dialling == Some(channel)).then_some(key)
    }

    /// Tells who asked. A failed call is over with this.
    pub(crate) fn finish_originate(
        &mut self,
        now: Duration,
        key: CallKey,
        end: Result<ChannelKey, Failure>,
    ) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if let Some(ticket) = call.timeout.take() {
            self.agenda.cancel(ticket);
        }
        call.dialling = None;
        if end.is_err() {
            self.counters.calls_failed += 1;
        }
        match &self.calls[&key].requester {
            Requester::Sync { session } => {
                let told = if end.is_ok() {
                    OriginateEnd::Answered
                } else {
                    OriginateEnd::Failed
                };
                self.finished.push((*session, told));
            }
            Requester::Async { .. } => self.originate_response(now, key, end),
        }
        if end.is_err() {
            self.calls.remove(&key);
        }
    }

    fn originate_response(
        &mut self,
        now: Duration,
        key: CallKey,
        end: Result<ChannelKey, Failure>,
    ) {
        let call = &self.calls[&key];
        let Requester::Async { action_id } = &call.requester else {
            return;
        };
        if !self.wants(Classes::CALL) {
            return;
        }
        let channel = end.ok().and_then(|channel| self.channels.get(&channel));
        let no_id = if self.profile.base.is_13_8_or_later() {
            "<unknown>"
        } else {
            "<null>"
        };
        let (response, reason) = match end {
            Ok(_) => ("Success", 4),
            Err(failure) => ("Failure", failure.reason),
        };
        let headers = self
            .event(now, "OriginateResponse", Classes::CALL)
            .with_action_id(action_id)
            .with("Response", response)
            .with(
                "Channel",
                channel.map_or(&call.order.channel, |channel| &channel.name),
            );
        let headers = match &call.order.destination {
            Destination::Application(step) if self.profile.base.is_13_8_or_later() => headers
                .with("Application", &step.application)
                .with("Data", &step.data),
            Destination::Application(_) => headers.with("Context", "").with("Exten", ""),
            Destination::Extension(place) => headers
                .with("Context", &place.context)
                .with("Exten", &place.exten),
        };
        let id = channel
            .map(|channel| channel.uniqueid.as_str())
            .or(call.order.channel_id.as_deref());
        let headers = headers
            .with_display("Reason", reason)
            .with("Uniqueid", id.unwrap_or(no_id));
        let headers = self.with_caller(headers, &call.order.caller);
        self.publish(Classes::CALL, headers);
    }
}
