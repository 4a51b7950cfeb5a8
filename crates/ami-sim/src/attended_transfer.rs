//! Attended transfers: one side of a talk lets the other wait, speaks to a third one, and hangs up or comes back.
//!
//! The talk goes on in its bridge, with music for who waits; the transferer and its target have a bridge of their own.

use std::time::Duration;

use crate::agenda::Ticket;
use crate::bridge::{Bridge, BridgeKey, NORMAL_CLEARING};
use crate::channel::{ChannelKey, Party};
use crate::class::Classes;
use crate::dial::{DialKey, Owner};
use crate::line::Wish;
use crate::message::Headers;
use crate::pbx::{Due, Pbx};

/// What a transferer is in the middle of.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// Who waits, and where.
    waits: ChannelKey,
    talk: BridgeKey,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// It says where to, digit by digit, and has not for ever.
    Digits { exten: String, over: Ticket },
    /// The target is called, and then spoken to.
    Consulting {
        target: ChannelKey,
        bridge: BridgeKey,
        dial: DialKey,
    },
}

/// Three times is asked for an extension, with a refusal read out each time.
const DIGITS_WITHIN: Duration = Duration::from_millis(17_400);
/// The transferer's own thread takes it to the other bridge.
const TO_BRIDGE: Duration = Duration::from_millis(1);

impl Pbx {
    /// The code of an attended transfer was pressed in a talk between two.
    pub(crate) fn begin_transfer(&mut self, now: Duration, key: ChannelKey) {
        let talk = self.channels[&key].bridge;
        let Some((talk, waits)) = talk.zip(self.talks_with(key)) else {
            return;
        };
        self.channel_event(now, "Hold", key, |_, headers| headers);
        self.music_start(now, waits);
        let over = self.digits_over(now, key);
        let exten = String::new();
        let stage = Stage::Digits { exten, over };
        self.transfers.insert(key, Transfer { waits, talk, stage });
    }

    fn digits_over(&mut self, now: Duration, key: ChannelKey) -> Ticket {
        self.agenda
            .add(now + DIGITS_WITHIN, Due::TransferDigits(key))
    }

    pub(crate) fn says_where(&self, key: ChannelKey) -> bool {
        let transfer = self.transfers.get(&key);
        transfer.is_some_and(|transfer| matches!(transfer.stage, Stage::Digits { .. }))
    }

    pub(crate) fn consults(&self, key: ChannelKey) -> bool {
        self.transfers.contains_key(&key) && !self.says_where(key)
    }

    /// One more digit of the extension; as soon as there is such an extension it is called.
    pub(crate) fn transfer_digit(&mut self, now: Duration, key: ChannelKey, digit: char) {
        let next_over = self.digits_over(now, key);
        let Some(Transfer { stage, .. }) = self.transfers.get_mut(&key) else {
            return;
        };
        let Stage::Digits { exten, over } = stage else {
            return;
        };
        exten.push(digit);
        let exten = exten.clone();
        self.agenda.cancel(std::mem::replace(over, next_over));
        let channel = &self.channels[&key];
        let context = channel.variable("TRANSFER_CONTEXT");
        let context = context.unwrap_or(&channel.place.context).to_owned();
        if self.profile.steps(&context, &exten).is_some() {
            self.agenda.cancel(next_over);
            self.call_target(now, key, &format!("Local/{exten}@{context}"));
        }
    }

    /// Who waited hears the transferer again.
    pub(crate) fn transfer_digits_over(&mut self, now: Duration, key: ChannelKey) {
        if self.says_where(key) {
            self.take_off_hold(now, key);
        }
    }

    fn take_off_hold(&mut self, now: Duration, key: ChannelKey) {
        let Some(transfer) = self.transfers.remove(&key) else {
            return;
        };
        if let Stage::Digits { over, .. } = transfer.stage {
            self.agenda.cancel(over);
        }
        self.channel_event(now, "Unhold", key, |_, headers| headers);
        self.music_stop(now, transfer.waits);
    }

    fn call_target(&mut self, now: Duration, key: ChannelKey, target: &str) {
        let transferer = &self.channels[&key];
        let (name, caller) = (transferer.name.clone(), transferer.caller.clone());
        let wish = Wish {
            call: transferer.call,
            target: target.to_owned(),
            channel_id: None,
            other_channel_id: None,
            caller: Some(key),
        };
        let Ok(mut line) = self.request_line(now, wish) else {
            return self.take_off_hold(now, key);
        };
        let target = line.channel;
        for variable in ["TRANSFERERNAME", "ATTENDEDTRANSFER"] {
            self.set_variable(now, target, variable, &name);
        }
        let bridge = self.create_bridge(now);
        line.calling = Some(caller.clone());
        let within = Duration::from_secs(self.profile.feature_codes.answer_within_s);
        let owner = (Owner::Transfer(key), None);
        let dial = self.start_dial(now, owner, &[line], Some(within));
        if caller != Party::default() {
            self.channel_mut(target).connected = caller;
            self.new_connected_line(now, target);
        }
        self.join(now, bridge, target);
        self.set_variable(now, target, "ATTENDEDTRANSFER", "");
        if let Some(transfer) = self.transfers.get_mut(&key) {
            transfer.stage = Stage::Consulting {
                target,
                bridge,
                dial,
            };
        }
        self.agenda.add(now + TO_BRIDGE, Due::Consult(key));
    }

    /// The transferer comes to its target, be it answered or not.
    pub(crate) fn consult(&mut self, now: Duration, key: ChannelKey) {
        let Some(Transfer { talk, stage, .. }) = self.transfers.get(&key) else {
            return;
        };
        let Stage::Consulting { target, bridge, .. } = *stage else {
            return;
        };
        if self.channels[&key].bridge != Some(*talk) || !self.bridges.contains_key(&bridge) {
            return;
        }
        self.leave_for(now, key);
        self.join(now, bridge, key);
        self.introduce(now, bridge);
        self.connect(now, [target, key]);
    }

    /// Out of one bridge on the way to another: a record ends, and one begins.
    pub(crate) fn leave_for(&mut self, now: Duration, key: ChannelKey) {
        self.part(now, key);
        self.channel_mut(key).record_goes_on(now);
    }

    /// The target is answered: who is with it in a bridge is told so again.
    pub(crate) fn target_answered(&mut self, now: Duration, dial: DialKey, line: ChannelKey) {
        self.dial_end(now, line, "ANSWER");
        self.channel_mut(line).dialled_in = None;
        self.forget_dial(dial);
        if let Some(bridge) = self.channels[&line].bridge {
            self.introduce(now, bridge);
        }
    }

    /// The target ends before it is answered.
    pub(crate) fn target_ended(&mut self, now: Duration, dial: DialKey, line: ChannelKey) {
        if let Some(Owner::Transfer(transferer)) = self.dials.get(&dial).map(|dial| &dial.owner) {
            self.end_consultation(now, *transferer);
        }
        // It may ring for who waited, now that who transferred is gone.
        self.forget_dial(dial);
        if let Some(channel) = self.channels.get_mut(&line) {
            channel.dialled_in = None;
            self.hang_up(now, line);
        }
    }

    /// The transferer goes back to who waits for it, and the target ends.
    pub(crate) fn end_consultation(&mut self, now: Duration, key: ChannelKey) {
        let Some(transfer) = self.transfers.remove(&key) else {
            return;
        };
        let Stage::Consulting {
            target,
            bridge,
            dial,
        } = transfer.stage
        else {
            return;
        };
        let (waits, talk) = (transfer.waits, transfer.talk);
        let is_here = self.is_in(key, bridge) || self.is_in(key, talk);
        if is_here && self.is_in(waits, talk) {
            if self.is_in(key, bridge) {
                self.leave_for(now, key);
                self.enter_bridge(now, talk, key);
            }
            self.music_stop(now, waits);
            self.introduce(now, talk);
            self.channel_event(now, "Unhold", key, |_, headers| headers);
            self.connect(now, [waits, key]);
        }
        self.let_target_go(now, dial, target, bridge);
    }

    fn let_target_go(
        &mut self,
        now: Duration,
        dial: DialKey,
        target: ChannelKey,
        bridge: BridgeKey,
    ) {
        self.take_lines(dial);
        self.forget_dial(dial);
        if let Some(target) = self.channels.get_mut(&target) {
            target.dialled_in = None;
        }
        self.dissolve(now, bridge, NORMAL_CLEARING);
    }

    /// Transfers, waits, or is spoken to.
    pub(crate) fn is_in_transfer(&self, key: ChannelKey) -> bool {
        self.transfers.iter().any(|(transferer, transfer)| {
            let spoken_to =
                matches!(transfer.stage, Stage::Consulting { target, .. } if target == key);
            *transferer == key || transfer.waits == key || spoken_to
        })
    }

    fn is_in(&self, key: ChannelKey, bridge: BridgeKey) -> bool {
        let channel = self.channels.get(&key);
        channel.is_some_and(|channel| channel.bridge == Some(bridge))
    }

    /// The transferer leaves what it is in: who waits and the target are put together.
    pub(crate) fn complete_transfer(&mut self, now: Duration, key: ChannelKey) {
        if self.says_where(key) {
            return self.take_off_hold(now, key);
        }
        let Some(Transfer { waits, talk, stage }) = self.transfers.remove(&key) else {
            return;
        };
        let Stage::Consulting {
            target,
            bridge,
            dial,
        } = stage
        else {
            return;
        };
        let pairs = [(key, bridge), (target, bridge), (waits, talk)];
        if !pairs.iter().all(|(key, bridge)| self.is_in(*key, *bridge)) {
            return self.let_target_go(now, dial, target, bridge);
        }
        self.forget_peer(now, key);
        self.music_stop(now, waits);
        self.part(now, key);
        self.bridge_merge_event(now, [talk, bridge]);
        let left = Bridge {
            members: Vec::new(),
            ..self.bridges[&bridge].clone()
        };
        self.leave_for(now, target);
        self.record_rejoin(now, [waits, target]);
        self.enter_bridge(now, talk, target);
        self.introduce(now, talk);
        self.attended_transfer_event(now, key, (waits, target), (talk, &left));
        self.connect(now, [waits, target]);
    }

    fn bridge_merge_event(&mut self, now: Duration, [to, from]: [BridgeKey; 2]) {
        let mut headers = self.event(now, "BridgeMerge", Classes::CALL);
        self.bridges[&to].write_snapshot("To", &self.profile, &mut headers);
        self.bridges[&from].write_snapshot("From", &self.profile, &mut headers);
        self.publish(Classes::CALL, headers);
    }

    fn attended_transfer_event(
        &mut self,
        now: Duration,
        transferer: ChannelKey,
        (waits, target): (ChannelKey, ChannelKey),
        (talk, left): (BridgeKey, &Bridge),
    ) {
        let headers = self.event(now, "AttendedTransfer", Classes::CALL);
        let mut headers = headers.with("Result", "Success");
        let channel = |prefix: &str, key: ChannelKey, headers: &mut Headers| {
            self.channels[&key].write_snapshot(prefix, &self.profile, headers);
        };
        let talk = &self.bridges[&talk];
        channel("OrigTransferer", transferer, &mut headers);
        talk.write_snapshot("Orig", &self.profile, &mut headers);
        channel("SecondTransferer", transferer, &mut headers);
        left.write_snapshot("Second", &self.profile, &mut headers);
        channel("Transferee", waits, &mut headers);
        channel("TransferTarget", target, &mut headers);
        let headers = headers
            .with("IsExternal", "No")
            .with("DestType", "Bridge")
            .with("DestBridgeUniqueid", &talk.id);
        self.publish(Classes::CALL, headers);
    }

    /// Who is about to end was waited for, spoken to, or waits.
    pub(crate) fn end_transfers_with(&mut self, now: Duration, key: ChannelKey) {
        let spoken_to = self.transfers.iter().find_map(|(transferer, transfer)| {
            let is = matches!(transfer.stage, Stage::Consulting { target, .. } if target == key);
            is.then_some(*transferer)
        });
        if let Some(transferer) = spoken_to {
            self.end_consultation(now, transferer);
        }
        self.complete_transfer(now, key);
        // Nobody waits any more: the other two stay with each other.
        self.transfers.retain(|_, transfer| transfer.waits != key);
    }
}
