//! Local channels take themselves out of a call: once both halves are in bridges and voice comes through them, who is on one
//! side goes into the bridge on the other.

use std::time::Duration;

use crate::bridge::NORMAL_CLEARING;
use crate::channel::ChannelKey;
use crate::class::Classes;
use crate::message::Headers;
use crate::occupation::Occupation;
use crate::pbx::{Due, Pbx};

/// `/n` behind a dial string keeps the halves where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Optimisation {
    Allowed,
    Refused,
}

impl Optimisation {
    /// As LocalBridge has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Allowed => "Yes",
            Self::Refused => "No",
        }
    }
}

/// Voice comes in packets of so long; one takes one pair out.
const PACKET: Duration = Duration::from_millis(20);
/// Local channels behind each other, so that a circle of them has an end: more than any dialplan of a test has.
const CHAIN_MAX: usize = 16;

impl Pbx {
    /// A channel begins to play something.
    pub(crate) fn begin_to_play(&mut self, now: Duration, key: ChannelKey) {
        if self.channels[&key].peer.is_some() {
            self.agenda.add(now + PACKET, Due::Voice(key));
        }
    }

    /// Channels came together: who plays behind one of them is heard by the other.
    pub(crate) fn listen(&mut self, now: Duration, members: &[ChannelKey]) {
        for member in members {
            if let Some(source) = self.heard_from(*member) {
                self.agenda.add(now + PACKET, Due::Voice(source));
            }
        }
    }

    /// Who plays what comes out of a channel.
    fn heard_from(&self, mut key: ChannelKey) -> Option<ChannelKey> {
        for _ in 0..CHAIN_MAX {
            let peer = self.channels[&key].peer?;
            if self.plays(peer) {
                return Some(peer);
            }
            key = self.talks_with(peer)?;
        }
        None
    }

    fn plays(&self, key: ChannelKey) -> bool {
        let channel = self.channels.get(&key);
        channel.is_some_and(|channel| channel.occupation != Occupation::None)
    }

    /// A packet goes its way, through Local channels and bridges, until a pair takes itself out.
    pub(crate) fn carry_voice(&mut self, now: Duration, source: ChannelKey) {
        if !self.plays(source) {
            return;
        }
        let mut near = source;
        for _ in 0..CHAIN_MAX {
            let Some(far) = self.channels.get(&near).and_then(|half| half.peer) else {
                return;
            };
            if let Some(neighbours) = self.short_way([near, far]) {
                return self.take_out(now, [near, far], neighbours);
            }
            let Some(next) = self.talks_with(far) else {
                return;
            };
            near = next;
        }
    }

    /// Who is on either side of a pair that may go. A transfer and the talk of a queue know who is in them, so nobody there
    /// is replaced.
    fn short_way(&self, halves: [ChannelKey; 2]) -> Option<[ChannelKey; 2]> {
        let [one, two] = halves.map(|half| self.talks_with(half));
        let neighbours = [one?, two?];
        let may = |half: &ChannelKey| self.channels[half].optimisation == Optimisation::Allowed;
        let known =
            |key: &ChannelKey| self.is_in_transfer(*key) || self.queues.talks.contains_key(key);
        let free = !halves.iter().chain(&neighbours).any(known);
        // Halves that talk with each other have nobody else.
        let apart = neighbours[0] != halves[1];
        (apart && free && halves.iter().all(may)).then_some(neighbours)
    }

    /// Who is behind the near half comes into the far one's place.
    fn take_out(
        &mut self,
        now: Duration,
        [near, far]: [ChannelKey; 2],
        [comes, stays]: [ChannelKey; 2],
    ) {
        let mut halves = [near, far];
        halves.sort();
        let id = self.next_optimisation();
        self.optimisation_began(now, halves, comes, id);
        let bridge = self.channels[&far].bridge.expect("it talks");
        self.leave_for(now, comes);
        self.forget_peer(now, far);
        self.part(now, far);
        self.record_swap(now, [stays, far, comes]);
        self.enter_in_place(now, bridge, [comes, far]);
        self.introduce(now, bridge);
        self.forget_peer(now, near);
        let headers = self.optimisation_event(now, "LocalOptimizationEnd", halves);
        // A real one asks its own success the wrong way.
        let headers = headers.with("Success", "No").with_display("Id", id);
        self.publish(Classes::CALL, headers);
        for half in halves {
            self.channel_mut(half).hangup_cause = NORMAL_CLEARING;
        }
        self.hang_up(now, halves[0]);
    }

    fn optimisation_began(
        &mut self,
        now: Duration,
        halves: [ChannelKey; 2],
        source: ChannelKey,
        id: u64,
    ) {
        let mut headers = self.optimisation_event(now, "LocalOptimizationBegin", halves);
        self.channels[&source].write_snapshot("Source", &self.profile, &mut headers);
        // Whichever half is replaced.
        let second = &self.channels[&halves[1]].uniqueid;
        let headers = headers.with("DestUniqueId", second).with_display("Id", id);
        self.publish(Classes::CALL, headers);
    }

    fn optimisation_event(&self, now: Duration, name: &str, halves: [ChannelKey; 2]) -> Headers {
        let mut headers = self.event(now, name, Classes::CALL);
        for (prefix, half) in ["LocalOne", "LocalTwo"].into_iter().zip(halves) {
            self.channels[&half].write_snapshot(prefix, &self.profile, &mut headers);
        }
        headers
    }

    /// Later than at the dial: the halves may go after all.
    pub(crate) fn allow_optimisation(&mut self, now: Duration, halves: [ChannelKey; 2]) {
        for half in halves {
            self.channel_mut(half).optimisation = Optimisation::Allowed;
        }
        self.listen(now, &halves);
        for half in halves {
            if let Some(neighbour) = self.talks_with(half) {
                self.listen(now, &[neighbour]);
            }
        }
    }
}
