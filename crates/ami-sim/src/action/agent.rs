//! Agents: the logins of app_agent_pool, which no profile has any of, and one vendor's list of queue members as agents.

use crate::action::{Act, Handler};
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("Agents", agents),
    ("AgentLogoff", agent_logoff),
    ("GSAgents", gs_agents),
];

fn agents(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Agents will follow"));
    act.answer(Headers::list_complete("AgentsComplete", id, 0));
}

fn agent_logoff(act: &mut Act<'_>) {
    if act.request.bytes("Agent").is_empty() {
        return act.error("No agent specified");
    }
    act.error("No such agent");
}

/// An item for each member of each queue. One that bears an ActionID ends with a blank line too many.
fn gs_agents(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Agents status will follow"));
    let mut items = Vec::new();
    for queue in &act.pbx.queues.list {
        for member in &queue.members {
            let item = Headers::event("GsAgent")
                .with("Agent", &member.interface)
                .with("QueueName", &queue.settings.title)
                .with("Queue", queue.name())
                .with("Location", &member.interface)
                .with("Membership", member.membership.name())
                .with_display("Penalty", member.penalty)
                .with_display("CallsTaken", member.calls)
                .with_display("LastCall", member.last_call)
                .with_display("Status", member.status.number())
                .with_display("LoginTime", member.logged_in_at)
                .with("CallsAbandon", "0")
                .with("TalkTime", "0")
                .with("CallerChannel", "")
                .with_display("Paused", u8::from(member.paused.is_some()));
            items.push(if id.is_empty() {
                item
            } else {
                item.with_action_id(id).with_line(b"")
            });
        }
    }
    let count = items.len();
    for item in items {
        act.answer(item);
    }
    act.answer(Headers::list_complete("GsAgentComplete", id, count));
}
