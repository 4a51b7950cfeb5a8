//! Short messages of a gateway with SIM cards: what is sent is reported some seconds later, and what is sent to a SIM card of
//! the gateway itself arrives there.

use std::time::Duration;

use serde::Deserialize;

use crate::class::Classes;
use crate::message::Headers;
use crate::pbx::{Due, Pbx};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSettings {
    /// From the answer to the report.
    report_ms: u64,
    /// What a provider answers to every USSD code.
    pub(crate) ussd: String,
    /// `gsm show span`, with `{span}`, `{centre}` and `{network}`.
    span: String,
    #[serde(rename = "sim")]
    pub(crate) sims: Vec<Sim>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sim {
    pub(crate) span: u32,
    number: String,
    /// The SMS centre of its network.
    centre: String,
    network: String,
}

impl SmsSettings {
    pub(crate) fn sim(&self, span: u32) -> Option<&Sim> {
        self.sims.iter().find(|sim| sim.span == span)
    }

    pub(crate) fn show(&self, sim: &Sim) -> String {
        self.span
            .replace("{span}", &sim.span.to_string())
            .replace("{centre}", &sim.centre)
            .replace("{network}", &sim.network)
    }
}

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Sms {
    pub(crate) span: u32,
    pub(crate) to: String,
    /// As the client encoded it.
    pub(crate) content: String,
    pub(crate) id: Option<String>,
}

/// A gateway sends one message in some seconds on each span; more than these would never get out.
const ON_THE_WAY_MAX: usize = 1000;

impl Pbx {
    /// False when too many wait already.
    pub(crate) fn send_sms(&mut self, now: Duration, sms: Sms) -> bool {
        let Some(settings) = self.profile.sms.as_ref() else {
            return false;
        };
        if self.sms_on_the_way.len() == ON_THE_WAY_MAX {
            return false;
        }
        let at = now + Duration::from_millis(settings.report_ms);
        self.agenda.add(at, Due::Sms);
        self.sms_on_the_way.push_back(sms);
        true
    }

    /// The oldest message is out: all take the same time.
    pub(crate) fn sms_sent(&mut self, now: Duration) {
        let Some(sms) = self.sms_on_the_way.pop_front() else {
            return;
        };
        let profile = self.profile.clone();
        let Some(settings) = profile.sms.as_ref() else {
            return;
        };
        let sender = settings.sim(sms.span);
        // A number without its plus was reported as failed.
        let sent = sender.is_some() && sms.to.starts_with('+');
        let report = sms_event("UpdateSMSSend")
            .with("ID", sms.id.as_deref().unwrap_or("(null)"))
            .with("Smsc", sender.map_or("", |sim| &sim.centre))
            .with("Status", if sent { "1" } else { "0" });
        self.publish_sms(report);
        let receiver = settings.sims.iter().find(|sim| sim.number == sms.to);
        let (Some(sender), Some(receiver)) = (sender, receiver) else {
            return;
        };
        let received = sms_event("ReceivedSMS")
            .with("ID", "")
            .with_display("GsmSpan", receiver.span)
            .with("Sender", &sender.number)
            .with("Recvtime", self.local_time(now))
            .with("Index", "0")
            .with("Total", "1")
            .with("Smsc", &receiver.centre)
            .with("Content", &sms.content);
        self.publish_sms(received);
    }

    fn publish_sms(&mut self, event: Headers) {
        let event = event.with_line(b"--END SMS EVENT--");
        self.publish(Classes::MESSAGE, event);
    }

    fn local_time(&self, now: Duration) -> String {
        let seconds = i64::try_from(self.wall(now).as_secs()).unwrap_or_default();
        let stamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        stamp.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// Its privilege is the other way round than everybody's.
fn sms_event(name: &str) -> Headers {
    Headers::event(name).with("Privilege", "all,smscommand")
}
