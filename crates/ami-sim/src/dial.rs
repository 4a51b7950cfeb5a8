//! Dialling: lines that ring until one answers, all have failed, or time is up. An Originate dials, `Dial` does, a queue does.

use std::time::Duration;

use crate::agenda::Ticket;
use crate::call::CallKey;
use crate::channel::{ChannelKey, ChannelState, Party};
use crate::dial_application::Options;
use crate::line::Line;
use crate::pbx::{DeviceStage, Due, Pbx};
use crate::queue_call::QueueDial;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DialKey(pub(crate) u64);

/// Who hears how a dial ends.
#[derive(Clone, Debug)]
pub(crate) enum Owner {
    Originate(CallKey),
    /// `Dial`, which the caller runs.
    Application(Options),
    Queue(QueueDial),
    /// Who is called for an attended transfer; nobody tells of it but of its end.
    Transfer(ChannelKey),
}

#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) owner: Owner,
    /// The channel that dials; an Originate has none.
    pub(crate) caller: Option<ChannelKey>,
    pub(crate) began_at: Duration,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) enum Stage {
    Ringing {
        lines: Vec<ChannelKey>,
        timeout: Option<Ticket>,
        rang: Option<Duration>,
        failures: Vec<Failure>,
    },
    /// The caller talks with the line that answered.
    Talking { answered_at: Duration },
}

/// Why a line did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Busy,
    Congestion,
    NoAnswer,
    /// There was no channel to dial.
    Unavailable,
    /// It ended before it answered.
    HungUp {
        cause: u16,
    },
}

impl Failure {
    /// As DialEnd names it; an unanswered Originate has no DialEnd.
    fn dial_status(self) -> &'static str {
        match self {
            Self::Busy | Self::HungUp { cause: 17 } => "BUSY",
            Self::Congestion | Self::HungUp { cause: 34 } => "CONGESTION",
            Self::Unavailable | Self::HungUp { cause: 3 | 20 } => "CHANUNAVAIL",
            Self::NoAnswer | Self::HungUp { .. } => "NOANSWER",
        }
    }

    /// `handle_cause`: what it counts as when every line has failed.
    fn counts_as(self) -> Option<Self> {
        match self {
            Self::HungUp { cause: 17 } => Some(Self::Busy),
            Self::HungUp { cause: 34 } => Some(Self::Congestion),
            Self::NoAnswer | Self::HungUp { cause: 16 | 19 } => None,
            Self::HungUp { .. } => Some(Self::Unavailable),
            other => Some(other),
        }
    }

    /// DIALSTATUS when these are the ends of all lines.
    pub(crate) fn status_of_all(failures: &[Self]) -> &'static str {
        let counted: Option<Vec<_>> = failures.iter().map(|failure| failure.counts_as()).collect();
        let Some(counted) = counted else {
            return "NOANSWER";
        };
        [Self::Busy, Self::Congestion]
            .into_iter()
            .find(|worst| counted.contains(worst))
            .map_or("CHANUNAVAIL", Self::dial_status)
    }

    fn from_cause(cause: u16) -> Self {
        match cause {
            17 => Self::Busy,
            34 => Self::Congestion,
            cause => Self::HungUp { cause },
        }
    }
}

/// How a dial ended, for its owner.
#[derive(Debug)]
pub(crate) enum DialEnd {
    Answered(ChannelKey),
    Failed(Vec<Failure>),
    TimedOut,
}

impl Pbx {
    /// Dials all lines at once. The owner hears the end by `dial_ended`, also when there is none to dial.
    pub(crate) fn start_dial(
        &mut self,
        now: Duration,
        (owner, caller): (Owner, Option<ChannelKey>),
        lines: &[Line],
        timeout: Option<Duration>,
    ) -> DialKey {
        let key = self.next_dial();
        let timeout = timeout.map(|timeout| self.agenda.add(now + timeout, Due::DialTimeout(key)));
        let stage = Stage::Ringing {
            lines: lines.iter().map(|line| line.channel).collect(),
            timeout,
            rang: None,
            failures: Vec::new(),
        };
        let dial = Dial {
            owner,
            caller,
            began_at: now,
            stage,
        };
        self.dials.insert(key, dial);
        if let Some(caller) = caller {
            self.channel_mut(caller).dialling = Some(key);
        }
        for line in lines {
            self.channel_mut(line.channel).dialled_in = Some(key);
        }
        for line in lines {
            self.begin_line(now, key, line);
        }
        self.end_dial_without_lines(now, key);
        key
    }

    /// One line of a dial begins to ring, or there is nothing behind it.
    pub(crate) fn begin_line(&mut self, now: Duration, key: DialKey, line: &Line) {
        if self.call_line(now, line).is_err() {
            self.drop_line(key, line.channel, Failure::Unavailable);
            self.hangup_event(now, line.channel);
            self.tell_records(now, line.channel);
            self.device_state(now, line.channel, "INVALID");
            self.forget_channel(line.channel);
        }
    }

    /// What the caller lends to a line: variables that inherit, its account, and who calls whom.
    pub(crate) fn prepare_line(
        &mut self,
        now: Duration,
        caller: ChannelKey,
        line: &Line,
        application: &str,
    ) {
        let key = line.channel;
        self.set_variable(now, key, "DIALEDPEERNUMBER", &line.dial_string);
        let from = &self.channels[&caller];
        let inherited = from.inherited_variables();
        let called = Party {
            number: Some(from.place.exten.clone()),
            name: from.connected.name.clone(),
        };
        let (calling, account) = (from.caller.clone(), from.account.clone());
        let (context, exten) = (from.place.context.clone(), from.place.exten.clone());
        for (name, value) in inherited {
            self.var_set(now, key, &name, &value);
            self.channel_mut(key).variables.push((name, value));
        }
        let (known, accounted) = (calling != Party::default(), !account.is_empty());
        let channel = self.channel_mut(key);
        channel.caller = called;
        channel.connected = calling;
        channel.account = account;
        let mut place = channel.place.clone();
        (place.context, place.exten) = (context, exten);
        self.enter(now, key, place, (application, "(Outgoing Line)"));
        self.new_caller(now, key);
        if accounted {
            self.new_account(now, key);
        }
        if known {
            self.new_connected_line(now, key);
        }
    }

    pub(crate) fn device_stage(&mut self, now: Duration, channel: ChannelKey, stage: DeviceStage) {
        if self.dial_of(channel).is_none() {
            return;
        }
        match stage {
            DeviceStage::Ringing => self.line_rings(now, channel),
            DeviceStage::Answer => self.line_answered(now, channel),
            DeviceStage::Refuse { cause } => {
                self.channel_mut(channel).hangup_cause = cause;
                self.line_failed(now, channel, Failure::from_cause(cause));
            }
        }
    }

    pub(crate) fn dial_end(&mut self, now: Duration, line: ChannelKey, status: &str) {
        self.dial_event(now, "DialEnd", line, ("DialStatus", status));
        let caller = self.caller_of(line);
        self.record_dial_end(now, (caller, line), status);
    }

    /// Who dials this line, unless it is an Originate.
    pub(crate) fn caller_of(&self, line: ChannelKey) -> Option<ChannelKey> {
        self.dials.get(&self.dial_of(line)?)?.caller
    }

    /// The dial that this line still rings for.
    pub(crate) fn dial_of(&self, line: ChannelKey) -> Option<DialKey> {
        let key = self.channels.get(&line)?.dialled_in?;
        self.dials.contains_key(&key).then_some(key)
    }

    pub(crate) fn line_rings(&mut self, now: Duration, line: ChannelKey) {
        let dial = self.dial_of(line).map(|key| &self.dials[&key]);
        if dial.is_some_and(|dial| matches!(dial.owner, Owner::Transfer(_))) {
            return;
        }
        self.set_state(now, line, ChannelState::Ringing);
        let Some(dial) = self.dial_of(line).and_then(|key| self.dials.get_mut(&key)) else {
            return;
        };
        let (caller, span) = (dial.caller, now - dial.began_at);
        if let (Stage::Ringing { rang, .. }, Owner::Application(_)) = (&mut dial.stage, &dial.owner)
            && rang.replace(now).is_none()
            && let Some(caller) = caller
        {
            self.dial_time(now, caller, "RINGTIME", span);
        }
        if self.profile.base.is_14_or_later() {
            self.dial_event(now, "DialState", line, ("DialStatus", "RINGING"));
        }
        if let Some(caller) = caller {
            self.indicate_ringing(now, caller);
        }
    }

    /// Whoever dials this channel through a Local channel hears that it rings.
    pub(crate) fn indicate_ringing(&mut self, now: Duration, key: ChannelKey) {
        if let Some(line) = self.dialled_half(key)
            && self.channels[&line].state == ChannelState::Down
        {
            self.line_rings(now, line);
        }
    }

    /// The other half of this channel, while it is dialled.
    pub(crate) fn dialled_half(&self, key: ChannelKey) -> Option<ChannelKey> {
        let peer = self.channels.get(&key)?.peer?;
        self.dial_of(peer).map(|_| peer)
    }

    /// One line is answered: the others are told so and end.
    pub(crate) fn line_answered(&mut self, now: Duration, line: ChannelKey) {
        let Some(key) = self.dial_of(line) else {
            return;
        };
        self.set_state(now, line, ChannelState::Up);
        if self.is_dial_of_queue(key) {
            self.dial_end(now, line, "ANSWER");
        }
        for other in self.take_lines(key) {
            if other != line {
                self.channel_mut(other).hangup_cause = 26;
                self.give_up_line(now, other, "CANCEL");
            }
        }
        // The caller may have been the other side of one that just ended.
        if self.dials.contains_key(&key) {
            self.dial_ended(now, key, DialEnd::Answered(line));
        } else {
            self.hang_up(now, line);
        }
    }

    /// This line will not answer any more.
    pub(crate) fn line_failed(&mut self, now: Duration, line: ChannelKey, failure: Failure) {
        let Some(key) = self.dial_of(line) else {
            return;
        };
        if matches!(self.dials[&key].owner, Owner::Transfer(_)) {
            return match failure {
                Failure::HungUp { .. } => self.target_ended(now, key, line),
                // The transferer hears it until its time is up.
                failure => self.dial_end(now, line, failure.dial_status()),
            };
        }
        self.dial_end(now, line, failure.dial_status());
        if let Owner::Queue(ring) = self.dials[&key].owner.clone() {
            self.member_missed(now, line, &ring);
        }
        self.drop_line(key, line, failure);
        let originate = matches!(self.dials[&key].owner, Owner::Originate(_));
        if originate {
            self.end_dial_without_lines(now, key);
        }
        self.hang_up(now, line);
        if !originate {
            self.end_dial_without_lines(now, key);
        }
    }

    fn drop_line(&mut self, key: DialKey, line: ChannelKey, failure: Failure) {
        let dropped = self.channel_mut(line);
        dropped.dialled_in = None;
        let cause = dropped.hangup_cause;
        let dial = self.dials.get_mut(&key).expect("its line still rings");
        if let Stage::Ringing {
            lines, failures, ..
        } = &mut dial.stage
        {
            lines.retain(|known| *known != line);
            failures.push(failure);
        }
        if let (Some(caller), Owner::Application(_)) = (dial.caller, &dial.owner) {
            self.channel_mut(caller).hangup_cause = cause;
        }
    }

    pub(crate) fn end_dial_without_lines(&mut self, now: Duration, key: DialKey) {
        let Some(dial) = self.dials.get_mut(&key) else {
            return;
        };
        if let Stage::Ringing {
            lines, failures, ..
        } = &mut dial.stage
            && lines.is_empty()
        {
            let failures = std::mem::take(failures);
            self.take_lines(key);
            self.dial_ended(now, key, DialEnd::Failed(failures));
        }
    }

    pub(crate) fn dial_timed_out(&mut self, now: Duration, key: DialKey) {
        let Some(dial) = self.dials.get(&key) else {
            return;
        };
        match dial.owner {
            // There is no DialEnd then.
            Owner::Originate(_) => {
                let cause = self.profile.base.no_answer_cause();
                let lines = self.take_lines(key);
                self.dial_ended(now, key, DialEnd::TimedOut);
                for line in lines {
                    let channel = self.channel_mut(line);
                    channel.dialled_in = None;
                    channel.hangup_cause = cause;
                    self.hang_up(now, line);
                }
            }
            Owner::Transfer(transferer) => self.end_consultation(now, transferer),
            Owner::Application(_) | Owner::Queue(_) => {
                for line in self.take_lines(key) {
                    self.give_up_line(now, line, "NOANSWER");
                }
                self.dial_ended(now, key, DialEnd::TimedOut);
            }
        }
    }

    /// The caller goes away while its lines ring, or while it waits in a queue.
    pub(crate) fn cancel_dial(&mut self, now: Duration, caller: ChannelKey) {
        self.cancel_ringing(now, caller);
        self.abandon_queue(now, caller);
    }

    pub(crate) fn cancel_ringing(&mut self, now: Duration, caller: ChannelKey) {
        let Some(key) = self
            .channels
            .get(&caller)
            .and_then(|caller| caller.dialling)
        else {
            return;
        };
        if matches!(self.dials[&key].stage, Stage::Talking { .. }) {
            return;
        }
        let of_queue = self.is_dial_of_queue(key);
        for line in self.take_lines(key) {
            if !of_queue {
                self.channel_mut(line).hangup_cause = 16;
            }
            self.give_up_line(now, line, "CANCEL");
        }
        self.forget_dial(key);
        if !of_queue {
            self.set_variable(now, caller, "DIALSTATUS", "CANCEL");
        }
    }

    fn give_up_line(&mut self, now: Duration, line: ChannelKey, status: &str) {
        let dial = self.dial_of(line).and_then(|key| self.dials.get(&key));
        if let Some(Owner::Queue(ring)) = dial.map(|dial| dial.owner.clone()) {
            if status == "NOANSWER" {
                self.member_missed(now, line, &ring);
            }
            self.dial_end(now, line, status);
            // Once for the member, once for the line.
            self.dial_event(now, "DialEnd", line, ("DialStatus", "CANCEL"));
        } else {
            self.dial_end(now, line, status);
        }
        self.channel_mut(line).dialled_in = None;
        self.hang_up(now, line);
    }

    /// Nothing rings any more. The lines that did still know their dial: its caller is in their DialEnd.
    pub(crate) fn take_lines(&mut self, key: DialKey) -> Vec<ChannelKey> {
        let Some(dial) = self.dials.get_mut(&key) else {
            return Vec::new();
        };
        let Stage::Ringing { lines, timeout, .. } = &mut dial.stage else {
            return Vec::new();
        };
        let lines = std::mem::take(lines);
        if let Some(ticket) = timeout.take() {
            self.agenda.cancel(ticket);
        }
        lines
    }

    pub(crate) fn forget_dial(&mut self, key: DialKey) {
        if let Some(caller) = self.dials.remove(&key).and_then(|dial| dial.caller)
            && let Some(caller) = self.channels.get_mut(&caller)
        {
            caller.dialling = None;
        }
    }

    fn dial_ended(&mut self, now: Duration, key: DialKey, end: DialEnd) {
        match self.dials[&key].owner.clone() {
            Owner::Originate(call) => self.originate_dial_ended(now, key, call, end),
            Owner::Application(options) => self.dial_application_ended(now, key, options, end),
            Owner::Queue(ring) => self.queue_dial_ended(now, key, ring, end),
            Owner::Transfer(transferer) => match end {
                DialEnd::Answered(line) => self.target_answered(now, key, line),
                DialEnd::Failed(_) | DialEnd::TimedOut => self.end_consultation(now, transferer),
            },
        }
    }
}
