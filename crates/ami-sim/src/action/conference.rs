//! Conferences: no call of the model is in one, and the actions say so.

use crate::action::{Act, Handler};

pub(super) const HANDLERS: &[(&str, Handler)] = &[
    ("ConfbridgeKick", of_one),
    ("ConfbridgeList", of_one),
    ("ConfbridgeListRooms", of_all),
    ("ConfbridgeLock", of_one),
    ("ConfbridgeMute", of_one),
    ("ConfbridgeSetSingleVideoSrc", of_one),
    ("ConfbridgeStartRecord", of_one),
    ("ConfbridgeStopRecord", of_one),
    ("ConfbridgeUnlock", of_one),
    ("ConfbridgeUnmute", of_one),
    ("MeetmeList", of_all),
    ("MeetmeListRooms", of_all),
];

fn of_one(act: &mut Act<'_>) {
    if act.request.bytes("Conference").is_empty() {
        return act.error("No Conference name provided.");
    }
    of_all(act);
}

fn of_all(act: &mut Act<'_>) {
    act.error("No active conferences.");
}
