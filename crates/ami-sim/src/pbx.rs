//! The model of one PBX: its channels and calls, what is due when, and the events that follow. Pure: time is an argument.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::account::Accounts;
use crate::agenda::Agenda;
use crate::attended_transfer::Transfer;
use crate::bridge::{Bridge, BridgeKey};
use crate::call::{Call, CallKey};
use crate::channel::{Channel, ChannelKey, Driver};
use crate::class::Classes;
use crate::config_file::ConfigFiles;
use crate::counters::Counters;
use crate::database::Database;
use crate::defect::{Defects, Flaws};
use crate::device_state::{DeviceState, Presence};
use crate::dial::{Dial, DialKey};
use crate::encode::encode;
use crate::fault::Faults;
use crate::hint::ExtensionState;
use crate::message::{Event, Headers};
use crate::parking::Parking;
use crate::profile::Profile;
use crate::queue::Queues;
use crate::signal::Digit;
use crate::sms::Sms;

/// Names a session towards the PBX; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey(pub(crate) u64);

/// What happens by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    Start(CallKey),
    Step(ChannelKey),
    DialTimeout(DialKey),
    /// Nobody fetched who is parked there, by lot and space.
    ParkingTimeout(usize, u32),
    /// Who is parked there has been told where it is.
    ParkingMusic(usize, u32, ChannelKey),
    DigitEnd(ChannelKey, Digit),
    /// A digit that an action presses.
    Press(ChannelKey),
    /// The digits pressed so far are no feature code.
    CodeOver(ChannelKey),
    /// Nobody can be called at the digits pressed for a transfer.
    TransferDigits(ChannelKey),
    /// A transferer is led to whom it calls.
    Consult(ChannelKey),
    /// A caller in a queue looks whether it is its turn.
    QueueTurn(ChannelKey),
    /// A packet of what a channel plays is on its way.
    Voice(ChannelKey),
    /// An absolute timeout.
    End(ChannelKey),
    Device(ChannelKey, DeviceStage),
    /// The oldest short message is out.
    Sms,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum DeviceStage {
    Ringing,
    Answer,
    Refuse { cause: u16 },
}

/// How an Originate ended, for the session that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OriginateEnd {
    Answered,
    Failed,
}

/// A restart that a test can wait for; a real PBX takes half a minute and more.
const DOWN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Pbx {
    pub(crate) profile: Arc<Profile>,
    pub(crate) accounts: Accounts,
    /// Unix time when `now` is zero.
    epoch: Duration,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) agenda: Agenda<Due>,
    pub(crate) channels: BTreeMap<ChannelKey, Channel>,
    /// Names and Uniqueids of the channels that live.
    pub(crate) known: BTreeMap<String, ChannelKey>,
    pub(crate) calls: BTreeMap<CallKey, Call>,
    pub(crate) dials: BTreeMap<DialKey, Dial>,
    pub(crate) bridges: BTreeMap<BridgeKey, Bridge>,
    /// By BridgeUniqueid.
    pub(crate) known_bridges: BTreeMap<String, BridgeKey>,
    pub(crate) parking: Parking,
    /// By who transfers.
    pub(crate) transfers: BTreeMap<ChannelKey, Transfer>,
    /// New messages by mailbox; only mailboxes of the profile take any.
    pub(crate) messages: BTreeMap<String, u32>,
    pub(crate) globals: BTreeMap<String, String>,
    pub(crate) database: Database,
    pub(crate) config_files: ConfigFiles,
    /// As they were told last; custom devices are in the database besides.
    pub(crate) device_states: BTreeMap<String, DeviceState>,
    /// By context and extension, as they were told last.
    pub(crate) hint_states: BTreeMap<(String, String), ExtensionState>,
    pub(crate) presences_told: BTreeMap<String, Presence>,
    /// Sessions logged in, by user in lower case.
    pub(crate) logins: BTreeMap<String, usize>,
    pub(crate) sms_on_the_way: VecDeque<Sms>,
    pub(crate) queues: Queues,
    pub(crate) counters: Counters,
    pub(crate) faults: Faults,
    pub(crate) defects: Defects,
    pub(crate) flaws: Flaws,
    /// Classes that some session may want: other events are not even built.
    pub(crate) wanted: Classes,
    events: Vec<Arc<Event>>,
    pub(crate) finished: Vec<(SessionKey, OriginateEnd)>,
    numbers: Numbers,
}

#[derive(Debug, Default)]
struct Numbers {
    channel: u64,
    call: u64,
    dial: u64,
    bridge: u64,
    uniqueid: u64,
    optimisation: u64,
    local: u32,
    device: u32,
}

impl Pbx {
    pub fn new(profile: Profile, accounts: Accounts, seed: u64, epoch: Duration) -> Self {
        let queues = Queues::new(&profile.queues, epoch.as_secs());
        let config_files = ConfigFiles::new(&profile.files);
        // Of a stream of its own, so that what it names for itself does not move what calls draw.
        let mut own = ChaCha8Rng::seed_from_u64(seed);
        own.set_stream(1);
        let mut pbx = Self {
            profile: profile.shared(),
            accounts,
            epoch,
            rng: ChaCha8Rng::seed_from_u64(seed),
            agenda: Agenda::new(),
            channels: BTreeMap::new(),
            known: BTreeMap::new(),
            calls: BTreeMap::new(),
            dials: BTreeMap::new(),
            bridges: BTreeMap::new(),
            known_bridges: BTreeMap::new(),
            parking: Parking::default(),
            transfers: BTreeMap::new(),
            messages: BTreeMap::new(),
            globals: BTreeMap::new(),
            database: Database::new(uuid(&mut own)),
            config_files,
            device_states: BTreeMap::new(),
            hint_states: BTreeMap::new(),
            presences_told: BTreeMap::new(),
            logins: BTreeMap::new(),
            sms_on_the_way: VecDeque::new(),
            queues,
            counters: Counters::default(),
            faults: Faults::default(),
            defects: Defects::default(),
            flaws: Flaws::default(),
            wanted: Classes::NONE,
            events: Vec::new(),
            finished: Vec::new(),
            numbers: Numbers::default(),
        };
        pbx.settle_devices();
        pbx.settle_queues();
        pbx
    }

    pub fn poll_timeout(&self) -> Option<Duration> {
        self.agenda.next_at()
    }

    /// Does what is due by `now`, one thing after the other.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some((at, due)) = self.agenda.take_due(now) {
            match due {
                Due::Start(call) => self.start_call(at, call),
                Due::Step(channel) => self.run_step(at, channel),
                Due::DialTimeout(dial) => self.dial_timed_out(at, dial),
                Due::ParkingTimeout(lot, space) => self.parking_timed_out(at, (lot, space)),
                Due::ParkingMusic(lot, space, channel) => {
                    self.parking_music(at, (lot, space), channel);
                }
                Due::Press(channel) => self.press_next(at, channel),
                Due::CodeOver(channel) => self.code_over(at, channel),
                Due::TransferDigits(channel) => self.transfer_digits_over(at, channel),
                Due::Consult(channel) => self.consult(at, channel),
                Due::DigitEnd(channel, digit) => self.end_digit(at, channel, digit),
                Due::QueueTurn(caller) => self.queue_turn(at, caller),
                Due::Voice(channel) => self.carry_voice(at, channel),
                Due::End(channel) => self.hang_up(at, channel),
                Due::Device(channel, stage) => self.device_stage(at, channel, stage),
                Due::Sms => self.sms_sent(at),
            }
        }
    }

    pub(crate) fn wall(&self, now: Duration) -> Duration {
        self.epoch + now
    }

    pub(crate) fn started_at(&self) -> Duration {
        self.epoch
    }

    /// An event's head as all sessions get it: Event, Privilege and, where the option is on, Timestamp.
    pub(crate) fn event(&self, now: Duration, name: &str, classes: Classes) -> Headers {
        let head = Headers::event(name).with_display("Privilege", classes);
        if !self.profile.timestamp_events {
            return head;
        }
        let wall = self.wall(now);
        head.with_display(
            "Timestamp",
            format_args!("{}.{:06}", wall.as_secs(), wall.subsec_micros()),
        )
    }

    pub(crate) fn wants(&self, classes: Classes) -> bool {
        self.wanted.contains(classes)
    }

    pub(crate) fn publish(&mut self, classes: Classes, headers: Headers) {
        let disabled = &self.profile.manager.disabled_events;
        if disabled.iter().any(|name| headers.is_event(name)) {
            return;
        }
        let bytes = encode(headers.into(), self.profile.command_framing);
        if self.defects.is_empty() {
            return self.tell(classes, bytes);
        }
        for bytes in self.rewrite_event(bytes) {
            self.tell(classes, bytes);
        }
    }

    fn tell(&mut self, classes: Classes, bytes: Vec<u8>) {
        let bytes = bytes.into_boxed_slice();
        self.events.push(Arc::new(Event { classes, bytes }));
    }

    /// Whether nothing is wrong with it, neither behaviour nor delivery.
    pub(crate) fn is_sound(&self) -> bool {
        self.defects.is_empty() && self.faults.is_empty()
    }

    pub(crate) fn announce_shutdown(&mut self, now: Duration) {
        let event = self.event(now, "Shutdown", Classes::SYSTEM);
        let event = event.with("Shutdown", "Cleanly").with("Restart", "True");
        self.publish(Classes::SYSTEM, event);
    }

    /// Begins anew, as after a power cycle: nothing is left of what it did, but it is the same PBX with the same faults.
    pub(crate) fn restart(&mut self, now: Duration) {
        let seed = self.rng.next_u64();
        let accounts = self.accounts.clone();
        let mut anew = Self::new(Profile::clone(&self.profile), accounts, seed, self.epoch);
        anew.counters = std::mem::take(&mut self.counters);
        anew.counters.channels_up = 0;
        anew.faults = std::mem::take(&mut self.faults);
        anew.defects = std::mem::take(&mut self.defects);
        anew.flaws = std::mem::take(&mut self.flaws);
        anew.logins = std::mem::take(&mut self.logins);
        anew.faults.down_until = Some(now + DOWN);
        *self = anew;
    }

    pub(crate) fn events_to_tell(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn take_events(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.events)
    }

    /// What Asterisk counts as calls: channels that run a dialplan of their own.
    pub(crate) fn calls_up(&self) -> usize {
        let drivers = self.channels.values().map(|channel| channel.driver);
        drivers.filter(|driver| *driver != Driver::Line).count()
    }

    /// A channel by its name or Uniqueid.
    pub(crate) fn find_channel(&self, name: &str) -> Option<ChannelKey> {
        self.known.get(name).copied()
    }

    /// A channel that is known to live.
    pub(crate) fn channel_mut(&mut self, key: ChannelKey) -> &mut Channel {
        self.channels.get_mut(&key).expect("the channel lives")
    }

    pub(crate) fn next_channel(&mut self) -> ChannelKey {
        self.numbers.channel += 1;
        ChannelKey(self.numbers.channel)
    }

    pub(crate) fn next_call(&mut self) -> CallKey {
        self.numbers.call += 1;
        CallKey(self.numbers.call)
    }

    pub(crate) fn next_dial(&mut self) -> DialKey {
        self.numbers.dial += 1;
        DialKey(self.numbers.dial)
    }

    pub(crate) fn next_bridge(&mut self) -> BridgeKey {
        self.numbers.bridge += 1;
        BridgeKey(self.numbers.bridge)
    }

    pub(crate) fn next_uniqueid(&mut self, now: Duration) -> String {
        let (seconds, number) = (self.wall(now).as_secs(), self.numbers.uniqueid);
        let id = match self.profile.system_name.as_str() {
            "" => format!("{seconds}.{number}"),
            system => format!("{system}-{seconds}.{number}"),
        };
        self.numbers.uniqueid += 1;
        id
    }

    pub(crate) fn next_optimisation(&mut self) -> u64 {
        self.numbers.optimisation += 1;
        self.numbers.optimisation - 1
    }

    pub(crate) fn next_local(&mut self) -> u32 {
        self.numbers.local += 1;
        self.numbers.local - 1
    }

    pub(crate) fn next_device(&mut self) -> u32 {
        self.numbers.device += 1;
        self.numbers.device - 1
    }

    pub(crate) fn draw_uuid(&mut self) -> String {
        uuid(&mut self.rng)
    }
}

/// A random id in the form of a UUID.
fn uuid(rng: &mut ChaCha8Rng) -> String {
    let (high, low) = (rng.next_u64(), rng.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}
