//! What passes over a channel besides talk: digits, a hook flash, a recording of it.

use std::time::Duration;

use crate::bridge::BridgeKind;
use crate::channel::ChannelKey;
use crate::pbx::{Due, Pbx};

/// A digit that sounds until its end is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digit {
    pub(crate) digit: char,
    pub(crate) duration: Duration,
    pub(crate) direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Sent,
    Received,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Sent => "Sent",
            Self::Received => "Received",
        }
    }
}

impl Pbx {
    /// Sends a digit out of a channel. Down a Local channel it arrives at the other half; a device keeps it to itself.
    pub(crate) fn send_digit(
        &mut self,
        now: Duration,
        key: ChannelKey,
        digit: char,
        duration: Duration,
    ) {
        if let Some(peer) = self.channels.get(&key).and_then(|channel| channel.peer) {
            let digit = Digit {
                digit,
                duration,
                direction: Direction::Received,
            };
            self.begin_digit(now, peer, digit);
        }
    }

    /// A digit that came in, as if it had been heard: unless it is of a feature code, its bridge passes it on.
    pub(crate) fn receive_digit(
        &mut self,
        now: Duration,
        key: ChannelKey,
        digit: char,
        duration: Duration,
    ) {
        let digit = Digit {
            digit,
            duration,
            direction: Direction::Received,
        };
        self.end_digit(now, key, digit);
        for heard in self.heard_digits(now, key, digit.digit).chars() {
            self.pass_on_digit(now, key, heard, duration);
        }
    }

    /// All others in its bridge hear it.
    pub(crate) fn pass_on_digit(
        &mut self,
        now: Duration,
        key: ChannelKey,
        digit: char,
        duration: Duration,
    ) {
        let bridge = self.channels.get(&key).and_then(|channel| channel.bridge);
        let Some(bridge) = bridge.and_then(|bridge| self.bridges.get(&bridge)) else {
            return;
        };
        if bridge.kind != BridgeKind::Basic {
            return;
        }
        let others = bridge.members.iter().copied();
        for other in others.filter(|other| *other != key).collect::<Vec<_>>() {
            let sent = Digit {
                digit,
                duration: duration.max(EMULATED),
                direction: Direction::Sent,
            };
            self.begin_digit(now, other, sent);
            self.send_digit(now, other, sent.digit, sent.duration);
        }
    }

    fn begin_digit(&mut self, now: Duration, key: ChannelKey, digit: Digit) {
        self.channel_event(now, "DTMFBegin", key, |_, headers| {
            headers
                .with("Digit", digit.digit.to_string())
                .with("Direction", digit.direction.name())
        });
        self.agenda
            .add(now + digit.duration, Due::DigitEnd(key, digit));
    }

    pub(crate) fn end_digit(&mut self, now: Duration, key: ChannelKey, digit: Digit) {
        self.channel_event(now, "DTMFEnd", key, |_, headers| {
            headers
                .with("Digit", digit.digit.to_string())
                .with_display("DurationMs", digit.duration.as_millis())
                .with("Direction", digit.direction.name())
        });
    }

    pub(crate) fn flash(&mut self, now: Duration, key: ChannelKey) {
        if let Some(peer) = self.channels.get(&key).and_then(|channel| channel.peer) {
            self.channel_event(now, "Flash", peer, |_, headers| headers);
        }
    }

    pub(crate) fn start_recording(&mut self, now: Duration, key: ChannelKey, file: &str) {
        self.set_variable(now, key, "MIXMONITOR_FILENAME", file);
        self.channel_mut(key).recorded = true;
        self.channel_event(now, "MixMonitorStart", key, |_, headers| headers);
    }

    /// `None` if it was not recorded.
    pub(crate) fn stop_recording(&mut self, now: Duration, key: ChannelKey) -> Option<()> {
        let recorded = &mut self.channel_mut(key).recorded;
        std::mem::take(recorded).then(|| {
            self.channel_event(now, "MixMonitorStop", key, |_, headers| headers);
        })
    }

    pub(crate) fn mute_recording(
        &mut self,
        now: Duration,
        key: ChannelKey,
        direction: &str,
        state: &str,
    ) {
        self.channel_event(now, "MixMonitorMute", key, |_, headers| {
            headers.with("Direction", direction).with("State", state)
        });
    }
}

/// A digit that begins and ends at once sounds so long for others.
const EMULATED: Duration = Duration::from_millis(100);
