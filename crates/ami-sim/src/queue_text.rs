//! `queue show`, which is also the answer to `Queues` where that is text.

use std::fmt::Write as _;
use std::time::Duration;

use crate::pbx::Pbx;
use crate::queue::Queue;
use crate::queue::member::{Member, Membership};

/// All queues, or one.
pub(crate) fn show(pbx: &Pbx, now: Duration, name: Option<&str>) -> String {
    let mut queues: Vec<&Queue> = pbx.queues.listed(name.unwrap_or_default()).collect();
    if queues.is_empty() {
        return match name {
            Some(name) => format!("No such queue: {name}.\n"),
            None => "No queues.\n".to_owned(),
        };
    }
    if pbx.profile.base.shows_queues_by_name() {
        queues.sort_by_key(|queue| queue.name().to_ascii_lowercase());
    }
    let mut text = String::new();
    for queue in queues {
        write_queue(&mut text, pbx, pbx.wall(now).as_secs(), queue)
            .expect("writing to memory does not fail");
    }
    text
}

fn write_queue(text: &mut String, pbx: &Pbx, now: u64, queue: &Queue) -> std::fmt::Result {
    let (settings, figures) = (&queue.settings, &queue.figures);
    let max = match settings.max {
        0 => "unlimited".to_owned(),
        max => max.to_string(),
    };
    let second_level = if pbx.profile.base.tells_member_logins() {
        format!(", SL2:{:.1}%", figures.level_of_all())
    } else {
        String::new()
    };
    writeln!(
        text,
        "{} has {} calls (max {max}) in '{}' strategy ({}s holdtime, {}s talktime), W:{}, C:{}, A:{}, \
         SL:{:.1}%{second_level} within {}s",
        queue.name(),
        queue.waiting.len(),
        settings.strategy.name(),
        figures.hold_time,
        figures.talk_time,
        settings.weight,
        figures.completed,
        figures.abandoned,
        figures.level(),
        settings.service_level_s,
    )?;
    let members = if queue.members.is_empty() {
        "   No Members"
    } else {
        "   Members: "
    };
    writeln!(text, "{members}")?;
    for member in &queue.members {
        write_member(text, pbx, now, member)?;
    }
    if queue.waiting.is_empty() {
        return writeln!(text, "   No Callers\n");
    }
    writeln!(text, "   Callers: ")?;
    for (position, waiting) in (1..).zip(&queue.waiting) {
        let Some(channel) = pbx.channels.get(&waiting.channel) else {
            continue;
        };
        let wait = now - waiting.joined_at;
        writeln!(
            text,
            "      {position}. {} (wait: {}:{:02}, prio: {})",
            channel.name,
            wait / 60,
            wait % 60,
            waiting.priority
        )?;
    }
    writeln!(text)
}

fn write_member(text: &mut String, pbx: &Pbx, now: u64, member: &Member) -> std::fmt::Result {
    write!(text, "      {}", member.name)?;
    if member.name != member.interface {
        write!(text, " ({}", member.interface)?;
        if member.state_interface != member.interface {
            write!(text, " from {}", member.state_interface)?;
        }
        write!(text, ")")?;
    }
    if member.penalty > 0 {
        write!(text, " with penalty {}", member.penalty)?;
    }
    let ring_in_use = if member.ring_in_use {
        "enabled"
    } else {
        "disabled"
    };
    write!(text, " (ringinuse {ring_in_use})")?;
    if member.membership == Membership::Dynamic {
        write!(text, " (dynamic)")?;
    }
    let recent = pbx.profile.base.tells_member_logins();
    match member.paused.as_deref() {
        None => {}
        Some(_) if !recent => write!(text, " (paused)")?,
        Some("") => write!(text, " (paused was {} secs ago)", now - member.last_pause)?,
        Some(reason) => {
            let ago = now - member.last_pause;
            write!(text, " (paused:{reason} was {ago} secs ago)")?;
        }
    }
    if member.in_call {
        write!(text, " (in call)")?;
    }
    write!(text, " ({})", member.status.words())?;
    if member.calls == 0 {
        write!(text, " has taken no calls yet")?;
    } else {
        let ago = now - member.last_call;
        write!(
            text,
            " has taken {} calls (last was {ago} secs ago)",
            member.calls
        )?;
    }
    if recent {
        write!(text, " (login was {} secs ago)", now - member.logged_in_at)?;
    }
    writeln!(text)
}
