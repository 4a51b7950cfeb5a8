//! Actions about members of queues: QueueAdd, QueueRemove, QueuePause, QueuePenalty, QueueMemberRingInUse.

use crate::action::{Act, Handler};
use crate::device_state::DeviceState;
use crate::queue::member::{Member, Membership};
use crate::request::{is_true, leading_number};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("QueueAdd", queue_add),
    ("QueueRemove", queue_remove),
    ("QueuePause", queue_pause),
    ("QueuePenalty", queue_penalty),
    ("QueueMemberRingInUse", queue_member_ring_in_use),
];

fn queue_add(act: &mut Act<'_>) {
    let (queue, interface) = (act.request.text("Queue"), act.request.text("Interface"));
    if queue.is_empty() {
        return act.error("'Queue' not specified.");
    }
    if interface.is_empty() {
        return act.error("'Interface' not specified.");
    }
    let member = new_member(act, &interface);
    let Some(found) = act.pbx.queues.find(&queue) else {
        return act.error("Unable to add interface to queue: No such queue");
    };
    if found.member(&interface).is_some() {
        return act.error("Unable to add interface: Already there");
    }
    if found.is_full_of_members() {
        return act.error("Out of memory");
    }
    let (device, state) = (member.pause_device(&queue), member.pause_state());
    found.insert(member);
    act.success("Added interface to queue");
    act.pbx.queue_device(act.now, &device, state);
    act.pbx
        .member_event(act.now, "QueueMemberAdded", (&queue, &interface), |blob| {
            blob
        });
    act.pbx.tell_availability(act.now, &queue);
}

fn new_member(act: &Act<'_>, interface: &str) -> Member {
    let text = |name: &str| act.request.text(name);
    let now = act.wall_seconds();
    let mut member = Member::new(interface, Membership::Dynamic, now);
    if !text("MemberName").is_empty() {
        member.name = text("MemberName");
    }
    if !text("StateInterface").is_empty() {
        member.state_interface = text("StateInterface");
    }
    member.penalty = number(&text("Penalty"));
    if is_true(&text("Paused")) {
        let told = act.pbx.profile.base.adds_members_with_reason();
        member.paused = Some(if told { text("Reason") } else { String::new() });
        member.last_pause = now;
    }
    member.status = act.pbx.device_status(&member.state_interface);
    member
}

/// `sscanf("%30d")`; what is no number or less than zero counts as zero.
fn number(text: &str) -> u32 {
    leading_number(text)
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or_default()
}

fn queue_remove(act: &mut Act<'_>) {
    let (queue, interface) = (act.request.text("Queue"), act.request.text("Interface"));
    if queue.is_empty() || interface.is_empty() {
        return act.error("Need 'Queue' and 'Interface' parameters.");
    }
    let Some(found) = act.pbx.queues.find(&queue) else {
        return act.error("Unable to remove interface from queue: No such queue");
    };
    let Some(member) = found.member(&interface) else {
        return act.error("Unable to remove interface: Not there");
    };
    if member.membership != Membership::Dynamic {
        return act.error("Member not dynamic");
    }
    let device = member.pause_device(&queue);
    act.success("Removed interface from queue");
    act.pbx.member_event(
        act.now,
        "QueueMemberRemoved",
        (&queue, &interface),
        |blob| blob,
    );
    if let Some(found) = act.pbx.queues.find(&queue) {
        found.members.retain(|member| member.interface != interface);
    }
    act.pbx
        .queue_device(act.now, &device, DeviceState::NotInUse);
    act.pbx.tell_availability(act.now, &queue);
}

/// Does something to a member in one queue or in all; tells which queues have it.
fn change_members(act: &mut Act<'_>, interface: &str, change: impl Fn(&mut Member)) -> Vec<String> {
    let only = act.request.text("Queue");
    let mut changed = Vec::new();
    for queue in &mut act.pbx.queues.list {
        if !only.is_empty() && !queue.name().eq_ignore_ascii_case(&only) {
            continue;
        }
        if let Some(member) = queue.member(interface) {
            change(member);
            changed.push(queue.name().to_owned());
        }
    }
    changed
}

fn queue_pause(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (interface, paused, reason) = (text("Interface"), text("Paused"), text("Reason"));
    if interface.is_empty() || paused.is_empty() {
        return act.error("Need 'Interface' and 'Paused' parameters.");
    }
    let (paused, now) = (is_true(&paused), act.wall_seconds());
    let changed = change_members(act, &interface, |member| {
        member.paused = paused.then(|| reason.clone());
        if paused {
            member.last_pause = now;
        }
    });
    if changed.is_empty() {
        return act.error("Interface not found");
    }
    act.success(if paused {
        "Interface paused successfully"
    } else {
        "Interface unpaused successfully"
    });
    let repeats_reason = act.pbx.profile.base.repeats_pause_reason() && !reason.is_empty();
    for queue in changed {
        let Some(member) = act
            .pbx
            .queues
            .find(&queue)
            .and_then(|found| found.member(&interface))
        else {
            continue;
        };
        let (device, state) = (member.pause_device(&queue), member.pause_state());
        act.pbx.queue_device(act.now, &device, state);
        act.pbx.tell_availability(act.now, &queue);
        act.pbx
            .member_event(act.now, "QueueMemberPause", (&queue, &interface), |blob| {
                if repeats_reason {
                    blob.with("Reason", &reason)
                } else {
                    blob
                }
            });
    }
}

fn queue_penalty(act: &mut Act<'_>) {
    let (interface, penalty) = (act.request.text("Interface"), act.request.text("Penalty"));
    if interface.is_empty() || penalty.is_empty() {
        return act.error("Need 'Interface' and 'Penalty' parameters.");
    }
    // `atoi`: what is no number is zero.
    let penalty = u32::try_from(leading_number(&penalty).unwrap_or_default());
    let changed = match penalty {
        Ok(penalty) => change_members(act, &interface, |member| member.penalty = penalty),
        Err(_) => Vec::new(),
    };
    if changed.is_empty() {
        return act.error("Invalid interface, queuename or penalty");
    }
    act.success("Interface penalty set successfully");
    for queue in changed {
        act.pbx.member_event(
            act.now,
            "QueueMemberPenalty",
            (&queue, &interface),
            |blob| blob,
        );
    }
}

fn queue_member_ring_in_use(act: &mut Act<'_>) {
    let (interface, value) = (act.request.text("Interface"), act.request.text("RingInUse"));
    if interface.is_empty() || value.is_empty() {
        return act.error("Need 'Interface' and 'RingInUse' parameters.");
    }
    let value = is_true(&value);
    let changed = change_members(act, &interface, |member| member.ring_in_use = value);
    if changed.is_empty() {
        // The line feed is Asterisk's.
        return act.error("Invalid interface, queuename, or ringinuse value\n");
    }
    act.success("Interface ringinuse set successfully");
    for queue in changed {
        act.pbx.member_event(
            act.now,
            "QueueMemberRinginuse",
            (&queue, &interface),
            |blob| blob,
        );
    }
}
