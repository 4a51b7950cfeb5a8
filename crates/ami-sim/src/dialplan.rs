//! Channels on their way through the dialplan, and how they end.

use std::time::Duration;

use rand_chacha::rand_core::Rng;

use crate::call::{Destination, Failure};
use crate::channel::{ChannelKey, ChannelState, Driver, Place};
use crate::extension::{Effect, Media, Step, Wait, find};
use crate::pbx::{Due, Pbx};

/// Answer waits so long for media, which a Local channel never brings.
const MEDIA_WAIT: Duration = Duration::from_millis(500);

impl Pbx {
    /// The channel's next step is due at `at`.
    pub(crate) fn wake_at(&mut self, at: Duration, key: ChannelKey) {
        let ticket = self.agenda.add(at, Due::Step(key));
        if let Some(channel) = self.channels.get_mut(&key)
            && let Some(old) = channel.wake.replace(ticket)
        {
            self.agenda.cancel(old);
        }
    }

    /// The channel ends at `at`; `shown` is the absolute timeout that Status shows.
    pub(crate) fn end_at(&mut self, key: ChannelKey, at: Duration, shown: Option<Duration>) {
        let ticket = self.agenda.add(at, Due::End(key));
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.ends_at = shown;
            if let Some(old) = channel.end.replace(ticket) {
                self.agenda.cancel(old);
            }
        }
    }

    /// Leaves what the channel is doing for another place in the dialplan.
    pub(crate) fn redirect(&mut self, now: Duration, key: ChannelKey, place: Place) {
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.driver = Driver::Dialplan;
            channel.jump = Some(place);
            self.wake_at(now, key);
        }
    }

    pub(crate) fn run_step(&mut self, now: Duration, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        channel.wake = None;
        match channel.driver {
            Driver::Dial => {}
            Driver::Dialplan => self.run_dialplan(now, key),
            Driver::Application => self.run_application(now, key),
        }
    }

    fn run_dialplan(&mut self, now: Duration, key: ChannelKey) {
        let jump = self
            .channels
            .get_mut(&key)
            .and_then(|channel| channel.jump.take());
        let place = jump.unwrap_or_else(|| self.next_place(key));
        let steps = find(&self.profile.extensions, &place.context, &place.exten);
        let Some(step) = steps
            .and_then(|steps| steps.get(place.priority - 1))
            .cloned()
        else {
            return self.hang_up(now, key);
        };
        let (data, pause) = self.wait_of(&step, &place);
        self.enter(now, key, place, (&step.application, &data));
        self.take_step(now, key, step.effect, pause);
    }

    fn next_place(&self, key: ChannelKey) -> Place {
        let channel = &self.channels[&key];
        match &self
            .calls
            .get(&channel.call)
            .map(|call| &call.order.destination)
        {
            // The answered channel leaves the place it was dialled at.
            Some(Destination::Extension(place)) if channel.application == "AppDial2" => {
                place.clone()
            }
            _ if channel.application.is_empty() => channel.place.clone(),
            _ => Place {
                priority: channel.place.priority + 1,
                ..channel.place.clone()
            },
        }
    }

    /// An application that Originate named runs once, and the channel ends with it.
    fn run_application(&mut self, now: Duration, key: ChannelKey) {
        let channel = &self.channels[&key];
        let destination = self
            .calls
            .get(&channel.call)
            .map(|call| &call.order.destination);
        let Some(Destination::Application(step)) = destination else {
            return self.hang_up(now, key);
        };
        if channel.application != "AppDial2" {
            return self.hang_up(now, key);
        }
        let (step, place) = (step.clone(), channel.place.clone());
        let (data, pause) = self.wait_of(&step, &place);
        self.enter(now, key, place, (&step.application, &data));
        self.take_step(now, key, step.effect, pause);
    }

    /// The data of a step as the channel shows it, and how long it waits.
    fn wait_of(&mut self, step: &Step, place: &Place) -> (String, Duration) {
        match step.effect {
            Effect::Wait(Wait::For(pause)) => (step.data.clone(), pause),
            Effect::Wait(Wait::ExtenDigits) => {
                let digits: String = place
                    .exten
                    .chars()
                    .filter(char::is_ascii_digit)
                    .take(4)
                    .collect();
                let pause = Duration::from_secs(digits.parse().unwrap_or_default());
                (digits, pause)
            }
            Effect::Wait(Wait::AnswerDelay) => {
                let pause = self.profile.timing.answer_delay(self.rng.next_u32());
                (format!("{:.3}", pause.as_secs_f64()), pause)
            }
            _ => (step.data.clone(), Duration::ZERO),
        }
    }

    fn take_step(&mut self, now: Duration, key: ChannelKey, effect: Effect, pause: Duration) {
        match effect {
            Effect::Answer(media) => self.answer(now, key, media),
            Effect::Ringing => {
                if let Some(dialled) = self.dialled_peer(key) {
                    self.ringing(now, dialled);
                }
                self.wake_at(now, key);
            }
            Effect::Wait(_) => self.wake_at(now + pause, key),
            Effect::Echo => {}
            Effect::Busy => self.refuse(now, key, (17, Failure::BUSY)),
            Effect::Congestion => self.refuse(now, key, (34, Failure::CONGESTION)),
            Effect::Hangup { cause } => {
                if let Some(channel) = self.channels.get_mut(&key) {
                    channel.hangup_cause = cause;
                }
                self.hang_up(now, key);
            }
            Effect::Nothing => self.wake_at(now, key),
        }
    }

    fn answer(&mut self, now: Duration, key: ChannelKey, media: Media) {
        if self.channels[&key].state == ChannelState::Up {
            return self.wake_at(now, key);
        }
        self.set_state(now, key, ChannelState::Up);
        let pause = match media {
            Media::Awaited => MEDIA_WAIT,
            Media::NotAwaited => Duration::ZERO,
        };
        self.wake_at(now + pause, key);
        if let Some(dialled) = self.dialled_peer(key) {
            self.answered(now, dialled);
        }
    }

    /// Busy and Congestion: whoever dials hears it and gives up; nobody there, the channel just ends.
    fn refuse(&mut self, now: Duration, key: ChannelKey, (cause, failure): (u16, Failure)) {
        let channel = self.channels.get_mut(&key).expect("its step is being run");
        channel.hangup_cause = cause;
        if channel.state != ChannelState::Up {
            self.set_state(now, key, ChannelState::Busy);
        }
        match self.dialled_peer(key) {
            Some(dialled) => self.dial_failed(now, dialled, failure),
            None => self.hang_up(now, key),
        }
    }

    fn dialled_peer(&self, key: ChannelKey) -> Option<ChannelKey> {
        let peer = self.channels.get(&key)?.peer?;
        self.dialled_by(peer).map(|_| peer)
    }

    /// Ends a channel as Asterisk does: its dialplan stops, the other half is told, it is gone; then the other half.
    pub(crate) fn hang_up(&mut self, now: Duration, key: ChannelKey) {
        let Some(channel) = self.channels.get(&key) else {
            return;
        };
        if self.dialled_by(key).is_some() {
            let failure = Failure::hung_up(channel.hangup_cause);
            return self.dial_failed(now, key, failure);
        }
        let (driver, cause, peer) = (channel.driver, channel.hangup_cause, channel.peer);
        if driver == Driver::Dialplan {
            self.soft_hangup_request(now, key);
        }
        if let Some(peer) = peer {
            self.hangup_request(now, peer, cause);
            let peer = self
                .channels
                .get_mut(&peer)
                .expect("halves forget each other when one ends");
            peer.peer = None;
            if cause != 0 {
                peer.hangup_cause = cause;
            }
        }
        self.hangup_event(now, key);
        self.device_state(now, key, "NOT_INUSE");
        self.forget_channel(key);
        if let Some(peer) = peer {
            self.hang_up(now, peer);
        }
    }

    pub(crate) fn forget_channel(&mut self, key: ChannelKey) {
        let Some(channel) = self.channels.remove(&key) else {
            return;
        };
        for ticket in [channel.wake, channel.end].into_iter().flatten() {
            self.agenda.cancel(ticket);
        }
        self.known.remove(&channel.name);
        self.known.remove(&channel.uniqueid);
        self.counters.channels_up -= 1;
        let Some(call) = self.calls.get_mut(&channel.call) else {
            return;
        };
        call.channels -= 1;
        if call.channels == 0 {
            self.calls.remove(&channel.call);
        }
    }
}
