//! How channels end, and what ends with them.

use std::time::Duration;

use crate::bridge::NORMAL_CLEARING;
use crate::channel::{ChannelKey, Driver, Next};
use crate::dial::Failure;
use crate::pbx::Pbx;

impl Pbx {
    /// Ends a channel as Asterisk does: its talk and its dialplan stop, the other half is told, it is gone; then the other
    /// half, and whoever it talked with.
    pub(crate) fn hang_up(&mut self, now: Duration, key: ChannelKey) {
        let rings = self.dial_of(key).is_some();
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        if rings {
            let cause = channel.hangup_cause;
            return self.line_failed(now, key, Failure::HungUp { cause });
        }
        if channel.bridge.is_some() && channel.hangup_cause == 0 {
            channel.hangup_cause = NORMAL_CLEARING;
        }
        let cause = channel.hangup_cause;
        self.end_transfers_with(now, key);
        self.cancel_dial(now, key);
        let left = self.leave_bridge(now, key);
        // What it dialled may have led back to it, and ended it.
        let Some(channel) = self.channels.get(&key) else {
            return;
        };
        if let Some(dial) = channel.dialling {
            if self.is_dial_of_queue(dial) {
                self.tell_talk_times(now, key);
            } else {
                self.leave_dial_times(now, key);
                self.set_variable(now, key, "DIALSTATUS", "ANSWER");
            }
            self.forget_dial(dial);
        }
        self.count_talk(now, key);
        self.end_channel(now, key);
        if let Some(bridge) = left {
            self.dissolve(now, bridge, cause);
        }
    }

    fn end_channel(&mut self, now: Duration, key: ChannelKey) {
        self.end_occupation(now, key);
        let early = self.profile.base.shows_missing_extension();
        let channel = self.channel_mut(key);
        let (driver, cause, peer) = (channel.driver, channel.hangup_cause, channel.peer);
        let lost = match std::mem::replace(&mut channel.next, Next::Step) {
            Next::Place(place) if driver == Driver::Dialplan => place,
            _ => channel.place.clone(),
        };
        if early {
            channel.place.clone_from(&lost);
        }
        if driver == Driver::Dialplan {
            self.soft_hangup_request(now, key);
        }
        self.channel_mut(key).place = lost;
        if let Some(peer) = peer {
            self.tell_first_half(now, key, peer);
            self.hangup_request(now, peer, cause);
            let peer = self.channel_mut(peer);
            peer.peer = None;
            if cause != 0 {
                peer.hangup_cause = cause;
            }
        }
        self.hangup_event(now, key);
        self.tell_records(now, key);
        self.device_state(now, key, "NOT_INUSE");
        self.forget_channel(key);
        if let Some(peer) = peer {
            self.hang_up(now, peer);
        }
    }

    /// The first half of a Local channel learns what the second one's `Dial` came to.
    fn tell_first_half(&mut self, now: Duration, key: ChannelKey, first: ChannelKey) {
        let second = &self.channels[&key];
        if !second.name.ends_with(";2") || !self.profile.base.has_local_status() {
            return;
        }
        if let Some(status) = second.variable("DIALSTATUS").map(str::to_owned) {
            self.set_variable(now, first, "CHANLOCALSTATUS", &status);
        }
    }

    pub(crate) fn forget_channel(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.remove(&key) else {
            return;
        };
        for ticket in [channel.wake, channel.end].into_iter().flatten() {
            self.agenda.cancel(ticket);
        }
        if let Some(peer) = channel.peer.and_then(|peer| self.channels.get_mut(&peer)) {
            peer.peer = None;
        }
        self.queues.talks.remove(&key);
        self.transfers.remove(&key);
        self.known.remove(&channel.name);
        self.known.remove(&channel.uniqueid);
        self.counters.channels_up -= 1;
        self.leave_call(channel.call);
    }
}
