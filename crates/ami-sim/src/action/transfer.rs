//! BlindTransfer, Atxfer, CancelAtxfer.

use crate::action::{Act, Handler};
use crate::channel::{ChannelKey, Place};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("BlindTransfer", blind_transfer),
    ("Atxfer", attended_transfer),
    ("CancelAtxfer", cancel_attended_transfer),
];

/// Who transfers, and where to; the context is the transferer's own unless the request names one.
fn transfer(act: &mut Act<'_>) -> Option<(ChannelKey, Place)> {
    let text = |name: &str| act.request.text(name);
    let (name, exten, context) = (text("Channel"), text("Exten"), text("Context"));
    if name.is_empty() {
        act.error("No channel specified");
        return None;
    }
    if exten.is_empty() {
        act.error("No extension specified");
        return None;
    }
    let Some(key) = act.pbx.find_channel(&name) else {
        act.error("Channel specified does not exist");
        return None;
    };
    let own = &act.pbx.channels[&key].place.context;
    let context = if context.is_empty() { own } else { &context };
    Some((key, Place::first(context, &exten)))
}

fn blind_transfer(act: &mut Act<'_>) {
    let Some((key, place)) = transfer(act) else {
        return;
    };
    match act.pbx.talks_with(key) {
        Some(peer) => {
            act.success("Transfer succeeded");
            act.pbx.blind_transfer(act.now, [key, peer], place);
        }
        None => {
            act.error("Transfer invalid");
            act.pbx.blind_transfer_invalid(act.now, key, &place);
        }
    }
}

/// Queued as the digits that the transferer would press. Where it may not transfer the other side hears them.
fn attended_transfer(act: &mut Act<'_>) {
    let Some((key, place)) = transfer(act) else {
        return;
    };
    let codes = &act.pbx.profile.feature_codes;
    if codes.attended_transfer.is_empty() {
        return act.error("No attended transfer feature code found");
    }
    let digits = format!("{}{}", codes.attended_transfer, place.exten);
    act.success("Atxfer successfully queued");
    act.pbx
        .set_variable(act.now, key, "TRANSFER_CONTEXT", &place.context);
    act.pbx.press(act.now, key, &digits);
}

fn cancel_attended_transfer(act: &mut Act<'_>) {
    let name = act.request.text("Channel");
    if name.is_empty() {
        return act.error("No channel specified");
    }
    let Some(key) = act.pbx.find_channel(&name) else {
        return act.error("Channel specified does not exist");
    };
    let digits = act.pbx.profile.feature_codes.abort.clone();
    if digits.is_empty() {
        return act.error("No disconnect feature code found");
    }
    act.success("CancelAtxfer successfully queued");
    act.pbx.press(act.now, key, &digits);
}
