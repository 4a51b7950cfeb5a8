//! Actions about queues as wholes and about their callers: QueueStatus, QueueSummary, Queues, QueueReset and the like.

use crate::action::{Act, Handler};
use crate::device_state::DeviceState;
use crate::message::{Headers, IdBuffer, Message};
use crate::queue::waiting::Waiting;
use crate::queue::{Queue, QueuesAnswer};
use crate::queue_event::member_item;
use crate::queue_text;
use crate::request::is_true;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("QueueStatus", queue_status),
    ("QueueSummary", queue_summary),
    ("Queues", queues),
    ("QueueReset", queue_reset),
    ("QueueReload", queue_reload),
    ("QueueRule", queue_rule),
    ("QueueLog", queue_log),
    ("QueueChangePriorityCaller", queue_change_priority_caller),
    ("QueueWithdrawCaller", queue_withdraw_caller),
];

fn queue_status(act: &mut Act<'_>) {
    let id = act.request.action_id();
    let (name, member) = (act.request.text("Queue"), act.request.text("Member"));
    act.answer(Headers::list_start(id, "Queue status will follow"));
    let mut items = Vec::new();
    for queue in act.pbx.queues.listed(&name) {
        items.push(params(act, queue));
        for chosen in queue
            .members
            .iter()
            .filter(|known| member.is_empty() || known.interface == member || known.name == member)
        {
            let item = Headers::event("QueueMember");
            items.push(member_item(item, act.pbx.profile.base, queue, chosen));
        }
        let entries = (1..).zip(&queue.waiting);
        items.extend(entries.filter_map(|(at, waiting)| entry(act, queue, at, waiting)));
    }
    let count = items.len();
    for item in items {
        act.answer(item.with_id_in(IdBuffer::List, id));
    }
    act.answer(Headers::list_complete("QueueStatusComplete", id, count));
}

fn params(act: &Act<'_>, queue: &Queue) -> Headers {
    let (settings, figures) = (&queue.settings, &queue.figures);
    let item = Headers::event("QueueParams")
        .with("Queue", &settings.name)
        .with_display("Max", settings.max)
        .with("Strategy", settings.strategy.name())
        .with_display("Calls", queue.waiting.len())
        .with_display("Holdtime", figures.hold_time)
        .with_display("TalkTime", figures.talk_time)
        .with_display("Completed", figures.completed)
        .with_display("Abandoned", figures.abandoned)
        .with_display("ServiceLevel", settings.service_level_s)
        .with_display("ServicelevelPerf", format_args!("{:.1}", figures.level()));
    let item = if act.pbx.profile.base.tells_member_logins() {
        item.with_display(
            "ServicelevelPerf2",
            format_args!("{:.1}", figures.level_of_all()),
        )
    } else {
        item
    };
    item.with_display("Weight", settings.weight)
}

fn entry(act: &Act<'_>, queue: &Queue, position: usize, waiting: &Waiting) -> Option<Headers> {
    let channel = act.pbx.channels.get(&waiting.channel)?;
    let party = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let item = Headers::event("QueueEntry")
        .with("Queue", queue.name())
        .with_display("Position", position)
        .with("Channel", &channel.name)
        .with("Uniqueid", &channel.uniqueid)
        .with("CallerIDNum", party(&channel.caller.number))
        .with("CallerIDName", party(&channel.caller.name))
        .with("ConnectedLineNum", party(&channel.connected.number))
        .with("ConnectedLineName", party(&channel.connected.name))
        .with_display("Wait", act.wall_seconds() - waiting.joined_at);
    Some(if act.pbx.profile.base.tells_member_logins() {
        item.with_display("Priority", waiting.priority)
    } else {
        item
    })
}

fn queue_summary(act: &mut Act<'_>) {
    let id = act.request.action_id();
    let name = act.request.text("Queue");
    act.answer(Headers::list_start(id, "Queue summary will follow"));
    let now = act.wall_seconds();
    let summary = |queue: &Queue| {
        let there = queue
            .members
            .iter()
            .filter(|member| member.status != DeviceState::Invalid);
        let free = there
            .clone()
            .filter(|member| member.paused.is_none() && member.status != DeviceState::InUse);
        let longest = queue
            .waiting
            .iter()
            .map(|waiting| now - waiting.joined_at)
            .max();
        Headers::event("QueueSummary")
            .with("Queue", queue.name())
            .with_display("LoggedIn", there.count())
            .with_display("Available", free.count())
            .with_display("Callers", queue.waiting.len())
            .with_display("HoldTime", queue.figures.hold_time)
            .with_display("TalkTime", queue.figures.talk_time)
            .with_display("LongestHoldTime", longest.unwrap_or_default())
            .with_id_in(IdBuffer::List, id)
    };
    let items: Vec<Headers> = act.pbx.queues.listed(&name).map(summary).collect();
    let count = items.len();
    for item in items {
        act.answer(item);
    }
    act.answer(Headers::list_complete("QueueSummaryComplete", id, count));
}

/// Two answers of the same name: bare text up to 14, and one vendor's list.
fn queues(act: &mut Act<'_>) {
    match act.pbx.profile.queues_answer {
        QueuesAnswer::Text => {
            let text = queue_text::show(act.pbx, act.now, None).replace('\n', "\r\n");
            act.answer(Message::Raw(format!("{text}\r\n\r\n").into_bytes()));
        }
        QueuesAnswer::EventList => queues_list(act),
    }
}

fn queues_list(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Queues list will follow"));
    let mut items = Vec::new();
    for queue in &act.pbx.queues.list {
        items.push(vendor_status(queue).with_action_id(id));
        for member in &queue.members {
            let item = Headers::event("QueueMemberStatus")
                .with("Queue", queue.name())
                .with("Location", &member.interface)
                .with("MemberName", &member.name)
                .with("Membership", member.membership.name())
                .with_display("Penalty", member.penalty)
                .with_display("CallsTaken", member.calls)
                .with_display("LastCall", member.last_call)
                .with_display("Status", member.status.number())
                .with("EnableAgentLogin", "no")
                .with_display("LoginTime", member.logged_in_at)
                .with("CallsAbandon", "0")
                .with("TalkTime", "0")
                .with("CallerChannel", "")
                .with("PausedTime", "0")
                .with_display("Paused", u8::from(member.paused.is_some()));
            items.push(item.with_action_id(id));
        }
    }
    let count = act.pbx.queues.list.len();
    for item in items {
        act.answer(item);
    }
    // Queues are counted, not items.
    act.answer(Headers::list_complete("QueuesComplete", id, count));
}

fn vendor_status(queue: &Queue) -> Headers {
    let figures = &queue.figures;
    let level = format_args!(
        "SL:{:.1}% within {}s",
        figures.level(),
        queue.settings.service_level_s
    );
    Headers::event("QueueStatus")
        .with("Queue", queue.name())
        .with_display("CallsTotal", figures.completed + figures.abandoned)
        .with_display("CallCount", queue.waiting.len())
        .with_display("CallsComplete", figures.completed)
        .with_display("CallsAbandoned", figures.abandoned)
        .with("Strategy", queue.settings.strategy.name())
        .with("Chairman", "")
        .with("EnableAgentLogin", "no")
        .with("QueueName", &queue.settings.title)
        // Spelt so.
        .with_display("SeviceLevel", level)
        .with_display(
            "AbandonedRate",
            format_args!("{:.2}%", figures.abandoned_share()),
        )
        .with_display("AvgWaitTime", figures.hold_time)
        .with_display("AvgTalkTime", figures.talk_time)
        .with_display("AvailableCount", queue.available())
        .with_display("AgentCount", queue.members.len())
}

/// A queue that does not exist is no error.
fn queue_reset(act: &mut Act<'_>) {
    let name = act.request.text("Queue");
    for queue in &mut act.pbx.queues.list {
        if name.is_empty() || queue.name() == name {
            queue.reset();
        }
    }
    act.success("Queue stats reset successfully");
}

/// The settings never change here, so that nothing else happens.
fn queue_reload(act: &mut Act<'_>) {
    act.success("Queue reloaded successfully");
}

/// No profile has rules. A second blank line follows, as once there was no first header.
fn queue_rule(act: &mut Act<'_>) {
    let answer = Headers::response("Success", act.request.action_id()).with_line(b"");
    act.answer(answer);
}

fn queue_log(act: &mut Act<'_>) {
    if act.request.bytes("Queue").is_empty() || act.request.bytes("Event").is_empty() {
        return act.error("Need 'Queue' and 'Event' parameters.");
    }
    act.success("Event added successfully");
}

fn queue_change_priority_caller(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (queue, caller, priority) = (text("Queue"), text("Caller"), text("Priority"));
    for (value, message) in [
        (&queue, "'Queue' not specified."),
        (&caller, "'Caller' not specified."),
        (&priority, "'Priority' not specified."),
    ] {
        if value.is_empty() {
            return act.error(message);
        }
    }
    let Ok(priority) = priority.parse::<i32>() else {
        return act.error("'Priority' need integer.");
    };
    let channel = act.pbx.find_channel(&caller);
    let at_once = act.pbx.profile.base.moves_callers_at_once() && is_true(&text("Immediate"));
    let Some(queue) = act.pbx.queues.find(&queue) else {
        return act.error("Unable to change priority caller on queue: No such queue");
    };
    let Some(position) = channel.and_then(|channel| queue.position(channel)) else {
        return act.error("Unable to change priority caller on queue: No such caller");
    };
    queue.waiting[position].priority = priority;
    if at_once {
        let caller = queue.waiting.remove(position);
        queue.enter(caller);
    }
    act.success("Priority change for caller on queue");
}

fn queue_withdraw_caller(act: &mut Act<'_>) {
    let (queue, caller) = (act.request.text("Queue"), act.request.text("Caller"));
    for (value, message) in [
        (&queue, "'Queue' not specified."),
        (&caller, "'Caller' not specified."),
    ] {
        if value.is_empty() {
            return act.error(message);
        }
    }
    let channel = act.pbx.find_channel(&caller);
    let Some(found) = act.pbx.queues.find(&queue) else {
        return act.error("Unable to request withdraw from queue: No such queue");
    };
    let Some(caller) = channel.filter(|channel| found.position(*channel).is_some()) else {
        return act.error("Unable to request withdraw from queue: No such caller");
    };
    let info = act.request.text("WithdrawInfo");
    act.success("Withdraw requested successfully");
    act.pbx.withdraw_from_queue(act.now, caller, &info);
}
