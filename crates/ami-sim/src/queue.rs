//! Call queues: settings from the profile, members, who waits, and the figures that a queue keeps.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::channel::ChannelKey;
use crate::device_state::DeviceState;
use crate::queue::member::{Member, MemberSettings, bucket};
use crate::queue::waiting::Waiting;
use crate::queue_talk::QueueTalk;

pub(crate) mod choice;
pub(crate) mod member;
pub(crate) mod waiting;

/// Far more members than a queue of these PBXs has; Asterisk has no bound for QueueAdd.
const MEMBERS_MAX: usize = 1000;
/// Every caller is a channel, and no PBX of these profiles has more.
const CALLERS_MAX: usize = 20_000;

/// What the action `Queues` answers with, where a PBX has it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum QueuesAnswer {
    /// The text of `queue show`, without a Response.
    Text,
    /// A list of its own.
    EventList,
}

/// One `[[queue]]` of a profile, as a section of queues.conf.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    pub name: String,
    /// What its administration calls it.
    #[serde(default)]
    pub title: String,
    pub strategy: Strategy,
    /// A member is rung for so long.
    #[serde(default = "timeout_default")]
    pub timeout_s: u64,
    /// And the next attempt comes so much later.
    #[serde(default = "retry_default")]
    pub retry_s: u64,
    #[serde(default)]
    pub service_level_s: u64,
    #[serde(default)]
    pub max: usize,
    #[serde(default)]
    pub weight: u32,
    #[serde(default)]
    pub empty: WhenEmpty,
    #[serde(rename = "member", default)]
    pub members: Vec<MemberSettings>,
}

fn timeout_default() -> u64 {
    15
}

fn retry_default() -> u64 {
    5
}

/// Of a queue that nobody is in to answer: `joinempty` and `leavewhenempty`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum WhenEmpty {
    #[default]
    Wait,
    Leave,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    RingAll,
    LeastRecent,
    FewestCalls,
    Random,
    RrMemory,
    RrOrdered,
    Linear,
}

impl Strategy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RingAll => "ringall",
            Self::LeastRecent => "leastrecent",
            Self::FewestCalls => "fewestcalls",
            Self::Random => "random",
            Self::RrMemory => "rrmemory",
            Self::RrOrdered => "rrordered",
            Self::Linear => "linear",
        }
    }

    /// Members stand in the order in which they came; else in that of a hash table.
    fn keeps_order(self) -> bool {
        matches!(self, Self::RrOrdered | Self::Linear)
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) settings: QueueSettings,
    /// In the order in which Asterisk lists them.
    pub(crate) members: Vec<Member>,
    /// By position.
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) figures: Figures,
    /// Where a strategy that goes round goes on.
    next_member: usize,
}

/// What a queue has seen since it was loaded or reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) completed: u64,
    /// Of these, answered within the service level.
    pub(crate) in_level: u64,
    pub(crate) abandoned: u64,
    /// Of these, gone within the service level.
    pub(crate) abandoned_in_level: u64,
    /// Running averages in seconds.
    pub(crate) hold_time: u64,
    pub(crate) talk_time: u64,
}

impl Figures {
    /// Per cent of the completed calls.
    pub(crate) fn level(&self) -> f64 {
        share(self.in_level, self.completed)
    }

    pub(crate) fn abandoned_share(&self) -> f64 {
        share(self.abandoned, self.completed + self.abandoned)
    }

    /// Per cent of all calls.
    pub(crate) fn level_of_all(&self) -> f64 {
        share(
            self.in_level + self.abandoned_in_level,
            self.completed + self.abandoned,
        )
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no queue counts as far as 2^52 calls"
)]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        100.0 * part as f64 / whole as f64
    }
}

impl Queue {
    fn new(settings: QueueSettings, started_at: u64) -> Self {
        let given = settings.members.clone();
        let mut queue = Self {
            settings,
            members: Vec::new(),
            waiting: Vec::new(),
            figures: Figures::default(),
            next_member: 0,
        };
        for member in given {
            queue.insert(Member::configured(member, started_at));
        }
        queue
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(crate) fn member(&mut self, interface: &str) -> Option<&mut Member> {
        self.members
            .iter_mut()
            .find(|member| member.interface == interface)
    }

    pub(crate) fn is_full_of_members(&self) -> bool {
        self.members.len() >= MEMBERS_MAX
    }

    pub(crate) fn insert(&mut self, member: Member) {
        let at = if self.settings.strategy.keeps_order() {
            self.members.len()
        } else {
            let bucket_of = |member: &Member| bucket(&member.interface);
            let own = bucket_of(&member);
            self.members
                .partition_point(|other| bucket_of(other) <= own)
        };
        self.members.insert(at, member);
    }

    pub(crate) fn available(&self) -> usize {
        let members = self.members.iter();
        members.filter(|member| member.is_available()).count()
    }

    /// The device that says whether a caller would find somebody.
    pub(crate) fn availability_device(&self) -> String {
        format!("Queue:{}_avail", self.settings.name)
    }

    pub(crate) fn availability(&self) -> DeviceState {
        if self.available() > 0 {
            DeviceState::NotInUse
        } else {
            DeviceState::InUse
        }
    }

    /// Nobody is in it who could answer sooner or later.
    pub(crate) fn is_deserted(&self) -> bool {
        let mut members = self.members.iter();
        !members.any(|member| {
            member.paused.is_none()
                && !matches!(
                    member.status,
                    DeviceState::Invalid | DeviceState::Unavailable
                )
        })
    }

    pub(crate) fn is_full(&self) -> bool {
        let max = match self.settings.max {
            0 => CALLERS_MAX,
            max => max.min(CALLERS_MAX),
        };
        self.waiting.len() >= max
    }

    /// Takes a caller in behind those of its priority; its position, counted from one.
    pub(crate) fn enter(&mut self, mut caller: Waiting) -> usize {
        let before = |other: &Waiting| other.priority >= caller.priority;
        let at = self
            .waiting
            .iter()
            .take_while(|other| before(other))
            .count();
        caller.original_position = at + 1;
        self.waiting.insert(at, caller);
        at + 1
    }

    pub(crate) fn position(&self, caller: ChannelKey) -> Option<usize> {
        let mut waiting = self.waiting.iter();
        waiting.position(|waiting| waiting.channel == caller)
    }

    /// A caller is answered after so many seconds.
    pub(crate) fn answered(&mut self, hold: u64) {
        self.figures.hold_time = (self.figures.hold_time * 3 + hold) / 4;
    }

    pub(crate) fn completed(&mut self, interface: &str, (hold, talk): (u64, u64), now: u64) {
        let in_level = u64::from(hold <= self.settings.service_level_s);
        let figures = &mut self.figures;
        figures.completed += 1;
        figures.in_level += in_level;
        figures.talk_time = match figures.completed {
            1 => talk,
            _ => (figures.talk_time * 3 + talk) / 4,
        };
        if let Some(member) = self.member(interface) {
            member.calls += 1;
            member.last_call = now;
            member.in_call = false;
        }
    }

    pub(crate) fn abandoned(&mut self, hold: u64) {
        self.figures.abandoned += 1;
        self.figures.abandoned_in_level += u64::from(hold <= self.settings.service_level_s);
    }

    /// QueueReset.
    pub(crate) fn reset(&mut self) {
        self.figures = Figures::default();
        for member in &mut self.members {
            member.forget_calls();
        }
    }
}

/// What a channel is to queues.
#[derive(Clone, Debug)]
pub(crate) enum InQueue {
    Waiting {
        queue: String,
    },
    /// It is the caller itself, or the line to the member that answered.
    Talking {
        caller: ChannelKey,
    },
}

#[derive(Debug)]
pub(crate) struct Queues {
    /// In the order in which Asterisk lists them.
    pub(crate) list: Vec<Queue>,
    /// By their callers.
    pub(crate) talks: BTreeMap<ChannelKey, QueueTalk>,
}

impl Queues {
    pub(crate) fn new(settings: &[QueueSettings], started_at: u64) -> Self {
        let mut list: Vec<Queue> = settings
            .iter()
            .map(|settings| Queue::new(settings.clone(), started_at))
            .collect();
        list.sort_by_key(|queue| name_bucket(queue.name()));
        Self {
            list,
            talks: BTreeMap::new(),
        }
    }

    /// Names are compared without regard to case in lists, exactly elsewhere.
    pub(crate) fn listed<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Queue> {
        self.list
            .iter()
            .filter(move |queue| name.is_empty() || queue.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn find(&mut self, name: &str) -> Option<&mut Queue> {
        self.list.iter_mut().find(|queue| queue.name() == name)
    }
}

/// The hash table of queues: `ast_str_case_hash` into 53 buckets.
fn name_bucket(name: &str) -> u32 {
    let hash = name.bytes().fold(5381_u32, |hash, byte| {
        hash.wrapping_mul(33) ^ u32::from(byte.to_ascii_lowercase())
    });
    hash % 53
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, strategy: &str, members: &[&str]) -> QueueSettings {
        let members: String = members
            .iter()
            .map(|interface| format!("[[member]]\ninterface = \"{interface}\"\n"))
            .collect();
        toml::from_str(&format!(
            "name = \"{name}\"\nstrategy = \"{strategy}\"\n{members}"
        ))
        .unwrap()
    }

    #[test]
    fn queues_stand_in_the_order_of_the_hash_table() {
        let names = ["amibench", "empty", "everybody", "nobody"];
        let settings: Vec<_> = names
            .iter()
            .map(|name| queue(name, "ringall", &[]))
            .collect();
        let queues = Queues::new(&settings, 0);
        let listed: Vec<_> = queues.listed("").map(Queue::name).collect();
        // As a real 22.10.1 lists them.
        assert_eq!(listed, ["everybody", "amibench", "nobody", "empty"]);
    }

    #[test]
    fn members_stand_in_the_order_of_the_hash_table_or_as_they_came() {
        let check = |strategy: &str, expected: [&str; 3]| {
            let members = ["Local/agent-3@x/n", "Local/ring@x/n", "Local/agent-1@x"];
            let queue = Queue::new(queue("q", strategy, &members), 0);
            let found: Vec<_> = queue
                .members
                .iter()
                .map(|member| member.interface.as_str())
                .collect();
            assert_eq!(found, expected, "{strategy}");
        };
        check(
            "ringall",
            ["Local/ring@x/n", "Local/agent-3@x/n", "Local/agent-1@x"],
        );
        check(
            "linear",
            ["Local/agent-3@x/n", "Local/ring@x/n", "Local/agent-1@x"],
        );
    }

    #[test]
    fn the_service_level_counts_among_completed_and_among_all() {
        let figures = Figures {
            completed: 2,
            in_level: 2,
            abandoned: 2,
            ..Figures::default()
        };
        assert_eq!(format!("{:.1}", figures.level()), "100.0");
        assert_eq!(format!("{:.1}", figures.level_of_all()), "50.0");
        assert_eq!(format!("{:.1}", Figures::default().level()), "0.0");
    }
}
