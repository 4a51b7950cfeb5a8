//! Mailboxes: MailboxCount, MailboxStatus and the Voicemail family.

use crate::action::{Act, Handler};
use crate::mailbox::Mailbox;
use crate::message::{Headers, IdBuffer};
use crate::release::Release;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("MailboxCount", mailbox_count),
    ("MailboxStatus", mailbox_status),
    ("VoicemailUsersList", users_list),
    ("VoicemailUserStatus", user_status),
    ("VoicemailBoxSummary", box_summary),
    ("VoicemailRefresh", refresh),
    ("VoicemailForward", needs_mailbox),
    ("VoicemailMove", needs_mailbox),
    ("VoicemailRemove", needs_mailbox),
];

const WHICH: &str = "Need 'Context' and 'Mailbox' parameters.";
const NOBODY: &str = "There is no voicemail user of the given info.";

/// The mailbox of a request, which need not exist.
fn named(act: &mut Act<'_>) -> Option<String> {
    let mailbox = act.request.text("Mailbox");
    if mailbox.is_empty() {
        act.error("Mailbox not specified");
        return None;
    }
    Some(mailbox)
}

fn mailbox_count(act: &mut Act<'_>) {
    let Some(mailbox) = named(act) else { return };
    let answer = Headers::success(act.request.action_id(), "Mailbox Message Count")
        .with("Mailbox", mailbox)
        .with("UrgMessages", "0")
        .with("NewMessages", "0")
        .with("OldMessages", "0");
    act.answer(answer);
}

fn mailbox_status(act: &mut Act<'_>) {
    let Some(mailbox) = named(act) else { return };
    let answer = Headers::success(act.request.action_id(), "Mailbox Status");
    act.answer(answer.with("Mailbox", mailbox).with("Waiting", "0"));
}

fn users_list(act: &mut Act<'_>) {
    let profile = std::sync::Arc::clone(&act.pbx.profile);
    let id = act.request.action_id();
    let mailboxes = &profile.mailboxes;
    if mailboxes.is_empty() {
        return act.success("There are no voicemail users currently defined.");
    }
    act.answer(Headers::list_start(id, "Voicemail user list will follow"));
    for mailbox in mailboxes {
        let item = Headers::event("VoicemailUserEntry").with_id_in(IdBuffer::Voicemail, id);
        act.answer(user(item, mailbox, profile.base));
    }
    let complete = "VoicemailUserEntryComplete";
    act.answer(Headers::list_complete(complete, id, mailboxes.len()));
}

/// `None` where the request names nobody; that is answered here.
fn chosen(act: &mut Act<'_>) -> Option<Mailbox> {
    let (context, number) = (act.request.text("Context"), act.request.text("Mailbox"));
    if context.is_empty() || number.is_empty() {
        act.error(WHICH);
        return None;
    }
    let mut mailboxes = act.pbx.profile.mailboxes.iter();
    let found = mailboxes
        .find(|mailbox| mailbox.context == context && mailbox.number == number)
        .cloned();
    if found.is_none() {
        act.success(NOBODY);
    }
    found
}

fn user_status(act: &mut Act<'_>) {
    let Some(mailbox) = chosen(act) else { return };
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Voicemail user detail will follow"));
    let item = Headers::event("VoicemailUserDetail").with_id_in(IdBuffer::Voicemail, id);
    act.answer(user(item, &mailbox, act.pbx.profile.base));
    act.answer(Headers::list_complete("VoicemailUserDetailComplete", id, 1));
}

fn box_summary(act: &mut Act<'_>) {
    if chosen(act).is_some() {
        let id = act.request.action_id();
        act.answer(Headers::list_start(id, "Voicemail box detail will follow"));
        act.answer(Headers::list_complete("VoicemailBoxDetailComplete", id, 0));
    }
}

fn refresh(act: &mut Act<'_>) {
    act.success("Refresh sent");
}

/// There is no message that could be moved, forwarded or removed.
fn needs_mailbox(act: &mut Act<'_>) {
    if act.request.text("Mailbox").is_empty() {
        act.error("Mailbox not specified, required");
    } else {
        act.error("Not simulated");
    }
}

fn user(item: Headers, mailbox: &Mailbox, base: Release) -> Headers {
    let email = if mailbox.email.is_empty() && base.is_14_or_later() {
        "(null)"
    } else {
        &mailbox.email
    };
    let item = item
        .with("VMContext", &mailbox.context)
        .with("VoiceMailbox", &mailbox.number)
        .with("Fullname", &mailbox.name)
        .with("Email", email)
        .with("Pager", "")
        .with("ServerEmail", "asterisk");
    let item = if base.is_14_or_later() {
        item.with("FromString", "")
    } else {
        item
    };
    let item = item.with("MailCommand", "/usr/sbin/sendmail -t");
    let empty = [
        "Language",
        "TimeZone",
        "Callback",
        "Dialout",
        "UniqueID",
        "ExitContext",
    ];
    let item = empty.iter().fold(item, |item, name| item.with(name, ""));
    let item = item
        .with("SayDurationMinimum", "2")
        .with("SayEnvelope", "Yes")
        .with("SayCID", "No")
        .with("AttachMessage", "Yes")
        .with("AttachmentFormat", "")
        .with("DeleteMessage", "No")
        .with("VolumeGain", "0.00")
        .with("CanReview", "No");
    let item = if base.marks_urgent_messages() {
        item.with("CanMarkUrgent", "Yes")
    } else {
        item
    };
    let item = item
        .with("CallOperator", "No")
        .with("MaxMessageCount", "100")
        .with_display("MaxMessageLength", mailbox.message_max_s)
        .with("NewMessageCount", "0");
    if base.is_14_or_later() {
        item.with("OldMessageCount", "0")
    } else {
        item
    }
}
