//! The events of channels, each with its headers in the order of a real PBX.

use std::time::Duration;

use crate::bridge::BridgeKey;
use crate::channel::{CauseText, Channel, ChannelKey, ChannelState, Party, Place};
use crate::class::Classes;
use crate::device_state::DeviceState;
use crate::message::Headers;
use crate::pbx::Pbx;

impl Pbx {
    /// An event about one channel; `more` adds what follows the snapshot.
    pub(crate) fn channel_event(
        &mut self,
        now: Duration,
        name: &str,
        key: ChannelKey,
        more: impl FnOnce(&Channel, Headers) -> Headers,
    ) {
        let classes = match name {
            "VarSet" => Classes::DIALPLAN,
            "DTMFBegin" | "DTMFEnd" => Classes::DTMF,
            "UserEvent" => Classes::USER,
            "Newexten" => self.profile.base.newexten_classes(),
            _ => Classes::CALL,
        };
        if !self.wants(classes) {
            return;
        }
        let Some(channel) = self.channels.get(&key) else {
            return;
        };
        let mut headers = self.event(now, name, classes);
        channel.write_snapshot("", &self.profile, &mut headers);
        for (added, value) in self.profile.event_headers.get(name).into_iter().flatten() {
            headers.push("", added, value.as_bytes());
        }
        let headers = more(channel, headers);
        self.publish(classes, headers);
    }

    pub(crate) fn new_channel_event(&mut self, now: Duration, key: ChannelKey) {
        self.channel_event(now, "Newchannel", key, |_, headers| headers);
    }

    pub(crate) fn var_set(&mut self, now: Duration, key: ChannelKey, name: &str, value: &str) {
        self.channel_event(now, "VarSet", key, |_, headers| {
            headers.with("Variable", name).with("Value", value)
        });
    }

    pub(crate) fn set_variable(&mut self, now: Duration, key: ChannelKey, name: &str, value: &str) {
        if let Some(channel) = self.channels.get_mut(&key) {
            channel.set_variable(name, value);
        }
        self.var_set(now, key, name, value);
    }

    pub(crate) fn music_start(&mut self, now: Duration, key: ChannelKey) {
        self.channel_event(now, "MusicOnHoldStart", key, |_, headers| {
            headers.with("Class", "default")
        });
    }

    pub(crate) fn music_stop(&mut self, now: Duration, key: ChannelKey) {
        self.channel_event(now, "MusicOnHoldStop", key, |_, headers| headers);
    }

    pub(crate) fn set_state(&mut self, now: Duration, key: ChannelKey, state: ChannelState) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        channel.state = state;
        let moved = std::mem::take(&mut channel.moved_quietly);
        if state == ChannelState::Up {
            channel.record_answer(now);
        }
        self.channel_event(now, "Newstate", key, |_, headers| headers);
        if moved {
            self.newexten_event(now, key);
            self.new_connected_line(now, key);
        }
        self.device_state(now, key, "INUSE");
    }

    /// Moves a channel to an application. Asterisk tells of it only when the place changed, or when there was no
    /// application before.
    pub(crate) fn enter(
        &mut self,
        now: Duration,
        key: ChannelKey,
        place: Place,
        application: (&str, &str),
    ) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        let told = channel.place != place || channel.application.is_empty();
        channel.place = place;
        application.0.clone_into(&mut channel.application);
        application.1.clone_into(&mut channel.application_data);
        if told {
            self.newexten_event(now, key);
        }
    }

    pub(crate) fn newexten_event(&mut self, now: Duration, key: ChannelKey) {
        self.channel_event(now, "Newexten", key, |channel, headers| {
            headers
                .with("Extension", &channel.place.exten)
                .with("Application", &channel.application)
                .with("AppData", &channel.application_data)
        });
    }

    /// Moves a channel to a place while it still does what it did.
    pub(crate) fn move_to(&mut self, now: Duration, key: ChannelKey, place: Place) {
        let channel = self.channel_mut(key);
        let told = channel.place != place && !channel.application.is_empty();
        channel.place = place;
        if told {
            self.newexten_event(now, key);
        }
    }

    pub(crate) fn new_account(&mut self, now: Duration, key: ChannelKey) {
        self.changed_account(now, key, "");
    }

    pub(crate) fn changed_account(&mut self, now: Duration, key: ChannelKey, old: &str) {
        self.channel_event(now, "NewAccountCode", key, |_, headers| {
            headers.with("OldAccountCode", old)
        });
    }

    pub(crate) fn new_caller(&mut self, now: Duration, key: ChannelKey) {
        self.channel_event(now, "NewCallerid", key, |channel, headers| {
            let presentation = if channel.caller == Party::default() {
                "67 (Number Unavailable)"
            } else {
                "0 (Presentation Allowed, Not Screened)"
            };
            headers.with("CID-CallingPres", presentation)
        });
    }

    pub(crate) fn new_connected_line(&mut self, now: Duration, key: ChannelKey) {
        self.channel_event(now, "NewConnectedLine", key, |_, headers| headers);
    }

    /// Always 16: the number of the soft-hangup flag for an ended dialplan, which only looks like a cause.
    pub(crate) fn soft_hangup_request(&mut self, now: Duration, key: ChannelKey) {
        self.request_event(now, ("SoftHangupRequest", 16), key);
    }

    pub(crate) fn hangup_request(&mut self, now: Duration, key: ChannelKey, cause: u16) {
        self.request_event(now, ("HangupRequest", cause), key);
    }

    fn request_event(&mut self, now: Duration, (name, cause): (&str, u16), key: ChannelKey) {
        let quiet = self
            .channels
            .get(&key)
            .and_then(|channel| channel.quiet_caller.clone());
        let quiet = quiet.filter(|_| self.profile.base.requests_show_quiet_callers());
        let told = quiet.map(|quiet| std::mem::replace(&mut self.channel_mut(key).caller, quiet));
        self.channel_event(now, name, key, |_, headers| {
            headers.with_display("Cause", cause)
        });
        if let Some(told) = told {
            self.channel_mut(key).caller = told;
        }
        self.agent_complete(now, key);
    }

    /// Whether its caller is another one than was told.
    fn learn_caller(&mut self, key: ChannelKey) -> bool {
        let Some(channel) = self.channels.get_mut(&key) else {
            return false;
        };
        let quiet = channel.quiet_caller.take();
        match quiet.filter(|quiet| *quiet != channel.caller) {
            Some(quiet) => channel.caller = quiet,
            None => return false,
        }
        true
    }

    pub(crate) fn hangup_event(&mut self, now: Duration, key: ChannelKey) {
        let learned = self.learn_caller(key);
        self.channel_event(now, "Hangup", key, |channel, headers| {
            headers
                .with_display("Cause", channel.hangup_cause)
                .with_display("Cause-txt", CauseText(channel.hangup_cause))
        });
        if std::mem::take(&mut self.channel_mut(key).moved_quietly) {
            self.new_connected_line(now, key);
        }
        if learned {
            self.new_caller(now, key);
        }
    }

    pub(crate) fn device_state(&mut self, now: Duration, key: ChannelKey, state: &str) {
        let Some(device) = self
            .channels
            .get(&key)
            .map(|channel| channel.device.clone())
        else {
            return;
        };
        let told = DeviceState::from_name(state).unwrap_or(DeviceState::Unknown);
        self.tell_device(now, &device, told);
    }

    /// DialBegin, DialState, DialEnd about a line; an Originate has no calling channel.
    pub(crate) fn dial_event(
        &mut self,
        now: Duration,
        name: &str,
        key: ChannelKey,
        last: (&str, &str),
    ) {
        let Some(channel) = self
            .channels
            .get(&key)
            .filter(|_| self.wants(Classes::CALL))
        else {
            return;
        };
        let dial = channel.dialled_in.and_then(|dial| self.dials.get(&dial));
        let caller = dial.and_then(|dial| self.channels.get(&dial.caller?));
        let mut headers = self.event(now, name, Classes::CALL);
        if let Some(caller) = caller {
            caller.write_snapshot("", &self.profile, &mut headers);
        }
        channel.write_snapshot("Dest", &self.profile, &mut headers);
        let headers = headers.with(last.0, last.1);
        self.publish(Classes::CALL, headers);
    }

    pub(crate) fn local_bridge(&mut self, now: Duration, halves: [ChannelKey; 2]) {
        let [Some(one), Some(two)] = halves.map(|key| self.channels.get(&key)) else {
            return;
        };
        if !self.wants(Classes::CALL) {
            return;
        }
        let mut headers = self.event(now, "LocalBridge", Classes::CALL);
        one.write_snapshot("LocalOne", &self.profile, &mut headers);
        two.write_snapshot("LocalTwo", &self.profile, &mut headers);
        let headers = headers
            .with("Context", &two.place.context)
            .with("Exten", &two.place.exten)
            .with("LocalOptimization", two.optimisation.word());
        self.publish(Classes::CALL, headers);
    }

    pub(crate) fn bridge_event(
        &mut self,
        now: Duration,
        name: &str,
        key: BridgeKey,
        channel: Option<ChannelKey>,
    ) {
        self.bridge_event_with(now, (name, key, channel), |headers| headers);
    }

    /// `more` adds what follows the snapshots.
    pub(crate) fn bridge_event_with(
        &mut self,
        now: Duration,
        (name, key, channel): (&str, BridgeKey, Option<ChannelKey>),
        more: impl FnOnce(Headers) -> Headers,
    ) {
        if !self.wants(Classes::CALL) {
            return;
        }
        let Some(bridge) = self.bridges.get(&key) else {
            return;
        };
        let mut headers = self.event(now, name, Classes::CALL);
        bridge.write_snapshot("", &self.profile, &mut headers);
        if let Some(channel) = channel.and_then(|channel| self.channels.get(&channel)) {
            channel.write_snapshot("", &self.profile, &mut headers);
        }
        self.publish(Classes::CALL, more(headers));
    }

    /// Who a party is, as events and answers write it.
    pub(crate) fn party<'a>(&'a self, value: &'a Option<String>) -> &'a str {
        value.as_deref().unwrap_or(&self.profile.unset_party)
    }

    pub(crate) fn with_caller(&self, headers: Headers, caller: &Party) -> Headers {
        headers
            .with(
                "CallerIDNum",
                caller.number.as_deref().unwrap_or("<unknown>"),
            )
            .with(
                "CallerIDName",
                caller.name.as_deref().unwrap_or("<unknown>"),
            )
    }
}
