//! A caller in a queue: it joins, waits for its turn, and members are rung for it until one answers or it leaves.

use std::time::Duration;

use rand_chacha::rand_core::Rng;

use crate::channel::{ChannelKey, Party};
use crate::device_state::DeviceState;
use crate::dial::{Dial, DialEnd, DialKey, Owner, Stage};
use crate::line::{Line, Wish};
use crate::pbx::{Due, Pbx};
use crate::queue::choice::Moment;
use crate::queue::waiting::{Options, Waiting};
use crate::queue::{InQueue, Queue, Strategy, WhenEmpty};

/// A caller that cannot be served yet looks again after so long.
const RECHECK: Duration = Duration::from_secs(1);

/// Members that are being rung for a caller.
#[derive(Clone, Debug)]
pub(crate) struct QueueDial {
    pub(crate) queue: String,
    lines: Vec<(ChannelKey, String)>,
    /// Rung in this attempt, and when it ends.
    tried: Vec<String>,
    ends_at: Duration,
}

impl QueueDial {
    pub(crate) fn interface_of(&self, line: ChannelKey) -> &str {
        let mut lines = self.lines.iter();
        lines
            .find(|(known, _)| *known == line)
            .map_or("", |(_, interface)| interface)
    }
}

/// `queue,options,URL,announcement,timeout`.
struct Orders {
    queue: String,
    options: Options,
    /// In seconds.
    timeout: Option<u64>,
}

fn parse(data: &str) -> Orders {
    let mut parts = data.split(',');
    let queue = parts.next().unwrap_or_default().to_owned();
    let options = Options(parts.next().unwrap_or_default().to_owned());
    let timeout = parts.nth(2).and_then(|text| text.trim().parse().ok());
    Orders {
        queue,
        options,
        timeout: timeout.filter(|seconds| *seconds > 0),
    }
}

impl Pbx {
    pub(crate) fn run_queue(&mut self, now: Duration, caller: ChannelKey, data: &str) {
        for name in self.profile.base.queue_variables() {
            self.set_variable(now, caller, name, "");
        }
        let orders = parse(data);
        let refusal = match self.queues.find(&orders.queue) {
            None => Some("UNKNOWN"),
            Some(queue) if queue.is_full() => Some("FULL"),
            Some(queue) if queue.sends_away() => Some("JOINEMPTY"),
            Some(_) => None,
        };
        match refusal {
            Some(status) => self.queue_is_over(now, caller, status),
            None => self.join_queue(now, caller, orders),
        }
    }

    /// The dialplan of the caller goes on.
    pub(crate) fn queue_is_over(&mut self, now: Duration, caller: ChannelKey, status: &str) {
        self.set_variable(now, caller, "QUEUESTATUS", status);
        self.wake_at(now, caller);
    }

    fn join_queue(&mut self, now: Duration, caller: ChannelKey, orders: Orders) {
        let joined_at = self.wall(now).as_secs();
        let mut waiting = Waiting::new(caller, joined_at);
        let priority = self.channels[&caller].variable("QUEUE_PRIO");
        waiting.priority = priority
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        waiting.expires_at = orders.timeout.map(|timeout| joined_at + timeout);
        let music = orders.options.play_music();
        waiting.options = orders.options;
        let Some(queue) = self.queues.find(&orders.queue) else {
            return;
        };
        let position = queue.enter(waiting);
        let count = queue.waiting.len();
        self.channel_mut(caller).queue = Some(InQueue::Waiting {
            queue: orders.queue.clone(),
        });
        if count == 1 {
            let device = format!("Queue:{}", orders.queue);
            self.queue_device(now, &device, DeviceState::Ringing);
        }
        self.caller_event(now, "QueueCallerJoin", caller, |headers| {
            headers
                .with("Queue", &orders.queue)
                .with_display("Position", position)
                .with_display("Count", count)
        });
        if music {
            self.music_start(now, caller);
        }
        self.queue_turn(now, caller);
    }

    pub(crate) fn place_in_queue(&mut self, caller: ChannelKey) -> Option<(&mut Queue, usize)> {
        let Some(InQueue::Waiting { queue }) = &self.channels.get(&caller)?.queue else {
            return None;
        };
        let queue = self.queues.find(queue)?;
        let position = queue.position(caller)?;
        Some((queue, position))
    }

    /// The caller looks whether it is its turn.
    pub(crate) fn queue_turn(&mut self, now: Duration, caller: ChannelKey) {
        let wall = self.wall(now).as_secs();
        let Some((queue, position)) = self.place_in_queue(caller) else {
            return;
        };
        queue.waiting[position].tick = None;
        if queue.waiting[position].has_expired(wall) {
            self.give_up_queue(now, caller, "TIMEOUT");
        } else if position < queue.served_at_once() {
            let left = queue.waiting[position].expires_at;
            let left = left.map_or(u64::MAX, |at| at.saturating_sub(wall));
            let timeout = queue.settings.timeout_s.min(left);
            let ring = QueueDial {
                queue: queue.name().to_owned(),
                lines: Vec::new(),
                tried: Vec::new(),
                ends_at: now + Duration::from_secs(timeout),
            };
            self.ring_members(now, caller, ring);
        } else if queue.sends_away() {
            self.give_up_queue(now, caller, "LEAVEEMPTY");
        } else {
            self.look_again(now + RECHECK, caller);
        }
    }

    fn look_again(&mut self, at: Duration, caller: ChannelKey) {
        let ticket = self.agenda.add(at, Due::QueueTurn(caller));
        if let Some((queue, position)) = self.place_in_queue(caller) {
            queue.waiting[position].tick = Some(ticket);
        }
    }

    /// Rings the best of those that were not rung in this attempt yet; all of them where the strategy says so.
    fn ring_members(&mut self, now: Duration, caller: ChannelKey, mut ring: QueueDial) {
        let moment = Moment {
            now: self.wall(now).as_secs(),
            draw: self.rng.next_u32(),
        };
        let Some((queue, position)) = self.place_in_queue(caller) else {
            return;
        };
        let chosen = queue.choose(position, &ring.tried, moment);
        if chosen.is_empty() {
            return self.try_later(now, caller);
        }
        ring.tried.extend(chosen.iter().cloned());
        ring.lines.clear();
        let key = self.next_dial();
        let timeout = self.agenda.add(ring.ends_at, Due::DialTimeout(key));
        let stage = Stage::Ringing {
            lines: Vec::new(),
            timeout: Some(timeout),
            rang: None,
            failures: Vec::new(),
        };
        let dial = Dial {
            owner: Owner::Queue(ring),
            caller: Some(caller),
            began_at: now,
            stage,
        };
        self.dials.insert(key, dial);
        self.channel_mut(caller).dialling = Some(key);
        for interface in chosen {
            self.ring_member(now, (key, caller), interface);
        }
        self.end_dial_without_lines(now, key);
    }

    fn ring_member(
        &mut self,
        now: Duration,
        (key, caller): (DialKey, ChannelKey),
        interface: String,
    ) {
        let wish = Wish {
            call: self.channels[&caller].call,
            target: interface.clone(),
            channel_id: None,
            other_channel_id: None,
            caller: Some(caller),
        };
        let Ok(mut line) = self.request_line(now, wish) else {
            return;
        };
        self.prepare_member(now, caller, &mut line);
        if let Some(dial) = self.dials.get_mut(&key)
            && let (Owner::Queue(ring), Stage::Ringing { lines, .. }) =
                (&mut dial.owner, &mut dial.stage)
        {
            ring.lines.push((line.channel, interface));
            lines.push(line.channel);
        }
        self.channel_mut(line.channel).dialled_in = Some(key);
        self.begin_line(now, key, &line);
    }

    /// What the line to a member is given: the number that the caller is connected to, and who calls.
    fn prepare_member(&mut self, now: Duration, caller: ChannelKey, line: &mut Line) {
        let from = &self.channels[&caller];
        let called = match &from.connected.number {
            Some(_) => from.connected.clone(),
            None => Party {
                number: Some(from.place.exten.clone()),
                name: None,
            },
        };
        line.calling = Some(from.caller.clone());
        let channel = self.channel_mut(line.channel);
        channel.caller = called;
        let place = channel.place.clone();
        self.enter(now, line.channel, place, ("AppQueue", "(Outgoing Line)"));
        self.new_caller(now, line.channel);
        let number = line.dial_string.clone();
        self.set_variable(now, line.channel, "DIALEDPEERNUMBER", &number);
    }

    /// A member begins to ring. AgentCalled looks at the line itself, DialBegin at what was told of it last.
    pub(crate) fn member_called(&mut self, now: Duration, line: ChannelKey, ring: &QueueDial) {
        let Some(caller) = self.dial_of(line).and_then(|key| self.dials[&key].caller) else {
            return;
        };
        let from = &self.channels[&caller];
        let (calling, place) = (from.caller.clone(), from.place.clone());
        let channel = self.channel_mut(line);
        let told = (channel.connected.clone(), channel.place.clone());
        channel.connected = calling;
        channel.place.context = place.context;
        channel.place.exten = place.exten;
        let moved = (channel.connected.clone(), channel.place.clone());
        let rung = self.rung([caller, line], ring);
        self.agent_event(now, "AgentCalled", rung, |headers| headers);
        let channel = self.channel_mut(line);
        (channel.connected, channel.place) = told;
        let interface = ring.interface_of(line);
        self.dial_event(now, "DialBegin", line, ("DialString", interface));
        let channel = self.channel_mut(line);
        (channel.connected, channel.place) = moved;
        channel.moved_quietly = true;
    }

    /// A member has not answered, be it that it was busy.
    pub(crate) fn member_missed(&mut self, now: Duration, line: ChannelKey, ring: &QueueDial) {
        let Some(dial) = self.dial_of(line).map(|key| &self.dials[&key]) else {
            return;
        };
        let rang = (now - dial.began_at).as_millis();
        let Some(caller) = dial.caller else {
            return;
        };
        let rung = self.rung([caller, line], ring);
        self.agent_event(now, "AgentRingNoAnswer", rung, |headers| {
            headers.with_display("RingTime", rang)
        });
    }

    pub(crate) fn queue_dial_ended(
        &mut self,
        now: Duration,
        key: DialKey,
        ring: QueueDial,
        end: DialEnd,
    ) {
        let Some(caller) = self.dials[&key].caller else {
            return;
        };
        match end {
            DialEnd::Answered(line) => self.member_answered(now, key, [caller, line], &ring),
            DialEnd::Failed(_) => {
                self.forget_dial(key);
                let place = self.place_in_queue(caller);
                let all =
                    place.is_some_and(|(queue, _)| queue.settings.strategy == Strategy::RingAll);
                if all || now >= ring.ends_at {
                    self.try_later(now, caller);
                } else {
                    self.ring_members(now, caller, ring);
                }
            }
            DialEnd::TimedOut => {
                self.forget_dial(key);
                self.try_later(now, caller);
            }
        }
    }

    fn try_later(&mut self, now: Duration, caller: ChannelKey) {
        let wall = self.wall(now).as_secs();
        let Some((queue, position)) = self.place_in_queue(caller) else {
            return;
        };
        if queue.sends_away() {
            self.give_up_queue(now, caller, "LEAVEEMPTY");
        } else if queue.waiting[position].has_expired(wall) {
            self.give_up_queue(now, caller, "TIMEOUT");
        } else {
            let pause = Duration::from_secs(queue.settings.retry_s).max(RECHECK);
            self.look_again(now + pause, caller);
        }
    }
}

impl Queue {
    /// So many of the first callers are served side by side.
    fn served_at_once(&self) -> usize {
        match self.settings.strategy {
            Strategy::RingAll => self.available().min(1),
            _ => self.available(),
        }
    }

    /// Callers go, or do not come, where nobody is.
    fn sends_away(&self) -> bool {
        self.settings.empty == WhenEmpty::Leave && self.is_deserted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_queue_has_its_timeout_in_the_fifth_place() {
        let orders = parse("amibench,r,,,12");
        assert_eq!(
            (orders.queue.as_str(), orders.timeout),
            ("amibench", Some(12))
        );
        assert!(!orders.options.play_music());
        let bare = parse("amibench");
        assert_eq!((bare.queue.as_str(), bare.timeout), ("amibench", None));
        assert_eq!(parse("amibench,,,,0").timeout, None);
    }
}
