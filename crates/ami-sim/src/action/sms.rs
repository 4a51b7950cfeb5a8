//! SMSCommand of gateways with SIM cards: a console of its own.

use crate::action::{Act, Handler};
use crate::message::Message;
use crate::sms::{Sms, SmsSettings};

pub(super) const HANDLERS: &[(&str, Handler)] = &[("SMSCommand", sms_command)];

fn sms_command(act: &mut Act<'_>) {
    let profile = act.pbx.profile.clone();
    let Some(settings) = profile.sms.as_ref() else {
        return act.error("No SIM cards");
    };
    let line = act.request.text("Command");
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let text = match words.as_slice() {
        ["gsm", "show", "spans"] => spans(settings),
        ["gsm", "show", "span", span] => show(settings, span),
        ["gsm", "send", "sms", span, to, ..] => {
            let (content, id) = quoted(&line);
            let sms = Sms {
                span: span.parse().unwrap_or_default(),
                to: (*to).to_owned(),
                content,
                id,
            };
            if act.pbx.send_sms(act.now, sms) {
                String::new()
            } else {
                "Too many messages wait\n".to_owned()
            }
        }
        ["gsm", "send", "ussd", span, ..] => ussd(settings, span),
        _ => format!("No such command '{line}'\n"),
    };
    act.answer(Message::Follows {
        privilege: "SMSCommand",
        action_id: act.request.action_id().to_vec(),
        text,
    });
}

fn spans(settings: &SmsSettings) -> String {
    let line = |span| format!("GSM span {span}: Power on, Up, Active, Standard\n");
    settings.sims.iter().map(|sim| line(sim.span)).collect()
}

fn show(settings: &SmsSettings, span: &str) -> String {
    match span.parse().ok().and_then(|span| settings.sim(span)) {
        Some(sim) => settings.show(sim),
        None => format!("Invalid span {span}\n"),
    }
}

fn ussd(settings: &SmsSettings, span: &str) -> String {
    let message = &settings.ussd;
    format!(
        "1:Received USSD success on span: {span}\n\tUSSD Responses: 0\n\tUSSD Code: 15\n\tUSSD Len: {}\n\
         \tUSSD Message: {message}\n",
        message.len()
    )
}

/// The text between the outermost quotes, and the id that may follow.
fn quoted(line: &str) -> (String, Option<String>) {
    let (Some(start), Some(end)) = (line.find('"'), line.rfind('"')) else {
        return (String::new(), None);
    };
    let text = line.get(start + 1..end).unwrap_or_default();
    let id = line[end + 1..].trim();
    (text.to_owned(), (!id.is_empty()).then(|| id.to_owned()))
}
