//! Bridges: channels that hear each other, how they come together and part.

use std::time::Duration;

use crate::channel::{Channel, ChannelKey, Driver, Next, Place};
use crate::message::Headers;
use crate::pbx::Pbx;
use crate::profile::Profile;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BridgeKey(pub(crate) u64);

#[derive(Clone, Debug)]
pub(crate) struct Bridge {
    pub(crate) id: String,
    pub(crate) kind: BridgeKind,
    pub(crate) members: Vec<ChannelKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BridgeKind {
    /// Two that talk; when one leaves, it is over.
    Basic,
    /// Those who are parked in a lot wait in one bridge, each alone.
    Parking { lot: usize },
}

impl BridgeKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Parking { .. } => "parking",
        }
    }

    pub(crate) const fn technology(self) -> &'static str {
        match self {
            Self::Basic => "simple_bridge",
            Self::Parking { .. } => "holding_bridge",
        }
    }
}

impl Bridge {
    /// Its headers, each name with `prefix` before it.
    pub(crate) fn write_snapshot(&self, prefix: &str, profile: &Profile, headers: &mut Headers) {
        let (creator, name) = match self.kind {
            BridgeKind::Basic => ("<unknown>", "<unknown>"),
            BridgeKind::Parking { lot } => ("Parking", profile.parking_lots[lot].name.as_str()),
        };
        let mut text = |name: &str, value: &str| headers.push(prefix, name, value.as_bytes());
        text("BridgeUniqueid", &self.id);
        text("BridgeType", self.kind.name());
        text("BridgeTechnology", self.kind.technology());
        text("BridgeCreator", creator);
        text("BridgeName", name);
        headers.push_display(prefix, "BridgeNumChannels", self.members.len());
        if profile.base.has_bridge_video() {
            headers.push(prefix, "BridgeVideoSourceMode", b"none");
        }
    }
}

impl Pbx {
    pub(crate) fn create_bridge(&mut self, now: Duration) -> BridgeKey {
        self.create_bridge_of(now, BridgeKind::Basic)
    }

    pub(crate) fn create_bridge_of(&mut self, now: Duration, kind: BridgeKind) -> BridgeKey {
        let key = self.next_bridge();
        let id = self.draw_uuid();
        self.known_bridges.insert(id.clone(), key);
        let members = Vec::new();
        self.bridges.insert(key, Bridge { id, kind, members });
        self.bridge_event(now, "BridgeCreate", key, None);
        key
    }

    pub(crate) fn join(&mut self, now: Duration, key: BridgeKey, channel: ChannelKey) {
        let bridge = self.bridges.get(&key);
        let talks = bridge.filter(|bridge| bridge.kind == BridgeKind::Basic);
        if let Some([other]) = talks.map(|bridge| &bridge.members[..]) {
            self.record_bridge([*other, channel]);
        }
        self.enter_bridge(now, key, channel);
    }

    /// What the call's records tell is not touched.
    pub(crate) fn enter_bridge(&mut self, now: Duration, key: BridgeKey, channel: ChannelKey) {
        self.become_member(now, key, channel);
        self.bridge_event(now, "BridgeEnter", key, Some(channel));
    }

    /// As `enter_bridge`, for one that has just left it.
    pub(crate) fn enter_in_place(
        &mut self,
        now: Duration,
        key: BridgeKey,
        [channel, of]: [ChannelKey; 2],
    ) {
        self.become_member(now, key, channel);
        let left = self.channels[&of].uniqueid.clone();
        self.bridge_event_with(now, ("BridgeEnter", key, Some(channel)), |headers| {
            headers.with("SwapUniqueid", left)
        });
    }

    fn become_member(&mut self, now: Duration, key: BridgeKey, channel: ChannelKey) {
        let Some(bridge) = self.bridges.get_mut(&key) else {
            return;
        };
        bridge.members.push(channel);
        let (kind, members) = (bridge.kind, bridge.members.clone());
        self.channel_mut(channel).bridge = Some(key);
        if kind == BridgeKind::Basic {
            self.share_linkedid(&members);
            self.listen(now, &members);
        }
    }

    /// All that are in one bridge belong to the oldest call among them.
    fn share_linkedid(&mut self, members: &[ChannelKey]) {
        let ids = members.iter().map(|key| {
            let channel = &self.channels[key];
            (channel.origin, channel.linkedid.clone())
        });
        let Some((origin, linkedid)) = ids.min() else {
            return;
        };
        for key in members {
            let channel = self.channel_mut(*key);
            channel.origin = origin;
            channel.linkedid.clone_from(&linkedid);
        }
    }

    /// The members of a bridge of two learn each other's names, in the order in which they came.
    pub(crate) fn introduce(&mut self, now: Duration, key: BridgeKey) {
        let [one, two] = self.bridges[&key].members[..] else {
            return;
        };
        for (key, peer) in [(one, two), (two, one)] {
            let name = self.channels[&peer].name.clone();
            self.set_variable(now, key, "BRIDGEPEER", &name);
        }
    }

    /// Takes a channel out of its bridge; the bridge goes on, if only to be dissolved by the caller.
    pub(crate) fn leave_bridge(&mut self, now: Duration, channel: ChannelKey) -> Option<BridgeKey> {
        self.complete_transfer(now, channel);
        self.forget_peers(now, channel);
        self.depart(now, channel)
    }

    /// Those in the channel's bridge talk with nobody any more, the channel first.
    pub(crate) fn forget_peers(&mut self, now: Duration, channel: ChannelKey) {
        let Some(bridge) = self.bridge_of(channel) else {
            return;
        };
        let mut members = bridge.members.clone();
        members.sort_by_key(|member| *member != channel);
        for member in members {
            self.forget_peer(now, member);
        }
    }

    pub(crate) fn forget_peer(&mut self, now: Duration, key: ChannelKey) {
        let peer = self.channels[&key].variable("BRIDGEPEER");
        if peer.is_some_and(|peer| !peer.is_empty()) {
            self.set_variable(now, key, "BRIDGEPEER", "");
        }
    }

    pub(crate) fn depart(&mut self, now: Duration, channel: ChannelKey) -> Option<BridgeKey> {
        self.channels.get_mut(&channel)?.features = None;
        self.part(now, channel)
    }

    /// As `depart`, on the way to another bridge with the same rights.
    pub(crate) fn part(&mut self, now: Duration, channel: ChannelKey) -> Option<BridgeKey> {
        let key = self.channels.get(&channel)?.bridge?;
        self.leave_lot(now, channel);
        let bridge = self.bridges.get_mut(&key)?;
        bridge.members.retain(|member| *member != channel);
        self.channel_mut(channel).bridge = None;
        self.bridge_event(now, "BridgeLeave", key, Some(channel));
        let bridge = &self.bridges[&key];
        if bridge.kind != BridgeKind::Basic {
            return None;
        }
        let alone = bridge.members.is_empty();
        self.record_departure(now, channel);
        if alone {
            self.destroy_bridge(now, key);
            return None;
        }
        Some(key)
    }

    fn destroy_bridge(&mut self, now: Duration, key: BridgeKey) {
        self.bridge_event(now, "BridgeDestroy", key, None);
        if let Some(bridge) = self.bridges.remove(&key) {
            self.known_bridges.remove(&bridge.id);
        }
    }

    /// Everybody leaves: a bridge of which one side is gone, or that an action destroys.
    pub(crate) fn dissolve(&mut self, now: Duration, key: BridgeKey, cause: u16) {
        let Some(bridge) = self.bridges.get(&key) else {
            return;
        };
        for member in bridge.members.clone() {
            self.forget_peers(now, member);
            self.depart(now, member);
            self.after_bridge(now, member, cause);
        }
    }

    /// As lists of channels name it.
    pub(crate) fn bridge_id(&self, channel: &Channel) -> &str {
        let bridge = channel.bridge.and_then(|key| self.bridges.get(&key));
        bridge.map_or("", |bridge| &bridge.id)
    }

    fn bridge_of(&self, channel: ChannelKey) -> Option<&Bridge> {
        self.bridges.get(&self.channels.get(&channel)?.bridge?)
    }

    /// A channel that left its bridge does what it was in the bridge for; most end.
    pub(crate) fn after_bridge(&mut self, now: Duration, key: ChannelKey, cause: u16) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let goes_on = matches!(channel.next, Next::Place(_));
        if channel.hangup_cause == 0 {
            channel.hangup_cause = cause;
        }
        match channel.dialling {
            Some(dial) if goes_on => self.dial_redirected(now, key, dial),
            Some(dial) => self.dial_talk_over(now, key, dial),
            None if goes_on => self.wake_at(now, key),
            None => self.hang_up(now, key),
        }
    }

    /// Sends channels to places in the dialplan, out of whatever they are doing; of two in one bridge both go.
    pub(crate) fn redirect(&mut self, now: Duration, ways: Vec<(ChannelKey, Place)>) {
        let keys: Vec<_> = ways.iter().map(|(key, _)| *key).collect();
        for (key, place) in ways {
            self.send_to(now, key, place);
        }
        for key in keys {
            self.go_where_sent(now, key);
        }
    }

    pub(crate) fn send_to(&mut self, now: Duration, key: ChannelKey, place: Place) {
        self.cancel_dial(now, key);
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let talks = channel.dialling.is_some();
        // An application that Originate named forgets where it is sent once its talk is over.
        if !(talks && channel.driver == Driver::Application) {
            channel.next = Next::Place(place.clone());
        }
        if channel.bridge.is_some() {
            self.set_variable(now, key, "BRIDGEPEER", "");
            self.move_to(now, key, place);
        }
    }

    pub(crate) fn go_where_sent(&mut self, now: Duration, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let dialling = channel.dialling;
        if channel.bridge.is_some() && channel.hangup_cause == 0 {
            channel.hangup_cause = NORMAL_CLEARING;
        }
        let left = self.leave_bridge(now, key);
        match dialling {
            Some(dial) => self.dial_redirected(now, key, dial),
            None => self.wake_at(now, key),
        }
        if let Some(bridge) = left {
            self.dissolve(now, bridge, NORMAL_CLEARING);
        }
    }

    /// Puts two channels that are up into a bridge of their own, out of what they do.
    pub(crate) fn bridge_two(&mut self, now: Duration, pair: [ChannelKey; 2]) {
        for key in pair {
            self.cancel_dial(now, key);
        }
        if !pair.iter().all(|key| self.channels.contains_key(key)) {
            return;
        }
        let bridge = self.create_bridge(now);
        let mut left = Vec::new();
        for key in pair {
            self.end_occupation(now, key);
            if self.channels[&key].bridge.is_some() {
                left.extend(self.depart(now, key));
            } else {
                self.pull_out(key);
            }
            self.join(now, bridge, key);
        }
        self.introduce(now, bridge);
        self.connect(now, pair);
        for old in left {
            self.dissolve(now, old, NORMAL_CLEARING);
        }
    }

    /// A channel that should have been bridged with itself: into a bridge and out again.
    pub(crate) fn bridge_alone(&mut self, now: Duration, key: ChannelKey) {
        if self.channels[&key].bridge.is_some() {
            return;
        }
        let bridge = self.create_bridge(now);
        self.pull_out(key);
        self.join(now, bridge, key);
        self.dissolve(now, bridge, NORMAL_CLEARING);
    }

    /// Throws a channel out of its bridge, and with it all who talk there.
    pub(crate) fn kick(&mut self, now: Duration, key: ChannelKey) {
        let left = self.leave_bridge(now, key);
        self.after_bridge(now, key, NORMAL_CLEARING);
        if let Some(bridge) = left {
            self.dissolve(now, bridge, NORMAL_CLEARING);
        }
    }

    /// Interrupts a channel; when it is let go again it goes on in the dialplan, at the next priority if it was there.
    fn pull_out(&mut self, key: ChannelKey) {
        let channel = self.channel_mut(key);
        if channel.driver == Driver::Dialplan {
            channel.place.priority += 1;
        }
        channel.driver = Driver::Line;
        channel.next = Next::Place(channel.place.clone());
        channel.forget_application();
        if let Some(ticket) = channel.wake.take() {
            self.agenda.cancel(ticket);
        }
    }

    /// Each sees the other as the line it is connected to.
    pub(crate) fn connect(&mut self, now: Duration, [one, two]: [ChannelKey; 2]) {
        for (key, peer) in [(one, two), (two, one)] {
            let caller = self.channels[&peer].caller.clone();
            let channel = self.channel_mut(key);
            if channel.connected == caller {
                continue;
            }
            channel.connected.clone_from(&caller);
            let half = channel.peer;
            self.new_connected_line(now, key);
            // Through a Local channel that is who calls, but only what happens next tells it.
            if let Some(half) = half.and_then(|half| self.channels.get_mut(&half)) {
                half.quiet_caller = Some(caller);
            }
        }
    }
}

pub(crate) const NORMAL_CLEARING: u16 = 16;
