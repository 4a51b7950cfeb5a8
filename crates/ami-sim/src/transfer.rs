//! Blind transfers: one side of a talk sends the other to an extension.

use std::time::Duration;

use crate::bridge::{BridgeKind, NORMAL_CLEARING};
use crate::channel::{ChannelKey, Place};
use crate::class::Classes;
use crate::pbx::Pbx;

impl Pbx {
    /// The other side of a talk between two.
    pub(crate) fn talks_with(&self, key: ChannelKey) -> Option<ChannelKey> {
        let bridge = self.bridges.get(&self.channels.get(&key)?.bridge?)?;
        match bridge.members[..] {
            [one, two] if bridge.kind == BridgeKind::Basic => {
                Some(if one == key { two } else { one })
            }
            _ => None,
        }
    }

    /// The transferer leaves the talk and ends; the other side goes to the extension.
    pub(crate) fn blind_transfer(&mut self, now: Duration, pair: [ChannelKey; 2], place: Place) {
        let [transferer, transferee] = pair;
        self.channel_event(now, "Unhold", transferer, |_, headers| headers);
        for (key, peer) in [(transferee, transferer), (transferer, transferee)] {
            let name = self.channels[&peer].name.clone();
            self.set_variable(now, key, "BLINDTRANSFER", &name);
        }
        self.forget_peer(now, transferer);
        self.blind_transfer_event(now, ("Success", &place), transferer, Some(transferee));
        self.send_to(now, transferee, place);
        self.leave_bridge(now, transferer);
        self.after_bridge(now, transferer, NORMAL_CLEARING);
        self.go_where_sent(now, transferee);
    }

    pub(crate) fn blind_transfer_invalid(&mut self, now: Duration, key: ChannelKey, place: &Place) {
        self.blind_transfer_event(now, ("Invalid", place), key, None);
    }

    fn blind_transfer_event(
        &mut self,
        now: Duration,
        (result, place): (&str, &Place),
        transferer: ChannelKey,
        transferee: Option<ChannelKey>,
    ) {
        if !self.wants(Classes::CALL) {
            return;
        }
        let mut headers = self.event(now, "BlindTransfer", Classes::CALL);
        headers.push("", "Result", result.as_bytes());
        self.channels[&transferer].write_snapshot("Transferer", &self.profile, &mut headers);
        if let Some(transferee) = transferee {
            self.channels[&transferee].write_snapshot("Transferee", &self.profile, &mut headers);
        }
        let bridge = self.channels[&transferer].bridge;
        if let Some(bridge) = bridge.and_then(|key| self.bridges.get(&key)) {
            bridge.write_snapshot("", &self.profile, &mut headers);
        }
        let headers = headers
            .with("IsExternal", "Yes")
            .with("Context", &place.context)
            .with("Extension", &place.exten);
        self.publish(Classes::CALL, headers);
    }
}
