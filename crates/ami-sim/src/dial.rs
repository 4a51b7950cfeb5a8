//! How a call begins: its channels are made, given what the request says, and dialled.

use std::time::Duration;

use rand_chacha::rand_core::Rng;

use crate::call::{CallKey, Failure};
use crate::channel::{Channel, ChannelKey, ChannelState, Driver, Party, Place};
use crate::extension::{Behaviour, find, find_device};
use crate::pbx::{DeviceStage, Due, Pbx};

/// More calls than any PBX of these profiles carries; an Originate beyond it fails.
const CALLS_MAX: usize = 20_000;

/// What a new channel starts with.
struct Birth {
    name: String,
    device: String,
    uniqueid: String,
    linkedid: String,
    state: ChannelState,
    place: Place,
    driver: Driver,
}

impl Pbx {
    pub(crate) fn start_call(&mut self, now: Duration, key: CallKey) {
        let Some(call) = self.calls.get(&key) else {
            return;
        };
        let (technology, data) = call
            .order
            .channel
            .split_once('/')
            .expect("Originate checked the channel");
        let (technology, data) = (technology.to_owned(), data.to_owned());
        let started = if self.calls.len() > CALLS_MAX {
            None
        } else if technology.eq_ignore_ascii_case("Local") {
            self.start_local(now, key, &data)
        } else {
            self.start_device(now, key, (&technology, &data))
        };
        if started.is_none() {
            self.finish_originate(now, key, Err(Failure::NO_CHANNEL));
        }
    }

    /// `exten@context/options`: two halves, the second of which runs the extension.
    fn start_local(&mut self, now: Duration, key: CallKey, data: &str) -> Option<()> {
        let (destination, options) = data.split_once('/').unwrap_or((data, ""));
        let (exten, context) = destination
            .split_once('@')
            .unwrap_or((destination, "default"));
        let order = &self.calls.get(&key)?.order;
        let first_id = order.channel_id.clone();
        let second_id = order
            .other_channel_id
            .clone()
            .or_else(|| first_id.as_ref().map(|first| format!("{first};2")));
        if [&first_id, &second_id]
            .into_iter()
            .flatten()
            .any(|id| self.known.contains_key(id))
        {
            return None;
        }
        let name = format!("Local/{exten}@{context}-{:08x}", self.next_local());
        let linkedid = first_id.unwrap_or_else(|| self.next_uniqueid(now));
        let second_id = second_id.unwrap_or_else(|| self.next_uniqueid(now));
        let birth = |half: &str, uniqueid: &str, state, driver| Birth {
            name: format!("{name};{half}"),
            device: format!("Local/{exten}@{context}"),
            uniqueid: uniqueid.to_owned(),
            linkedid: linkedid.clone(),
            state,
            place: Place::first(context, exten),
            driver,
        };
        let one = self.create_channel(
            now,
            key,
            birth("1", &linkedid, ChannelState::Down, Driver::Dial),
        );
        let two = self.create_channel(
            now,
            key,
            birth("2", &second_id, ChannelState::Ring, Driver::Dialplan),
        );
        self.link(one, two);
        self.prepare_dialled(now, key, one);
        self.prepare_second_half(now, one, two);
        if find(&self.profile.extensions, context, exten).is_none() {
            self.end_unborn(now, key, [two, one]);
            return Some(());
        }
        self.local_bridge(
            now,
            [one, two],
            if options.contains('n') { "No" } else { "Yes" },
        );
        self.begin_dial(now, key, one, data);
        // The second half's own thread looks at its dialplan at the same instant.
        self.wake_at(now, two);
        Some(())
    }

    /// One channel towards a device, if the profile has such a device.
    fn start_device(
        &mut self,
        now: Duration,
        key: CallKey,
        (technology, number): (&str, &str),
    ) -> Option<()> {
        let device = find_device(&self.profile.devices, technology, number)?;
        let (behaves, technology) = (device.behaves, device.technology.clone());
        let id = self.calls.get(&key)?.order.channel_id.clone();
        if id.as_ref().is_some_and(|id| self.known.contains_key(id)) {
            return None;
        }
        let uniqueid = id.unwrap_or_else(|| self.next_uniqueid(now));
        let birth = Birth {
            name: format!("{technology}/{number}-{:08x}", self.next_device()),
            device: format!("{technology}/{number}"),
            linkedid: uniqueid.clone(),
            uniqueid,
            state: ChannelState::Down,
            place: Place::first(&self.profile.contexts.first()?.clone(), "s"),
            driver: Driver::Dial,
        };
        let channel = self.create_channel(now, key, birth);
        self.prepare_dialled(now, key, channel);
        self.begin_dial(now, key, channel, number);
        let answer = self.profile.timing.answer_delay(self.rng.next_u32());
        let ringing = now + self.profile.timing.setup();
        let stages = match behaves {
            Behaviour::Busy => vec![(ringing, DeviceStage::Refuse { cause: 17 })],
            Behaviour::Congestion => vec![(ringing, DeviceStage::Refuse { cause: 34 })],
            Behaviour::Rings => vec![(ringing, DeviceStage::Ringing)],
            Behaviour::Rejects => {
                vec![
                    (ringing, DeviceStage::Ringing),
                    (ringing + answer, DeviceStage::Refuse { cause: 21 }),
                ]
            }
            Behaviour::Answers => vec![
                (ringing, DeviceStage::Ringing),
                (ringing + answer, DeviceStage::Answer),
            ],
        };
        for (at, stage) in stages {
            self.agenda.add(at, Due::Device(channel, stage));
        }
        Some(())
    }

    fn create_channel(&mut self, now: Duration, call: CallKey, birth: Birth) -> ChannelKey {
        let key = self.next_channel();
        let call_id = self.draw_uuid();
        self.known.insert(birth.name.clone(), key);
        self.known.insert(birth.uniqueid.clone(), key);
        let channel = Channel {
            call,
            name: birth.name,
            device: birth.device,
            uniqueid: birth.uniqueid,
            linkedid: birth.linkedid,
            state: birth.state,
            caller: Party::default(),
            connected: Party::default(),
            account: String::new(),
            place: birth.place,
            application: String::new(),
            application_data: String::new(),
            hangup_cause: 0,
            created_at: now,
            ends_at: None,
            variables: Vec::new(),
            peer: None,
            driver: birth.driver,
            jump: None,
            wake: None,
            end: None,
            call_id,
        };
        self.channels.insert(key, channel);
        self.calls
            .get_mut(&call)
            .expect("its call is being started")
            .channels += 1;
        self.counters.channels_up += 1;
        self.new_channel_event(now, key);
        key
    }

    fn link(&mut self, one: ChannelKey, two: ChannelKey) {
        for (key, peer) in [(one, two), (two, one)] {
            self.channels
                .get_mut(&key)
                .expect("both were just made")
                .peer = Some(peer);
        }
    }

    /// What the request sets on the dialled channel: variables (last first), account, caller and connected line.
    fn prepare_dialled(&mut self, now: Duration, call: CallKey, key: ChannelKey) {
        let place = self.channels[&key].place.clone();
        self.enter(now, key, place, ("AppDial2", "(Outgoing Line)"));
        let order = &self.calls[&call].order;
        let (variables, account, caller) = (
            order.variables.clone(),
            order.account.clone(),
            order.caller.clone(),
        );
        let absolute = order
            .absolute_timeout
            .map(|timeout| now + timeout.min(self.profile.timing.call_max()));
        for (name, value) in variables.iter().rev() {
            self.channels
                .get_mut(&key)
                .expect("it was just made")
                .set_variable(name, value);
            self.var_set(now, key, name, value);
        }
        self.end_at(
            key,
            absolute.unwrap_or_else(|| now + self.profile.timing.call_max()),
            absolute,
        );
        if !account.is_empty() {
            self.channels
                .get_mut(&key)
                .expect("it was just made")
                .account = account;
            self.new_account(now, key);
        }
        if caller != Party::default() {
            self.channels
                .get_mut(&key)
                .expect("it was just made")
                .caller = caller.clone();
            self.new_caller(now, key);
            self.channels
                .get_mut(&key)
                .expect("it was just made")
                .connected = caller;
            self.new_connected_line(now, key);
        }
    }

    /// The second half of a Local channel takes over what the first one was given.
    fn prepare_second_half(&mut self, now: Duration, one: ChannelKey, two: ChannelKey) {
        let first = &self.channels[&one];
        let (variables, account, caller) = (
            first.variables.clone(),
            first.account.clone(),
            first.caller.clone(),
        );
        for (name, value) in variables.iter().rev() {
            self.channels
                .get_mut(&two)
                .expect("it was just made")
                .set_variable(name, value);
            self.var_set(now, two, name, value);
        }
        let second = self.channels.get_mut(&two).expect("it was just made");
        second.caller = caller.clone();
        second.connected = caller.clone();
        second.account.clone_from(&account);
        if caller != Party::default() {
            self.new_caller(now, two);
        }
        if !account.is_empty() {
            self.new_account(now, two);
        }
        if caller != Party::default() {
            self.new_connected_line(now, two);
        }
    }

    fn begin_dial(&mut self, now: Duration, key: CallKey, channel: ChannelKey, dial_string: &str) {
        self.dial_event(now, "DialBegin", channel, ("DialString", dial_string));
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        call.dialling = Some(channel);
        call.timeout = Some(
            self.agenda
                .add(now + call.order.timeout, Due::NoAnswer(key)),
        );
    }

    /// The extension behind a Local channel does not exist: both halves end without a word of dialling.
    fn end_unborn(&mut self, now: Duration, key: CallKey, halves: [ChannelKey; 2]) {
        let [two, one] = halves;
        self.hangup_event(now, two);
        self.finish_originate(now, key, Err(Failure::NO_CHANNEL));
        self.hangup_event(now, one);
        for half in halves {
            self.device_state(now, half, "INVALID");
            self.forget_channel(half);
        }
    }
}
