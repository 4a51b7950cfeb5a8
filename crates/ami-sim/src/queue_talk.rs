//! How a caller's time in a queue ends: a member answers and the two talk, or it leaves without having been served.

use std::time::Duration;

use crate::channel::{ChannelKey, Next};
use crate::device_state::DeviceState;
use crate::dial::{DialKey, Owner, Stage};
use crate::message::Headers;
use crate::pbx::Pbx;
use crate::queue::InQueue;
use crate::queue::waiting::{Options, Waiting};
use crate::queue_call::QueueDial;
use crate::queue_event::Rung;

/// A caller and the member that answered, until the caller is gone or elsewhere.
#[derive(Debug)]
pub(crate) struct QueueTalk {
    line: ChannelKey,
    queue: String,
    interface: String,
    /// The line as it was when it answered: it may be gone when AgentComplete shows it.
    dest: Headers,
    /// In seconds.
    hold: u64,
    answered_at: Duration,
    options: Options,
    /// AgentComplete has been told.
    told: bool,
    /// The queue has counted it.
    counted: bool,
}

impl Pbx {
    pub(crate) fn member_answered(
        &mut self,
        now: Duration,
        key: DialKey,
        [caller, line]: [ChannelKey; 2],
        ring: &QueueDial,
    ) {
        self.channel_mut(line).dialled_in = None;
        let dial = self.dials.get_mut(&key).expect("it has just ended");
        let rang = (now - dial.began_at).as_secs();
        dial.stage = Stage::Talking { answered_at: now };
        let Some(waiting) = self.leave_queue(now, caller) else {
            return;
        };
        let hold = self.wall(now).as_secs() - waiting.joined_at;
        self.tell_queue_time(now, caller, "QUEUEWAIT", Duration::from_secs(hold));
        let interface = ring.interface_of(line);
        if let Some(queue) = self.queues.find(&ring.queue) {
            queue.answered(hold);
            if let Some(member) = queue.member(interface) {
                member.in_call = true;
            }
        }
        let rung = self.rung([caller, line], ring);
        self.agent_event(now, "AgentConnect", rung, |headers| {
            headers
                .with_display("HoldTime", hold)
                .with_display("RingTime", rang)
        });
        let talk = QueueTalk {
            line,
            queue: ring.queue.clone(),
            interface: interface.to_owned(),
            dest: self.dest_snapshot(line),
            hold,
            answered_at: now,
            options: waiting.options,
            told: false,
            counted: false,
        };
        self.queues.talks.insert(caller, talk);
        for key in [caller, line] {
            self.channel_mut(key).queue = Some(InQueue::Talking { caller });
        }
        self.pick_up(now, caller);
        let bridge = self.create_bridge(now);
        self.join(now, bridge, line);
        self.join(now, bridge, caller);
        self.introduce(now, bridge);
    }

    fn talk_of(&mut self, channel: ChannelKey) -> Option<(ChannelKey, &mut QueueTalk)> {
        let Some(InQueue::Talking { caller }) = self.channels.get(&channel)?.queue else {
            return None;
        };
        let talk = self.queues.talks.get_mut(&caller)?;
        (channel == caller || channel == talk.line).then_some((caller, talk))
    }

    /// A channel is asked to hang up: if it is in a talk of a queue, AgentComplete tells whose side it was. Nothing tells it of
    /// one that ends without being asked.
    pub(crate) fn agent_complete(&mut self, now: Duration, asked: ChannelKey) {
        let Some((caller, talk)) = self.talk_of(asked).filter(|(_, talk)| !talk.told) else {
            return;
        };
        talk.told = true;
        let (hold, time) = (talk.hold, (now - talk.answered_at).as_secs());
        let (queue, interface) = (talk.queue.clone(), talk.interface.clone());
        let dest = talk.dest.clone();
        let reason = if asked == caller { "caller" } else { "agent" };
        let rung = Rung {
            caller,
            dest,
            queue: &queue,
            interface: &interface,
        };
        self.agent_event(now, "AgentComplete", rung, |headers| {
            headers
                .with_display("HoldTime", hold)
                .with_display("TalkTime", time)
                .with("Reason", reason)
        });
        self.count_talk(now, asked);
    }

    /// The queue counts a talk that is over, once.
    pub(crate) fn count_talk(&mut self, now: Duration, channel: ChannelKey) {
        let wall = self.wall(now).as_secs();
        let Some((_, talk)) = self.talk_of(channel).filter(|(_, talk)| !talk.counted) else {
            return;
        };
        talk.counted = true;
        let times = (talk.hold, (now - talk.answered_at).as_secs());
        let (queue, interface) = (talk.queue.clone(), talk.interface.clone());
        if let Some(queue) = self.queues.find(&queue) {
            queue.completed(&interface, times, wall);
        }
    }

    pub(crate) fn is_dial_of_queue(&self, key: DialKey) -> bool {
        self.dials
            .get(&key)
            .is_some_and(|dial| matches!(dial.owner, Owner::Queue(_)))
    }

    /// What a caller that ends finds in its variables.
    pub(crate) fn tell_talk_times(&mut self, now: Duration, caller: ChannelKey) {
        let alive = now - self.channels[&caller].created_at;
        let Some((_, talk)) = self.talk_of(caller) else {
            return;
        };
        let talked = now - talk.answered_at;
        self.tell_queue_time(now, caller, "ANSWEREDTIME", talked);
        self.tell_queue_time(now, caller, "DIALEDTIME", alive);
    }

    /// The member has left the talk: the caller ends too, unless `Queue` was told to go on.
    pub(crate) fn member_left(&mut self, now: Duration, caller: ChannelKey, key: DialKey) {
        self.tell_talk_times(now, caller);
        let go_on = self
            .talk_of(caller)
            .is_some_and(|(_, talk)| talk.options.go_on());
        self.forget_dial(key);
        if go_on {
            self.forget_talk(caller);
            self.queue_is_over(now, caller, "CONTINUE");
        } else {
            self.hang_up(now, caller);
        }
    }

    /// The caller is sent elsewhere out of its talk, of which AgentComplete tells nothing then.
    pub(crate) fn talk_redirected(&mut self, now: Duration, caller: ChannelKey, key: DialKey) {
        self.count_talk(now, caller);
        let alive = now - self.channels[&caller].created_at;
        self.tell_queue_time(now, caller, "DIALEDTIME", alive);
        self.tell_queue_time(now, caller, "ANSWEREDTIME", Duration::ZERO);
        self.forget_talk(caller);
        self.forget_dial(key);
        if matches!(self.channels[&caller].next, Next::Place(_)) {
            self.wake_at(now, caller);
        } else {
            self.hang_up(now, caller);
        }
    }

    fn forget_talk(&mut self, caller: ChannelKey) {
        self.queues.talks.remove(&caller);
        self.channel_mut(caller).queue = None;
    }

    /// The caller's place is free, and the queue says so.
    fn leave_queue(&mut self, now: Duration, caller: ChannelKey) -> Option<Waiting> {
        let (queue, position) = self.place_in_queue(caller)?;
        let waiting = queue.waiting.remove(position);
        let (name, count) = (queue.name().to_owned(), queue.waiting.len());
        if let Some(ticket) = waiting.tick {
            self.agenda.cancel(ticket);
        }
        self.channel_mut(caller).queue = None;
        if waiting.options.play_music() {
            self.music_stop(now, caller);
        }
        if count == 0 {
            self.queue_device(now, &format!("Queue:{name}"), DeviceState::NotInUse);
        }
        let position = position + 1;
        self.caller_event(now, "QueueCallerLeave", caller, |headers| {
            headers
                .with("Queue", &name)
                .with_display("Position", position)
                .with_display("Count", count)
        });
        self.set_variable(now, caller, "QUEUEPOSITION", &position.to_string());
        Some(waiting)
    }

    /// The caller has waited in vain; its dialplan goes on.
    pub(crate) fn give_up_queue(&mut self, now: Duration, caller: ChannelKey, status: &str) {
        self.count_abandoned(now, caller);
        self.tell_unanswered(now, caller);
        self.leave_queue(now, caller);
        self.queue_is_over(now, caller, status);
    }

    /// The caller ends or is sent elsewhere while it waits.
    pub(crate) fn abandon_queue(&mut self, now: Duration, caller: ChannelKey) {
        if self.place_in_queue(caller).is_some() {
            self.tell_unanswered(now, caller);
            self.count_abandoned(now, caller);
            self.leave_queue(now, caller);
        }
    }

    /// An action sends the caller on in its dialplan.
    pub(crate) fn withdraw_from_queue(&mut self, now: Duration, caller: ChannelKey, info: &str) {
        self.cancel_ringing(now, caller);
        self.tell_unanswered(now, caller);
        self.count_abandoned(now, caller);
        if !info.is_empty() {
            self.set_variable(now, caller, "QUEUE_WITHDRAW_INFO", info);
        }
        self.leave_queue(now, caller);
        self.queue_is_over(now, caller, "WITHDRAW");
    }

    fn count_abandoned(&mut self, now: Duration, caller: ChannelKey) {
        let wall = self.wall(now).as_secs();
        let Some((queue, position)) = self.place_in_queue(caller) else {
            return;
        };
        let waiting = &queue.waiting[position];
        let (hold, original) = (wall - waiting.joined_at, waiting.original_position);
        queue.abandoned(hold);
        let name = queue.name().to_owned();
        self.set_variable(now, caller, "ABANDONED", "TRUE");
        self.caller_event(now, "QueueCallerAbandon", caller, |headers| {
            headers
                .with("Queue", &name)
                .with_display("Position", position + 1)
                .with_display("OriginalPosition", original)
                .with_display("HoldTime", hold)
        });
    }

    /// How long the caller has waited, and that nobody answered.
    fn tell_unanswered(&mut self, now: Duration, caller: ChannelKey) {
        let wall = self.wall(now).as_secs();
        let Some((queue, position)) = self.place_in_queue(caller) else {
            return;
        };
        let hold = wall - queue.waiting[position].joined_at;
        let alive = now - self.channels[&caller].created_at;
        self.tell_queue_time(now, caller, "QUEUEWAIT", Duration::from_secs(hold));
        self.tell_queue_time(now, caller, "DIALEDTIME", alive);
        self.tell_queue_time(now, caller, "ANSWEREDTIME", Duration::ZERO);
    }

    /// In seconds and in milliseconds; a hold is whole seconds in both.
    fn tell_queue_time(&mut self, now: Duration, caller: ChannelKey, name: &str, span: Duration) {
        if !self.profile.base.queue_variables().is_empty() {
            self.set_variable(now, caller, name, &span.as_secs().to_string());
            let millis = format!("{name}_MS");
            self.set_variable(now, caller, &millis, &span.as_millis().to_string());
        }
    }
}
