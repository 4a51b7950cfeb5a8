//! A bench: where an active case works. It opens connections, hands out ids, and knows whether the PBX is alive.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use ami_client::Clock;
use ami_client::target::Standing;
use ami_client::tls::Versions;
use ami_client::wire::Wire;
use ami_proto::transcript::Mark;

use crate::device::Device;
use crate::finding::{Evidence, Finding};
use crate::log::{Log, Manners, Side};
use crate::logins::{Credentials, Lesser, Logins};
use crate::pace::{Meter, Pace, UNBOUND};
use crate::probe::{Got, Heard, Probe};
use crate::trace::Trace;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const BANNER_WITHIN: Duration = Duration::from_secs(5);
/// What a PBX that never greeted anybody gets to do so after all.
const STILL_NO_BANNER: Duration = Duration::from_millis(300);
const LIVENESS_WITHIN: Duration = Duration::from_secs(5);

/// How connections to a PBX are made.
pub trait Dial: fmt::Debug {
    fn dial(&self, way: Way) -> Pin<Box<dyn Future<Output = io::Result<Wire>> + '_>>;
}

/// On which port of a PBX, and what is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// AMI, as all of the run but what is about other ways.
    Usual,
    /// AMI over TLS: what is written at once is one record.
    Tls(Versions),
    /// The port for TLS, without TLS.
    UnderTls,
    /// The web server.
    Web,
}

/// What all connections of a run share.
#[derive(Debug)]
pub struct Site {
    dial: Box<dyn Dial>,
    pub logins: Logins,
    clock: Clock,
    log: RefCell<Log>,
    /// What tells our traces from those of others.
    pub tag: String,
    ids: Cell<u64>,
    pub(crate) meter: Meter,
    stopped: Cell<bool>,
    greets: OnceCell<Greets>,
    /// How the first login of the run ended; one that was refused is not tried again, for it would be refused and logged each time.
    first_login: OnceCell<Result<(), NotLoggedIn>>,
    /// Why no case logs in with the account of the target, by whatever means.
    shut_out: OnceCell<String>,
    /// The same over HTTP.
    pub(crate) first_web_login: OnceCell<Result<(), String>>,
    /// Likewise of accounts that lack something.
    refused: RefCell<BTreeMap<Standing, String>>,
    /// Answers without an ActionID are taken at once.
    pub(crate) answers_namelessly: Cell<bool>,
}

#[derive(Debug, Clone, thiserror::Error)]
enum NotLoggedIn {
    #[error("the login was refused: {0}")]
    Refused(String),
    #[error("the login was not answered")]
    Unanswered,
}

/// Whether the first connection of the run was greeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greets {
    Yes,
    No,
}

#[derive(Debug)]
pub struct Bench<'a> {
    pub(crate) site: Rc<Site>,
    pub device: &'a Device,
    traces: Vec<Trace>,
    /// Cookies of sessions over HTTP.
    pub(crate) web_sessions: Vec<String>,
}

impl Site {
    pub fn new(dial: Box<dyn Dial>, logins: Logins, tag: String, clock: Clock) -> Rc<Self> {
        Self::paced(dial, logins, tag, clock, UNBOUND)
    }

    /// Of a PBX that bears only so much.
    pub fn paced(
        dial: Box<dyn Dial>,
        logins: Logins,
        tag: String,
        clock: Clock,
        permitted: Pace,
    ) -> Rc<Self> {
        Rc::new(Self {
            dial,
            logins,
            clock,
            log: RefCell::default(),
            tag,
            ids: Cell::new(0),
            meter: Meter::new(permitted),
            stopped: Cell::new(false),
            greets: OnceCell::new(),
            first_login: OnceCell::new(),
            shut_out: OnceCell::new(),
            first_web_login: OnceCell::new(),
            refused: RefCell::default(),
            answers_namelessly: Cell::new(false),
        })
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// All that passed so far.
    pub fn with_log<T>(&self, read: impl FnOnce(&Log) -> T) -> T {
        read(&self.log.borrow())
    }

    /// Nobody answered who should: a failure, if the PBX serves others meanwhile.
    pub(crate) async fn unanswered(
        self: &Rc<Self>,
        expected: &str,
        got: String,
        evidence: impl IntoIterator<Item = Evidence>,
    ) -> Finding {
        if self.is_alive().await {
            Finding::fail(expected, got).with_all(evidence)
        } else {
            Finding::inconclusive(format!("{got}, and nobody else was answered either"))
        }
    }

    pub(crate) fn open(&self, manners: Manners) -> u32 {
        let at = self.now();
        self.log.borrow_mut().open(at, manners)
    }

    /// No further case is begun.
    pub fn stop(&self) {
        self.stopped.set(true);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    pub(crate) fn next_id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("{}-{}", self.tag, self.ids.get())
    }

    pub(crate) fn log(&self, conn: u32, side: Side, bytes: &[u8]) {
        let at = self.now();
        self.log.borrow_mut().chunk(at, conn, side, bytes);
    }

    pub(crate) fn mark(&self, conn: u32, mark: Mark) {
        let at = self.now();
        self.log.borrow_mut().mark(at, conn, mark);
    }

    /// Why the account of the target was not let in, where it was not.
    pub fn kept_out(&self) -> Option<String> {
        let refused = self.first_login.get()?.as_ref().err()?;
        Some(refused.to_string())
    }

    /// The account of the target is not let in by its key either: its secret is wrong, and each further login would be logged and
    /// counted by whoever bans addresses.
    pub(crate) fn shut_out(&self) {
        if let Some(Err(refused @ NotLoggedIn::Refused(_))) = self.first_login.get() {
            self.shut_out.get_or_init(|| refused.to_string());
        }
    }

    /// A connection of its own is served: its login is answered, or where none is accepted it is greeted.
    pub async fn is_alive(self: &Rc<Self>) -> bool {
        let Ok((mut probe, banner)) = greeted(self, Way::Usual, Manners::Proper).await else {
            return false;
        };
        if let Some(Err(_)) = self.first_login.get() {
            return banner.is_some();
        }
        let id = send_login(&mut probe, &self.logins.own, "off").await;
        let Ok(answer) = login_answer(&mut probe, &id).await else {
            return false;
        };
        if answer.has("Response", "Success") {
            probe.send("Logoff", &[]).await;
            // It was only polite.
            let _ = probe.next(LIVENESS_WITHIN).await;
        }
        true
    }
}

/// A connection, and its place among those that are permitted.
pub(crate) async fn reach(site: &Rc<Site>, way: Way) -> Result<(Wire, Place), Finding> {
    if site.with_log(Log::is_full) {
        return Err(Finding::inconclusive("more passed than can be kept"));
    }
    let place = Place::take(site)?;
    let dialled = tokio::time::timeout(CONNECT_WITHIN, site.dial.dial(way)).await;
    let wire = dialled
        .map_err(|_| Finding::inconclusive("no connection within 10 s"))?
        .map_err(|error| Finding::inconclusive(format!("no connection: {error}")))?;
    Ok((wire, place))
}

async fn connect(site: &Rc<Site>, way: Way, manners: Manners) -> Result<Probe, Finding> {
    let (wire, place) = reach(site, way).await?;
    Ok(Probe::new(wire, place, site.open(manners)))
}

/// A PBX that says nothing may still answer.
async fn greeted(
    site: &Rc<Site>,
    way: Way,
    manners: Manners,
) -> Result<(Probe, Option<Got>), Finding> {
    let mut probe = connect(site, way, manners).await?;
    let within = match site.greets.get() {
        Some(Greets::No) => STILL_NO_BANNER,
        _ => BANNER_WITHIN,
    };
    let banner = match probe.next(within).await {
        Heard::Message(banner) => Some(banner),
        Heard::Silence => None,
        Heard::End(_) => {
            return Err(Finding::inconclusive(
                "the connection was closed before a banner",
            ));
        }
    };
    site.greets.get_or_init(|| match banner {
        Some(_) => Greets::Yes,
        None => Greets::No,
    });
    Ok((probe, banner))
}

async fn log_in(site: &Rc<Site>, events: &str) -> Result<Probe, Finding> {
    log_in_with(site, Way::Usual, events, Manners::Proper).await
}

async fn log_in_with(
    site: &Rc<Site>,
    way: Way,
    events: &str,
    manners: Manners,
) -> Result<Probe, Finding> {
    if let Some(why) = site.kept_out() {
        return Err(Finding::inconclusive(why));
    }
    let (mut probe, _) = greeted(site, way, manners).await?;
    let login = accepted(&mut probe, &site.logins.own, events).await;
    site.first_login.get_or_init(|| login.clone());
    login
        .map(|()| probe)
        .map_err(|why| Finding::inconclusive(why.to_string()))
}

/// Logs in, or says why not.
async fn accepted(probe: &mut Probe, who: &Credentials, events: &str) -> Result<(), NotLoggedIn> {
    let id = send_login(probe, who, events).await;
    match login_answer(probe, &id).await {
        Ok(answer) if answer.has("Response", "Success") => Ok(()),
        Ok(answer) => Err(NotLoggedIn::Refused(answer.summary())),
        Err(NoAnswer) => Err(NotLoggedIn::Unanswered),
    }
}

async fn send_login(probe: &mut Probe, who: &Credentials, events: &str) -> String {
    probe.send("Login", &who.login(events)).await
}

struct NoAnswer;

/// The first answer with this ActionID or with none at all: nothing else was asked.
async fn login_answer(probe: &mut Probe, id: &str) -> Result<Got, NoAnswer> {
    loop {
        match probe.next(LIVENESS_WITHIN).await {
            Heard::Message(got) if got.answers(id) => {
                probe.remember(&got);
                return Ok(got);
            }
            Heard::Message(_) => {}
            Heard::End(_) | Heard::Silence => return Err(NoAnswer),
        }
    }
}

/// The place of one session among those that are permitted; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) site: Rc<Site>,
}

impl Place {
    fn take(site: &Rc<Site>) -> Result<Self, Finding> {
        site.meter.open()?;
        Ok(Self {
            site: Rc::clone(site),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.site.meter.close();
    }
}

impl<'a> Bench<'a> {
    pub fn new(site: &Rc<Site>, device: &'a Device) -> Self {
        Self {
            site: Rc::clone(site),
            device,
            traces: Vec::new(),
            web_sessions: Vec::new(),
        }
    }

    /// To be said before it is made.
    pub fn will_leave(&mut self, trace: Trace) {
        self.traces.push(trace);
    }

    pub(crate) fn take_traces(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.traces)
    }

    /// Of the account of the target.
    pub fn credentials(&self) -> Result<&Credentials, Finding> {
        match self.site.shut_out.get() {
            None => Ok(&self.site.logins.own),
            Some(why) => Err(Finding::inconclusive(why)),
        }
    }

    /// An ActionID, or another word, that nobody else uses.
    pub fn id(&self) -> String {
        self.site.next_id()
    }

    pub fn now(&self) -> Duration {
        self.site.now()
    }

    /// A connection on which nothing was said yet.
    pub async fn connect(&mut self) -> Result<Probe, Finding> {
        connect(&self.site, Way::Usual, Manners::Rude).await
    }

    /// A connection whose banner was read, if there is one, not logged in.
    pub async fn greeted(&mut self) -> Result<(Probe, Option<Got>), Finding> {
        greeted(&self.site, Way::Usual, Manners::Rude).await
    }

    /// Logged in, without events.
    pub async fn session(&mut self) -> Result<Probe, Finding> {
        log_in(&self.site, "off").await
    }

    /// Logged in, without events; what is sent there may be rude.
    pub async fn rude_session(&mut self) -> Result<Probe, Finding> {
        log_in_with(&self.site, Way::Usual, "off", Manners::Rude).await
    }

    /// The same with the events of this mask, where what is heard may be odd.
    pub async fn rude_listener(&mut self, events: &str) -> Result<Probe, Finding> {
        log_in_with(&self.site, Way::Usual, events, Manners::Rude).await
    }

    /// Logged in over TLS, without events; what is sent there at once is one record.
    pub async fn tls_session(&mut self, versions: Versions) -> Result<Probe, Finding> {
        log_in_with(&self.site, Way::Tls(versions), "off", Manners::Rude).await
    }

    /// A connection to the port for TLS, which hears no TLS from us.
    pub async fn under_tls(&mut self) -> Result<Probe, Finding> {
        connect(&self.site, Way::UnderTls, Manners::Foreign).await
    }

    /// An account that lacks something.
    pub fn lesser(&self, standing: Standing) -> Result<Lesser, Finding> {
        let lesser = self.site.logins.lesser.get(&standing);
        lesser.cloned().ok_or_else(|| {
            Finding::not_applicable(format!("the target names no account `{standing}`"))
        })
    }

    /// Logged in with such an account, with the events of this mask.
    pub async fn lesser_session(
        &mut self,
        standing: Standing,
        events: &str,
    ) -> Result<Probe, Finding> {
        let who = self.lesser(standing)?.credentials;
        if let Some(why) = self.site.refused.borrow().get(&standing) {
            return Err(Finding::inconclusive(why));
        }
        let (mut probe, _) = greeted(&self.site, Way::Usual, Manners::Proper).await?;
        match accepted(&mut probe, &who, events).await {
            Ok(()) => Ok(probe),
            Err(why) => {
                let why = format!("of the account `{standing}`, {why}");
                let mut refused = self.site.refused.borrow_mut();
                refused.insert(standing, why.clone());
                Err(Finding::inconclusive(why))
            }
        }
    }

    /// Logged in, with the events of this mask.
    pub async fn listener(&mut self, events: &str) -> Result<Probe, Finding> {
        log_in(&self.site, events).await
    }
}
