//! Park, ParkedCalls, Parkinglots.

use std::time::Duration;

use crate::action::{Act, Handler};
use crate::message::{Headers, IdBuffer};
use crate::parking::ParkOrder;

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("Park", park),
    ("ParkedCalls", parked_calls),
    ("Parkinglots", parkinglots),
];

/// Who should hear the space (`AnnounceChannel`) hears nothing here.
fn park(act: &mut Act<'_>) {
    let text = |name: &str| act.request.text(name);
    let (name, parker, lot) = (text("Channel"), text("TimeoutChannel"), text("Parkinglot"));
    if name.is_empty() {
        return act.error("Channel not specified");
    }
    let timeout = match text("Timeout") {
        value if value.is_empty() => None,
        value => match value.parse::<u64>() {
            Ok(millis) => Some(Duration::from_secs(millis.div_ceil(1000))),
            Err(_) => return act.error("Invalid Timeout value."),
        },
    };
    let Some(key) = act.pbx.find_channel(&name) else {
        return act.error(&format!("Channel does not exist: {name}"));
    };
    let Some(lot) = act.pbx.find_lot(&lot) else {
        return act.error("Park action failed");
    };
    let order = ParkOrder {
        lot,
        parker: Some(parker).filter(|parker| !parker.is_empty()),
        timeout: timeout.unwrap_or_else(|| act.pbx.profile.parking_lots[lot].timeout()),
        told_for: Duration::ZERO,
    };
    match act.pbx.park(act.now, key, order) {
        Some(_) => act.success("Park successful"),
        None => act.error("Park action failed"),
    }
}

fn parked_calls(act: &mut Act<'_>) {
    let name = act.request.text("ParkingLot");
    let lot = match act.pbx.find_lot(&name) {
        _ if name.is_empty() => None,
        Some(lot) => Some(lot),
        None => return act.error("Requested parking lot could not be found."),
    };
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Parked calls will follow"));
    let items = act.pbx.parked_calls(act.now, lot);
    let count = items.len();
    for item in items {
        act.session.answer(item.with_id_in(IdBuffer::List, id));
    }
    let complete = Headers::list_complete("ParkedCallsComplete", id, count);
    act.answer(complete.with_display("Total", count));
}

fn parkinglots(act: &mut Act<'_>) {
    let id = act.request.action_id();
    act.answer(Headers::list_start(id, "Parking lots will follow"));
    let lots = &act.pbx.profile.parking_lots;
    for lot in lots {
        let item = Headers::event("Parkinglot")
            .with_id_in(IdBuffer::List, id)
            .with("Name", &lot.name)
            .with_display("StartSpace", lot.spaces[0])
            .with_display("StopSpace", lot.spaces[1])
            .with_display("Timeout", lot.timeout_s);
        act.session.answer(item);
    }
    let count = lots.len();
    act.answer(Headers::list_complete("ParkinglotsComplete", id, count));
}
