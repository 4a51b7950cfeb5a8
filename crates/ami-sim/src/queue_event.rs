//! The events of queues, and the lines in which lists and events describe a member.

use std::time::Duration;

use crate::channel::ChannelKey;
use crate::class::Classes;
use crate::device_state::DeviceState;
use crate::message::Headers;
use crate::pbx::Pbx;
use crate::queue::Queue;
use crate::queue::member::Member;
use crate::queue_call::QueueDial;
use crate::release::Release;

/// Who an event about a queue call is about.
pub(crate) struct Rung<'a> {
    pub(crate) caller: ChannelKey,
    /// The line to the member.
    pub(crate) dest: Headers,
    pub(crate) queue: &'a str,
    pub(crate) interface: &'a str,
}

/// A member in QueueStatus; the two forms name two headers differently and end differently.
pub(crate) fn member_item(
    item: Headers,
    release: Release,
    queue: &Queue,
    member: &Member,
) -> Headers {
    let head = item
        .with("Queue", queue.name())
        .with("Name", &member.name)
        .with("Location", &member.interface);
    let body = member_lines(head, release, member);
    if release.tells_member_logins() {
        body.with("Wrapuptime", "0")
    } else {
        body
    }
}

fn member_blob(head: Headers, release: Release, queue: &Queue, member: &Member) -> Headers {
    let head = head
        .with("Queue", queue.name())
        .with("MemberName", &member.name)
        .with("Interface", &member.interface);
    let body =
        member_lines(head, release, member).with_display("Ringinuse", u8::from(member.ring_in_use));
    if release.tells_member_logins() {
        body.with("Wrapuptime", "0")
    } else {
        body
    }
}

fn member_lines(head: Headers, release: Release, member: &Member) -> Headers {
    let mut lines = head
        .with("StateInterface", &member.state_interface)
        .with("Membership", member.membership.name())
        .with_display("Penalty", member.penalty)
        .with_display("CallsTaken", member.calls)
        .with_display("LastCall", member.last_call);
    if release.tells_member_logins() {
        lines = lines
            .with_display("LastPause", member.last_pause)
            .with_display("LoginTime", member.logged_in_at);
    }
    if release.tells_member_calls() {
        lines = lines.with_display("InCall", u8::from(member.in_call));
    }
    lines = lines
        .with_display("Status", member.status.number())
        .with_display("Paused", u8::from(member.paused.is_some()));
    if release.tells_member_calls() {
        lines = lines.with("PausedReason", member.paused.as_deref().unwrap_or_default());
    }
    lines
}

impl Pbx {
    /// An event about a member as it is now; `more` follows what describes it.
    pub(crate) fn member_event(
        &mut self,
        now: Duration,
        name: &str,
        (queue, interface): (&str, &str),
        more: impl FnOnce(Headers) -> Headers,
    ) {
        if !self.wants(Classes::AGENT) {
            return;
        }
        let head = self.event(now, name, Classes::AGENT);
        let release = self.profile.base;
        let Some(queue) = self.queues.find(queue) else {
            return;
        };
        let Some(member) = queue
            .members
            .iter()
            .find(|member| member.interface == interface)
        else {
            return;
        };
        let headers = more(member_blob(head, release, queue, member));
        self.publish(Classes::AGENT, headers);
    }

    /// An event about a caller; `more` follows its snapshot.
    pub(crate) fn caller_event(
        &mut self,
        now: Duration,
        name: &str,
        caller: ChannelKey,
        more: impl FnOnce(Headers) -> Headers,
    ) {
        if !self.wants(Classes::AGENT) {
            return;
        }
        let Some(channel) = self.channels.get(&caller) else {
            return;
        };
        let mut headers = self.event(now, name, Classes::AGENT);
        channel.write_snapshot("", &self.profile, &mut headers);
        self.publish(Classes::AGENT, more(headers));
    }

    /// An event about a caller and the line to a member; `more` follows what both have.
    pub(crate) fn agent_event(
        &mut self,
        now: Duration,
        name: &str,
        about: Rung<'_>,
        more: impl FnOnce(Headers) -> Headers,
    ) {
        let Rung {
            caller,
            dest,
            queue,
            interface,
        } = about;
        let member = self.queues.find(queue);
        let member = member.and_then(|queue| queue.member(interface));
        let member = member.map_or_else(|| interface.to_owned(), |member| member.name.clone());
        self.caller_event(now, name, caller, |headers| {
            let headers = headers
                .with_all(&dest)
                .with("Queue", queue)
                .with("Interface", interface)
                .with("MemberName", member);
            more(headers)
        });
    }

    pub(crate) fn rung<'a>(
        &self,
        [caller, line]: [ChannelKey; 2],
        ring: &'a QueueDial,
    ) -> Rung<'a> {
        Rung {
            caller,
            dest: self.dest_snapshot(line),
            queue: &ring.queue,
            interface: ring.interface_of(line),
        }
    }

    pub(crate) fn dest_snapshot(&self, line: ChannelKey) -> Headers {
        let mut dest = Headers::default();
        if let Some(line) = self.channels.get(&line) {
            line.write_snapshot("Dest", &self.profile, &mut dest);
        }
        dest
    }

    /// Tells the state of a device that stands for a queue or a pause, if it is another one than before.
    pub(crate) fn queue_device(&mut self, now: Duration, device: &str, state: DeviceState) {
        if self.device_states.get(device) != Some(&state) {
            self.tell_device(now, device, state);
        }
    }

    /// `Queue:NAME_avail` says whether a caller would find somebody.
    pub(crate) fn tell_availability(&mut self, now: Duration, queue: &str) {
        if let Some(queue) = self.queues.find(queue) {
            let (device, state) = (queue.availability_device(), queue.availability());
            self.queue_device(now, &device, state);
        }
    }

    /// What the devices of members and queues are when the PBX starts: a queue is told of before its members are.
    pub(crate) fn settle_queues(&mut self) {
        let mut list = std::mem::take(&mut self.queues.list);
        let mut devices = Vec::new();
        for queue in &mut list {
            for member in &mut queue.members {
                member.status = self.device_status(&member.state_interface);
                devices.push((
                    member.pause_device(&queue.settings.name),
                    member.pause_state(),
                ));
            }
            devices.push((queue.availability_device(), DeviceState::InUse));
        }
        self.device_states.extend(devices);
        self.queues.list = list;
    }

    /// The state of the device behind an interface; a Local one is in use as long as it has a channel.
    pub(crate) fn device_status(&self, interface: &str) -> DeviceState {
        let device = device_of(interface);
        let mut channels = self.channels.values();
        if device.starts_with("Local/") && channels.any(|channel| channel.device == device) {
            DeviceState::InUse
        } else {
            self.device_state_of(device)
        }
    }

    /// A device has changed: the members that stand for it change with it.
    pub(crate) fn follow_device(&mut self, now: Duration, device: &str, status: DeviceState) {
        let mut changed = Vec::new();
        for queue in &mut self.queues.list {
            let name = queue.settings.name.clone();
            for member in &mut queue.members {
                if device_of(&member.state_interface) == device && member.status != status {
                    member.status = status;
                    changed.push((name.clone(), member.interface.clone()));
                }
            }
        }
        for (queue, interface) in changed {
            self.member_event(now, "QueueMemberStatus", (&queue, &interface), |blob| blob);
            self.tell_availability(now, &queue);
        }
    }
}

/// The options behind an extension are no part of its device.
pub(crate) fn device_of(interface: &str) -> &str {
    match interface.match_indices('/').nth(1) {
        Some((at, _)) if interface.starts_with("Local/") => &interface[..at],
        _ => interface,
    }
}
