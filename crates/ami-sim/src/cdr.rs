//! Call detail records: who called whom, when, and with what result. A channel's records are told when it ends.

use std::time::Duration;

use serde::Deserialize;

use crate::channel::{Channel, ChannelKey, ChannelState};
use crate::class::Classes;
use crate::message::Headers;
use crate::pbx::Pbx;

/// `[cdr]` of a profile: `cdr.conf` and `cdr_manager.conf`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the PBX's own files"
)]
pub struct CdrSettings {
    /// Each record is an event.
    pub events: bool,
    /// Also of channels that were not answered and dialled nobody.
    pub unanswered: bool,
    /// Congestion is a disposition of its own.
    pub congestion: bool,
}

/// More than any channel of a test gathers; later ones are not kept.
const RECORDS_MAX: usize = 64;

/// The records of one channel, and what the next one depends on.
#[derive(Debug, Default)]
pub(crate) struct Records {
    kept: Vec<Record>,
    /// The channel was originated and has not done anything of its own yet.
    pub(crate) originated: bool,
    /// It is the channel of an Originate.
    pub(crate) of_originate: bool,
    /// When it came out of a bridge.
    left_bridge: Option<Duration>,
    /// What a record shows instead of the application that runs.
    instead: Option<(String, String)>,
}

#[derive(Debug)]
struct Record {
    start: Duration,
    answer: Option<Duration>,
    /// The other channel.
    with: Option<(ChannelKey, String)>,
    disposition: Option<Disposition>,
    /// `Dial` and its data: whatever comes after it, the record shows that.
    dialled: Option<(String, String)>,
    lonely: Lonely,
    closed: Option<Closed>,
}

/// What becomes of a record with nobody on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lonely {
    Told,
    Dropped,
}

/// What the channel was like when the record was closed.
#[derive(Debug)]
struct Closed {
    at: Duration,
    headers: Headers,
    last: (String, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    Answered,
    Busy,
    Congestion,
    Failed,
    NoAnswer,
}

impl Disposition {
    fn of_dial(status: &str) -> Self {
        match status {
            "ANSWER" => Self::Answered,
            "BUSY" => Self::Busy,
            "CONGESTION" => Self::Congestion,
            "CHANUNAVAIL" => Self::Failed,
            _ => Self::NoAnswer,
        }
    }

    fn of_cause(cause: u16) -> Self {
        match cause {
            17 => Self::Busy,
            34 => Self::Congestion,
            0 | 3 | 20 => Self::Failed,
            _ => Self::NoAnswer,
        }
    }

    fn name(self, settings: CdrSettings) -> &'static str {
        match self {
            Self::Answered => "ANSWERED",
            Self::Busy => "BUSY",
            Self::Congestion if settings.congestion => "CONGESTION",
            Self::Congestion | Self::Failed => "FAILED",
            Self::NoAnswer => "NO ANSWER",
        }
    }
}

impl Record {
    fn begin(now: Duration, state: ChannelState) -> Self {
        Self {
            start: now,
            answer: (state == ChannelState::Up).then_some(now),
            with: None,
            disposition: None,
            dialled: None,
            lonely: Lonely::Told,
            closed: None,
        }
    }
}

impl Channel {
    /// Begins its first record; who is dialled by another channel has none.
    pub(crate) fn begin_records(&mut self, now: Duration) {
        self.records.kept.push(Record::begin(now, self.state));
    }

    fn open_record(&mut self) -> Option<&mut Record> {
        let mut kept = self.records.kept.iter_mut();
        kept.rfind(|record| record.closed.is_none())
    }

    fn add_record(&mut self, now: Duration) {
        if self.records.kept.len() < RECORDS_MAX {
            self.records.kept.push(Record::begin(now, self.state));
        }
    }

    pub(crate) fn record_answer(&mut self, now: Duration) {
        if let Some(record) = self.open_record() {
            record.answer.get_or_insert(now);
        }
    }

    pub(crate) fn record_dial_application(&mut self) {
        let running = (self.application.clone(), self.application_data.clone());
        if let Some(record) = self.open_record() {
            record.dialled.get_or_insert(running);
        }
    }

    /// Closes all that is open, as the channel is now.
    pub(crate) fn close_records(&mut self, now: Duration) {
        let (headers, last) = self.record_of_now();
        let cause = self.hangup_cause;
        for record in self
            .records
            .kept
            .iter_mut()
            .filter(|record| record.closed.is_none())
        {
            record.disposition = record.disposition.or_else(|| {
                Some(match record.answer {
                    Some(_) => Disposition::Answered,
                    None => Disposition::of_cause(cause),
                })
            });
            record.closed = Some(Closed {
                at: now,
                headers: headers.clone(),
                last: record.dialled.take().unwrap_or_else(|| last.clone()),
            });
        }
    }

    /// Who and where, as a record begins; and what it ran last.
    fn record_of_now(&self) -> (Headers, (String, String)) {
        let [number, name] = [&self.caller.number, &self.caller.name]
            .map(|part| part.as_deref().unwrap_or_default());
        let headers = Headers::default()
            .with("AccountCode", &self.account)
            .with("Source", number)
            .with("Destination", &self.place.exten)
            .with("DestinationContext", &self.place.context)
            .with_display("CallerID", format_args!("\"{name}\" <{number}>"))
            .with("Channel", &self.name);
        let running = || (self.application.clone(), self.application_data.clone());
        let last = self.records.instead.clone().unwrap_or_else(running);
        (headers, last)
    }

    /// Interrupted, it runs nothing any more; its record still shows what it ran.
    pub(crate) fn forget_application(&mut self) {
        let application = std::mem::take(&mut self.application);
        let data = std::mem::take(&mut self.application_data);
        self.records.instead = Some((application, data));
    }

    /// Parked, it shows where; what was before is another record if it talked with somebody.
    pub(crate) fn record_parking(&mut self, now: Duration, lot: &str, space: u32) {
        // Parked before it did anything of its own: a record only if somebody fetches it.
        if std::mem::take(&mut self.records.originated)
            && let Some(record) = self.open_record()
        {
            record.lonely = Lonely::Dropped;
        }
        self.record_goes_on(now);
        self.records.instead = Some(("Park".to_owned(), format!("{lot}:{space}")));
    }

    /// Fetched, it begins another record, unless it was parked before it did anything of its own.
    pub(crate) fn record_fetched(&mut self, now: Duration) {
        let open = self.open_record();
        if open.is_some_and(|record| record.lonely == Lonely::Told) {
            self.close_records(now);
            self.add_record(now);
            self.records.instead = None;
        }
    }

    /// Its last record is about a line that did not answer.
    fn dialled_in_vain(&self) -> bool {
        let last = self.records.kept.last();
        last.is_some_and(|record| record.closed.is_some() && record.with.is_some())
    }

    /// It goes on after a bridge or a dial: what was before is one record, what comes is another.
    pub(crate) fn record_goes_on(&mut self, now: Duration) {
        self.records.originated = false;
        if self.records.left_bridge.take().is_some() {
            self.close_records(now);
            self.add_record(now);
        } else if self.dialled_in_vain() {
            self.add_record(now);
        }
        self.records.instead = None;
    }
}

impl Pbx {
    /// The caller's record is with this line; more lines have records of their own.
    pub(crate) fn record_dial(&mut self, now: Duration, caller: ChannelKey, line: ChannelKey) {
        let name = self.channels[&line].name.clone();
        let channel = self.channel_mut(caller);
        if std::mem::take(&mut channel.records.originated) {
            channel.close_records(now);
        }
        if channel
            .open_record()
            .is_none_or(|record| record.with.is_some())
        {
            channel.add_record(now);
        }
        if let Some(record) = channel.open_record() {
            record.with = Some((line, name));
        }
    }

    /// How the dialling of a line ended, in the caller's record with it, or in the line's own.
    pub(crate) fn record_dial_end(
        &mut self,
        now: Duration,
        (caller, line): (Option<ChannelKey>, ChannelKey),
        status: &str,
    ) {
        let disposition = Disposition::of_dial(status);
        let Some(channel) = self.channels.get_mut(&caller.unwrap_or(line)) else {
            return;
        };
        let (headers, last) = channel.record_of_now();
        let record = channel.records.kept.iter_mut().find(|record| {
            let with = record.with.as_ref().map(|(key, _)| *key);
            record.closed.is_none() && with == caller.map(|_| line)
        });
        let Some(record) = record else {
            return;
        };
        record.disposition = Some(disposition);
        if disposition == Disposition::Answered {
            record.answer.get_or_insert(now);
        } else if caller.is_some() {
            record.closed = Some(Closed {
                at: now,
                headers,
                last,
            });
        }
    }

    /// Of two in a bridge the older one's record is with the other. That of a channel of an Originate is dropped then.
    pub(crate) fn record_bridge(&mut self, [one, two]: [ChannelKey; 2]) {
        let has = |key: &ChannelKey| {
            let kept = &self.channels[key].records.kept;
            kept.iter().any(|record| record.closed.is_none())
        };
        let mut pair = [one, two];
        pair.sort_by_key(|key| (!has(key), *key));
        let [first, second] = pair;
        let name = self.channels[&second].name.clone();
        if let Some(record) = self.channel_mut(first).open_record() {
            record.with = Some((second, name));
        }
        let records = &mut self.channel_mut(second).records;
        if records.of_originate {
            records.kept.retain(|record| record.closed.is_some());
        }
    }

    /// Moved in mid-talk: who was there already goes on with its record, or with another one if that is with somebody
    /// else; without any, the one who comes tells of both.
    pub(crate) fn record_rejoin(&mut self, now: Duration, [stays, comes]: [ChannelKey; 2]) {
        let [stays_name, comes_name] = [stays, comes].map(|key| self.channels[&key].name.clone());
        let channel = self.channel_mut(stays);
        if channel.open_record().is_some() {
            channel.close_records(now);
            channel.add_record(now);
        }
        if let Some(record) = channel.open_record() {
            record.with = Some((comes, comes_name));
        } else if let Some(record) = self.channel_mut(comes).open_record() {
            record.with = Some((stays, stays_name));
        }
    }

    /// One comes into the place of another that was talked with. Who stays has another record, with who comes; the record of
    /// who comes is still with who left. Who stays without any is in the other's.
    pub(crate) fn record_swap(&mut self, now: Duration, [stays, left, comes]: [ChannelKey; 3]) {
        let [stays_name, left_name, comes_name] =
            [stays, left, comes].map(|key| self.channels[&key].name.clone());
        let channel = self.channel_mut(stays);
        let tells = channel.open_record().is_some();
        if tells {
            channel.close_records(now);
            channel.add_record(now);
        }
        if let Some(record) = channel.open_record() {
            record.with = Some((comes, comes_name));
        }
        if let Some(record) = self.channel_mut(comes).open_record() {
            record.with = Some(if tells {
                (left, left_name)
            } else {
                (stays, stays_name)
            });
        }
    }

    pub(crate) fn record_departure(&mut self, now: Duration, key: ChannelKey) {
        self.channel_mut(key).records.left_bridge = Some(now);
    }

    /// The channel ends: all its records are told.
    pub(crate) fn tell_records(&mut self, now: Duration, key: ChannelKey) {
        let settings = self.profile.cdr;
        if !settings.events || !self.wants(Classes::CDR) {
            return;
        }
        let channel = self.channel_mut(key);
        channel.close_records(now);
        let (records, id) = (
            std::mem::take(&mut channel.records.kept),
            channel.uniqueid.clone(),
        );
        for record in records {
            let unanswered = record.answer.is_none() && !settings.unanswered;
            if record.with.is_none() && (unanswered || record.lonely == Lonely::Dropped) {
                continue;
            }
            let event = self.event(now, "Cdr", Classes::CDR);
            let event = self.write_record(event, record, &id);
            self.publish(Classes::CDR, event);
        }
    }

    fn write_record(&self, event: Headers, record: Record, id: &str) -> Headers {
        let closed = record.closed.expect("all were closed");
        let disposition = record.disposition.unwrap_or(Disposition::Failed);
        let date = |at: Duration| local_time(self.wall(at));
        let (with, answer) = (record.with, record.answer);
        event
            .followed_by(closed.headers)
            .with(
                "DestinationChannel",
                with.map(|(_, name)| name).unwrap_or_default(),
            )
            .with("LastApplication", closed.last.0)
            .with("LastData", closed.last.1)
            .with("StartTime", date(record.start))
            .with("AnswerTime", answer.map(date).unwrap_or_default())
            .with("EndTime", date(closed.at))
            .with_display("Duration", (closed.at - record.start).as_secs())
            .with_display(
                "BillableSeconds",
                answer.map_or(0, |answer| (closed.at - answer).as_secs()),
            )
            .with("Disposition", disposition.name(self.profile.cdr))
            .with("AMAFlags", "DOCUMENTATION")
            .with("UniqueID", id)
            .with("UserField", "")
    }
}

/// `2026-11-21 18:10:53`; these PBXs are in no time zone.
fn local_time(wall: Duration) -> String {
    let seconds = i64::try_from(wall.as_secs()).unwrap_or_default();
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    stamp.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
