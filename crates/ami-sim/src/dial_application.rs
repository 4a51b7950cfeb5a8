//! `Dial` as an application of the dialplan: what its data asks for, the variables that it leaves, what follows.

use std::time::Duration;

use crate::bridge::NORMAL_CLEARING;
use crate::channel::{ChannelKey, ChannelState, Next};
use crate::dial::{DialEnd, DialKey, Failure, Owner, Stage};
use crate::feature::Features;
use crate::line::Wish;
use crate::pbx::{DeviceStage, Due, Pbx};

/// The letters after the second comma that the model knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options(String);

impl Options {
    /// The caller goes on in the dialplan when the other side has hung up.
    fn goes_on(&self) -> bool {
        self.0.contains('g')
    }

    /// The caller may transfer the other side.
    fn caller_transfers(&self) -> bool {
        self.0.contains('T')
    }

    fn called_transfers(&self) -> bool {
        self.0.contains('t')
    }

    /// The caller hears music until there is an answer.
    fn plays_music(&self) -> bool {
        self.0.contains('m')
    }
}

/// `Tech/data&Tech/data,timeout,options`.
struct Orders<'a> {
    targets: Vec<&'a str>,
    timeout: Option<Duration>,
    options: Options,
}

/// More lines than any dial rings at once.
const TARGETS_MAX: usize = 64;

fn parse(data: &str) -> Orders<'_> {
    let mut parts = data.splitn(3, ',');
    let targets = parts.next().unwrap_or_default().split('&');
    let seconds = parts.next().and_then(|text| text.trim().parse().ok());
    Orders {
        targets: targets
            .filter(|target| !target.is_empty())
            .take(TARGETS_MAX)
            .collect(),
        timeout: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        options: Options(parts.next().unwrap_or_default().to_owned()),
    }
}

impl Pbx {
    pub(crate) fn run_dial(&mut self, now: Duration, caller: ChannelKey, data: &str) {
        for name in self.profile.base.dial_variables() {
            self.set_variable(now, caller, name, "");
        }
        self.channel_mut(caller).record_dial_application();
        let orders = parse(data);
        let call = self.channels[&caller].call;
        let mut lines = Vec::new();
        for target in orders.targets {
            let wish = Wish {
                call,
                target: target.to_owned(),
                channel_id: None,
                other_channel_id: None,
                caller: Some(caller),
            };
            match self.request_line(now, wish) {
                Ok(line) => {
                    self.prepare_line(now, caller, &line, "AppDial");
                    lines.push(line);
                }
                Err(cause) => self.channel_mut(caller).hangup_cause = cause,
            }
        }
        if lines.is_empty() {
            let status = Failure::status_of_all(&[Failure::Unavailable]);
            return self.dial_is_over(now, caller, status);
        }
        let music = orders.options.plays_music();
        let owner = (Owner::Application(orders.options), Some(caller));
        self.start_dial(now, owner, &lines, orders.timeout);
        let rings = self
            .channels
            .get(&caller)
            .is_some_and(|caller| caller.dialling.is_some());
        if music && rings {
            self.music_start(now, caller);
        }
    }

    pub(crate) fn dial_application_ended(
        &mut self,
        now: Duration,
        key: DialKey,
        options: Options,
        end: DialEnd,
    ) {
        let caller = self.dials[&key]
            .caller
            .expect("an application has a channel");
        let status = match end {
            DialEnd::Answered(line) => {
                return self.dial_answered(now, key, &options, [caller, line]);
            }
            DialEnd::Failed(failures) => Failure::status_of_all(&failures),
            DialEnd::TimedOut => "NOANSWER",
        };
        self.forget_dial(key);
        if options.plays_music() {
            self.music_stop(now, caller);
        }
        self.dial_is_over(now, caller, status);
    }

    fn dial_is_over(&mut self, now: Duration, caller: ChannelKey, status: &str) {
        self.set_variable(now, caller, "DIALSTATUS", status);
        self.wake_at(now, caller);
    }

    fn dial_answered(
        &mut self,
        now: Duration,
        key: DialKey,
        options: &Options,
        [caller, line]: [ChannelKey; 2],
    ) {
        let peer = &self.channels[&line];
        let (name, number) = (peer.name.clone(), peer.variable("DIALEDPEERNUMBER"));
        let number = number.unwrap_or_default().to_owned();
        self.set_variable(now, caller, "DIALSTATUS", "ANSWER");
        self.set_variable(now, caller, "DIALEDPEERNAME", &name);
        self.set_variable(now, caller, "DIALEDPEERNUMBER", &number);
        // A line that has answered is at no extension any more.
        self.channel_mut(line).place.exten.clear();
        self.dial_end(now, line, "ANSWER");
        self.channel_mut(line).dialled_in = None;
        if options.plays_music() {
            self.music_stop(now, caller);
        }
        self.dials.get_mut(&key).expect("it has just ended").stage =
            Stage::Talking { answered_at: now };
        self.pick_up(now, caller);
        let may = [options.caller_transfers(), options.called_transfers()];
        for (key, may) in [caller, line].into_iter().zip(may) {
            self.channel_mut(key).features = may.then(Features::default);
        }
        let bridge = self.create_bridge(now);
        self.newexten_event(now, line);
        self.join(now, bridge, line);
        self.join(now, bridge, caller);
        self.introduce(now, bridge);
    }

    /// Answers the caller itself, if that has not happened yet.
    pub(crate) fn pick_up(&mut self, now: Duration, key: ChannelKey) {
        if self.channels[&key].state == ChannelState::Up {
            return;
        }
        self.set_state(now, key, ChannelState::Up);
        // The other half's own thread hears of it.
        if let Some(line) = self.dialled_half(key) {
            self.agenda.add(now, Due::Device(line, DeviceStage::Answer));
        }
    }

    /// What the caller finds in its variables when the talk is over.
    pub(crate) fn leave_dial_times(&mut self, now: Duration, caller: ChannelKey) {
        let dial = self.channels[&caller]
            .dialling
            .and_then(|key| self.dials.get(&key));
        let Some(&Stage::Talking { answered_at }) = dial.map(|dial| &dial.stage) else {
            return;
        };
        let began_at = dial.map_or(now, |dial| dial.began_at);
        self.dial_time(now, caller, "ANSWEREDTIME", now - answered_at);
        self.dial_time(now, caller, "DIALEDTIME", now - began_at);
    }

    /// A span in whole seconds and in milliseconds.
    pub(crate) fn dial_time(&mut self, now: Duration, key: ChannelKey, name: &str, span: Duration) {
        let names = self.profile.base.dial_variables();
        let millis = format!("{name}_MS");
        for (name, value) in [(name, span.as_secs().into()), (&millis, span.as_millis())] {
            if names.contains(&name) {
                self.set_variable(now, key, name, &value.to_string());
            }
        }
    }

    /// The talk of a caller is over: its dialplan goes on, or it ends with the other side.
    pub(crate) fn dial_talk_over(&mut self, now: Duration, caller: ChannelKey, key: DialKey) {
        if self.is_dial_of_queue(key) {
            return self.member_left(now, caller, key);
        }
        self.leave_dial_times(now, caller);
        self.set_variable(now, caller, "DIALSTATUS", "ANSWER");
        let goes_on = match &self.dials[&key].owner {
            Owner::Application(options) => options.goes_on(),
            Owner::Originate(_) | Owner::Queue(_) | Owner::Transfer(_) => false,
        };
        self.forget_dial(key);
        if goes_on {
            self.wake_at(now, caller);
        } else {
            self.hang_up(now, caller);
        }
    }

    /// Redirected away from its talk: an application of Originate ends there, the dialplan goes where it is sent.
    pub(crate) fn dial_redirected(&mut self, now: Duration, caller: ChannelKey, key: DialKey) {
        if self.is_dial_of_queue(key) {
            return self.talk_redirected(now, caller, key);
        }
        self.set_variable(now, caller, "DIALSTATUS", "ANSWER");
        self.forget_dial(key);
        if matches!(self.channels[&caller].next, Next::Place(_)) {
            self.wake_at(now, caller);
        } else {
            self.channel_mut(caller).hangup_cause = NORMAL_CLEARING;
            self.hang_up(now, caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_of_dial_has_three_parts() {
        let orders = parse("Local/a@b/n&PJSIP/1000,20,gm");
        assert_eq!(orders.targets, ["Local/a@b/n", "PJSIP/1000"]);
        assert_eq!(orders.timeout, Some(Duration::from_secs(20)));
        assert!(orders.options.goes_on() && orders.options.plays_music());
        let bare = parse("PJSIP/1000");
        assert_eq!((bare.targets.len(), bare.timeout), (1, None));
        assert_eq!(bare.options, Options::default());
    }

    #[test]
    fn all_failures_together_have_one_status() {
        let status = Failure::status_of_all;
        let rejected = Failure::HungUp { cause: 21 };
        assert_eq!(status(&[rejected, Failure::Busy]), "BUSY");
        assert_eq!(status(&[Failure::Congestion, rejected]), "CONGESTION");
        assert_eq!(status(&[rejected]), "CHANUNAVAIL");
        assert_eq!(status(&[Failure::Busy, Failure::NoAnswer]), "NOANSWER");
    }
}
