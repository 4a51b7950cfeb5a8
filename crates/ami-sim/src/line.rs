//! What a dial string leads to: the two halves of a Local channel, or one channel towards a device.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::rand_core::Rng;

use crate::call::CallKey;
use crate::cdr::Records;
use crate::channel::{Channel, ChannelKey, ChannelState, Driver, Next, Party, Place};
use crate::dial::Owner;
use crate::extension::{Behaviour, endpoint, find_device};
use crate::occupation::Occupation;
use crate::optimisation::Optimisation;
use crate::pbx::{DeviceStage, Due, Pbx};

/// `AST_CAUSE_NO_ROUTE_DESTINATION`: there is no such device, or it is not registered.
const NO_ROUTE: u16 = 3;
/// `AST_CAUSE_CHAN_NOT_IMPLEMENTED`: no such channel technology.
const NOT_IMPLEMENTED: u16 = 66;

/// A channel to dial, and what the dial string asks for.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) call: CallKey,
    /// As it was written: `Tech/data`.
    pub(crate) target: String,
    pub(crate) channel_id: Option<String>,
    pub(crate) other_channel_id: Option<String>,
    /// On whose behalf: its Linkedid goes on to the new channels.
    pub(crate) caller: Option<ChannelKey>,
}

/// A channel that is not dialled yet.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) channel: ChannelKey,
    /// What follows the technology, as DialBegin shows it.
    pub(crate) dial_string: String,
    /// Who calls, where the line itself is not told.
    pub(crate) calling: Option<Party>,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Local { second: ChannelKey },
    Device(Behaviour),
}

/// What a new channel starts with.
struct Birth {
    name: String,
    device: String,
    uniqueid: String,
    linkedid: Option<(ChannelKey, String)>,
    state: ChannelState,
    place: Place,
    driver: Driver,
    dialled_by: Option<ChannelKey>,
}

impl Pbx {
    /// Makes the channels of a dial string; where that fails, the hangup cause.
    pub(crate) fn request_line(&mut self, now: Duration, wish: Wish) -> Result<Line, u16> {
        let (technology, data) = wish.target.split_once('/').ok_or(NOT_IMPLEMENTED)?;
        let (technology, data) = (technology.to_owned(), data.to_owned());
        if technology.eq_ignore_ascii_case("Local") {
            self.request_local(now, wish, data)
        } else {
            self.request_device(now, wish, (&technology, data))
        }
    }

    /// `exten@context/options`: two halves, the second of which runs the extension.
    fn request_local(&mut self, now: Duration, wish: Wish, data: String) -> Result<Line, u16> {
        let (destination, options) = data.split_once('/').unwrap_or((&data, ""));
        let (exten, context) = destination
            .split_once('@')
            .unwrap_or((destination, "default"));
        let first_id = wish.channel_id;
        let second_id = wish
            .other_channel_id
            .or_else(|| first_id.as_ref().map(|first| format!("{first};2")));
        if first_id.is_some() && first_id == second_id {
            return Err(0);
        }
        self.all_free([&first_id, &second_id])?;
        let linkedid = self.linkedid_of(wish.caller);
        let name = format!("Local/{exten}@{context}-{:08x}", self.next_local());
        let first_id = first_id.unwrap_or_else(|| self.next_uniqueid(now));
        let second_id = second_id.unwrap_or_else(|| self.next_uniqueid(now));
        let birth = |half: &str, uniqueid: String, linkedid, state, driver| Birth {
            name: format!("{name};{half}"),
            device: format!("Local/{exten}@{context}"),
            uniqueid,
            linkedid,
            state,
            place: Place::first(context, exten),
            driver,
            dialled_by: wish.caller.filter(|_| half == "1"),
        };
        let one = birth("1", first_id, linkedid, ChannelState::Down, Driver::Line);
        let one = self.create_channel(now, wish.call, one);
        let linkedid = self.linkedid_of(Some(one));
        let two = birth(
            "2",
            second_id,
            linkedid,
            ChannelState::Ring,
            Driver::Dialplan,
        );
        let two = self.create_channel(now, wish.call, two);
        for (key, peer) in [(one, two), (two, one)] {
            self.channel_mut(key).peer = Some(peer);
        }
        if options.contains('n') {
            for half in [one, two] {
                self.channel_mut(half).optimisation = Optimisation::Refused;
            }
        }
        Ok(Line {
            channel: one,
            dial_string: data,
            calling: None,
            way: Way::Local { second: two },
        })
    }

    /// One channel towards a device, if the profile has such a device.
    fn request_device(
        &mut self,
        now: Duration,
        wish: Wish,
        (technology, number): (&str, String),
    ) -> Result<Line, u16> {
        let mut devices = self.profile.devices.iter();
        if !devices.any(|device| device.technology.eq_ignore_ascii_case(technology)) {
            return Err(NOT_IMPLEMENTED);
        }
        let device = find_device(&self.profile.devices, technology, &number).ok_or(NO_ROUTE)?;
        let (behaves, technology) = (device.behaves, device.technology.clone());
        self.all_free([&wish.channel_id, &None])?;
        let context = self.profile.contexts.first().cloned().unwrap_or_default();
        let uniqueid = wish.channel_id.unwrap_or_else(|| self.next_uniqueid(now));
        // A trunk before its number stays with it, one behind it stands alone.
        let shown = if number.contains('@') {
            endpoint(&number)
        } else {
            &number
        };
        let birth = Birth {
            name: format!("{technology}/{shown}-{:08x}", self.next_device()),
            device: format!("{technology}/{}", endpoint(&number)),
            linkedid: self.linkedid_of(wish.caller),
            uniqueid,
            state: ChannelState::Down,
            place: Place::first(&context, "s"),
            driver: Driver::Line,
            dialled_by: wish.caller,
        };
        Ok(Line {
            channel: self.create_channel(now, wish.call, birth),
            dial_string: number,
            calling: None,
            way: Way::Device(behaves),
        })
    }

    fn all_free(&self, ids: [&Option<String>; 2]) -> Result<(), u16> {
        let mut taken = ids.into_iter().flatten();
        match taken.any(|id| self.known.contains_key(id)) {
            true => Err(0),
            false => Ok(()),
        }
    }

    fn linkedid_of(&self, key: Option<ChannelKey>) -> Option<(ChannelKey, String)> {
        let channel = self.channels.get(&key?)?;
        Some((channel.origin, channel.linkedid.clone()))
    }

    fn create_channel(&mut self, now: Duration, call: CallKey, birth: Birth) -> ChannelKey {
        let key = self.next_channel();
        let call_id = self.draw_uuid();
        self.known.insert(birth.name.clone(), key);
        self.known.insert(birth.uniqueid.clone(), key);
        let (origin, linkedid) = birth
            .linkedid
            .unwrap_or_else(|| (key, birth.uniqueid.clone()));
        let channel = Channel {
            call,
            name: birth.name,
            device: birth.device,
            uniqueid: birth.uniqueid,
            origin,
            linkedid,
            state: birth.state,
            caller: Party::default(),
            quiet_caller: None,
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
            optimisation: Optimisation::Allowed,
            driver: birth.driver,
            next: Next::Step,
            dialled_in: None,
            dialling: None,
            bridge: None,
            parked: None,
            features: None,
            to_press: VecDeque::new(),
            recorded: false,
            occupation: Occupation::None,
            queue: None,
            moved_quietly: false,
            records: Records::default(),
            wake: None,
            end: None,
            call_id,
        };
        self.channels.insert(key, channel);
        if birth.dialled_by.is_none() {
            self.channel_mut(key).begin_records(now);
        }
        if let Some(call) = self.calls.get_mut(&call) {
            call.channels += 1;
        }
        self.counters.channels_up += 1;
        self.new_channel_event(now, key);
        key
    }

    /// Begins to dial a line that belongs to a dial already. An extension that does not exist ends it without a word of
    /// dialling.
    pub(crate) fn call_line(&mut self, now: Duration, line: &Line) -> Result<(), NoExtension> {
        match line.way {
            Way::Local { second } => self.call_local(now, line, second),
            Way::Device(behaves) => {
                self.dial_begin(now, line);
                self.behave(now, line.channel, behaves);
                Ok(())
            }
        }
    }

    fn call_local(
        &mut self,
        now: Duration,
        line: &Line,
        second: ChannelKey,
    ) -> Result<(), NoExtension> {
        let halves = [line.channel, second];
        self.prepare_second_half(now, halves, line.calling.as_ref());
        let place = self.channels[&second].place.clone();
        if self.profile.steps(&place.context, &place.exten).is_none() {
            self.hangup_event(now, second);
            self.tell_records(now, second);
            self.device_state(now, second, "INVALID");
            self.forget_channel(second);
            return Err(NoExtension);
        }
        self.local_bridge(now, halves);
        self.dial_begin(now, line);
        // The second half's own thread looks at its dialplan at the same instant.
        self.channel_mut(second).next = Next::Place(place);
        self.wake_at(now, second);
        Ok(())
    }

    fn dial_begin(&mut self, now: Duration, line: &Line) {
        let caller = self.caller_of(line.channel);
        if let Some(caller) = caller {
            self.record_dial(now, caller, line.channel);
        }
        let dial = self.dial_of(line.channel).map(|key| &self.dials[&key]);
        match dial.map(|dial| dial.owner.clone()) {
            Some(Owner::Queue(ring)) => return self.member_called(now, line.channel, &ring),
            Some(Owner::Transfer(_)) => return,
            _ => {}
        }
        let string = ("DialString", line.dial_string.as_str());
        self.dial_event(now, "DialBegin", line.channel, string);
    }

    /// The second half of a Local channel takes over what the first one was given: who calls here is connected there.
    fn prepare_second_half(
        &mut self,
        now: Duration,
        [one, two]: [ChannelKey; 2],
        calling: Option<&Party>,
    ) {
        let first = &self.channels[&one];
        let (variables, account) = (first.variables.clone(), first.account.clone());
        let caller = calling.unwrap_or(&first.connected).clone();
        let connected = first.caller.clone();
        for (name, value) in &variables {
            self.var_set(now, two, name, value);
        }
        let told = [&caller, &connected].map(|party| *party != Party::default());
        let accounted = !account.is_empty();
        let second = self.channel_mut(two);
        second.variables = variables;
        second.caller = caller;
        second.connected = connected;
        second.account = account;
        if told[0] {
            self.new_caller(now, two);
        }
        if accounted {
            self.new_account(now, two);
        }
        if told[1] {
            self.new_connected_line(now, two);
        }
    }

    /// Of the devices that answer, some do not every time.
    fn draw_behaviour(&mut self) -> Behaviour {
        let shares = self.profile.timing.shares;
        if shares.is_none() {
            return Behaviour::Answers;
        }
        shares.behaviour(self.rng.next_u32())
    }

    fn behave(&mut self, now: Duration, channel: ChannelKey, behaves: Behaviour) {
        let answer = self.profile.timing.answer_delay(self.rng.next_u32());
        let behaves = match behaves {
            Behaviour::Answers => self.draw_behaviour(),
            certain => certain,
        };
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
    }
}

/// The extension behind a Local channel does not exist; its second half is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoExtension;
