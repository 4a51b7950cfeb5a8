//! SIPpeers: what chan_sip knows. The model has the lines of the profile, and nobody registers.

use crate::action::{Act, Handler};
use crate::message::Headers;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("SIPpeers", sip_peers)];

const TECHNOLOGY: &str = "SIP";
/// What a line that is not watched shows.
const SETTINGS: [(&str, &str); 14] = [
    ("IPaddress", "-none-"),
    ("IPport", "0"),
    ("Dynamic", "no"),
    ("AutoForcerport", "no"),
    ("Forcerport", "yes"),
    ("AutoComedia", "no"),
    ("Comedia", "no"),
    ("VideoSupport", "no"),
    ("TextSupport", "no"),
    ("ACL", "no"),
    ("Status", "Unmonitored"),
    ("RealtimeDevice", "no"),
    ("Description", ""),
    ("Accountcode", ""),
];

fn sip_peers(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Peer status list will follow"));
    let profile = std::sync::Arc::clone(&act.pbx.profile);
    let mut count = 0;
    let lines = profile.devices.iter();
    for line in lines.filter(|line| line.technology == TECHNOLOGY) {
        let item = Headers::list_item("PeerEntry", id)
            .with("Channeltype", TECHNOLOGY)
            .with("ObjectName", &line.number)
            .with("ChanObjectType", "peer");
        let item = SETTINGS
            .iter()
            .fold(item, |item, (name, value)| item.with(name, value));
        act.answer(item);
        count += 1;
    }
    act.answer(Headers::list_complete("PeerlistComplete", id, count));
}
