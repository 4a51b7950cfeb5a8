//! Parking: channels that wait in a lot until somebody fetches them, they give up, or their time is over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::agenda::Ticket;
use crate::bridge::{BridgeKey, BridgeKind, NORMAL_CLEARING};
use crate::channel::{ChannelKey, ChannelState, Driver, Next, Place};
use crate::class::Classes;
use crate::extension::{Effect, Media, Step};
use crate::message::Headers;
use crate::pbx::{Due, Pbx};

/// One `[[parking_lot]]` of a profile, as in `res_parking.conf`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParkingLot {
    pub name: String,
    /// The first and the last of its spaces.
    pub spaces: [u32; 2],
    pub timeout_s: u64,
    /// Where its spaces are extensions.
    pub context: String,
    /// Where a call goes that nobody fetched.
    pub comeback_context: String,
}

impl ParkingLot {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}

/// Who waits where, and the bridge of each lot that was ever used.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    /// By lot, as the profile numbers them, and space.
    parked: BTreeMap<(usize, u32), Parked>,
    bridges: BTreeMap<usize, BridgeKey>,
}

#[derive(Debug)]
struct Parked {
    channel: ChannelKey,
    /// Who parked it: it could be called back.
    parker: String,
    since: Duration,
    timeout: Duration,
    ticket: Option<Ticket>,
    /// Until then it is told its space.
    music_at: Duration,
}

/// Somebody who parks itself is told where, digit by digit.
const SPACE_READ_OUT: Duration = Duration::from_millis(2640);

/// What Park is asked for.
#[derive(Debug)]
pub(crate) struct ParkOrder {
    pub(crate) lot: usize,
    /// Who is to be called back instead of the parked one itself.
    pub(crate) parker: Option<String>,
    /// In whole seconds; zero is for ever.
    pub(crate) timeout: Duration,
    /// How long the parked one is told its space before it hears music.
    pub(crate) told_for: Duration,
}

/// How a channel comes out of its lot, by the event that tells it.
#[derive(Clone, Copy, Debug)]
enum Exit {
    GiveUp,
    TimeOut,
    Fetched(ChannelKey),
}

impl Pbx {
    /// The lot of this name; the first one if there is no name.
    pub(crate) fn find_lot(&self, name: &str) -> Option<usize> {
        let mut lots = self.profile.parking_lots.iter();
        lots.position(|lot| name.is_empty() || lot.name == name)
    }

    /// `None` when all spaces are taken.
    pub(crate) fn park(&mut self, now: Duration, key: ChannelKey, order: ParkOrder) -> Option<u32> {
        let [first, last] = self.profile.parking_lots[order.lot].spaces;
        let taken = |space: &u32| self.parking.parked.contains_key(&(order.lot, *space));
        let space = (first..=last).find(|space| !taken(space))?;
        self.cancel_dial(now, key);
        self.channels.get(&key)?;
        if let Some(parker) = &order.parker {
            self.set_variable(now, key, "BLINDTRANSFER", parker);
        }
        let left = self.interrupt(now, key);
        let at = (order.lot, space);
        let bridge = self.lot_bridge(now, order.lot);
        let own = flat_name(&self.channels[&key].name).to_owned();
        let music_at = now + order.told_for;
        if music_at > now {
            let due = Due::ParkingMusic(at.0, at.1, key);
            self.agenda.add(music_at, due);
        }
        // Its time may be over while it is told its space: it hears that first.
        let ticket = (order.timeout > Duration::ZERO).then(|| {
            let due = Due::ParkingTimeout(at.0, at.1);
            self.agenda.add(music_at.max(now + order.timeout), due)
        });
        let parked = Parked {
            channel: key,
            parker: order.parker.clone().unwrap_or(own),
            since: now,
            timeout: order.timeout,
            ticket,
            music_at,
        };
        self.parking.parked.insert(at, parked);
        self.channel_mut(key).parked = Some(at);
        self.parking_event(now, "ParkedCall", at, None);
        self.space_state(now, at, "INUSE");
        self.join(now, bridge, key);
        if order.parker.is_some() {
            self.set_variable(now, key, "BLINDTRANSFER", "");
        }
        self.forget_peer(now, key);
        let lot = self.profile.parking_lots[at.0].name.clone();
        self.channel_mut(key).record_parking(now, &lot, space);
        self.parking_music(now, at, key);
        if let Some(bridge) = left {
            self.dissolve(now, bridge, NORMAL_CLEARING);
        }
        Some(space)
    }

    pub(crate) fn parking_music(&mut self, now: Duration, at: (usize, u32), key: ChannelKey) {
        let parked = self.parking.parked.get(&at);
        if parked.is_some_and(|parked| parked.channel == key && parked.music_at == now) {
            self.music_start(now, key);
        }
    }

    fn parking_music_stop(&mut self, now: Duration, at: (usize, u32)) {
        if let Some(parked) = self
            .parking
            .parked
            .get(&at)
            .filter(|parked| parked.music_at <= now)
        {
            self.music_stop(now, parked.channel);
        }
    }

    /// Takes a channel out of a talk or another lot. What runs on its own thread stays there.
    fn interrupt(&mut self, now: Duration, key: ChannelKey) -> Option<BridgeKey> {
        self.end_occupation(now, key);
        let channel = self.channel_mut(key);
        if channel.driver == Driver::Application && channel.dialling.is_none() {
            channel.driver = Driver::Line;
            channel.forget_application();
        }
        if let Some(ticket) = channel.wake.take() {
            self.agenda.cancel(ticket);
        }
        self.depart(now, key)
    }

    fn lot_bridge(&mut self, now: Duration, lot: usize) -> BridgeKey {
        if let Some(bridge) = self.parking.bridges.get(&lot) {
            return *bridge;
        }
        let bridge = self.create_bridge_of(now, BridgeKind::Parking { lot });
        self.parking.bridges.insert(lot, bridge);
        bridge
    }

    pub(crate) fn parking_timed_out(&mut self, now: Duration, at: (usize, u32)) {
        let Some(parked) = self.parking.parked.get(&at) else {
            return;
        };
        let (key, parker) = (parked.channel, parked.parker.clone());
        let flat = parker.replace('/', "_");
        let lot = &self.profile.parking_lots[at.0];
        let place = self.comeback(&lot.comeback_context, &flat);
        let (name, space) = (lot.name.clone(), at.1.to_string());
        self.set_variable(now, key, "PARKING_SPACE", &space);
        if self.profile.base.has_parkingslot() {
            self.set_variable(now, key, "PARKINGSLOT", &space);
        }
        for (variable, value) in [
            ("PARKEDLOT", name.as_str()),
            ("PARKER", &parker),
            ("PARKER_FLAT", &flat),
            ("BRIDGE_FEATURES", ""),
        ] {
            self.set_variable(now, key, variable, value);
        }
        self.channel_mut(key).close_records(now);
        self.parking_music_stop(now, at);
        let before = std::mem::replace(&mut self.channel_mut(key).place, place.clone());
        self.leave_space(now, key, Exit::TimeOut);
        self.channel_mut(key).place = before;
        self.depart(now, key);
        self.send_to(now, key, place.clone());
        self.move_to(now, key, place);
        self.channel_mut(key).hangup_cause = NORMAL_CLEARING;
        self.go_where_sent(now, key);
    }

    /// The parker's own extension in the context of the lot, its `s`, or that of the context `default`.
    fn comeback(&self, context: &str, flat: &str) -> Place {
        [(context, flat), (context, "s")]
            .into_iter()
            .find(|(context, exten)| self.profile.steps(context, exten).is_some())
            .map_or_else(
                || Place::first("default", "s"),
                |(context, exten)| Place::first(context, exten),
            )
    }

    /// A parked channel that ends, or that somebody moves, gives up.
    pub(crate) fn leave_lot(&mut self, now: Duration, key: ChannelKey) {
        if let Some(at) = self.channels[&key].parked {
            self.parking_music_stop(now, at);
            self.leave_space(now, key, Exit::GiveUp);
        }
    }

    fn leave_space(&mut self, now: Duration, key: ChannelKey, exit: Exit) {
        let Some(at) = self.channel_mut(key).parked.take() else {
            return;
        };
        let (name, retriever) = match exit {
            Exit::GiveUp => ("ParkedCallGiveUp", None),
            Exit::TimeOut => ("ParkedCallTimeOut", None),
            Exit::Fetched(retriever) => ("UnParkedCall", Some(retriever)),
        };
        self.parking_event(now, name, at, retriever);
        self.space_state(now, at, "NOT_INUSE");
        let parked = self.parking.parked.remove(&at);
        if let Some(ticket) = parked.and_then(|parked| parked.ticket) {
            self.agenda.cancel(ticket);
        }
    }

    /// `ParkedCall(lot,space)`: somebody fetches who is there, or hears that nobody is.
    pub(crate) fn run_parked_call(&mut self, now: Duration, retriever: ChannelKey, data: &str) {
        let (lot, space) = data.split_once(',').unwrap_or((data, ""));
        let at = self.find_lot(lot).zip(space.parse().ok());
        if self.channels[&retriever].state != ChannelState::Up {
            self.answer(now, retriever, Media::Awaited);
            return self.resume_application(retriever, Effect::ParkedCall);
        }
        let parked = at.and_then(|at| Some((at, self.parking.parked.get(&at)?.channel)));
        let Some((at, key)) = parked.filter(|(_, key)| *key != retriever) else {
            return self.wake_at(now, retriever);
        };
        let bridge = self.create_bridge(now);
        self.parking_music_stop(now, at);
        self.leave_space(now, key, Exit::Fetched(retriever));
        self.depart(now, key);
        self.channel_mut(key).record_fetched(now);
        self.join(now, bridge, key);
        self.join(now, bridge, retriever);
        self.introduce(now, bridge);
    }

    /// What it runs begins again when it is woken.
    fn resume_application(&mut self, key: ChannelKey, effect: Effect) {
        let channel = self.channel_mut(key);
        channel.next = Next::Application(Step {
            application: channel.application.clone(),
            data: channel.application_data.clone(),
            effect,
        });
    }

    /// `Park(lot)`.
    pub(crate) fn run_park(&mut self, now: Duration, key: ChannelKey, data: &str) {
        let lot = data.split(',').next().unwrap_or_default();
        let order = self.find_lot(lot).map(|lot| ParkOrder {
            lot,
            parker: None,
            timeout: self.profile.parking_lots[lot].timeout(),
            told_for: SPACE_READ_OUT,
        });
        if order.and_then(|order| self.park(now, key, order)).is_none() {
            self.wake_at(now, key);
        }
    }

    fn parking_event(
        &mut self,
        now: Duration,
        name: &str,
        at: (usize, u32),
        retriever: Option<ChannelKey>,
    ) {
        if !self.wants(Classes::CALL) {
            return;
        }
        let mut headers = self.event(now, name, Classes::CALL);
        self.write_parked(now, at, retriever, &mut headers);
        self.publish(Classes::CALL, headers);
    }

    /// Each space is a device, which phones may watch.
    fn space_state(&mut self, now: Duration, (lot, space): (usize, u32), state: &str) {
        if self.wants(Classes::CALL) {
            let context = &self.profile.parking_lots[lot].context;
            let headers = self
                .event(now, "DeviceStateChange", Classes::CALL)
                .with("Device", format!("park:{space}@{context}"))
                .with("State", state);
            self.publish(Classes::CALL, headers);
        }
    }

    /// Who is parked where, as every event and list about it says.
    fn write_parked(
        &self,
        now: Duration,
        at: (usize, u32),
        retriever: Option<ChannelKey>,
        headers: &mut Headers,
    ) {
        let parked = &self.parking.parked[&at];
        self.channels[&parked.channel].write_snapshot("Parkee", &self.profile, headers);
        if let Some(retriever) = retriever {
            self.channels[&retriever].write_snapshot("Retriever", &self.profile, headers);
        }
        let seconds = |at: Duration| self.wall(at).as_secs();
        let lot = &self.profile.parking_lots[at.0];
        let mut text = |name: &str, value: &str| headers.push("", name, value.as_bytes());
        text("ParkerDialString", &parked.parker);
        text("Parkinglot", &lot.name);
        let waited = seconds(now) - seconds(parked.since);
        // Without a limit a real one counts down from zero all the same.
        let left = parked.timeout.as_secs().wrapping_sub(waited);
        headers.push_display("", "ParkingSpace", at.1);
        headers.push_display("", "ParkingTimeout", left);
        headers.push_display("", "ParkingDuration", waited);
    }

    /// The items of ParkedCalls: all lots, or one.
    pub(crate) fn parked_calls(&self, now: Duration, lot: Option<usize>) -> Vec<Headers> {
        let places = self.parking.parked.keys();
        let wanted = places.filter(|at| lot.is_none_or(|lot| lot == at.0));
        let item = |at: &(usize, u32)| {
            let mut headers = Headers::event("ParkedCall");
            self.write_parked(now, *at, None, &mut headers);
            headers
        };
        wanted.map(item).collect()
    }
}

/// A channel's name without its serial number.
fn flat_name(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(flat, _)| flat)
}
