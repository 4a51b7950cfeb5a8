//! A Call is what one Originate leads to: from its start, through dialling, to an answer or a failure, until its last
//! channel is gone.

use std::time::Duration;

use crate::channel::{ChannelKey, Driver, Next, Party, Place};
use crate::class::Classes;
use crate::dial::{DialEnd, DialKey, Failure, Owner};
use crate::extension::Step;
use crate::line::Wish;
use crate::pbx::{Due, OriginateEnd, Pbx, SessionKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallKey(pub(crate) u64);

/// More calls than any PBX of these profiles carries; an Originate beyond it fails.
const CALLS_MAX: usize = 20_000;

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

#[derive(Clone, Debug)]
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
    order: Order,
    /// Who is told how it went, until then.
    requester: Option<Requester>,
    /// How many of its channels live.
    pub(crate) channels: usize,
}

impl Failure {
    /// OriginateResponse's number for it.
    fn reason(self) -> u8 {
        match self {
            Self::NoAnswer => 3,
            Self::Busy => 5,
            Self::Congestion => 8,
            Self::Unavailable | Self::HungUp { .. } => 0,
        }
    }
}

impl Pbx {
    pub(crate) fn place_call(&mut self, now: Duration, order: Order, requester: Requester) {
        self.counters.calls_placed += 1;
        let key = self.next_call();
        let call = Call {
            order,
            requester: Some(requester),
            channels: 0,
        };
        self.calls.insert(key, call);
        self.agenda
            .add(now + self.profile.timing.setup(), Due::Start(key));
    }

    pub(crate) fn start_call(&mut self, now: Duration, key: CallKey) {
        let Some(call) = self.calls.get(&key) else {
            return;
        };
        let order = &call.order;
        let timeout = order.timeout;
        let wish = Wish {
            call: key,
            target: order.channel.clone(),
            channel_id: order.channel_id.clone(),
            other_channel_id: order.other_channel_id.clone(),
            caller: None,
        };
        let line = if self.calls.len() > CALLS_MAX {
            Err(0)
        } else {
            self.request_line(now, wish)
        };
        match line {
            Ok(line) => {
                self.prepare_originated(now, key, line.channel);
                let owner = (Owner::Originate(key), None);
                self.start_dial(now, owner, &[line], Some(timeout));
            }
            Err(_) => self.originate_failed(now, key, Failure::Unavailable),
        }
    }

    /// What the request sets on the dialled channel: variables (last first), account, caller and connected line.
    fn prepare_originated(&mut self, now: Duration, call: CallKey, key: ChannelKey) {
        let place = self.channels[&key].place.clone();
        self.enter(now, key, place, ("AppDial2", "(Outgoing Line)"));
        let order = &self.calls[&call].order;
        let (variables, account, caller) = (
            order.variables.clone(),
            order.account.clone(),
            order.caller.clone(),
        );
        let call_max = self.profile.timing.call_max();
        let absolute = order
            .absolute_timeout
            .map(|timeout| now + timeout.min(call_max));
        for (name, value) in variables.iter().rev() {
            self.set_variable(now, key, name, value);
        }
        self.end_at(key, absolute.unwrap_or(now + call_max), absolute);
        if !account.is_empty() {
            self.channel_mut(key).account = account;
            self.new_account(now, key);
        }
        if caller != Party::default() {
            self.channel_mut(key).caller = caller.clone();
            self.new_caller(now, key);
            self.channel_mut(key).connected = caller;
            self.new_connected_line(now, key);
        }
    }

    pub(crate) fn originate_dial_ended(
        &mut self,
        now: Duration,
        dial: DialKey,
        call: CallKey,
        end: DialEnd,
    ) {
        match end {
            DialEnd::Answered(line) => {
                self.dial_end(now, line, "ANSWER");
                self.forget_dial(dial);
                self.originate_answered(now, call, line);
            }
            DialEnd::Failed(failures) => {
                self.forget_dial(dial);
                let failure = failures.first().copied().unwrap_or(Failure::Unavailable);
                self.originate_failed(now, call, failure);
            }
            DialEnd::TimedOut => {
                self.forget_dial(dial);
                self.originate_failed(now, call, Failure::NoAnswer);
            }
        }
    }

    /// The dialled channel is answered: it goes on to where the request sends it.
    fn originate_answered(&mut self, now: Duration, key: CallKey, line: ChannelKey) {
        self.counters.calls_answered += 1;
        let destination = self.calls[&key].order.destination.clone();
        let channel = self.channel_mut(line);
        channel.dialled_in = None;
        channel.records.originated = true;
        channel.records.of_originate = true;
        (channel.driver, channel.next) = match destination {
            Destination::Extension(place) => (Driver::Dialplan, Next::Place(place)),
            Destination::Application(step) => (Driver::Application, Next::Application(step)),
        };
        self.finish_originate(now, key, Ok(line));
        self.wake_at(now, line);
    }

    /// Tells who asked. A failed call is over with its last channel.
    fn originate_failed(&mut self, now: Duration, key: CallKey, failure: Failure) {
        self.counters.calls_failed += 1;
        self.finish_originate(now, key, Err(failure));
    }

    fn finish_originate(&mut self, now: Duration, key: CallKey, end: Result<ChannelKey, Failure>) {
        let requester = self
            .calls
            .get_mut(&key)
            .and_then(|call| call.requester.take());
        match requester {
            Some(Requester::Sync { session }) => {
                let told = match end {
                    Ok(_) => OriginateEnd::Answered,
                    Err(_) => OriginateEnd::Failed,
                };
                self.finished.push((session, told));
            }
            Some(Requester::Async { action_id }) => {
                self.originate_response(now, key, &action_id, end);
            }
            None => {}
        }
        if self.calls.get(&key).is_some_and(|call| call.channels == 0) {
            self.calls.remove(&key);
        }
    }

    /// One channel of the call is gone.
    pub(crate) fn leave_call(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        call.channels -= 1;
        if call.channels == 0 && call.requester.is_none() {
            self.calls.remove(&key);
        }
    }

    fn originate_response(
        &mut self,
        now: Duration,
        key: CallKey,
        action_id: &[u8],
        end: Result<ChannelKey, Failure>,
    ) {
        if !self.wants(Classes::CALL) {
            return;
        }
        let call = &self.calls[&key];
        let channel = end.ok().and_then(|channel| self.channels.get(&channel));
        let no_id = if self.profile.base.is_13_8_or_later() {
            "<unknown>"
        } else {
            "<null>"
        };
        let (response, reason) = match end {
            Ok(_) => ("Success", 4),
            Err(failure) => ("Failure", failure.reason()),
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
        let mut headers = self.with_caller(headers, &call.order.caller);
        if let Some(channel) = channel {
            for name in &self.profile.channel_variables {
                let header = format!("ChanVariable({})", channel.name);
                let value = channel.manager_variable(name);
                headers = headers.with_display(&header, format_args!("{name}={value}"));
            }
        }
        self.publish(Classes::CALL, headers);
    }
}

#[cfg(test)]
mod tests;
