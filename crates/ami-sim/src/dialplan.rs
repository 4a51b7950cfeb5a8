//! Channels on their way through the dialplan: one step after the other.

use std::time::Duration;

use rand_chacha::rand_core::Rng;

use crate::channel::{ChannelKey, ChannelState, Driver, Next, Place};
use crate::dial::Failure;
use crate::extension::{Effect, Media, Step, Wait};
use crate::pbx::{Due, Pbx};

/// A circle of Gotos takes time, and so lets the rest of the PBX live.
const GOTO_TIME: Duration = Duration::from_micros(100);
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

    pub(crate) fn run_step(&mut self, now: Duration, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        channel.wake = None;
        self.end_occupation(now, key);
        let channel = self.channel_mut(key);
        match (
            std::mem::replace(&mut channel.next, Next::Step),
            channel.driver,
        ) {
            (Next::Place(place), _) => {
                channel.driver = Driver::Dialplan;
                self.run_place(now, key, place);
            }
            (Next::Application(step), _) => {
                let place = channel.place.clone();
                self.run_application(now, key, place, &step);
            }
            (Next::Step, Driver::Dialplan) => {
                let mut place = channel.place.clone();
                place.priority += 1;
                self.run_place(now, key, place);
            }
            // Their one application is over.
            (Next::Step, Driver::Application | Driver::Line) => self.hang_up(now, key),
        }
    }

    fn run_place(&mut self, now: Duration, key: ChannelKey, place: Place) {
        let steps = self.profile.steps(&place.context, &place.exten);
        let step = steps.and_then(|steps| steps.get(place.priority.checked_sub(1)?));
        let Some(step) = step.cloned() else {
            // It is shown where it was sent, unless it just came to the end of its extension.
            let channel = self.channel_mut(key);
            if channel.place.exten != place.exten {
                channel.next = Next::Place(place);
                return self.hang_up(now, key);
            }
            return self.fall_through(now, key, place);
        };
        self.channel_mut(key).record_goes_on(now);
        self.run_application(now, key, place, &step);
    }

    /// The extension has no more steps: what its last `Dial` came to is what the caller hears.
    fn fall_through(&mut self, now: Duration, key: ChannelKey, place: Place) {
        let channel = self.channel_mut(key);
        let refusal = match channel.variable("DIALSTATUS") {
            Some("BUSY") => (17, Failure::Busy),
            Some("CONGESTION" | "CHANUNAVAIL") => (34, Failure::Congestion),
            _ => return self.hang_up(now, key),
        };
        channel.place = place;
        self.refuse(now, key, refusal);
    }

    fn run_application(&mut self, now: Duration, key: ChannelKey, place: Place, step: &Step) {
        let (data, pause) = self.data_of(step, &place);
        self.enter(now, key, place, (&step.application, &data));
        self.take_step(now, key, (step.effect, &data), pause);
    }

    /// The data of a step as the channel shows it, and how long it waits.
    fn data_of(&mut self, step: &Step, place: &Place) -> (String, Duration) {
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
            _ => (with_extension(&step.data, &place.exten), Duration::ZERO),
        }
    }

    fn take_step(
        &mut self,
        now: Duration,
        key: ChannelKey,
        (effect, data): (Effect, &str),
        pause: Duration,
    ) {
        match effect {
            Effect::Answer(media) => self.answer(now, key, media),
            Effect::Ringing => {
                self.indicate_ringing(now, key);
                self.wake_at(now, key);
            }
            Effect::Wait(_) => self.wake_at(now + pause, key),
            Effect::Echo => {}
            Effect::Dial => self.run_dial(now, key, data),
            Effect::Playback => self.run_playback(now, key),
            Effect::Music => self.run_music(now, key, data),
            Effect::VoiceMail => self.run_voicemail(now, key, data),
            Effect::Goto => self.go_to(now, key, data),
            Effect::Park => self.run_park(now, key, data),
            Effect::ParkedCall => self.run_parked_call(now, key, data),
            Effect::Queue => self.run_queue(now, key, data),
            Effect::UserEvent => self.run_user_event(now, key, data),
            Effect::Busy => self.refuse(now, key, (17, Failure::Busy)),
            Effect::Congestion => self.refuse(now, key, (34, Failure::Congestion)),
            Effect::Hangup { cause } => {
                let channel = self.channel_mut(key);
                match cause {
                    Some(cause) => channel.hangup_cause = cause,
                    None if channel.hangup_cause == 0 => channel.hangup_cause = 16,
                    None => {}
                }
                self.hang_up(now, key);
            }
            Effect::Nothing => self.wake_at(now, key),
        }
    }

    /// `UserEvent(name,line,…)`: who gives no name loses the call.
    fn run_user_event(&mut self, now: Duration, key: ChannelKey, data: &str) {
        if data.is_empty() {
            return self.hang_up(now, key);
        }
        self.channel_event(now, "UserEvent", key, |_, headers| {
            let mut parts = data.split(',');
            let headers = headers.with("UserEvent", parts.next().unwrap_or_default());
            parts.fold(headers, |headers, line| headers.with_line(line.as_bytes()))
        });
        self.wake_at(now, key);
    }

    /// `priority`, `exten,priority` or `context,exten,priority`.
    fn go_to(&mut self, now: Duration, key: ChannelKey, data: &str) {
        let channel = self.channel_mut(key);
        let mut place = channel.place.clone();
        let mut parts = data.rsplit(',');
        place.priority = parts.next().and_then(|text| text.parse().ok()).unwrap_or(1);
        if let Some(exten) = parts.next() {
            exten.clone_into(&mut place.exten);
        }
        if let Some(context) = parts.next() {
            context.clone_into(&mut place.context);
        }
        channel.next = Next::Place(place);
        self.wake_at(now + GOTO_TIME, key);
    }

    pub(crate) fn answer(&mut self, now: Duration, key: ChannelKey, media: Media) {
        if self.channels[&key].state == ChannelState::Up {
            return self.wake_at(now, key);
        }
        let pause = match media {
            Media::Awaited => MEDIA_WAIT,
            Media::NotAwaited => Duration::ZERO,
        };
        self.wake_at(now + pause, key);
        self.pick_up(now, key);
    }

    /// Busy and Congestion: whoever dials hears it and gives up; nobody there, the channel just ends.
    fn refuse(&mut self, now: Duration, key: ChannelKey, (cause, failure): (u16, Failure)) {
        let channel = self.channel_mut(key);
        channel.hangup_cause = cause;
        if channel.state != ChannelState::Up {
            self.set_state(now, key, ChannelState::Busy);
        }
        match self.dialled_half(key) {
            Some(line) => self.line_failed(now, line, failure),
            None => self.hang_up(now, key),
        }
    }
}

/// `${EXTEN}` and `${EXTEN:5}`, the extension without its first characters.
fn with_extension(data: &str, exten: &str) -> String {
    let Some((before, rest)) = data.split_once("${EXTEN") else {
        return data.to_owned();
    };
    let Some((skipped, after)) = rest.split_once('}') else {
        return data.to_owned();
    };
    let skipped = skipped.strip_prefix(':').and_then(|text| text.parse().ok());
    let kept: String = exten.chars().skip(skipped.unwrap_or(0)).collect();
    format!("{before}{kept}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_may_hold_a_part_of_the_extension() {
        let check = |data: &str, expected: &str| {
            assert_eq!(with_extension(data, "dial-busy"), expected);
        };
        check("Local/${EXTEN:5}@here,20", "Local/busy@here,20");
        check("PJSIP/${EXTEN}", "PJSIP/dial-busy");
        check("PJSIP/1000", "PJSIP/1000");
    }
}
