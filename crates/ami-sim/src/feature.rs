//! Digits as people press them: those of a feature code are kept from the other side, all others are heard there.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;

use crate::agenda::Ticket;
use crate::channel::ChannelKey;
use crate::pbx::{Due, Pbx};

/// `[feature_codes]` of a profile, as in `features.conf`; an empty one is not set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureCodes {
    pub attended_transfer: String,
    /// Back from an attended transfer.
    pub abort: String,
    /// The target of an attended transfer has so long to answer.
    pub answer_within_s: u64,
}

/// What a channel that may transfer has pressed of a code.
#[derive(Debug, Default)]
pub(crate) struct Features {
    pressed: String,
    over: Option<Ticket>,
}

/// More than any extension has.
const DIGITS_MAX: usize = 80;
/// A digit sounds on the other side, and then there is as much silence.
const BETWEEN_DIGITS: Duration = Duration::from_millis(200);
/// Nobody hears what may become a code, or the digits of an extension.
const BETWEEN_FEATURE_DIGITS: Duration = Duration::from_millis(160);
const BETWEEN_EXTEN_DIGITS: Duration = Duration::from_millis(60);
/// `featuredigittimeout`: digits that are not a code by then are heard.
const CODE_WITHIN: Duration = Duration::from_secs(1);

impl Pbx {
    /// Digits that a channel is made to press, one after the other.
    pub(crate) fn press(&mut self, now: Duration, key: ChannelKey, digits: &str) {
        let to_press = &mut self.channel_mut(key).to_press;
        let idle = to_press.is_empty();
        let room = DIGITS_MAX.saturating_sub(to_press.len());
        to_press.extend(digits.chars().take(room));
        if idle {
            self.agenda.add(now, Due::Press(key));
        }
    }

    pub(crate) fn press_next(&mut self, now: Duration, key: ChannelKey) {
        let digits = self
            .channels
            .get_mut(&key)
            .map(|channel| &mut channel.to_press);
        let Some(digit) = digits.and_then(VecDeque::pop_front) else {
            return;
        };
        let pause = if self.says_where(key) {
            BETWEEN_EXTEN_DIGITS
        } else if self.channels[&key].features.is_some() {
            BETWEEN_FEATURE_DIGITS
        } else {
            BETWEEN_DIGITS
        };
        self.receive_digit(now, key, digit, Duration::ZERO);
        if self.channels.contains_key(&key) {
            self.agenda.add(now + pause, Due::Press(key));
        }
    }

    /// Those digits that the other side hears, now that one more was pressed.
    pub(crate) fn heard_digits(&mut self, now: Duration, key: ChannelKey, digit: char) -> String {
        if self.says_where(key) {
            self.transfer_digit(now, key, digit);
            return String::new();
        }
        let consults = self.consults(key);
        let talks = self.talks_with(key).is_some();
        let features = self
            .channels
            .get_mut(&key)
            .and_then(|channel| channel.features.as_mut());
        let Some(features) = features.filter(|_| talks) else {
            return digit.to_string();
        };
        features.pressed.push(digit);
        if let Some(over) = features.over.take() {
            self.agenda.cancel(over);
        }
        let codes = &self.profile.feature_codes;
        let code = if consults {
            &codes.abort
        } else {
            &codes.attended_transfer
        };
        if code.is_empty() || !code.starts_with(&features.pressed) {
            return std::mem::take(&mut features.pressed);
        }
        if *code != features.pressed {
            features.over = Some(self.agenda.add(now + CODE_WITHIN, Due::CodeOver(key)));
            return String::new();
        }
        features.pressed.clear();
        if consults {
            self.end_consultation(now, key);
        } else {
            self.begin_transfer(now, key);
        }
        String::new()
    }

    /// No code has come of these digits.
    pub(crate) fn code_over(&mut self, now: Duration, key: ChannelKey) {
        let features = self
            .channels
            .get_mut(&key)
            .and_then(|channel| channel.features.as_mut());
        let Some(features) = features else { return };
        features.over = None;
        for digit in std::mem::take(&mut features.pressed).chars() {
            self.pass_on_digit(now, key, digit, Duration::ZERO);
        }
    }
}
