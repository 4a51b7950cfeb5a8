//! Does again what a client did in a recording: each step when all that the recording answered before it was answered now,
//! and not before the pause that the client made then.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use ami_proto::dialect::Dialect;
use ami_proto::message::Message;
use tokio::time::Instant;

use super::line::{Answer, Line, Sent, Stage, next_of};
use super::names::{Calls, Unknown, replace};
use super::permission::{Ours, Rules, is_among, permit};
use super::request::Request;
use super::script::{Asked, Deed, Script, Step};
use crate::bench::{Bench, Site};
use crate::case::Safety;
use crate::device::Device;
use crate::finding::{Evidence, Finding};
use crate::log::Manners;
use crate::observed::Observed;
use crate::probe::{ANSWER_WITHIN, Got, Heard, Probe};
use crate::trace::{self, Trace};

/// A call ends by itself that much later than the recording of it did, whatever becomes of us.
const CALL_SPARE: Duration = Duration::from_secs(30);
/// No replay needs a longer one.
const CALL_MAX: Duration = Duration::from_secs(3600);
/// What the PBX said last may take a little longer than it did.
const SETTLE: Duration = Duration::from_millis(300);
/// How often it is looked whether somebody wants to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Headers that name who is dialled.
const DIALLED: [&str; 6] = [
    "Channel",
    "Data",
    "Exten",
    "ExtraExten",
    "Interface",
    "Mailbox",
];

/// What is done, and within what.
#[derive(Debug)]
pub struct Plan<'a> {
    pub script: &'a Script<'a>,
    pub rules: Rules,
    /// Extensions that are called otherwise on this PBX: old, new.
    pub extens: Vec<(String, String)>,
    /// Longer ones of the recording are cut to this.
    pub pause_max: Duration,
}

/// What became of a request of the recording.
#[derive(Debug, Clone)]
pub enum Fate {
    /// And where it stands in the log.
    Sent(Evidence),
    NotSent(String),
}

#[derive(Debug, Default)]
pub struct Replayed {
    /// By the number of the request; one that is missing was not come to.
    pub fates: BTreeMap<usize, Fate>,
    /// What was made and could not be taken away again.
    pub left: Vec<String>,
    pub(super) calls: Calls,
}

impl Plan<'_> {
    /// A request as it would be sent, as far as it does not depend on what the PBX says; or why it is not.
    pub fn foreseen(&self, asked: &Asked<'_>) -> Result<Request, String> {
        let mut request = asked.request.clone()?;
        let is_call = request.is("Originate");
        for (name, value) in &mut request.headers {
            // Elsewhere a channel is one that is up, and called as the PBX calls it.
            let names_up = name.eq_ignore_ascii_case("Channel") && !is_call;
            if names_up || !is_among(&DIALLED, name) {
                continue;
            }
            for (old, new) in &self.extens {
                *value = replace(value, old, new);
            }
        }
        self.rules.admit(&request)?;
        Ok(request)
    }
}

/// Where no connection can be had at all, the finding says why.
pub async fn run(
    site: &Rc<Site>,
    plan: &Plan<'_>,
    told: &mut impl FnMut(&Asked<'_>, &Fate),
) -> Result<Replayed, Finding> {
    let nothing_known = Device::default();
    let mut drive = Drive {
        plan,
        site,
        bench: Bench::new(site, &nothing_known),
        keeper: None,
        lines: BTreeMap::new(),
        turned_away: BTreeMap::new(),
        sent: Vec::new(),
        calls: Calls::default(),
        placed: BTreeMap::new(),
        ours: Ours::default(),
        fates: BTreeMap::new(),
        takes_channel_ids: None,
    };
    // Who allows more sessions and actions than a quiet case has, has them.
    site.meter
        .turn(if plan.rules.allow.contains(&Safety::Noisy) {
            Safety::Noisy
        } else {
            Safety::Quiet
        });
    let done = drive.steps(told).await;
    let left = drive.clean().await;
    done?;
    Ok(Replayed {
        fates: drive.fates,
        left,
        calls: drive.calls,
    })
}

struct Drive<'a, 'b> {
    plan: &'a Plan<'b>,
    site: &'a Rc<Site>,
    bench: Bench<'a>,
    /// Looks before something is made whether it is there already.
    keeper: Option<Probe>,
    lines: BTreeMap<u32, Line>,
    /// Connections of the recording that could not be had, and why.
    turned_away: BTreeMap<u32, String>,
    sent: Vec<Sent>,
    calls: Calls,
    /// Which call of now is that of the recording.
    placed: BTreeMap<usize, usize>,
    ours: Ours,
    fates: BTreeMap<usize, Fate>,
    /// Once it is known.
    takes_channel_ids: Option<bool>,
}

impl Drive<'_, '_> {
    async fn steps(&mut self, told: &mut impl FnMut(&Asked<'_>, &Fate)) -> Result<(), Finding> {
        let script = self.plan.script;
        let began = script.steps.first().map_or(Duration::ZERO, |step| step.at);
        let (mut then, mut now) = (began, Instant::now());
        for step in &script.steps {
            let pause = step.at.saturating_sub(then).min(self.plan.pause_max);
            self.hear(now + pause, |_| false).await;
            self.until_answered(step.at).await;
            if self.site.is_stopped() {
                return Ok(());
            }
            (then, now) = (step.at, Instant::now());
            match &step.what {
                Deed::LogIn { events } => self.log_in(step, events).await?,
                Deed::Leave => {
                    self.lines.remove(&step.conn);
                }
                Deed::Ask(asked) => {
                    let fate = match self.ask(step, asked).await {
                        Ok(evidence) => Fate::Sent(evidence),
                        Err(why) => Fate::NotSent(why),
                    };
                    told(asked, &fate);
                    self.fates.insert(asked.number, fate);
                }
            }
        }
        let rest = script.ended.saturating_sub(then).min(self.plan.pause_max);
        self.until_answered(script.ended).await;
        self.hear(now + rest, |_| false).await;
        let until = Instant::now() + ANSWER_WITHIN;
        self.hear(until, |drive| {
            drive.calls.ended_as(&script.calls, &drive.placed)
        })
        .await;
        self.hear(Instant::now() + SETTLE, |_| false).await;
        Ok(())
    }

    async fn log_in(&mut self, step: &Step<'_>, events: &str) -> Result<(), Finding> {
        // Who has left makes room.
        self.lines.retain(|_, line| line.stage != Stage::Over);
        match self.bench.listener(events).await {
            Ok(probe) => {
                let stage = Stage::Open;
                let line = Line { probe, stage };
                self.lines.insert(step.conn, line);
                Ok(())
            }
            Err(why) if self.lines.is_empty() && self.fates.is_empty() => Err(why),
            Err(why) => {
                self.turned_away.insert(step.conn, why.got);
                Ok(())
            }
        }
    }

    async fn ask(&mut self, step: &Step<'_>, asked: &Asked<'_>) -> Result<Evidence, String> {
        let mut request = self.plan.foreseen(asked)?;
        if let Some(why) = self.turned_away.get(&step.conn) {
            return Err(why.clone());
        }
        let id = request.get("ActionID").map(|_| self.site.next_id());
        if let Some(id) = &id {
            request.set("ActionID", id.clone());
        }
        match asked.call {
            Some(call) => self.place(&mut request, id.clone(), step.at, call)?,
            None => self.translate(&mut request, step, asked).await?,
        }
        // Whose it is shows when it is made.
        let until = Instant::now() + ANSWER_WITHIN;
        let is_made = |drive: &Self| drive.sent.iter().all(|sent| sent.makes.is_none());
        self.hear(until, is_made).await;
        let makes = self.look_before(&request).await?;
        let permitted = permit(&request, &self.plan.rules, &self.ours)?;
        let expected = asked.exchange.answers.iter().map(|seen| {
            let after = seen.at.saturating_sub(asked.exchange.request.at);
            (after, Answer::of(seen.frame()))
        });
        let mut expected: Vec<(Duration, Answer)> = expected.collect();
        if expected.iter().any(|(_, answer)| *answer == Answer::End) {
            expected.retain(|(_, answer)| !matches!(answer, Answer::Event(_)));
        }
        let line = self.lines.get_mut(&step.conn);
        let line = line.filter(|line| line.stage != Stage::Over);
        let line = line.ok_or_else(|| "the connection was closed before".to_owned())?;
        if request.is("Logoff") {
            line.stage = Stage::Leaving;
        }
        let evidence = line.probe.replay(&permitted).await;
        self.sent.push(Sent {
            conn: step.conn,
            id,
            at: Instant::now(),
            then: step.at,
            expected,
            came: BTreeSet::new(),
            given_up: false,
            makes,
        });
        Ok(evidence)
    }

    /// A call of ours: under an id of ours, and ended by itself.
    fn place(
        &mut self,
        request: &mut Request,
        action_id: Option<String>,
        at: Duration,
        call: usize,
    ) -> Result<(), String> {
        if !self.takes_channel_ids() {
            return Err(
                "its calls could not be told from others: this PBX takes no ChannelId".to_owned(),
            );
        }
        let up = u32::try_from(self.calls.up()).unwrap_or(u32::MAX);
        self.site.meter.admits_call(up).map_err(|why| why.got)?;
        let id = self.site.next_id();
        let other = format!("{id};2");
        request.set("ChannelId", id.clone());
        if request.get("OtherChannelId").is_some() {
            request.set("OtherChannelId", other);
        }
        let ends = request
            .all("Variable")
            .any(|one| one.contains("TIMEOUT(absolute)"));
        if !ends {
            let rest = self.plan.script.ended.saturating_sub(at) + CALL_SPARE;
            let bound = format!("TIMEOUT(absolute)={}", rest.min(CALL_MAX).as_secs());
            request.headers.push(("Variable".to_owned(), bound));
        }
        let dialled = request.get("Channel").unwrap_or_default().to_owned();
        let now = self.calls.place(&dialled, action_id, Some(id));
        self.placed.insert(call, now);
        Ok(())
    }

    /// Since 12.2; nobody may hang up what cannot be told from calls of others.
    fn takes_channel_ids(&mut self) -> bool {
        let site = self.site;
        let read = || {
            site.with_log(|log| {
                let observed = Observed::of(log.entries(), |_| Manners::Proper);
                let mut said = observed.said().map(|seen| match seen.frame().message() {
                    Message::Banner(banner) => Dialect::of_banner(&banner).accepts_channel_id(),
                    _ => false,
                });
                said.any(|takes| takes)
            })
        };
        *self.takes_channel_ids.get_or_insert_with(read)
    }

    /// Names what the recording names as it is called now; waits until that is known, as the client had to then.
    async fn translate(
        &mut self,
        request: &mut Request,
        step: &Step<'_>,
        asked: &Asked<'_>,
    ) -> Result<(), String> {
        let until = Instant::now() + ANSWER_WITHIN;
        let script = self.plan.script;
        let all = |drive: &Self| -> Result<Vec<(String, String)>, Unknown> {
            let headers = request.headers.iter();
            let translated = headers.map(|(name, value)| {
                let value = script.calls.translate(value, &drive.calls, &drive.placed)?;
                Ok((name.clone(), value))
            });
            translated.collect()
        };
        let may_come = |drive: &Self| matches!(all(drive), Err(Unknown::Unseen { .. }));
        self.hear(until, |drive| !may_come(drive)).await;
        let headers = all(self).map_err(|unknown| match unknown {
            Unknown::Unplaced => "the call that it is about was not placed".to_owned(),
            Unknown::Unseen { name } => {
                let (number, at) = (asked.number, step.at.as_secs_f64());
                format!("request {number} at {at:.3} s is about {name}, whose like has not come")
            }
        })?;
        self.ours.channels = self.calls.channels().map(str::to_owned).collect();
        request.headers = headers;
        Ok(())
    }

    /// What it would make. What is there already belongs to somebody else.
    async fn look_before(&mut self, request: &Request) -> Result<Option<Trace>, String> {
        let makes = if request.is("DBPut") {
            request.key()
        } else if request.is("QueueAdd") {
            request.member()
        } else {
            return Ok(None);
        };
        if !self.ours.made.contains(&makes) {
            let keeper = self.keeper().await?;
            not_there(&makes, keeper).await?;
        }
        self.bench.will_leave(makes.clone());
        Ok(Some(makes))
    }

    async fn keeper(&mut self) -> Result<&mut Probe, String> {
        if self.keeper.is_none() {
            self.keeper = Some(self.bench.session().await.map_err(|why| why.got)?);
        }
        self.keeper.as_mut().ok_or_else(String::new)
    }

    /// Until all came that the recording has before then, or for as long as it took then and some more.
    async fn until_answered(&mut self, before: Duration) {
        let missing = |drive: &Self| {
            let mut sent = drive.sent.iter();
            sent.find_map(|sent| sent.patience(before))
        };
        while let Some(patience) = missing(self) {
            self.hear(patience, |drive| missing(drive).is_none()).await;
            if self.site.is_stopped() {
                return;
            }
            let now = Instant::now();
            for sent in &mut self.sent {
                sent.given_up |= sent
                    .patience(before)
                    .is_some_and(|patience| patience <= now);
            }
        }
        self.sent
            .retain(|sent| sent.patience(Duration::MAX).is_some());
    }

    /// Takes what comes on all connections, until it is enough or too late.
    async fn hear(&mut self, until: Instant, is_enough: impl Fn(&Self) -> bool) {
        while !is_enough(self) && !self.site.is_stopped() && Instant::now() < until {
            let until = until.min(Instant::now() + LOOK_EVERY);
            if let Some((conn, heard)) = next_of(&mut self.lines, until).await {
                self.take(conn, &heard);
            }
        }
    }

    fn take(&mut self, conn: u32, heard: &Heard) {
        let got = match heard {
            Heard::Message(got) => got,
            Heard::Silence => return,
            Heard::End(_) => {
                if let Some(line) = self.lines.get_mut(&conn) {
                    line.stage = Stage::Over;
                }
                let own = self.sent.iter_mut().filter(|sent| sent.conn == conn);
                own.for_each(|sent| {
                    sent.given_up = true;
                    sent.makes = None;
                });
                return;
            }
        };
        self.calls.hear(got.frame());
        let answer = Answer::of(got.frame());
        let id = got.text("ActionID");
        if answer != Answer::Response && id.is_none() {
            return;
        }
        let is_open = |sent: &Sent| answer != Answer::Response || !sent.came.contains(&answer);
        let mut own = self
            .sent
            .iter_mut()
            .filter(|sent| sent.conn == conn && is_open(sent));
        let sent = match &id {
            Some(_) => own.find(|sent| sent.id == id),
            None => own.next(),
        };
        let Some(sent) = sent else { return };
        if answer == Answer::Response {
            let makes = sent.makes.take();
            let made = makes.filter(|_| got.has("Response", "Success"));
            self.ours.made.extend(made);
        }
        sent.came.insert(answer);
    }

    /// What was made is removed, and looked for again.
    async fn clean(&mut self) -> Vec<String> {
        for uniqueid in self.calls.up_still() {
            self.bench.will_leave(Trace::Channel { uniqueid });
        }
        for line in self.lines.values_mut() {
            match line.stage {
                Stage::Open => drop(line.probe.send("Logoff", &[]).await),
                Stage::Leaving => {}
                Stage::Over => continue,
            }
            // Whether it closes, and how, is judged from what was seen.
            let _ = line.probe.ends(ANSWER_WITHIN).await;
        }
        self.lines.clear();
        if let Some(mut keeper) = self.keeper.take() {
            keeper.send("Logoff", &[]).await;
            let _ = keeper.ends(ANSWER_WITHIN).await;
        }
        trace::remove(&mut self.bench).await
    }
}

/// Or what is said of it.
async fn not_there(makes: &Trace, keeper: &mut Probe) -> Result<(), String> {
    let (there, what) = match makes {
        Trace::DatabaseKey { family, key } => {
            let entry = [("Family", family.as_str()), ("Key", key.as_str())];
            let got = keeper.ask("DBGet", &entry).await;
            let there = got.map_err(|why| why.got)?.has("Response", "Success");
            (there, format!("{family}/{key} is in the database"))
        }
        Trace::QueueMember { queue, interface } => {
            let member = [("Queue", queue.as_str()), ("Member", interface.as_str())];
            let list = keeper.list("QueueStatus", &member).await;
            let items = list.map_err(|why| why.got)?.items;
            let names = ["Location", "Interface", "StateInterface"];
            let is_it = |item: &Got| names.iter().any(|name| item.has(name, interface));
            let there = items.iter().any(is_it);
            (there, format!("{interface} is a member of {queue}"))
        }
        // It is called by an id that nobody else has.
        Trace::Channel { .. } => return Ok(()),
    };
    if there {
        return Err(format!("{what} already"));
    }
    Ok(())
}
